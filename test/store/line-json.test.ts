import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newTask } from '../../src/core/change.ts';
import { type Draft, ENTRY_TYPES, STREAMS } from '../../src/core/entry.ts';
import { LEVELS } from '../../src/core/level.ts';
import { READ_BYTES } from '../../src/core/limits.ts';
import { entryJson } from '../../src/core/wire.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { scratch } from '../support/scratch.ts';

const AT = '2026-01-24T10:00:00.000Z';
const texts = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
  fc.constantFrom(
    '',
    '\u0000',
    'a\u0000b',
    '"\\/\b\f\n\r\t\u007f\u0085\u2028',
    '\u001b[31mred',
    "it's",
    '😀',
    '{"a":1}',
  ),
);
const metadata = fc.dictionary(texts, fc.jsonValue()).map((held) => JSON.stringify(held).toWellFormed());
const drafts: fc.Arbitrary<Draft> = fc.record({
  timestamp: fc.constant(AT),
  level: fc.constantFrom(...LEVELS),
  source: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 }).map((text) => text.toWellFormed()),
  stream: fc.option(fc.constantFrom(...STREAMS)),
  type: fc.constantFrom(...ENTRY_TYPES),
  message: texts,
  metadataJson: fc.option(metadata),
});

test('a page that SQLite puts together is the page that is put together here', async (t) => {
  const store = new SqliteStore(await scratch(t));
  t.after(() => store.close());
  let n = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(drafts, { minLength: 1, maxLength: 20 }), fc.nat(19), async (lines, after) => {
      const taskId = `t-${n++}`;
      await store.createTask(newTask({ taskId }, AT));
      await store.append([{ taskId, drafts: lines, filtered: 0, lost: 0 }]);
      const page = await store.read(taskId, { after, limit: 7 });
      const expected = lines.map((line, index) => entryJson(taskId, index + 1, line)).slice(after, after + 7);
      assert.equal(page.json, `[${expected.join(',')}]`);
      assert.equal(page.count, expected.length);
    }),
    { numRuns: 300 },
  );
});

test('a page of large lines ends where it is full, whoever puts it together', async (t) => {
  const store = new SqliteStore(await scratch(t));
  t.after(() => store.close());
  await store.createTask(newTask({ taskId: 't' }, AT));
  const line = { timestamp: AT, level: 'INFO', source: 's', stream: null, type: 'log', metadataJson: null } as const;
  // Each escape makes six bytes of one.
  const drafts = Array.from({ length: 50 }, () => ({ ...line, message: '\u0001'.repeat(READ_BYTES / 100) }));
  await store.append([{ taskId: 't', drafts, filtered: 0, lost: 0 }]);
  const seen: number[] = [];
  for (let after = 0; seen.length < 50; ) {
    const page = await store.read('t', { after, limit: 100 });
    assert.ok(page.json.length < 1.1 * READ_BYTES, `${page.json.length}`);
    seen.push(...page.entries.map(({ seq }) => seq));
    after = page.scannedTo;
  }
  assert.deepEqual(
    seen,
    drafts.map((_, index) => index + 1),
  );
});
