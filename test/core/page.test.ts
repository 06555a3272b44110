import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EntryPage } from '../../src/core/page.ts';

const FACTS = { count: 1, firstSeq: 7, lastSeq: 7, skipped: 0, scannedTo: 7, done: true };

test('a page is the same whether it came as text or as bytes', () => {
  const text = '[{"id":"t-7","seq":7,"task_id":"t","message":"größer 🚀"}]';
  const bytes = new TextEncoder().encode(text);
  for (const json of [text, bytes]) {
    const page = new EntryPage({ ...FACTS, json });
    assert.equal(page.json, text);
    assert.deepEqual([...page.bytes], [...bytes]);
    assert.equal(page.entries[0]?.message, 'größer 🚀');
  }
});
