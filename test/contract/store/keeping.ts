import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VANISHED } from '../../../src/core/change.ts';
import { KEY_DAYS, TOMBSTONE_DAYS } from '../../../src/core/limits.ts';
import type { Store } from '../../../src/core/ports.ts';
import type { EndedMark } from '../../../src/core/query.ts';
import type { TaskDraft } from '../../../src/core/task.ts';
import { isoTime } from '../../../src/core/time.ts';
import {
  allMessages,
  batch,
  DAY_MS,
  line,
  numbered,
  type OpenStore,
  opened,
  plain,
  rejectsWith,
  START,
  stored,
  type TurnedClock,
  taskOf,
  withTask,
} from './support.ts';

const HOUR_MS = 60 * 60 * 1000;

/** What is stored, what of it may go, and whose reporter went silent. */
export function keepingContract(open: OpenStore): void {
  test('ended tasks are listed by their end, without those that run or are pinned, page by page', async (t) => {
    const { store } = await opened(t, open);
    await endedTasks(store, { c: 1, a: 2, b: 2, d: 3 });
    await endedTasks(store, { pinned: 0 }, { pinned: true });
    await store.createTask(taskOf('running'));
    await stored(store, 'a', [line('late')]);
    const all = await store.ended({ limit: 10 });
    assert.deepEqual(
      all.map(({ taskId, endedAt, lines }) => [taskId, endedAt, lines]),
      [
        ['c', endOf(1), 2],
        ['a', endOf(2), 3],
        ['b', endOf(2), 2],
        ['d', endOf(3), 2],
      ],
    );
    const ids = async (query: object) => (await store.ended({ limit: 10, ...query })).map(({ taskId }) => taskId);
    assert.deepEqual(await ids({ limit: 2 }), ['c', 'a']);
    assert.deepEqual(await ids({ after: all[1] }), ['b', 'd']);
    assert.deepEqual(await ids({ before: endOf(3) }), ['c', 'a', 'b']);
    assert.deepEqual(await ids({ before: endOf(2), after: all[0] }), []);
    await store.changeTask('d', { pinned: true });
    await store.changeTask('pinned', { pinned: false });
    await store.changeTask('b', { status: 'executing' });
    assert.deepEqual(await ids({}), ['pinned', 'c', 'a']);
  });

  test('a task that was opened again, ended again or pinned since it was listed is not pruned', async (t) => {
    const { store, wakes } = await opened(t, open);
    await endedTasks(store, { gone: 1, pinned: 1, opened: 1, later: 1 });
    const marks = await store.ended({ limit: 10 });
    await store.changeTask('pinned', { pinned: true });
    await store.changeTask('opened', { status: 'executing' });
    await store.changeTask('later', { status: 'executing' });
    await store.changeTask('later', { status: 'completed', completedAt: endOf(9) });
    wakes.length = 0;
    const { revision } = await store.changes(0, 100);
    const unknown = { taskId: 'unknown', endedAt: endOf(1) };
    assert.deepEqual(await store.prune([...marks, unknown], 'retention'), ['gone']);
    assert.deepEqual(wakes, [{ taskId: 'gone', lastSeq: 2 }]);
    assert.deepEqual(plain((await store.changes(revision, 10)).tasks), [{ taskId: 'gone', lastSeq: 2 }]);
    await assert.rejects(store.task('gone'), { code: 'task_deleted', message: /by retention$/ });
    for (const id of ['pinned', 'opened', 'later']) assert.equal((await allMessages(store, id)).length, 2);
    assert.deepEqual(await store.prune(marks, 'retention'), []);
  });

  test('whatever happened before, pruning takes just the unpinned tasks that ended before a moment', async (t) => {
    const ages = fc.record({
      end: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
      pinned: fc.boolean(),
      reopened: fc.boolean(),
    });
    const property = fc.asyncProperty(
      fc.array(ages, { maxLength: 8 }),
      fc.integer({ min: 0, max: 7 }),
      async (made, cut) => {
        const { store } = await opened(t, open);
        for (const [i, { end, pinned, reopened }] of made.entries()) {
          await store.createTask(taskOf(`t${i}`, { pinned }));
          await stored(store, `t${i}`, [line('one')]);
          if (end !== undefined) await store.changeTask(`t${i}`, { status: 'failed', completedAt: endOf(end) });
          if (end !== undefined && reopened) await store.changeTask(`t${i}`, { status: 'executing' });
        }
        await store.prune(await store.ended({ before: endOf(cut), limit: 100 }), 'retention');
        while (await store.tidy());
        const young = made.flatMap(({ end, pinned, reopened }, i) =>
          end === undefined || pinned || reopened || end >= cut ? [`t${i}`] : [],
        );
        const left = (await store.tasks({ limit: 100 })).tasks.map(({ taskId }) => taskId).sort();
        assert.deepEqual(left, young.sort());
        for (const id of left) assert.deepEqual(await allMessages(store, id), ['one']);
      },
    );
    await fc.assert(property, { numRuns: 20 });
  });

  test('storage tells how many tasks there are, since when, and less when a task is deleted', async (t) => {
    const { store } = await opened(t, open);
    const { bytes: emptyBytes, ...empty } = await store.storage();
    assert.deepEqual([empty.tasks, empty.oldestTaskAt, empty.deletingBytes], [0, null, 0]);
    await store.createTask(taskOf('new'));
    await endedTasks(store, { old: 1 }, { createdAt: '2020-01-01T00:00:00.000Z' });
    await stored(store, 'old', numbered(3_000));
    const full = await store.storage();
    assert.deepEqual([full.tasks, full.oldestTaskAt], [2, '2020-01-01T00:00:00.000Z']);
    const [task] = await store.ended({ limit: 1 });
    assert.ok(task && task.bytes > 3_000 * 8, `${task?.bytes} bytes`);
    assert.ok(full.bytes - emptyBytes >= 3_000 * 8, `${emptyBytes} → ${full.bytes} bytes`);
    await store.deleteTask('old', 'ada');
    const deleted = await store.storage();
    assert.ok(deleted.bytes < full.bytes - 3_000 * 8, `${full.bytes} → ${deleted.bytes} bytes`);
    while (await store.tidy());
    const tidied = await store.storage();
    assert.deepEqual([tidied.tasks, tidied.deletingBytes], [1, 0]);
    assert.ok(tidied.bytes < full.bytes - 3_000 * 8, `${full.bytes} → ${tidied.bytes} bytes`);
  });

  test('tidying forgets expired keys and tombstones, and no others', async (t) => {
    const { store, clock } = await withTask(t, open);
    await store.createTask(taskOf('old'));
    await store.deleteTask('old', 'ada');
    await stored(store, 'a', [line('old')], { key: { value: 'k', digest: 'd' } });
    clock.turn((TOMBSTONE_DAYS - KEY_DAYS) * DAY_MS);
    await store.createTask(taskOf('young'));
    await store.deleteTask('young', 'ada');
    await stored(store, 'a', [line('young')], { key: { value: 'l', digest: 'd' } });
    clock.turn(KEY_DAYS * DAY_MS + 1);
    await store.createTask(taskOf('old'));
    await store.deleteTask('old', 'ada');
    while (await store.tidy());
    await rejectsWith('task_deleted', () => store.task('young'));
    await rejectsWith('task_deleted', () => store.task('old'));
    assert.deepEqual(await allMessages(store, 'a'), ['old', 'young']);
  });

  test('an outside task at work of which nothing is heard fails, and says so; nobody else does', async (t) => {
    const { store, clock, wakes } = await opened(t, open);
    const drafts: Record<string, TaskDraft> = {
      silent: {},
      planning: { status: 'discovering' },
      ours: { runner: 'plugin:demo' },
      queued: { status: 'queued' },
      asking: { status: 'awaiting_input' },
      waiting: { status: 'pending_approval' },
      approved: { status: 'approved' },
      paused: { status: 'paused' },
      ended: { status: 'completed' },
    };
    for (const [id, draft] of Object.entries(drafts)) await store.createTask(taskOf(id, draft));
    clock.turn(HOUR_MS);
    assert.deepEqual(await store.failVanished(START, 10), [], 'heard of just then');
    wakes.length = 0;
    const gone = await store.failVanished(isoTime(clock.now()), 10);
    assert.deepEqual([...gone].sort(), ['planning', 'silent']);
    assert.deepEqual(wakes.map(({ taskId }) => taskId).sort(), ['planning', 'silent']);
    const { status, ended, error, completedAt, log } = await store.task('silent');
    assert.deepEqual(
      [status, ended, error, completedAt, log.total],
      ['failed', true, VANISHED, isoTime(clock.now()), 0],
    );
    assert.deepEqual(plain((await store.taskFacets({})).status), {
      ...{ failed: 2, executing: 1, queued: 1, awaiting_input: 1, pending_approval: 1, approved: 1, paused: 1 },
      completed: 1,
    });
    assert.deepEqual(await store.failVanished(isoTime(clock.now()), 10), []);
  });

  test('a line, whatever its time, and a heartbeat show that a reporter is there', async (t) => {
    const { store, clock } = await opened(t, open);
    for (const id of ['line', 'heartbeat', 'filtered', 'lost', 'silent']) await store.createTask(taskOf(id));
    clock.turn(2 * HOUR_MS);
    await stored(store, 'line', [line('old', { timestamp: '2001-01-01T00:00:00.000Z' })]);
    await store.changeTask('heartbeat', {});
    await store.append([batch('filtered', [], { filtered: 3 }), batch('lost', [], { lost: 3 })]);
    clock.turn(HOUR_MS);
    assert.deepEqual(await store.failVanished(ago(clock, 2 * HOUR_MS), 10), ['silent']);
    const gone = await store.failVanished(ago(clock, HOUR_MS - 1), 10);
    assert.deepEqual([...gone].sort(), ['filtered', 'heartbeat', 'line', 'lost']);
    const { metrics } = await store.task('line');
    assert.equal(metrics.durationSeconds, 2 * 3_600, 'it took until it was last heard of');
  });

  test('a later line opens a vanished task again, and everybody is told', async (t) => {
    const { store, clock, wakes } = await vanished(t, open);
    wakes.length = 0;
    await store.append([batch('a', [line('two')]), batch('a', [line('three')])]);
    const { status, ended, error, completedAt, metrics, log } = await store.task('a');
    assert.deepEqual(
      [status, ended, error, completedAt, metrics.durationSeconds, log.total],
      ['executing', false, null, null, null, 3],
    );
    assert.deepEqual(wakes, [{ taskId: 'a', lastSeq: 3 }]);
    assert.deepEqual(await store.ended({ limit: 10 }), []);
    clock.turn(HOUR_MS);
    assert.deepEqual(await store.failVanished(ago(clock, HOUR_MS - 1), 10), ['a'], 'and may vanish again');
  });

  test('a heartbeat, an ending and lost lines open a vanished task again as well', async (t) => {
    for (const [sign, act] of Object.entries({
      heartbeat: (store: Store) => store.changeTask('a', {}),
      lost: (store: Store) => store.append([batch('a', [], { lost: 1 })]),
      filtered: (store: Store) => store.append([batch('a', [], { filtered: 1 })]),
    })) {
      const { store } = await vanished(t, open);
      await act(store);
      assert.deepEqual([(await store.task('a')).status, (await store.task('a')).error], ['executing', null], sign);
    }
    const { store } = await vanished(t, open);
    const done = await store.changeTask('a', { status: 'completed', result: 'fine' });
    assert.deepEqual([done.status, done.result, done.error], ['completed', 'fine', null]);
    const second = await vanished(t, open);
    const failed = await second.store.changeTask('a', { status: 'failed', error: 'its own words' });
    assert.deepEqual([failed.status, failed.error], ['failed', 'its own words']);
  });

  test('what people change in a vanished task leaves it vanished, and a retry of an old batch too', async (t) => {
    const { store } = await vanished(t, open);
    await store.changeTask('a', { title: 'where is it?', pinned: true });
    await stored(store, 'a', [line('one')], { key: { value: 'k', digest: 'd' } });
    assert.deepEqual([(await store.task('a')).status, (await store.task('a')).title], ['failed', 'where is it?']);
    await stored(store, 'a', [line('two')]);
    assert.equal((await store.task('a')).status, 'executing');
  });

  test('a task that its reporter ended is not opened by late lines, nor one that vanished and was ended then', async (t) => {
    const { store } = await vanished(t, open);
    await store.changeTask('a', { status: 'failed', error: 'its own words' });
    await store.createTask(taskOf('b'));
    await store.changeTask('b', { status: 'failed', error: VANISHED });
    for (const id of ['a', 'b']) {
      await stored(store, id, [line('late')]);
      assert.equal((await store.task(id)).status, 'failed');
    }
  });
}

/** Tasks of two lines that ended so many days after the start. */
async function endedTasks(store: Store, ends: Readonly<Record<string, number>>, draft: TaskDraft = {}): Promise<void> {
  for (const [id, days] of Object.entries(ends)) {
    await store.createTask(taskOf(id, draft));
    await stored(store, id, [line('one'), line('two')]);
    await store.changeTask(id, { status: 'completed', completedAt: endOf(days) });
  }
}

function endOf(days: number): EndedMark['endedAt'] {
  return isoTime(Date.parse(START) + days * DAY_MS);
}

function ago(clock: TurnedClock, ms: number): string {
  return isoTime(clock.now() - ms);
}

/** A store whose task `a`, of one line, failed because nobody heard of it. */
async function vanished(t: Parameters<OpenStore>[0], open: OpenStore) {
  const held = await withTask(t, open);
  await stored(held.store, 'a', [line('one')], { key: { value: 'k', digest: 'd' } });
  held.clock.turn(HOUR_MS);
  assert.deepEqual(await held.store.failVanished(ago(held.clock, 1), 10), ['a']);
  return held;
}
