import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { BLOCK_LINES, OPEN_FILTERS } from '../../src/core/limits.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { hasMark, marksOf, TextFilter } from '../../src/store/sqlite/text-filter.ts';
import { line, numbered, stored, TurnedClock, taskOf } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';
import { beforeTaskList } from './older.ts';

const PIECES = ['error', 'Error', 'K', '\u212a', 'İ', 'ſ', 'Σ', 'ab', 'ς', '😀', ' ', '7f3a', '\n', 'x', '\u0000'];
const texts = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => pieces.join(''));

test('a filter never denies a text that a message in it contains, however letters fold', () => {
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 20 }), fc.nat(), fc.nat(30), (messages, which, cut) => {
      const filter = new TextFilter();
      for (const message of messages) filter.add(message);
      const packed = filter.packed();
      const folded = (messages[which % (messages.length || 1)] ?? '').toLowerCase();
      const part = folded.slice(cut % (folded.length + 1), (cut % (folded.length + 1)) + 5);
      for (const text of [folded, part]) for (const mark of marksOf(text)) assert.ok(hasMark(packed, mark));
    }),
  );
});

test('a filter of lines that are much alike is small, and denies what they do not hold', () => {
  const filter = new TextFilter();
  for (const { message } of numbered(BLOCK_LINES)) filter.add(message);
  const packed = filter.packed();
  assert.ok(packed.length <= 2_048, `${packed.length} bytes`);
  assert.ok(marksOf('line 17').every((mark) => hasMark(packed, mark)));
  assert.ok(!marksOf('a needle').every((mark) => hasMark(packed, mark)));
});

test('a full block has its filter with the commit that fills it, and the rest with the end of the task', async (t) => {
  const { store, filters } = await opened(t);
  await stored(store, 'a', numbered(BLOCK_LINES - 1));
  assert.deepEqual(filters(), []);
  await stored(store, 'a', numbered(11));
  assert.deepEqual(filters(), [BLOCK_LINES]);
  await store.changeTask('a', { status: 'completed' });
  assert.deepEqual(filters(), [BLOCK_LINES, BLOCK_LINES + 10]);
  await stored(store, 'a', [line('a late needle')]);
  const { entries } = await store.search({ filter: { search: 'late needle' }, limit: 5, budgetMs: 60_000 });
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    [BLOCK_LINES + 11],
  );
});

test('a commit that fails leaves nothing in a filter', async (t) => {
  const { store, db, filters, clock } = await opened(t);
  await stored(store, 'a', numbered(10));
  db.exec("CREATE TRIGGER no BEFORE UPDATE ON state BEGIN SELECT RAISE(ABORT, 'not now'); END");
  await assert.rejects(stored(store, 'a', [line('never')]));
  db.exec('DROP TRIGGER no');
  await stored(store, 'a', [line('after all')]);
  await store.changeTask('a', { status: 'completed' });
  assert.deepEqual(filters(), []);
  clock.turn(120_000);
  fill(store);
  assert.deepEqual(filters(), [11]);
});

test('what an earlier start or another process put in is filtered later, the tail when the task is quiet', async (t) => {
  const { store, filters, dataDir, clock } = await opened(t);
  await stored(store, 'a', numbered(BLOCK_LINES / 2));
  const other = new SqliteStore(dataDir, { clock });
  t.after(() => other.close());
  await stored(other, 'a', numbered(BLOCK_LINES));
  await stored(store, 'a', numbered(BLOCK_LINES));
  assert.deepEqual(filters(), []);
  fill(store);
  assert.deepEqual(filters(), [BLOCK_LINES, BLOCK_LINES * 2]);
  clock.turn(120_000);
  fill(store);
  assert.deepEqual(filters(), [BLOCK_LINES, BLOCK_LINES * 2, BLOCK_LINES * 2.5]);
});

test('of more tasks at work than filters fit into memory, the oldest are stored as far as they came', async (t) => {
  const { store, filters } = await opened(t);
  for (let n = 0; n <= OPEN_FILTERS; n++) {
    await store.createTask(taskOf(`t${n}`));
    await stored(store, `t${n}`, [line(`line of ${n}`)]);
  }
  assert.deepEqual(filters(), [1]);
});

test('filters go with their task, and compressing leaves them', async (t) => {
  const { store, filters, clock } = await opened(t);
  await stored(store, 'a', numbered(BLOCK_LINES + 1));
  await store.changeTask('a', { status: 'completed' });
  clock.turn(1_000);
  while (store.compress('9999')) {}
  assert.deepEqual(filters(), [BLOCK_LINES, BLOCK_LINES + 1]);
  store.dropFilters();
  assert.deepEqual(filters(), []);
  while (store.fillFilters({ all: true })) {}
  assert.deepEqual(filters(), [BLOCK_LINES, BLOCK_LINES + 1]);
  await store.deleteTask('a', 'tester');
  while (store.purge()) {}
  assert.deepEqual(filters(), []);
});

test('a database from before the search is brought up to date and searched, in any order of its lines', async (t) => {
  const { store, db, dataDir } = await opened(t);
  const lines = numbered(BLOCK_LINES * 2 + 5);
  await stored(store, 'a', [...lines.slice(500), ...lines.slice(0, 500)]);
  const keys = () => db.prepare('SELECT block_no, span, until FROM blocks ORDER BY block_no').all();
  const made = keys();
  await store.close();
  beforeTaskList(db);
  db.exec(`DROP INDEX blocks_by_time; DROP TABLE block_filters; ALTER TABLE trails DROP COLUMN filtered;
    ALTER TABLE blocks DROP COLUMN span; ALTER TABLE blocks DROP COLUMN until; ALTER TABLE blocks DROP COLUMN sorted;
    DROP TABLE credentials; DROP TABLE credential_state; DROP TABLE audit;
    PRAGMA user_version = 11`);
  const again = new SqliteStore(dataDir);
  t.after(() => again.close());
  assert.deepEqual(keys(), made);
  const query = { filter: { search: 'line 12' }, limit: 1_000, budgetMs: 60_000 };
  const expected = lines.filter(({ message }) => message.includes('line 12')).reverse();
  for (const filled of [false, true]) {
    if (filled) fill(again);
    const { entries } = await again.search(query);
    assert.deepEqual(
      entries.map(({ message }) => message),
      expected.map(({ message }) => message),
    );
  }
});

async function opened(t: TestContext) {
  const dataDir = await scratch(t);
  const clock = new TurnedClock();
  const store = new SqliteStore(dataDir, { clock });
  t.after(() => store.close());
  await store.createTask(taskOf('a'));
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE), { timeout: 10_000 });
  t.after(() => db.close());
  const filters = (): number[] =>
    db
      .prepare('SELECT to_seq FROM block_filters ORDER BY filter_no')
      .all()
      .map(({ to_seq }) => Number(to_seq));
  return { store, db, dataDir, clock, filters };
}

function fill(store: SqliteStore): void {
  while (store.fillFilters()) {}
}
