import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

interface Row {
  readonly named: string;
  readonly state: string;
  readonly here: string;
  readonly shownBy: string;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const rows = rowsOf(readFileSync(join(ROOT, 'docs/mission.md'), 'utf8'));

test('every row of the mission has a known state', () => {
  assert.deepEqual(
    faultsOf(rows, (row) => /^(done|built|answered|planned: \S.*)$/.test(row.state)),
    [],
  );
});

test('every row that is done names a file of ours and a test that shows it', () => {
  const built = rows.filter((row) => row.state === 'done' || row.state === 'built');
  const done = rows.filter((row) => row.state === 'done');
  assert.ok(done.length > 0);
  assert.deepEqual(
    faultsOf(built, (row) => filesIn(row.here).length > 0),
    [],
  );
  assert.deepEqual(
    faultsOf(done, (row) => filesIn(row.shownBy).some((file) => file.startsWith('test/'))),
    [],
  );
});

test('every file and test that the table names exists', () => {
  const named = rows.flatMap((row) => [...filesIn(row.state), ...filesIn(row.here), ...filesIn(row.shownBy)]);
  assert.deepEqual(
    [...new Set(named)].filter((file) => !existsSync(join(ROOT, file))),
    [],
  );
});

test('the reader of the table can fail: it sees a bad state, an empty cell and a file that is not there', () => {
  const [row] = rowsOf(
    '| named there | state | here | shown by |\n|---|---|---|---|\n| `a \\| b` | dnoe | `src/no/such.ts` (why) | |',
  );
  assert.deepEqual(row, { named: '`a \\| b`', state: 'dnoe', here: '`src/no/such.ts` (why)', shownBy: '' });
  assert.deepEqual(filesIn('`src/no/such.ts` (`append`), `npm test -- test/x.test.ts`'), [
    'src/no/such.ts',
    'test/x.test.ts',
  ]);
});

function rowsOf(markdown: string): Row[] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|( ?-+ ?\|)+$/.test(line) && !line.startsWith('| named there '))
    .map((line) => {
      const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
      assert.equal(cells.length, 6, `expected four cells, got: ${line}`);
      const [, named = '', state = '', here = '', shownBy = ''] = cells;
      return { named, state, here, shownBy };
    });
}

function filesIn(cell: string): string[] {
  const code = Array.from(cell.matchAll(/`([^`]+)`/g), (match) => match[1] ?? '');
  return code.flatMap((text) => text.match(/\b(?:src|test|docs|scripts|bin|bench)\/[\w./-]+\.\w+/g) ?? []);
}

function faultsOf(list: readonly Row[], holds: (row: Row) => boolean): string[] {
  return list.filter((row) => !holds(row)).map((row) => `${row.named} | ${row.state}`);
}
