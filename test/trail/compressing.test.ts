import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { newTask } from '../../src/core/change.ts';
import { COMPRESS_EVERY_MS } from '../../src/core/limits.ts';
import { isoTime } from '../../src/core/time.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { keepCompressed } from '../../src/trail/compressing.ts';
import { openTrail } from '../../src/trail/open.ts';
import { allMessages, DAY_MS, numbered, START, stored, TurnedClock } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';
import { startServer } from '../support/server.ts';

/** A store with one task that ended at this moment, and how many of its lines are not compressed. */
async function ended(dataDir: string, completedAt: string) {
  const store = new SqliteStore(dataDir);
  await store.createTask(newTask({ taskId: 'a' }, START));
  await stored(store, 'a', numbered(3_000));
  await store.changeTask('a', { status: 'completed', completedAt });
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
  return {
    store,
    db,
    plainLines: () => Number(db.prepare('SELECT count(*) AS n FROM lines').get()?.n),
    close: async () => {
      db.close();
      await store.close();
    },
  };
}

test('a task is compressed once it has been ended for so many days, in steps with pauses between them', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { store, plainLines, close } = await ended(await scratch(t), START);
  t.after(close);
  const clock = new TurnedClock();
  const compressing = keepCompressed(store, 7, clock);
  t.after(() => compressing.close());
  clock.turn(7 * DAY_MS);
  t.mock.timers.tick(0);
  assert.equal(plainLines(), 3_000, 'seven days to the millisecond are not over yet');
  clock.turn(COMPRESS_EVERY_MS);
  t.mock.timers.tick(COMPRESS_EVERY_MS);
  assert.equal(plainLines(), 3_000 - 1_024, 'one step');
  for (const left of [3_000 - 2_048, 0]) {
    t.mock.timers.tick(100);
    assert.equal(plainLines(), left);
  }
  t.mock.timers.tick(100);
  await stored(store, 'a', numbered(5));
  t.mock.timers.tick(COMPRESS_EVERY_MS);
  assert.equal(plainLines(), 0, 'late lines go with the next run');
  compressing.close();
  await stored(store, 'a', numbered(5));
  t.mock.timers.tick(COMPRESS_EVERY_MS * 2);
  assert.equal(plainLines(), 5, 'nothing is done after close');
  assert.equal((await allMessages(store, 'a')).length, 3_010);
});

test('a step that fails is tried again in an hour', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { store, db, plainLines, close } = await ended(await scratch(t), START);
  t.after(close);
  db.exec("CREATE TRIGGER refuse BEFORE INSERT ON chunks BEGIN SELECT RAISE(ABORT, 'no'); END");
  const clock = new TurnedClock();
  clock.turn(DAY_MS + 1);
  const compressing = keepCompressed(store, 1, clock);
  t.after(() => compressing.close());
  t.mock.timers.tick(0);
  db.exec('DROP TRIGGER refuse');
  t.mock.timers.tick(COMPRESS_EVERY_MS - 1);
  assert.equal(plainLines(), 3_000);
  t.mock.timers.tick(1);
  assert.equal(plainLines(), 3_000 - 1_024);
});

test('a follower replays a compressed task and its late lines, whole and in order', async (t) => {
  const dataDir = await scratch(t);
  const { store, plainLines, close } = await ended(dataDir, START);
  t.after(close);
  while (store.compress(isoTime(Date.now())));
  assert.equal(plainLines(), 0);
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  await trail.append('a', { message: 'late', level: 'ERROR' });
  const seen = await Array.fromAsync(trail.follow('a', { after: 0 }), ({ seq }) => seq);
  assert.deepEqual(
    seen,
    Array.from({ length: 3_001 }, (_, index) => index + 1),
  );
  const some = await Array.fromAsync(trail.follow('a', { search: 'LINE 77' }), ({ message }) => message);
  assert.deepEqual(some, ['line 77', ...Array.from({ length: 10 }, (_, index) => `line 77${index}`)]);
});

for (const [days, kept] of [
  ['7', 0],
  ['0', 3_000],
  ['30', 3_000],
] as const) {
  test(`a server with ${days} days keeps ${kept} plain lines of a task that ended 20 days ago, and reads all`, async (t) => {
    const dataDir = await scratch(t);
    const { plainLines, close } = await ended(dataDir, isoTime(Date.now() - 20 * DAY_MS));
    t.after(close);
    const { url, stop } = await startServer(t, { dataDir, env: { TASK_LOGS_COMPRESS_AFTER_DAYS: days } });
    const read = async (query: string) => {
      const response = await fetch(`${url}/api/tasks/a/logs${query}`);
      return (await response.json()) as { logs: { seq: number }[] };
    };
    // The server answers while it compresses.
    const untilMs = performance.now() + 20_000;
    do {
      assert.equal((await read('?after=2990')).logs.length, 10);
    } while (plainLines() > kept && performance.now() < untilMs);
    assert.deepEqual(
      (await read('?search=line%202999')).logs.map(({ seq }) => seq),
      [2_999],
    );
    const text = await (await fetch(`${url}/api/tasks/a/logs/download?format=jsonl`)).text();
    assert.equal(text.trimEnd().split('\n').length, 3_000);
    await stop();
    assert.equal(plainLines(), kept);
  });
}
