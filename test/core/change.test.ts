import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedTask, grownLog, lineStart, newTask } from '../../src/core/change.ts';
import type { Draft } from '../../src/core/entry.ts';
import { LAST_LINE_CHARS } from '../../src/core/limits.ts';
import { isEnded, MOVES, STATUSES } from '../../src/core/status.ts';
import type { Task, TaskChange, TaskDraft } from '../../src/core/task.ts';

const NOW = '2026-01-24T10:00:00.000Z';
const LATER = '2026-01-24T10:00:04.500Z';
const LAST = '2026-01-24T10:01:00.000Z';

test('a new task has a new id, runs, came by the API, and knows nothing else', () => {
  const { taskId, ...task } = newTask({}, NOW);
  assert.match(taskId, /^task-/);
  const nothing = [
    ...[
      'kind',
      'title',
      'provider',
      'assignedAgent',
      'agentType',
      'model',
      'userId',
      'machineId',
      'owner',
      'completedAt',
    ],
    ...['params', 'input', 'metadata', 'result', 'error', 'exitCode'],
  ];
  for (const name of nothing) assert.equal(task[name as keyof typeof task], null, name);
  assert.deepEqual(
    [task.status, task.ended, task.source, task.tags, task.pinned],
    ['executing', false, 'api', [], false],
  );
  assert.deepEqual([task.createdAt, task.startedAt, task.updatedAt], [NOW, NOW, NOW]);
  assert.ok(Object.values(task.metrics).every((figure) => figure === null));
  assert.deepEqual([task.log.total, task.log.lastSeq, task.log.lost, task.log.lastLine], [0, 0, 0, null]);
});

test('a field that is undefined counts as left out, when made and when changed', () => {
  const bare = newTask({ taskId: 'a' }, NOW);
  const keys = Object.keys(bare) as (keyof Task)[];
  const holes = Object.fromEntries(keys.map((key) => [key, undefined]));
  assert.deepEqual(newTask({ ...holes, taskId: 'a', metrics: { costUsd: undefined } } as object, NOW), bare);
  const full = newTask({ taskId: 'a', title: 't', result: 5, metrics: { costUsd: 2 }, metadata: { a: 1 } }, NOW);
  const changed = changedTask(full, { ...holes, metrics: { costUsd: undefined } } as TaskChange, LATER);
  assert.deepEqual(changed, { ...full, updatedAt: LATER });
});

test('a source that is a provider is its own provider, unless another is named', () => {
  for (const source of ['github', 'jira', 'slack', 'sentry']) assert.equal(newTask({ source }, NOW).provider, source);
  assert.equal(newTask({ source: 'webhook', provider: 'custom' }, NOW).provider, 'custom');
  assert.equal(newTask({ source: 'github', provider: 'jira' }, NOW).provider, 'jira');
  assert.equal(newTask({ source: 'cli' }, NOW).provider, null);
});

test('a new task has started only when it works, and is complete only when it has ended', () => {
  for (const status of STATUSES) {
    const task = newTask({ status, createdAt: NOW }, LATER);
    assert.equal(task.startedAt, status === 'executing' || status === 'discovering' ? NOW : null, status);
    assert.equal(task.ended, isEnded(status), status);
    assert.equal(task.completedAt, isEnded(status) ? LATER : null, status);
    assert.equal(newTask({ status, completedAt: NOW }, LATER).completedAt, isEnded(status) ? NOW : null, status);
  }
});

test('back to where an approved plan waits goes only the run itself, which says where it stands', () => {
  const task = newTask({ status: 'executing' }, NOW);
  assert.throws(() => changedTask(task, { status: 'approved' }, LATER), { code: 'invalid_transition' });
  assert.equal(changedTask(task, { status: 'approved' }, LATER, ['executing', 'paused']).status, 'approved');
  const planning = newTask({ status: 'discovering' }, NOW);
  assert.throws(() => changedTask(planning, { status: 'approved' }, LATER), { code: 'invalid_transition' });
});

test('every move that is allowed leaves a task whose fields agree, every other throws', () => {
  for (const from of STATUSES) {
    for (const to of STATUSES) {
      const task = newTask({ status: from }, NOW);
      if (from !== to && !MOVES[from].includes(to)) {
        assert.throws(
          () => changedTask(task, { status: to }, LATER),
          { code: 'invalid_transition' },
          `${from} → ${to}`,
        );
        continue;
      }
      const changed = changedTask(task, { status: to }, LATER);
      assert.deepEqual([changed.status, changed.ended], [to, isEnded(to)], `${from} → ${to}`);
      assert.equal(changed.completedAt === null, !isEnded(to), `${from} → ${to}`);
      // Back in the queue it has not started.
      const begun = ['executing', 'discovering'].some((status) => status === from || status === to);
      const started = begun && to !== 'queued';
      assert.equal(changed.startedAt !== null, started, `${from} → ${to}`);
    }
  }
});

test('a task starts once: pausing and going on keeps the first start', () => {
  const queued = newTask({ status: 'queued' }, NOW);
  const executing = changedTask(queued, { status: 'executing' }, LATER);
  const paused = changedTask(executing, { status: 'paused' }, LAST);
  const resumed = changedTask(paused, { status: 'executing' }, LAST);
  assert.deepEqual(
    [queued.startedAt, executing.startedAt, paused.startedAt, resumed.startedAt],
    [null, LATER, LATER, LATER],
  );
});

test('an ending sets its time and how long it took, unless the reporter says so itself', () => {
  const task = newTask({}, NOW);
  const ended = changedTask(task, { status: 'completed' }, LATER);
  assert.deepEqual([ended.completedAt, ended.metrics.durationSeconds], [LATER, 4.5]);
  const told = changedTask(task, { status: 'completed', completedAt: LAST, metrics: { durationSeconds: 3 } }, LATER);
  assert.deepEqual([told.completedAt, told.metrics.durationSeconds], [LAST, 3]);
  const early = changedTask(task, { status: 'failed', completedAt: '2026-01-24T09:00:00.000Z' }, LATER);
  assert.equal(early.metrics.durationSeconds, 0, 'a reporter whose clock is behind took no negative time');
  const never = changedTask(newTask({ status: 'queued' }, NOW), { status: 'cancelled' }, LATER);
  assert.equal(never.metrics.durationSeconds, null, 'what never started took no time that we know');
});

test('a task that is told of only when it has ended took from its start to its end, unless it says so itself', () => {
  const over = { status: 'completed', startedAt: NOW, completedAt: LATER } as const;
  const secondsOf = (draft: TaskDraft) => newTask(draft, LAST).metrics.durationSeconds;
  assert.equal(secondsOf(over), 4.5);
  assert.equal(secondsOf({ ...over, metrics: { durationSeconds: null } }), 4.5);
  assert.equal(secondsOf({ ...over, metrics: { durationSeconds: 0 } }), 0);
  assert.equal(secondsOf({ ...over, startedAt: LAST }), 0, 'a reporter whose clock is behind took no negative time');
  assert.equal(secondsOf({ status: 'completed', completedAt: LATER }), null, 'what never started took no time');
  assert.equal(secondsOf({ startedAt: NOW }), null, 'what has not ended takes on');
});

test('the same ending again answers the very same task', () => {
  for (const status of STATUSES.filter(isEnded)) {
    const ended = newTask({ status, error: 'first' }, NOW);
    assert.equal(changedTask(ended, { status, error: 'second', completedAt: LAST }, LATER), ended, status);
  }
});

test('an ended task can be named and tagged, and its ending stays', () => {
  const ended = changedTask(newTask({}, NOW), { status: 'failed', error: 'e', exitCode: 2 }, LATER);
  const tagged = changedTask(ended, { tags: ['x'], pinned: true }, LAST);
  assert.deepEqual(tagged, { ...ended, tags: ['x'], pinned: true, updatedAt: LAST });
});

test('a task that is reopened loses its result, error, exit code, end and duration, and keeps the rest', () => {
  const task = newTask({ title: 't', metrics: { costUsd: 1 } }, NOW);
  const ended = changedTask(task, { status: 'failed', error: 'e', exitCode: 2, result: 'half' }, LATER);
  const open = changedTask(ended, { status: 'executing' }, LAST);
  assert.deepEqual(open, { ...task, updatedAt: LAST });
  const again = changedTask(open, { status: 'completed', result: 'whole' }, LAST);
  assert.deepEqual(
    [again.result, again.error, again.exitCode, again.metrics.durationSeconds],
    ['whole', null, null, 60],
  );
});

test('metadata and metrics are merged, other fields replaced, the log is left to the store', () => {
  const task = newTask({ metadata: { a: 1, b: 1 }, params: { a: 1 }, metrics: { costUsd: 1, numTurns: 2 } }, NOW);
  const change = { metadata: { b: 2 }, params: { b: 2 }, metrics: { numTurns: null }, log: 'x', ended: true };
  const changed = changedTask(task, change as TaskChange, LATER);
  assert.deepEqual([changed.metadata, changed.params], [{ a: 1, b: 2 }, { b: 2 }]);
  assert.deepEqual([changed.metrics.costUsd, changed.metrics.numTurns], [1, null]);
  assert.deepEqual([changed.log, changed.ended], [task.log, false]);
});

test('the figures grow by what was stored and lost', () => {
  const draft = (level: Draft['level'], message: string): Draft => ({
    ...{ timestamp: NOW, source: 's', stream: null, type: 'log', metadataJson: null },
    level,
    message,
  });
  const empty = newTask({}, NOW).log;
  const one = grownLog(empty, [draft('ERROR', 'a'), draft('INFO', 'b')], 3);
  assert.deepEqual(one, {
    total: 2,
    lastSeq: 2,
    lost: 3,
    byLevel: { DEBUG: 0, INFO: 1, WARNING: 0, ERROR: 1 },
    lastLine: 'b',
  });
  assert.deepEqual(grownLog(one, [], 1), { ...one, lost: 4 });
  assert.equal(empty.byLevel.ERROR, 0, 'the log before is left as it was');
});

test('a line starts with whole characters', () => {
  assert.equal(lineStart('short'), 'short');
  assert.equal(lineStart('x'.repeat(LAST_LINE_CHARS + 1)), 'x'.repeat(LAST_LINE_CHARS));
  assert.equal(lineStart(`${'x'.repeat(LAST_LINE_CHARS - 1)}😀`), 'x'.repeat(LAST_LINE_CHARS - 1));
  assert.equal(lineStart(`${'x'.repeat(LAST_LINE_CHARS - 2)}😀y`), `${'x'.repeat(LAST_LINE_CHARS - 2)}😀`);
});
