import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Expr, Term } from '../../../src/core/expr.ts';
import { STATUSES } from '../../../src/core/status.ts';
import type { Task, TaskDraft } from '../../../src/core/task.ts';
import { matchesTask } from '../../../src/core/task-predicate.ts';
import { isoTime } from '../../../src/core/time.ts';
import { type OpenStore, opened, START, taskOf } from './support.ts';

const NAMES = ['git', 'Git', "o'brien", '%', '_', 'İ', 'i\u0307', 'ß', '__proto__', '😀', 'a"b', 'a,b'];
const COSTS = [0, 0.1, 0.3, 0.1 + 0.2, 1, 1e-7];
/** Durations that a binary fraction does not hold: both stores must make the same number of them. */
const SPANS_MS = [0, 1, 3, 100, 333, 1_001, 2_007];
const SECONDS = [0, 0.001, 0.003, 0.1, 0.333, 1.001, 2.007, 9];
const START_MS = Date.parse(START);

const name = fc.constantFrom(...NAMES);
const names = fc.uniqueArray(name, { minLength: 1, maxLength: 3 });
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const moments = fc.nat(6).map((ms) => isoTime(START_MS + ms));
const drafts: fc.Arbitrary<TaskDraft> = fc
  .record({
    title: orNull(fc.array(name, { maxLength: 3 }).map((parts) => parts.join(' '))),
    kind: orNull(name),
    source: name.filter((source) => !source.includes(',')),
    provider: orNull(name),
    assignedAgent: orNull(name),
    model: orNull(name),
    tags: fc.uniqueArray(name, { maxLength: 3 }),
    status: fc.constantFrom(...STATUSES),
    error: orNull(name),
    createdAt: moments,
    span: orNull(fc.constantFrom(...SPANS_MS)),
    costUsd: orNull(fc.constantFrom(...COSTS)),
    durationSeconds: orNull(fc.constantFrom(...SECONDS)),
  })
  .map(({ span, costUsd, durationSeconds, ...draft }) => ({
    ...draft,
    ...(span !== null && { startedAt: START, completedAt: isoTime(START_MS + span) }),
    metrics: { costUsd, durationSeconds },
  }));

const comparisons = fc.constantFrom('<', '<=', '>', '>=');
const terms: fc.Arbitrary<Term> = fc.oneof(
  name.map((text) => ({ op: 'text', text }) as const),
  fc
    .tuple(fc.constantFrom('source', 'kind', 'agent', 'model', 'tag'), names)
    .map(([op, values]) => ({ op, values }) as const),
  fc.subarray(['t1', 't2', 'nobody']).map((values) => ({ op: 'task', values }) as const),
  fc.subarray([...STATUSES]).map((values) => ({ op: 'status', values }) as const),
  fc.tuple(comparisons, fc.constantFrom(...COSTS)).map(([test, value]) => ({ op: 'cost', test, value }) as const),
  fc.tuple(comparisons, fc.constantFrom(...SECONDS)).map(([test, value]) => ({ op: 'dur', test, value }) as const),
  fc.record({ from: moments, to: moments }, { requiredKeys: [] }).map((bounds) => ({ op: 'time', ...bounds }) as const),
  fc.constantFrom<Term>({ op: 'level', values: ['ERROR'] }, { op: 'regex', pattern: '.' }),
);
const { expr: exprs } = fc.letrec<{ expr: Expr }>((tie) => {
  const parts = fc.array(tie('expr'), { maxLength: 3 });
  return {
    expr: fc.oneof(
      { maxDepth: 4 },
      terms,
      parts.map((parts) => ({ op: 'all', parts }) as const),
      parts.map((parts) => ({ op: 'any', parts }) as const),
      tie('expr').map((part) => ({ op: 'not', part }) as const),
    ),
  };
});

/** Every store lists exactly the tasks that the predicate says, whatever they are and are asked. */
export function randomListingContract(open: OpenStore): void {
  test('lists, totals and facets equal the predicate for random tasks and queries', async (t) => {
    const { store } = await opened(t, open);
    const tasks: Task[] = [];
    for (const [index, draft] of fc.sample(drafts, { numRuns: 40, seed: 7 }).entries()) {
      tasks.push(await store.createTask(taskOf(`t${index}`, draft)));
    }
    const property = fc.asyncProperty(exprs, async (expr) => {
      const query = { text: '', expr };
      const expected = tasks.filter((task) => matchesTask(expr, task)).map(({ taskId }) => taskId);
      const page = await store.tasks({ query, limit: 100 });
      assert.deepEqual(page.tasks.map(({ taskId }) => taskId).sort(), expected.sort());
      assert.equal(page.total, expected.length);
      const { status } = await store.taskFacets({ query });
      assert.equal(
        Object.values(status).reduce((sum, count) => sum + count, 0),
        expected.length,
      );
    });
    await fc.assert(property, { numRuns: 300 });
  });

  test('pages of a query join to the whole', async (t) => {
    const { store } = await opened(t, open);
    for (const [index, draft] of fc.sample(drafts, { numRuns: 30, seed: 11 }).entries()) {
      await store.createTask(taskOf(`t${index}`, draft));
    }
    const query = { text: '', expr: { op: 'not', part: { op: 'cost', test: '>', value: 0.2 } } as const };
    const whole = (await store.tasks({ query, sort: 'duration' })).tasks.map(({ taskId }) => taskId);
    assert.ok(whole.length > 4);
    const joined: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await store.tasks({ query, sort: 'duration', limit: 3, ...(cursor && { cursor }) });
      joined.push(...page.tasks.map(({ taskId }) => taskId));
      cursor = page.nextCursor;
    }
    assert.deepEqual(joined, whole);
  });
}
