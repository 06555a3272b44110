import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SETTINGS } from '../../src/cli/settings.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const text = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');

test('docs/security.md has each row from S1 to S20, with tests that are there', () => {
  const rows = text.matchAll(/^\| (S\d[^|]*) \|[^|]+\|([^|]+)\|$/gm);
  const shown = new Set<number>();
  for (const [, names = '', tests = ''] of rows) {
    const files = [...tests.matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file ?? '');
    assert.ok(files.length > 0, names);
    for (const file of files) assert.ok(existsSync(join(ROOT, file)), file);
    const [first = 0, last = first] = [...names.matchAll(/\d+/g)].map(Number);
    for (let row = first; row <= last; row++) shown.add(row);
  }
  assert.deepEqual(
    [...shown].sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
});

test('docs/security.md and SECURITY.md name settings and files that there are', () => {
  const names = new Set(Object.values(SETTINGS).map(({ name }) => name));
  for (const [name] of text.matchAll(/\bTASKTRAIL_[A-Z_]+/g)) assert.ok(names.has(name), name);
  for (const page of ['docs/security.md', 'SECURITY.md']) {
    const folder = join(ROOT, page, '..');
    for (const [, file = ''] of readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\(([^)#:]+)[^)]*\)/g)) {
      assert.ok(existsSync(join(folder, file)), `${page}: ${file}`);
    }
  }
});
