import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { ERRORS } from '../../src/core/error.ts';

test('docs/errors.md has each code of the table, with its status and retry, and no other', async () => {
  const page = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \| (yes|no) \| ([^|]+) \| ([^|]+) \|$/gm)];
  const written = rows.map(([, code, status, retry]) => ({ code, status: Number(status), retry: retry === 'yes' }));
  const held = Object.entries(ERRORS).map(([code, { status, retry }]) => ({ code, status, retry }));
  const byCode = (a: { code?: string | undefined }, b: { code?: string | undefined }) =>
    String(a.code).localeCompare(String(b.code));
  assert.deepEqual(written.sort(byCode), held.sort(byCode));
  for (const [, code, , , meaning, cure] of rows) {
    assert.ok((meaning ?? '').trim().length > 10 && (cure ?? '').trim().length > 5, code);
  }
});
