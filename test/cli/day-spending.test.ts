import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DaySpending } from '../../src/cli/day-spending.ts';
import type { TaskDraft } from '../../src/core/task.ts';
import { managed } from '../task/support.ts';

const MINUTE_MS = 60_000;

/** Spending at a time of the test's own, and how often the store was asked. */
async function spending(t: TestContext) {
  const { trail } = await managed(t, { idle: true });
  const { intake, store } = trail.parts;
  const clock = { nowMs: Date.parse('2026-03-01T12:00:00Z'), now: () => clock.nowMs };
  const asked = { tasks: 0, task: 0 };
  const countedTasks = {
    tasks: (query: Parameters<typeof store.tasks>[0]) => {
      asked.tasks += 1;
      return store.tasks(query);
    },
    task: (taskId: string) => {
      asked.task += 1;
      return store.task(taskId);
    },
  };
  const counted = { ...countedTasks, deletedSpending: (day: string) => store.deletedSpending(day) };
  const day = new DaySpending(counted, clock);
  const time = () => new Date(clock.nowMs).toISOString();
  const create = (taskId: string, draft: TaskDraft) =>
    intake.createTask({ taskId, runner: 'agent:default', createdAt: time(), startedAt: time(), ...draft });
  const ended = { status: 'completed', completedAt: '2026-03-01T11:00:00.000Z' } as const;
  return { day, again: () => new DaySpending(counted, clock), clock, asked, create, ended, intake, time };
}

test('the figures of agents’ tasks of the day are added up, in dollars and tokens', async (t) => {
  const { day, create, ended } = await spending(t);
  const tokens = { inputTokens: 1, outputTokens: 20, cacheReadTokens: 300, cacheCreationTokens: 4_000 };
  await create('task-1', { ...ended, metrics: { costUsd: 0.5, ...tokens } });
  await create('task-2', { metrics: { costUsd: 0.25 } });
  await create('task-3', { ...ended, runner: 'plugin:demo', metrics: { costUsd: 10 } });
  await create('task-4', { ...ended, runner: null, metrics: { costUsd: 10 } });
  await create('task-5', { ...ended, createdAt: '2026-02-28T23:59:59.999Z', metrics: { costUsd: 10 } });
  assert.deepEqual(await day.today(), { usd: 0.75, tokens: 4_321 });
});

test('what runs is read again, what has ended a while ago is not', async (t) => {
  const { day, clock, asked, create, ended, intake, time } = await spending(t);
  for (let n = 0; n < 5; n += 1) await create(`old-${n}`, { ...ended, metrics: { costUsd: 1 } });
  await create('runs', { metrics: { costUsd: 1 } });
  assert.equal((await day.today()).usd, 6);
  assert.deepEqual(asked, { tasks: 1, task: 1 });
  await create('new', { metrics: { costUsd: 2 } });
  day.add('new');
  await intake.changeTask('runs', { metrics: { costUsd: 3 } });
  assert.equal((await day.today()).usd, 10);
  assert.deepEqual(asked, { tasks: 1, task: 3 });
  for (const taskId of ['runs', 'new']) await intake.changeTask(taskId, { status: 'failed', completedAt: time() });
  await intake.changeTask('new', { metrics: { costUsd: 4 } });
  assert.equal((await day.today()).usd, 12);
  clock.nowMs += MINUTE_MS;
  assert.equal((await day.today()).usd, 12);
  assert.equal(asked.task, 7);
  assert.equal((await day.today()).usd, 12);
  assert.deepEqual(asked, { tasks: 1, task: 7 });
});

test('a task that is tried again counts once; one that is deleted has cost what it has', async (t) => {
  const { day, create, ended, intake } = await spending(t);
  await create('again', { ...ended, metrics: { costUsd: 1 } });
  await create('gone', { metrics: { costUsd: 1 } });
  assert.equal((await day.today()).usd, 2);
  await intake.changeTask('again', { metrics: { costUsd: 3 } });
  day.add('again');
  await intake.changeTask('gone', { status: 'cancelled' });
  await intake.deleteTask('gone', 'ada');
  assert.equal((await day.today()).usd, 4);
});

test('what was deleted before the server started again has cost what it has', async (t) => {
  const { day, again, create, ended, intake } = await spending(t);
  await create('gone', { ...ended, metrics: { costUsd: 1.5, outputTokens: 7 } });
  await create('reported', { ...ended, runner: null, metrics: { costUsd: 10 } });
  await create('stays', { ...ended, metrics: { costUsd: 2 } });
  assert.equal((await day.today()).usd, 3.5);
  for (const taskId of ['gone', 'reported']) await intake.deleteTask(taskId, 'ada');
  assert.deepEqual(await day.today(), { usd: 3.5, tokens: 7 });
  assert.deepEqual(await again().today(), { usd: 3.5, tokens: 7 });
});

test('a new day (UTC) begins with nothing, but for what was made in it', async (t) => {
  const { day, clock, create } = await spending(t);
  await create('task-1', { metrics: { costUsd: 1 } });
  assert.equal((await day.today()).usd, 1);
  clock.nowMs = Date.parse('2026-03-02T00:00:00Z');
  assert.equal((await day.today()).usd, 0);
  await create('task-2', { metrics: { costUsd: 5 } });
  day.add('task-2');
  day.add('task-1');
  assert.equal((await day.today()).usd, 5);
});
