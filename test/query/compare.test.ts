import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Level } from '../../src/core/level.ts';
import { PatternCount, type Patterns } from '../../src/core/patterns.ts';
import type { TaskDraft } from '../../src/core/task.ts';
import { isoTime } from '../../src/core/time.ts';
import { comparePatterns, compareTasks } from '../../src/query/compare.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { taskOf } from '../contract/store/support.ts';

type Lines = Readonly<Record<string, readonly [count: number, level: Level]>>;

function patternsOf(lines: Lines): Patterns {
  const found = new PatternCount();
  for (const [message, [count, level]] of Object.entries(lines)) {
    for (let seq = 1; seq <= count; seq++) {
      found.add({ taskId: 'a', seq, timestamp: '2026-01-24T10:00:00.000Z', level, source: 'app', message });
    }
  }
  return found.answer(1_000);
}

function compared(base: Lines, task: Lines, limit = 100) {
  const { added, gone, changed, totals, exact } = comparePatterns(patternsOf(base), patternsOf(task), limit);
  const names = [added, gone, changed].map((list) => list.map(({ template }) => template));
  return { names, totals, exact, changed };
}

test('what only the task says is new, what only the base says is gone, errors first, then the most frequent', () => {
  const base: Lines = { start: [1, 'INFO'], warm: [3, 'INFO'], 'slow reply': [1, 'WARNING'] };
  const task: Lines = {
    start: [1, 'INFO'],
    chatty: [50, 'INFO'],
    'disk full': [1, 'ERROR'],
    'no route': [4, 'ERROR'],
    retry: [9, 'WARNING'],
  };
  const { names, totals, exact } = compared(base, task);
  assert.deepEqual(names, [['no route', 'disk full', 'retry', 'chatty'], ['slow reply', 'warm'], []]);
  assert.deepEqual(totals, { added: 4, gone: 2, changed: 0, same: 1 });
  assert.equal(exact, true);
});

test('a pattern has changed when its share has at least doubled or halved, by lines enough to matter', () => {
  const base: Lines = { tick: [1_000, 'INFO'], retry: [10, 'WARNING'], rare: [1, 'ERROR'], ok: [100, 'INFO'] };
  const task: Lines = { tick: [1_000, 'INFO'], retry: [40, 'WARNING'], rare: [4, 'ERROR'], ok: [45, 'INFO'] };
  const { names, changed, totals } = compared(base, task);
  assert.deepEqual(names[2], ['retry', 'ok']);
  assert.equal(totals.same, 2);
  const [retry] = changed;
  assert.deepEqual([retry?.count, retry?.baseCount], [40, 10]);
  assert.equal(retry?.ratio, Number((40 / 1_089 / (10 / 1_111)).toPrecision(4)));
});

test('twice as many lines in the same shares are no change', () => {
  const base: Lines = { a: [10, 'INFO'], b: [30, 'ERROR'] };
  assert.deepEqual(compared(base, { a: [20, 'INFO'], b: [60, 'ERROR'] }).totals, {
    ...{ added: 0, gone: 0, changed: 0, same: 2 },
  });
});

test('lists are cut, their totals are not; what was not looked at whole is told', () => {
  const task: Lines = Object.fromEntries(['a', 'b', 'c'].map((word) => [word, [1, 'INFO'] as const]));
  const { names, totals } = compared({}, task, 2);
  assert.deepEqual(names, [['a', 'b'], [], []]);
  assert.equal(totals.added, 3);
  const whole = patternsOf(task);
  assert.equal(comparePatterns(whole, { ...whole, exact: false }, 10).exact, false);
  assert.equal(comparePatterns({ ...whole, other: 1 }, whole, 10).exact, false);
});

const ASKED = { filter: {}, limit: 10, budgetMs: 1_000 };

/** A store with a good run, then `count` completed tasks of another draft, then the run that is asked about. */
async function behind(t: TestContext, run: TaskDraft, { count, other }: { count: number; other: TaskDraft }) {
  const store = new MemoryStore();
  t.after(() => store.close());
  const at = (ms: number): string => isoTime(Date.parse('2026-01-24T10:00:00.000Z') + ms);
  await store.createTask(taskOf('good', { ...run, status: 'completed', createdAt: at(0) }));
  for (let n = 1; n <= count; n += 1) {
    await store.createTask(taskOf(`other-${n}`, { ...other, status: 'completed', createdAt: at(n) }));
  }
  await store.createTask(taskOf('bad', { ...run, status: 'failed', createdAt: at(count + 1) }));
  return store;
}

test('a base is found behind any number of tasks of other kinds or agents', async (t) => {
  for (const [run, other] of [
    [{ kind: 'build' }, { kind: 'test' }],
    [{ assignedAgent: 'coder' }, { assignedAgent: 'planner' }],
  ] as const) {
    const store = await behind(t, run, { count: 1_100, other });
    assert.equal((await compareTasks(store, 'bad', ASKED)).base.taskId, 'good');
  }
});

test('a base is looked for among the newest 1,000 of its kind and agent, and who finds none is told', async (t) => {
  const run = { title: 'Nightly build' };
  const last = await behind(t, run, { count: 999, other: { title: 'Hotfix' } });
  assert.equal((await compareTasks(last, 'bad', ASKED)).base.taskId, 'good');
  const beyond = await behind(t, run, { count: 1_000, other: { title: 'Hotfix' } });
  await assert.rejects(compareTasks(beyond, 'bad', ASKED), {
    code: 'not_found',
    message: /^no completed task before bad .* newest 1,000 .*with=TASK_ID$/,
  });
  assert.equal((await compareTasks(beyond, 'bad', { ...ASKED, baseId: 'good' })).base.taskId, 'good');
});

test('who goes ends the look for a base', async (t) => {
  const store = await behind(t, { title: 'Nightly build' }, { count: 1, other: { title: 'Hotfix' } });
  const gone = new Error('gone');
  await assert.rejects(compareTasks(store, 'bad', ASKED, AbortSignal.abort(gone)), gone);
  const lonely = await behind(t, { title: 'Nightly build' }, { count: 1_000, other: { title: 'Hotfix' } });
  await assert.rejects(compareTasks(lonely, 'bad', ASKED, AbortSignal.abort(gone)), gone);
});

const messages = ['a', 'b', 'c', 'd'] as const;
const sides = fc.dictionary(
  fc.constantFrom(...messages),
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom<Level>('INFO', 'ERROR')),
  { noNullPrototype: true },
);

test('each pattern is counted once, and the other way round new is gone', () => {
  fc.assert(
    fc.property(sides, sides, (base, task) => {
      const there = compared(base, task);
      const back = compared(task, base);
      const { added, gone, changed, same } = there.totals;
      assert.equal(added + gone + changed + same, new Set([...Object.keys(base), ...Object.keys(task)]).size);
      assert.deepEqual(there.names[0], back.names[1]);
      assert.deepEqual(there.names[1], back.names[0]);
    }),
  );
});
