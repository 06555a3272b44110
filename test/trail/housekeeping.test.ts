import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { newTask } from '../../src/core/change.ts';
import { DELIVERY_DAYS, HEARTBEAT_MS, PRUNE_EVERY_MS, PRUNE_TASKS, STALE_EVERY_MS } from '../../src/core/limits.ts';
import { isoTime } from '../../src/core/time.ts';
import { StoreIntake } from '../../src/intake/intake.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { SqliteDirectoryRecords } from '../../src/store/sqlite/directories.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { Housekeeping, type HousekeepingOptions } from '../../src/trail/housekeeping.ts';
import { openTrail } from '../../src/trail/open.ts';
import { batch, DAY_MS, deliveryOf, numbered, START, TurnedClock } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';

const HOUR_MS = 60 * 60 * 1000;

/** A store with an intake under a clock of the test's own, whose timers are the test's too. */
async function kept(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const clock = new TurnedClock();
  const dataDir = await scratch(t);
  const store = new SqliteStore(dataDir, { clock });
  const intake = new StoreIntake(store, { clock });
  const warnings: string[] = [];
  const housekeeping = (options: Partial<HousekeepingOptions> = {}) => {
    const none = { retentionDays: 0, maxBytes: 0, staleAfterSeconds: 0 };
    const warn = (message: string): void => void warnings.push(message);
    const started = new Housekeeping({ store, intake }, { ...none, warn, clock, ...options });
    t.after(() => started.close());
    return started;
  };
  const turn = async (ms: number, started: Housekeeping): Promise<void> => {
    clock.turn(ms);
    t.mock.timers.tick(ms);
    await started.settled();
  };
  const ended = async (taskId: string, lines: number, pinned = false): Promise<void> => {
    await store.createTask(newTask({ taskId, pinned }, isoTime(clock.now())));
    // No two tasks of the same time: what is deleted then leaves whole pages of the index of times.
    const drafts = numbered(lines, (n) => ({ timestamp: isoTime(clock.now() + n) }));
    await store.append([batch(taskId, drafts)]);
    await store.changeTask(taskId, { status: 'completed' });
  };
  const ids = async (): Promise<string[]> =>
    (await store.tasks({ limit: 1_000 })).tasks.map(({ taskId }) => taskId).sort();
  t.after(async () => {
    await intake.close();
    await store.close();
  });
  return { dataDir, clock, store, intake, warnings, housekeeping, turn, ended, ids };
}

test('what is too old goes at the start and then each hour, and its tombstone names the rule', async (t) => {
  const { store, ended, clock, housekeeping, turn, ids } = await kept(t);
  await ended('old', 10);
  await ended('pinned', 10, true);
  await store.createTask(newTask({ taskId: 'running' }, START));
  clock.turn(30 * DAY_MS);
  await ended('young', 10);
  const started = housekeeping({ retentionDays: 30 });
  await started.settled();
  assert.deepEqual(
    await ids(),
    ['old', 'pinned', 'running', 'young'],
    'thirty days to the millisecond are not over yet',
  );
  await turn(PRUNE_EVERY_MS, started);
  assert.deepEqual(await ids(), ['pinned', 'running', 'young']);
  await assert.rejects(store.task('old'), { code: 'task_deleted', message: /by retention$/ });
  const { records } = await store.audit({ limit: 10 });
  assert.deepEqual(
    records.map(({ actor, action, details }) => [actor.kind, action, details]),
    [['system', 'retention.delete', { tasks: 1, older_than_days: 30, max_bytes: null }]],
    'one record of a run that deleted something',
  );
  clock.turn(30 * DAY_MS);
  await started.close();
  t.mock.timers.tick(PRUNE_EVERY_MS);
  await started.settled();
  assert.deepEqual(await ids(), ['pinned', 'running', 'young'], 'nothing is done after close');
});

test('with 0 days tasks are kept for good', async (t) => {
  const { ended, clock, housekeeping, turn, ids } = await kept(t);
  await ended('old', 10);
  clock.turn(36_500 * DAY_MS);
  await turn(PRUNE_EVERY_MS, housekeeping());
  assert.deepEqual(await ids(), ['old']);
});

test('old deliveries are forgotten although no task is deleted', async (t) => {
  const { store, intake, housekeeping, turn, clock } = await kept(t);
  const started = housekeeping();
  for (let n = 0; n < 3; n++) await intake.deliver({ delivery: deliveryOf(), key: null });
  clock.turn(DELIVERY_DAYS * DAY_MS - PRUNE_EVERY_MS);
  await turn(PRUNE_EVERY_MS, started);
  assert.equal((await store.deliveries({ limit: 10 })).length, 3, 'thirty days to the millisecond are not over yet');
  await turn(PRUNE_EVERY_MS, started);
  assert.deepEqual(await store.deliveries({ limit: 10 }), []);
});

test('above the disk limit what ended first goes, until it fits, and no more than that', async (t) => {
  const { store, ended, housekeeping, clock, ids } = await kept(t);
  await ended('pinned', 3_000, true);
  for (let n = 1; n <= 8; n++) {
    clock.turn(HOUR_MS);
    await ended(`t${n}`, 3_000);
  }
  const { bytes } = await store.storage();
  const maxBytes = Math.round(bytes * 0.65);
  const started = housekeeping({ maxBytes });
  await started.settled();
  const left = await ids();
  assert.deepEqual(left, ['pinned', 't5', 't6', 't7', 't8']);
  await assert.rejects(store.task('t4'), { code: 'task_deleted', message: /by disk limit$/ });
  assert.ok((await store.storage()).bytes <= maxBytes);
});

test('the files of tasks count towards the disk limit with what their records say, those of deleted tasks do not', async (t) => {
  const { dataDir, store, ended, housekeeping, clock, ids } = await kept(t);
  const records = new SqliteDirectoryRecords(dataDir);
  t.after(() => records.close());
  for (let n = 1; n <= 10; n++) {
    clock.turn(HOUR_MS);
    await ended(`t${n}`, 3_000);
    const files = { 'metadata.json': { bytes: 1_000_000, digest: 'd' }, '03-agent-output.jsonl': { bytes: 9_000_000 } };
    await records.save([{ taskId: `t${n}`, revision: 1, seq: 3_000, files }]);
  }
  const { bytes, fileBytes } = await store.storage();
  assert.equal(fileBytes, 100_000_000);
  await housekeeping({ maxBytes: bytes + 35_000_000 }).settled();
  assert.deepEqual(await ids(), ['t10', 't8', 't9'], 'seven had to go');
  assert.equal((await store.storage()).fileBytes, 30_000_000);
});

test('the disk limit spares what runs, and gives up when nothing is left to delete', async (t) => {
  const { store, ended, housekeeping, ids, warnings } = await kept(t);
  await store.createTask(newTask({ taskId: 'running' }, START));
  await store.append([batch('running', numbered(3_000))]);
  await ended('ended', 10);
  await housekeeping({ maxBytes: 1 }).settled();
  assert.deepEqual([await ids(), warnings], [['running'], []]);
});

test('more tasks than one step deletes all go', async (t) => {
  const { store, clock, housekeeping, ids } = await kept(t);
  for (let n = 0; n < PRUNE_TASKS * 2 + 1; n++) {
    await store.createTask(newTask({ taskId: `t${n}`, status: 'completed' }, START));
  }
  clock.turn(DAY_MS + 1);
  await housekeeping({ retentionDays: 1 }).settled();
  assert.deepEqual(await ids(), []);
});

test('a store that refuses is told once, and tried again in an hour', async (t) => {
  const { dataDir, ended, clock, housekeeping, turn, ids, warnings } = await kept(t);
  await ended('old', 10);
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
  t.after(() => db.close());
  db.exec("CREATE TRIGGER refuse BEFORE DELETE ON tasks BEGIN SELECT RAISE(ABORT, 'no'); END");
  clock.turn(DAY_MS + 1);
  const started = housekeeping({ retentionDays: 1 });
  await started.settled();
  assert.deepEqual([await ids(), warnings.length], [['old'], 1]);
  assert.match(String(warnings[0]), /^housekeeping: .*no; it is tried again later$/);
  db.exec('DROP TRIGGER refuse');
  await turn(PRUNE_EVERY_MS, started);
  assert.deepEqual([await ids(), warnings.length], [[], 1]);
});

test('an outside task that says nothing for an hour is failed within a minute, and opened by its next line', async (t) => {
  const { store, intake, housekeeping, turn } = await kept(t);
  const started = housekeeping({ staleAfterSeconds: 3_600 });
  for (const taskId of ['silent', 'heard']) await intake.createTask({ taskId });
  const minutes = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) await turn(STALE_EVERY_MS, started);
  };
  await minutes(30);
  await intake.append({ taskId: 'heard', body: '{"message":"here"}', format: 'json' });
  await minutes(30);
  assert.equal((await store.task('silent')).status, 'executing', 'an hour to the millisecond is not over yet');
  await minutes(1);
  const { status, error } = await store.task('silent');
  assert.deepEqual([status, error], ['failed', 'reporter vanished']);
  assert.equal((await store.task('heard')).status, 'executing');
  await intake.append({ taskId: 'silent', body: '{"message":"back"}', format: 'json' });
  assert.equal((await store.task('silent')).status, 'executing');
});

test('who reports gets a minute to be heard again after the server was away or the machine slept', async (t) => {
  const { store, intake, clock, housekeeping, turn } = await kept(t);
  await intake.createTask({ taskId: 'a' });
  clock.turn(2 * HOUR_MS);
  const started = housekeeping({ staleAfterSeconds: 3_600 });
  await started.settled();
  assert.equal((await store.task('a')).status, 'executing', 'not at the start');
  clock.turn(8 * HOUR_MS);
  await turn(STALE_EVERY_MS, started);
  assert.equal((await store.task('a')).status, 'executing', 'not after a sleep');
  await turn(STALE_EVERY_MS, started);
  assert.equal((await store.task('a')).status, 'failed');
});

test('a program that reports into the directory itself is heard of while its task runs, and not after its end', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const trail = await openTrail({ dataDir: await scratch(t) });
  t.after(() => trail.close());
  const { store } = trail.parts;
  const beats = async (): Promise<string[]> => {
    const { revision } = await store.changes(0, 100);
    t.mock.timers.tick(HEARTBEAT_MS);
    // One beat after the other: what is asked often enough is answered after them all.
    for (let n = 0; n < 5; n++) await trail.parts.intake.check();
    return (await store.changes(revision, 100)).tasks.map(({ taskId }) => taskId);
  };
  const [done, cancelled, running] = [await trail.task(), await trail.task(), await trail.task()];
  assert.deepEqual(await beats(), [done.id, cancelled.id, running.id]);
  await done.complete();
  await trail.change(cancelled.id, { status: 'cancelled' });
  assert.deepEqual(await beats(), [running.id]);
  await running.complete();
  assert.deepEqual(await beats(), []);
});

test('with 0 seconds nobody vanishes', async (t) => {
  const { store, intake, housekeeping, turn } = await kept(t);
  await intake.createTask({ taskId: 'a' });
  const started = housekeeping();
  for (let n = 0; n < 3; n++) await turn(STALE_EVERY_MS, started);
  await turn(DAY_MS, started);
  assert.equal((await store.task('a')).status, 'executing');
});

test('others append without waiting while a task of 200,000 lines is cleared away, and the file shrinks', async (t) => {
  const dataDir = await scratch(t);
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  const { store, intake } = trail.parts;
  await intake.createTask({ taskId: 'large' });
  const lines = numbered(20_000).map(({ message }) => JSON.stringify({ message: `${message} ${'x'.repeat(80)}` }));
  for (let n = 0; n < 10; n++) await intake.append({ taskId: 'large', body: lines.join('\n'), format: 'ndjson' });
  await intake.changeTask('large', { status: 'completed' });
  await intake.createTask({ taskId: 'other' });
  const [large] = await store.ended({ limit: 1 });
  assert.ok(large);
  const before = await store.storage();
  const fileBytes = async (): Promise<number> => (await stat(join(dataDir, DATABASE_FILE))).size;
  const bytesBefore = await fileBytes();
  const ratio = large.bytes / before.bytes;
  assert.ok(ratio > 0.8 && ratio < 1.2, `the estimate is ${ratio} of what the task takes`);

  let cleared = false;
  const clearing = intake.prune([large], 'retention').then(async () => {
    assert.ok((await store.storage()).bytes < before.bytes / 4, 'what is deleted does not count any more');
    await intake.tidied();
    cleared = true;
  });
  const took: number[] = [];
  while (!cleared) {
    const startMs = performance.now();
    await intake.append({ taskId: 'other', body: '{"message":"on time"}', format: 'json' });
    took.push(performance.now() - startMs);
  }
  await clearing;
  const [medianMs, slowestMs] = [0.5, 1].map(
    (share) => took.toSorted((a, b) => a - b)[Math.ceil(took.length * share) - 1],
  );
  t.diagnostic(
    `${took.length} appends meanwhile, median ${medianMs?.toFixed(1)} ms, slowest ${slowestMs?.toFixed(1)} ms`,
  );
  assert.ok(took.length >= 10, `${took.length} appends`);
  assert.ok(Number(slowestMs) < 500, `slowest ${slowestMs} ms`);
  const bytesAfter = await fileBytes();
  t.diagnostic(`file ${bytesBefore} → ${bytesAfter} bytes; estimate ${ratio.toFixed(2)} of the truth`);
  assert.ok(bytesAfter < bytesBefore / 2, `${bytesBefore} → ${bytesAfter} bytes`);
  assert.equal((await store.storage()).deletingBytes, 0);
});
