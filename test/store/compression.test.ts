import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { BLOCK_LINES, CHUNK_CACHE_CHARS, LINE_BYTES, LOOK_CHARS } from '../../src/core/limits.ts';
import { isoTime } from '../../src/core/time.ts';
import { Chunk, type StoredLine } from '../../src/store/sqlite/chunk.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { allEntries, allMessages, entryOf, line, numbered, plain, stored } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';
import { compress, holding, MONDAY, TUESDAY, WEDNESDAY } from './ended.ts';

function compressedLines(db: DatabaseSync): StoredLine[] {
  const rows = db.prepare('SELECT first_seq, data FROM chunks ORDER BY task_no, first_seq').all();
  return rows.flatMap(({ first_seq, data }) => new Chunk(Number(first_seq), data as Uint8Array).lines);
}

test('compressed lines keep seq, id and every field, and leave the SQL view', async (t) => {
  const lines = numbered(2_500, (n) => ({ source: `s${n % 3}`, metadataJson: n % 5 === 0 ? `{"n":${n}}` : null }));
  const { store, db, count } = await holding(t, { a: { ended: MONDAY, lines } });
  const rows = db.prepare('SELECT seq, id, timestamp, facet_no, message, metadata_json FROM lines ORDER BY seq').all();
  assert.equal(compress(store, TUESDAY), 4, 'three blocks, and the note that the task is done');
  assert.deepEqual([count('lines'), count('task_logs'), count('chunks')], [0, 0, 3]);
  assert.deepEqual(plain(compressedLines(db)), plain(rows));
  const expected = lines.map((draft, index) => entryOf('a', index + 1, draft));
  assert.deepEqual(plain(await allEntries(store, 'a')), plain(expected));
});

test('only tasks that ended before the moment are compressed, the oldest first', async (t) => {
  const lines = numbered(10);
  const { store, db } = await holding(t, {
    runs: { ended: null, lines },
    young: { ended: WEDNESDAY, lines },
    old: { ended: TUESDAY, lines },
    older: { ended: MONDAY, lines },
    empty: { ended: MONDAY, lines: [] },
  });
  assert.equal(store.compress(MONDAY), false);
  const done = () =>
    db
      .prepare('SELECT DISTINCT task_id FROM chunks JOIN tasks USING (task_no) ORDER BY chunk_no')
      .all()
      .map((row) => row.task_id);
  compress(store, WEDNESDAY);
  assert.deepEqual(done(), ['older', 'old']);
  const plan = db
    .prepare(
      `EXPLAIN QUERY PLAN SELECT task_no FROM tasks
       WHERE compressed = 0 AND completed_at < ? ORDER BY completed_at LIMIT 1`,
    )
    .all();
  assert.match(JSON.stringify(plan), /SEARCH tasks USING (COVERING )?INDEX tasks_to_compress \(completed_at/);
});

test('late lines come behind the compressed ones, and a later run takes them into the same blocks', async (t) => {
  const { store, count } = await holding(t, { a: { ended: MONDAY, lines: numbered(BLOCK_LINES - 100) } });
  compress(store, TUESDAY);
  const messages = numbered(BLOCK_LINES - 100).map(({ message }) => message);
  for (let round = 0; round < 30; round++) {
    const late = Array.from({ length: 7 }, (_, index) => line(`late ${round}.${index}`));
    const receipt = await stored(store, 'a', late);
    messages.push(...late.map(({ message }) => message));
    assert.equal(receipt.lastSeq, messages.length);
    assert.equal(count('lines'), 7);
    assert.deepEqual((await allMessages(store, 'a')).slice(-8), messages.slice(-8));
    compress(store, TUESDAY);
    assert.equal(count('lines'), 0);
  }
  assert.deepEqual(await allMessages(store, 'a'), messages);
  assert.equal(count('chunks'), 2, 'thirty late batches leave no crumbs');
  assert.equal((await store.task('a')).status, 'completed');
});

test('a task that opens again after it was compressed goes on with its lines', async (t) => {
  const { store, count } = await holding(t, { a: { ended: null, lines: numbered(5) } });
  await store.changeTask('a', { status: 'failed', error: 'reporter vanished', completedAt: MONDAY });
  compress(store, TUESDAY);
  await store.changeTask('a', { status: 'executing' });
  await stored(store, 'a', [line('back again')]);
  assert.equal(compress(store, '9999'), 0, 'it runs');
  assert.equal(count('lines'), 1);
  assert.deepEqual((await allMessages(store, 'a')).slice(-2), ['line 5', 'back again']);
});

test('a reader that pages sees every line once while the task is compressed under it', async (t) => {
  const { dataDir, store } = await holding(t, { a: { ended: MONDAY, lines: numbered(5_000) } });
  const reader = SqliteReader.open(dataDir);
  t.after(() => reader.close());
  for (const order of ['asc', 'desc'] as const) {
    const seqs: number[] = [];
    for (let done = false; !done; ) {
      const last = seqs.at(-1);
      const edge = last === undefined ? {} : order === 'asc' ? { after: last } : { before: last };
      const page = await reader.read('a', { order, limit: 700, ...edge });
      seqs.push(...page.entries.map(({ seq }) => seq));
      store.compress(TUESDAY);
      done = page.done;
    }
    assert.deepEqual(
      order === 'asc' ? seqs : seqs.reverse(),
      Array.from({ length: 5_000 }, (_, index) => index + 1),
    );
  }
});

test('a task bears the revision at which it was compressed, until a late line comes', async (t) => {
  const task = { ended: MONDAY, lines: numbered(5) };
  const { store, db } = await holding(t, { a: task, b: task });
  const before = store.revision();
  compress(store, TUESDAY);
  const compressed = () =>
    db
      .prepare('SELECT compressed FROM tasks ORDER BY task_no')
      .all()
      .map((row) => row.compressed);
  assert.deepEqual(compressed(), [before + 1, before + 2]);
  assert.deepEqual((await store.changes(before, 10)).tasks, [], 'what readers see of them stays as it was');
  await stored(store, 'a', [line('late')]);
  assert.deepEqual(compressed(), [0, before + 2]);
  compress(store, TUESDAY);
  assert.deepEqual(compressed(), [before + 4, before + 2]);
});

test('a deleted task takes its compressed lines with it, in small steps', async (t) => {
  // A message as long as a line may be fills a chunk alone.
  const long = Array.from({ length: 70 }, (_, index) => line(`${index}`.padEnd(LINE_BYTES, '.')));
  const { store, count } = await holding(t, {
    a: { ended: MONDAY, lines: long },
    b: { ended: MONDAY, lines: numbered(3) },
  });
  compress(store, TUESDAY);
  assert.equal(count('chunks'), 71);
  await store.deleteTask('a', 'a test');
  let steps = 0;
  while (store.purge()) steps++;
  assert.ok(steps >= 3, `${steps} steps`);
  assert.equal(count('chunks'), 1);
  assert.deepEqual(await allMessages(store, 'b'), ['line 1', 'line 2', 'line 3']);
});

test('the room that lines leave behind is given back, but for a part that the next ones fill', async (t) => {
  const lines = Array.from({ length: 60 }, (_, index) => line(`${index}`.padEnd(LINE_BYTES, '.')));
  const { store, db, dataDir } = await holding(t, { a: { ended: MONDAY, lines } });
  compress(store, TUESDAY);
  let steps = 0;
  while (store.shrink()) steps++;
  assert.ok(steps > 10, `${steps} steps`);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const { size } = await stat(join(dataDir, DATABASE_FILE));
  assert.ok(size < 20 * 1024 * 1024, `${size} bytes`);
  assert.equal((await allMessages(store, 'a')).length, 60);
});

test('blocks that cannot hold a match are stepped over compressed as they are', async (t) => {
  const lines = numbered(BLOCK_LINES * 8, (n) => ({ level: n === 5_000 ? 'ERROR' : 'INFO' }));
  const { store, db } = await holding(t, { a: { ended: MONDAY, lines } });
  compress(store, TUESDAY);
  // Whoever decompressed another chunk than the one of line 5,000 would fail.
  db.exec("UPDATE chunks SET data = x'00' WHERE NOT 5000 BETWEEN first_seq AND last_seq");
  const errors = await store.read('a', { limit: 10, filter: { levels: ['ERROR'] } });
  assert.deepEqual(
    errors.entries.map(({ seq }) => seq),
    [5_000],
  );
  const at = String(lines[4_999]?.timestamp);
  assert.equal(
    (await store.read('a', { limit: 100, filter: { from: at, to: isoTime(Date.parse(at) + 50) } })).count,
    50,
  );
  assert.equal((await store.read('a', { limit: 5, offset: 4_500 })).count, 5);
  const { total } = await store.count('a', { levels: ['INFO'] }, 1_000);
  assert.equal(total, lines.length - 1);
  assert.equal((await store.stats('a')).total, lines.length);
  await assert.rejects(store.read('a', { limit: 5 }), { code: 'internal' });
});

test('a read looks at a bounded amount of compressed text, and the next goes on from there', async (t) => {
  const lines = Array.from({ length: 12 }, (_, index) => line(`${index}`.padEnd(LINE_BYTES, '.')));
  const { store } = await holding(t, { a: { ended: MONDAY, lines } });
  compress(store, TUESDAY);
  for (const filter of [{ search: '?!' }, { search: '[?]!', regex: true }]) {
    const page = await store.read('a', { limit: 10, filter });
    assert.deepEqual([page.count, page.done], [0, false]);
    assert.ok(page.scannedTo >= 1 && page.scannedTo <= LOOK_CHARS / LINE_BYTES, `${page.scannedTo} lines`);
    assert.deepEqual(await allEntries(store, 'a', { filter }), []);
  }
  assert.equal((await store.read('a', { limit: 10, order: 'desc' })).entries[0]?.seq, 12);
});

test('the chunks read last are kept in memory, and no more than the limit', async (t) => {
  const chunks = CHUNK_CACHE_CHARS / LINE_BYTES + 2;
  const lines = Array.from({ length: chunks }, (_, index) => line(`${index}`.padEnd(LINE_BYTES, '.')));
  const { store, db } = await holding(t, { a: { ended: MONDAY, lines } });
  compress(store, TUESDAY);
  await allEntries(store, 'a');
  db.exec("UPDATE chunks SET data = x'00'");
  assert.equal((await store.read('a', { after: chunks - 1, limit: 1 })).count, 1);
  await assert.rejects(store.read('a', { limit: 1 }), { code: 'internal' });
});

test('a database from before compression is brought up to date, and its lines are compressed', async (t) => {
  const dataDir = await scratch(t);
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
  t.after(() => db.close());
  for (const file of ['0001_tasks_and_lines.sql', '0002_runs.sql']) {
    db.exec(readFileSync(new URL(`../../src/store/sqlite/migrations/${file}`, import.meta.url), 'utf8'));
  }
  db.exec(`PRAGMA user_version = 2;
    INSERT INTO facets VALUES (1, 'INFO', 'system', '', 'log');
    INSERT INTO tasks (task_id, status, source, tags_json, pinned, created_at, updated_at, completed_at)
      VALUES ('a', 'completed', 'api', '[]', 0, '${MONDAY}', '${MONDAY}', '${MONDAY}');
    INSERT INTO trails VALUES (1, 1, 0, 0, 1, 0, 0, '${MONDAY}', '${MONDAY}', 'old', 1);
    INSERT INTO lines VALUES (1, 1, 1, '${MONDAY}', 1, 'old', NULL);
    INSERT INTO task_facets VALUES (1, 1, 1);
    INSERT INTO blocks VALUES (1, 0, '${MONDAY}', '${MONDAY}', '{"1":1}');
    UPDATE state SET entry_id = 1, revision = 1`);
  const store = new SqliteStore(dataDir);
  t.after(() => store.close());
  assert.equal(compress(store, TUESDAY), 2);
  await stored(store, 'a', [line('new')]);
  assert.deepEqual(await allMessages(store, 'a'), ['old', 'new']);
});
