import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../../src/core/entry.ts';
import { TOMBSTONE_DAYS } from '../../../src/core/limits.ts';
import type { Store } from '../../../src/core/ports.ts';
import type { Task, TaskDraft } from '../../../src/core/task.ts';
import {
  allMessages,
  batch,
  DAY_MS,
  line,
  type OpenStore,
  opened,
  plain,
  rejectsWith,
  START,
  stored,
  taskOf,
  withTask,
} from './support.ts';

const EVERY_FIELD: TaskDraft = {
  kind: 'demo',
  title: 'Größe "1" 😀',
  status: 'awaiting_input',
  source: 'webhook',
  provider: 'github',
  assignedAgent: 'default',
  agentType: 'planning',
  model: 'm-1',
  userId: 'ada',
  machineId: 'box',
  owner: 'grace',
  tags: ['b', 'a', '__proto__'],
  pinned: true,
  createdAt: '2026-01-23T08:00:00.000Z',
  startedAt: '2026-01-23T08:00:01.000Z',
  params: { deep: [{ camelCase: 1, snake_case: null }] },
  input: { message: 'do it', sourceMetadata: { repo: 'x/y', issue_number: 5 } },
  metadata: { branch: 'main' },
  result: ['any', { json: 0 }],
  error: 'none yet',
  exitCode: 0,
  metrics: { costUsd: 0.1 + 0.2, inputTokens: 0, durationSeconds: 1.5 },
};

/** Tasks: made, changed, deleted; who is told of it; settings; the store's own end. */
export function lifeContract(open: OpenStore): void {
  test('a new task is answered and kept with every field', async (t) => {
    const { store } = await opened(t, open);
    for (const task of [taskOf('bare'), taskOf('full', EVERY_FIELD)]) {
      assert.deepEqual(plain(await store.createTask(task)), plain(task));
      assert.deepEqual(plain(await store.task(task.taskId)), plain(task));
    }
  });

  test('a result may be any JSON', async (t) => {
    const { store } = await opened(t, open);
    const results: readonly Json[] = [null, 0, false, '', 'null', [], {}, { a: [null] }];
    for (const [i, result] of results.entries()) {
      await store.createTask(taskOf(`t${i}`));
      await store.changeTask(`t${i}`, { status: 'completed', result });
      assert.deepEqual(plain((await store.task(`t${i}`)).result), result);
    }
  });

  test('a known id is refused, and the task that has it stays as it was', async (t) => {
    const { store } = await withTask(t, open);
    await stored(store, 'a', [line('one')]);
    const before = await store.task('a');
    await rejectsWith('task_exists', () => store.createTask(taskOf('a', { title: 'another' })));
    assert.deepEqual(plain(await store.task('a')), plain(before));
    assert.deepEqual(await allMessages(store, 'a'), ['one']);
  });

  test('an unknown task is refused by everything that names one', async (t) => {
    const { store } = await opened(t, open);
    for (const call of callsOn(store, 'nobody')) await rejectsWith('task_not_found', call);
  });

  test('a deleted task is gone with its lines, and its id says so for 90 days', async (t) => {
    const { store, clock } = await withTask(t, open);
    await store.createTask(taskOf('b'));
    await stored(store, 'a', [line('secret')]);
    await store.deleteTask('a', 'ada');
    clock.turn(TOMBSTONE_DAYS * DAY_MS - 1);
    for (const call of callsOn(store, 'a')) await rejectsWith('task_deleted', call);
    await rejectsWith('task_deleted', () => store.createTask(taskOf('a')));
    const { tasks, total } = await store.tasks({});
    assert.deepEqual([tasks.map((task) => task.taskId), total], [['b'], 1]);
    assert.deepEqual(plain((await store.taskFacets({})).status), { executing: 1 });
  });

  test('a change answers the task as it then is, merges metadata and metrics, and replaces the rest', async (t) => {
    const { store, clock } = await opened(t, open);
    await store.createTask(taskOf('a', EVERY_FIELD));
    await stored(store, 'a', [line('one')]);
    clock.turn(1_000);
    const change = {
      title: null,
      tags: ['c'],
      params: { only: 'this' },
      metadata: { commit: 'f00' },
      metrics: { outputTokens: 7 },
    };
    const changed = await store.changeTask('a', change);
    assert.deepEqual(plain(changed), plain(await store.task('a')));
    const { title, tags, params, metadata, metrics, updatedAt, createdAt, log, model } = plain(changed);
    assert.deepEqual([title, tags, params, model], [null, ['c'], { only: 'this' }, 'm-1']);
    assert.deepEqual(metadata, { branch: 'main', commit: 'f00' });
    assert.deepEqual([metrics.costUsd, metrics.inputTokens, metrics.outputTokens], [0.1 + 0.2, 0, 7]);
    assert.deepEqual([createdAt, updatedAt], [EVERY_FIELD.createdAt, '2026-01-24T10:00:01.000Z']);
    assert.deepEqual([log.total, log.lastLine], [1, 'one']);
  });

  test('an ending sets when it was and how long it took', async (t) => {
    const { store, clock } = await withTask(t, open);
    clock.turn(2_500);
    const task = await store.changeTask('a', { status: 'completed', result: 'done', exitCode: 0 });
    assert.deepEqual([task.ended, task.startedAt, task.completedAt], [true, START, '2026-01-24T10:00:02.500Z']);
    assert.equal(task.metrics.durationSeconds, 2.5);
  });

  test('the same ending twice changes nothing, and nobody is told', async (t) => {
    const { store, clock, wakes } = await withTask(t, open);
    const first = await store.changeTask('a', { status: 'failed', error: 'first' });
    const { revision } = await store.changes(0, 10);
    wakes.length = 0;
    clock.turn(1_000);
    const second = await store.changeTask('a', { status: 'failed', error: 'second' });
    assert.deepEqual(plain(second), plain(first));
    assert.deepEqual(plain(await store.task('a')), plain(first));
    assert.deepEqual(plain((await store.changes(revision, 10)).tasks), []);
    assert.deepEqual(wakes, []);
  });

  test('an impossible move is refused and changes nothing', async (t) => {
    const { store, clock } = await withTask(t, open);
    const ended = await store.changeTask('a', { status: 'completed' });
    clock.turn(1_000);
    await rejectsWith('invalid_transition', () => store.changeTask('a', { status: 'failed', title: 'no' }));
    assert.deepEqual(plain(await store.task('a')), plain(ended));
  });

  test('an ended task that is reopened loses its ending', async (t) => {
    const { store } = await withTask(t, open);
    await store.changeTask('a', { status: 'failed', error: 'vanished', exitCode: 1, result: { half: true } });
    const { status, ended, completedAt, error, exitCode, result } = await store.changeTask('a', {
      status: 'executing',
    });
    assert.deepEqual(
      [status, ended, completedAt, error, exitCode, result],
      ['executing', false, null, null, null, null],
    );
  });

  test('changes are told in order, each task once, from where the last look ended', async (t) => {
    const { store } = await opened(t, open);
    assert.deepEqual(plain(await store.changes(0, 10)), { revision: 0, tasks: [] });
    for (const id of ['a', 'b', 'c']) await store.createTask(taskOf(id));
    await store.append([batch('a', [line('1'), line('2')])]);
    const first = plain(await store.changes(0, 2));
    assert.deepEqual(first.tasks, [
      { taskId: 'b', lastSeq: 0 },
      { taskId: 'c', lastSeq: 0 },
    ]);
    const second = plain(await store.changes(first.revision, 2));
    assert.deepEqual(second.tasks, [{ taskId: 'a', lastSeq: 2 }]);
    assert.deepEqual(plain(await store.changes(second.revision, 2)), { revision: second.revision, tasks: [] });
    await store.changeTask('c', { title: 'one' });
    await store.changeTask('c', { title: 'two' });
    assert.deepEqual(plain((await store.changes(second.revision, 10)).tasks), [{ taskId: 'c', lastSeq: 0 }]);
  });

  test('later tasks have greater numbers, whatever times they claim', async (t) => {
    const { store } = await opened(t, open);
    assert.equal(await store.taskNumber(), 0);
    await store.createTask(taskOf('a'));
    await store.createTask(taskOf('b', { createdAt: '2020-01-01T00:00:00.000Z' }));
    const [a, b] = [await store.taskNumber('a'), await store.taskNumber('b')];
    assert.ok(0 < a && a < b, `${a} < ${b}`);
    await store.deleteTask('b', 'ada');
    assert.equal(await store.taskNumber(), b);
    await store.createTask(taskOf('c'));
    assert.ok((await store.taskNumber('c')) > b);
    await rejectsWith('task_deleted', () => store.taskNumber('b'));
    await rejectsWith('task_not_found', () => store.taskNumber('none'));
  });

  test('a deleted task is told among the changes', async (t) => {
    const { store } = await withTask(t, open);
    const { revision } = await store.changes(0, 10);
    await store.deleteTask('a', 'ada');
    const { tasks } = await store.changes(revision, 10);
    assert.deepEqual(
      tasks.map((task) => task.taskId),
      ['a'],
    );
  });

  test('a setting is kept as it was set, until it is set to null', async (t) => {
    const { store } = await opened(t, open);
    assert.equal(await store.setting('logging'), null);
    await store.setSetting('logging', '{"level":"DEBUG"}');
    await store.setSetting('other', '"ü"');
    await store.setSetting('logging', '{"level":"INFO"}');
    assert.deepEqual([await store.setting('logging'), await store.setting('other')], ['{"level":"INFO"}', '"ü"']);
    await store.setSetting('logging', null);
    await store.setSetting('never', null);
    assert.deepEqual([await store.setting('logging'), await store.setting('other')], [null, '"ü"']);
  });

  test('a store can be closed twice, and then refuses', async (t) => {
    const { store } = await withTask(t, open);
    await store.close();
    await store.close();
    await rejectsWith('store_closed', () => store.append([batch('a', [line('late')])]));
    await rejectsWith('store_closed', () => store.task('a'));
    await rejectsWith('store_closed', () => store.tasks({}));
  });

  test('what was committed is there when the store is opened again', async (t) => {
    const { store } = await opened(t, open);
    if (store.reopen === undefined) return t.skip('this store keeps nothing beyond its process');
    for (const task of [taskOf('a', EVERY_FIELD), taskOf('gone')]) await store.createTask(task);
    const key = { value: 'k', digest: 'd' };
    const receipt = await stored(store, 'a', [line('one'), line('two')], { key, lost: 1 });
    await store.deleteTask('gone', 'ada');
    await store.setSetting('logging', '{}');
    const before: Task = await store.task('a');
    const { revision } = await store.changes(0, 10);
    const again = await store.reopen();
    t.after(() => again.close());
    assert.deepEqual(plain(await again.task('a')), plain(before));
    assert.deepEqual(await allMessages(again, 'a'), ['one', 'two']);
    assert.deepEqual(plain(await stored(again, 'a', [line('one'), line('two')], { key, lost: 1 })), plain(receipt));
    assert.equal((await stored(again, 'a', [line('three')])).firstSeq, 3);
    assert.equal(await again.setting('logging'), '{}');
    await rejectsWith('task_deleted', () => again.task('gone'));
    assert.deepEqual(plain((await again.changes(revision, 10)).tasks), [{ taskId: 'a', lastSeq: 3 }]);
  });
}

/** Every call that names a task and reads or changes it. */
function callsOn(store: Store, taskId: string): readonly (() => Promise<unknown>)[] {
  return [
    () => store.task(taskId),
    () => store.read(taskId, { limit: 1 }),
    () => store.count(taskId, {}, 1_000),
    () => store.stats(taskId),
    () => store.histogram(taskId, { filter: {}, buckets: 10 }),
    () => store.changeTask(taskId, { title: 'x' }),
    () => store.deleteTask(taskId, 'ada'),
  ];
}
