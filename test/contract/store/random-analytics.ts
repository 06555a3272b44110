import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  ANALYTICS_GROUPS,
  type AnalyticsQuery,
  type FigureGroup,
  type FigurePart,
  type Figures,
} from '../../../src/core/analytics.ts';
import { TOMBSTONE_DAYS } from '../../../src/core/limits.ts';
import { isEnded, type Status } from '../../../src/core/status.ts';
import type { Metrics, Task, TaskDraft } from '../../../src/core/task.ts';
import { isoTime } from '../../../src/core/time.ts';
import { DAY_MS, line, type OpenStore, opened, plain, stored, taskOf } from './support.ts';

const FIRST_MS = Date.parse('2026-01-10T00:00:00.000Z');
const HOURS = 72;
const hours = fc.nat(HOURS);
const ids = fc.nat(4);
const figure = fc.option(fc.oneof(fc.constantFrom(0, 1, 2.5), fc.double({ min: 0, max: 1e6, noNaN: true })), {
  freq: 3,
});
const drafts: fc.Arbitrary<TaskDraft> = fc.record({
  startedAt: fc.option(hours.map(timeOf)),
  completedAt: hours.map(timeOf),
  createdAt: hours.map(timeOf),
  source: fc.constantFrom('cli', 'api', "o'brien", 'other'),
  assignedAgent: fc.constantFrom(null, '', 'coder', 'planner'),
  model: fc.constantFrom(null, 'opus', 'haiku'),
  status: fc.constantFrom<Status>('completed', 'failed', 'timed_out', 'cancelled', 'executing', 'queued'),
  error: fc.constantFrom(null, 'exit code 1', 'exit code 2'),
  metrics: fc.record({ costUsd: figure, inputTokens: figure, cacheReadTokens: figure, durationSeconds: figure }),
});
type Step =
  | { readonly kind: 'make'; readonly id: number; readonly draft: TaskDraft; readonly lines: number }
  | { readonly kind: 'change' | 'delete' | 'lines' | 'again'; readonly id: number }
  | { readonly kind: 'prune' | 'wait'; readonly id: number };
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('make' as const), id: ids, draft: drafts, lines: fc.nat(3) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('change', 'lines', 'again'), id: ids }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('delete', 'delete', 'prune', 'wait', 'wait'), id: ids }) },
);
const queries: fc.Arbitrary<AnalyticsQuery> = fc
  .tuple(hours, hours, fc.constantFrom(...ANALYTICS_GROUPS), fc.option(fc.constantFrom(...ANALYTICS_GROUPS)))
  .filter(([from, to]) => from !== to)
  .map(([a, b, groupBy, splitBy]) => ({
    ...{ from: timeOf(Math.min(a, b)), to: timeOf(Math.max(a, b)), groupBy },
    ...(splitBy && { splitBy }),
  }));

/** A task as it counts: as it is, or as it was when it was first deleted. */
interface Life {
  task: Task;
  deleted: boolean;
}

/** Every store answers what adding up by hand gives, whatever became of the tasks. */
export function randomAnalyticsContract(open: OpenStore): void {
  test('figures equal those that are added up by hand, for random tasks, changes and deletions', async (t) => {
    const property = fc.asyncProperty(
      fc.array(steps, { minLength: 1, maxLength: 60, size: 'max' }),
      fc.array(queries, { minLength: 1, maxLength: 3 }),
      async (made, asked) => {
        const world = await opened(t, open);
        const lives = new Map<string, Life>();
        for (const step of made) await take(world, lives, step);
        for (const query of asked) {
          const answer = plain(await world.store.analytics(query));
          checkAll(answer, query, [...lives.values()]);
          const named = [...answer.topCost, ...answer.topFailures].map(({ taskId }) => taskId);
          for (const taskId of named) await world.store.task(taskId);
        }
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
}

async function take({ store, clock }: Awaited<ReturnType<typeof opened>>, lives: Map<string, Life>, step: Step) {
  const id = `t${step.id}`;
  const there = await store.task(id).catch(() => undefined);
  // A life is a task that was made at a moment; brought back it is the same one.
  const life = there && lives.get(`${id} ${there.createdAt}`);
  if (step.kind === 'make' && !there) {
    const made = await store.createTask(taskOf(id, step.draft)).catch(() => undefined);
    if (!made) return;
    const drafts = Array.from({ length: step.lines }, (_, n) => line(`${n}`, { level: n === 1 ? 'ERROR' : 'INFO' }));
    if (step.lines > 0) await stored(store, id, drafts);
    const key = `${id} ${made.createdAt}`;
    if (!lives.get(key)?.deleted) lives.set(key, { task: await store.task(id), deleted: false });
  } else if (step.kind === 'again' && !there) {
    const old = [...lives.values()].find(({ task, deleted }) => deleted && task.taskId === id);
    if (old) await store.createTask({ ...old.task, log: taskOf(id).log, title: 'brought back' }).catch(() => {});
  } else if (step.kind === 'wait') {
    clock.turn((TOMBSTONE_DAYS + 1) * DAY_MS);
    while (await store.tidy());
  } else if (step.kind === 'prune') {
    const gone = await store.prune(await store.ended({ limit: 2 }), 'retention');
    for (const life of lives.values()) life.deleted ||= gone.includes(life.task.taskId);
  } else if (there && life) {
    if (step.kind === 'delete') await store.deleteTask(id, 'ada');
    else if (step.kind === 'lines') await stored(store, id, [line('late', { level: 'ERROR' })]);
    else if (step.kind === 'change')
      await store.changeTask(id, { metrics: { costUsd: 3, durationSeconds: 9 }, status: 'completed' }).catch(() => {});
    if (step.kind === 'delete') life.deleted = true;
    else if (!life.deleted) life.task = await store.task(id);
  }
}

function checkAll(
  { total, groups }: { readonly total: Figures; readonly groups: readonly FigureGroup[] },
  { from, to, groupBy, splitBy }: AnalyticsQuery,
  lives: readonly Life[],
): void {
  const counted = lives.filter(({ task: { createdAt }, deleted }) => {
    const time = deleted ? `${createdAt.slice(0, 10)}T00:00:00.000Z` : createdAt;
    return time >= from && time < to;
  });
  check(total, counted);
  const keyOf = ({ createdAt, source, assignedAgent, model, status }: Task, by = groupBy): string | null =>
    ({ day: createdAt.slice(0, 10), source, agent: assignedAgent, model, status })[by];
  const keys = new Set(counted.map(({ task }) => keyOf(task)));
  assert.deepEqual(new Set(groups.map(({ key }) => key)), keys);
  assert.equal(groups.length, keys.size);
  for (const { key, parts = [], ...figures } of groups) {
    const group = counted.filter(({ task }) => keyOf(task) === key);
    check(figures, group);
    const words = splitBy ? new Set(group.map(({ task }) => keyOf(task, splitBy))) : [];
    assert.deepEqual(new Set(parts.map((part) => part.key)), new Set(words));
    for (const part of parts) {
      const ofPart = group.filter(({ task }) => splitBy && keyOf(task, splitBy) === part.key);
      assert.equal(part.runs, ofPart.length);
      checkSums(part, ofPart);
    }
  }
}

function check(figures: Figures, lives: readonly Life[]): void {
  const tasks = lives.map(({ task }) => task);
  const ended = tasks.filter(({ status }) => isEnded(status));
  const byStatus: Record<string, number> = {};
  for (const { status } of tasks) byStatus[status] = (byStatus[status] ?? 0) + 1;
  assert.deepEqual([figures.runs, figures.byStatus, figures.ended], [tasks.length, byStatus, ended.length]);
  const rate = ended.length === 0 ? null : (byStatus.completed ?? 0) / ended.length;
  assert.equal(figures.successRate, rate);
  checkSums(figures, lives);
  assert.equal(
    figures.lines,
    tasks.reduce((sum, { log }) => sum + log.total, 0),
  );
  assert.equal(
    figures.errors,
    tasks.reduce((sum, { log }) => sum + log.byLevel.ERROR, 0),
  );
  checkDurations(figures, lives);
}

function checkSums(figures: Omit<FigurePart, 'key'>, lives: readonly Life[]): void {
  const sums: Partial<Record<keyof FigurePart, keyof Metrics>> = {
    ...{ costUsd: 'costUsd', inputTokens: 'inputTokens', outputTokens: 'outputTokens' },
    ...{ cacheReadTokens: 'cacheReadTokens', cacheCreationTokens: 'cacheCreationTokens' },
  };
  for (const [name, metric] of Object.entries(sums)) {
    const told = lives.map(({ task: { metrics } }) => metrics[metric]).filter((value) => value !== null);
    const got = figures[name as keyof typeof sums & keyof typeof figures];
    if (told.length === 0) assert.equal(got, null, name);
    else
      close(
        Number(got),
        told.reduce((sum, value) => sum + value, 0),
        1e-9,
        name,
      );
  }
}

function checkDurations(figures: Figures, lives: readonly Life[]): void {
  const timed = lives.flatMap(({ task, deleted }) => {
    const seconds = secondsOf(task);
    return seconds === null ? [] : [{ seconds, deleted }];
  });
  const exact = !timed.some(({ deleted }) => deleted);
  assert.equal(figures.durationExact, exact);
  const sorted = timed.map(({ seconds }) => seconds).sort((a, b) => a - b);
  for (const [percent, got] of [
    [50, figures.durationP50Seconds],
    [95, figures.durationP95Seconds],
  ] as const) {
    const expected = sorted.find((_, index) => (index + 1) * 100 >= percent * sorted.length);
    if (expected === undefined) assert.equal(got, null);
    else if (exact) assert.equal(got, expected);
    else close(Number(got), expected, 0.0251, `p${percent}`);
  }
}

/** How long it took: as it was told, else from its start to its end. */
function secondsOf({ metrics, startedAt, completedAt }: Task): number | null {
  if (metrics.durationSeconds !== null || startedAt === null || completedAt === null) return metrics.durationSeconds;
  return Math.max(0, (Date.parse(completedAt) - Date.parse(startedAt)) / 1000);
}

function close(got: number, expected: number, share: number, name: string): void {
  assert.ok(
    Math.abs(got - expected) <= share * Math.max(Math.abs(expected), Math.abs(got)),
    `${name}: ${got}, ${expected}`,
  );
}

function timeOf(hour: number): string {
  return isoTime(FIRST_MS + hour * 60 * 60 * 1000);
}
