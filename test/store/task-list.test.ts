import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Store, StoreReader } from '../../src/core/ports.ts';
import { TASK_SORTS, type TaskQuery } from '../../src/core/query.ts';
import type { Status } from '../../src/core/status.ts';
import type { TaskDraft } from '../../src/core/task.ts';
import { askedTasks } from '../../src/query/filter.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { DATABASE_FILE, openDatabase } from '../../src/store/sqlite/database.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { addTask } from '../../src/store/sqlite/task-row.ts';
import { batch, line, START, TurnedClock, taskOf } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';
import { beforeTaskList } from './older.ts';

const NOW_MS = Date.parse(START);
const words = (...choices: string[]) => fc.constantFrom(null, ...choices);
const draft = fc.record({
  status: fc.constantFrom<Status>('queued', 'executing', 'completed', 'failed'),
  source: fc.constantFrom('api', 'github', 'wébhook', '"null"'),
  provider: words('github', 'jira'),
  kind: words('build', ''),
  assignedAgent: words('coder', '\u{1f98a}'),
  title: words('Straße', 'STRASSE of \u212aelvin', 'build'),
  tags: fc.array(fc.constantFrom('nightly', 'null', '"', '\u{ffff}', 'a/b\\\u0001\u007f\u2028'), { maxLength: 3 }),
  metrics: fc.record({ costUsd: fc.constantFrom(null, 0, 1.5), durationSeconds: fc.constantFrom(null, 2) }),
});
const parts = (['status', 'tags', 'title'] as const).map((field) => draft.map((all) => ({ [field]: all[field] })));
const id = fc.integer({ min: 0, max: 5 }).map((n) => `task-${n}`);
const step = fc.oneof(
  fc.record({ op: fc.constant('make' as const), id, draft }),
  fc.record({ op: fc.constant('make' as const), id, draft }),
  fc.record({
    op: fc.constant('change' as const),
    id,
    draft: fc.oneof(draft, ...parts),
  }),
  fc.record({ op: fc.constant('append' as const), id, errors: fc.nat(3) }),
  fc.record({ op: fc.constant('delete' as const), id }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const QUERIES: readonly TaskQuery[] = [
  {},
  { status: ['completed', 'queued'] },
  { source: ['github'] },
  { kind: ['build', ''], agent: ['coder'] },
  { tag: ['nightly'] },
  { tag: ['"', '\u{ffff}'], status: ['completed'] },
  { tag: ['a/b\\\u0001\u007f\u2028'] },
  { minCost: 1 },
  ...[
    '-status:completed (source:api OR -tag:null)',
    'strasse',
    'kelvin',
    'tag:nightly -kind:build',
    'agent:coder OR cost>1',
    'stra\u00dfe',
  ].map((q) => askedTasks({ q }, NOW_MS)),
];

test('after any changes the list and its counts are those of the tasks one by one, in every order', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), fc.nat(), async (steps, turn) => {
      const clock = new TurnedClock();
      const memory = new MemoryStore({ clock });
      const store = new SqliteStore(await scratch(t), { clock });
      try {
        for (const each of steps) {
          clock.turn(1_000);
          assert.equal(await outcome(store, each), await outcome(memory, each));
        }
        for (const [n, query] of QUERIES.entries()) {
          assert.deepEqual(await store.taskFacets(query), await memory.taskFacets(query), JSON.stringify(query));
          const sort = TASK_SORTS[(n + turn) % TASK_SORTS.length] ?? 'created_at';
          for (const order of ['asc', 'desc'] as const)
            assert.deepEqual(
              await listed(store, { ...query, sort, order }),
              await listed(memory, { ...query, sort, order }),
            );
        }
      } finally {
        await store.close();
      }
    }),
    { numRuns: 40 },
  );
});

test('of more tasks than are counted one by one each order is walked, and says how many there are', async (t) => {
  const dataDir = await scratch(t);
  const tasks = 10_050;
  const db = openDatabase(dataDir);
  db.transaction(() => {
    const numbers = { revision: 0 };
    for (let n = 0; n < tasks; n++) addTask(db, taskOf(`task-${n}`, draftOf(n)), { numbers, nowMs: NOW_MS });
  });
  db.close();
  const store = new SqliteStore(dataDir);
  t.after(() => store.close());
  await store.append([batch('task-7', [line('one'), line('two')]), batch('task-10', [line('three')])]);
  for (const sort of TASK_SORTS) {
    for (const order of ['asc', 'desc'] as const) {
      const page = await store.tasks({ sort, order, limit: 1_000 });
      assert.deepEqual([page.tasks.length, page.total, page.totalExact], [1_000, tasks, true]);
      const again = await store.tasks({ sort, order, limit: 10, ...(page.nextCursor && { cursor: page.nextCursor }) });
      const few = await store.tasks({ sort, order, limit: 1_000, ...askedTasks({ q: 'task-10' }) });
      assert.equal(few.total, [...Array(tasks).keys()].filter((n) => `task-${n}`.includes('task-10')).length);
      const seen = [...page.tasks, ...again.tasks].map(({ taskId }) => taskId);
      assert.equal(new Set(seen).size, 1_010, `${sort} ${order}`);
    }
  }
  const byLines = await store.tasks({ sort: 'lines', limit: 3 });
  assert.deepEqual(
    byLines.tasks.map(({ taskId, log }) => [taskId, log.total]),
    [
      ['task-7', 2],
      ['task-10', 1],
      ['task-9999', 0],
    ],
  );
  const text = await store.tasks({ ...askedTasks({ q: 'task' }), limit: 5 });
  assert.deepEqual([text.tasks.length, text.total, text.totalExact], [5, 10_000, false]);
});

test('a database from before the groups is brought up to date, its tasks counted and in order', async (t) => {
  const dataDir = await scratch(t);
  const made = new SqliteStore(dataDir);
  for (let n = 0; n < 40; n++) await made.createTask(taskOf(`task-${n}`, draftOf(n)));
  for (let n = 0; n < 40; n += 3) await made.append([batch(`task-${n}`, Array(n).fill(line('x', { level: 'ERROR' })))]);
  await made.changeTask('task-0', { tags: ['a', 'a', 'b'] });
  const before = await pictureOf(made);
  await made.close();
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
  beforeTaskList(db);
  db.close();
  const store = new SqliteStore(dataDir);
  t.after(() => store.close());
  assert.deepEqual(await pictureOf(store), before);
  await store.deleteTask('task-0', 'tester');
  assert.deepEqual((await store.taskFacets({})).tag, { even: 19, third: 13 });
});

function draftOf(n: number): TaskDraft {
  return {
    ...{
      status: n % 5 === 0 ? 'executing' : 'completed',
      source: n % 2 ? 'api' : 'github',
      title: n % 3 ? null : `T${n}`,
    },
    tags: [...(n % 2 ? [] : ['even']), ...(n % 3 ? [] : ['third'])],
    metrics: n % 4 ? {} : { costUsd: n / 8, durationSeconds: n },
  };
}

async function pictureOf(store: StoreReader) {
  const lists = [];
  for (const sort of TASK_SORTS) lists.push(await listed(store, { sort, order: 'desc' }));
  return { lists, facets: await store.taskFacets({}) };
}

/** What became of a step: the code of its error, or that it went well. */
async function outcome(store: Store, each: Step): Promise<string> {
  try {
    if (each.op === 'make') await store.createTask(taskOf(each.id, each.draft));
    if (each.op === 'change') await store.changeTask(each.id, each.draft);
    if (each.op === 'append') {
      const drafts = [line('first'), ...Array.from({ length: each.errors }, () => line('wrong', { level: 'ERROR' }))];
      const [appended] = await store.append([batch(each.id, drafts)]);
      if (appended?.error) return appended.error.code;
    }
    if (each.op === 'delete') await store.deleteTask(each.id, 'tester');
    return 'done';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** All pages, and what the first says of the whole. */
async function listed(store: StoreReader, query: TaskQuery) {
  const ids: string[] = [];
  let totals: unknown;
  let cursor: string | null = null;
  do {
    const page = await store.tasks({ ...query, limit: 2, ...(cursor !== null && { cursor }) });
    totals ??= [page.total, page.totalExact];
    ids.push(...page.tasks.map(({ taskId }) => taskId));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return { ids, totals };
}
