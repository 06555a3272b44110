import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../../src/core/ports.ts';
import { type Order, TASK_SORTS, type TaskQuery } from '../../../src/core/query.ts';
import type { Task, TaskDraft } from '../../../src/core/task.ts';
import { parseTaskQuery } from '../../../src/query/parse.ts';
import { line, type OpenStore, opened, plain, rejectsWith, stored, taskOf } from './support.ts';

const DRAFTS: Readonly<Record<string, TaskDraft>> = {
  'build-1': { title: 'Build', kind: 'build', source: 'cli', tags: ['ci', 'main'], metrics: { costUsd: 0.5 } },
  'build-2': { title: 'build it', kind: 'build', source: 'cli', status: 'failed', error: '100% broken', tags: ['ci'] },
  'hook-1': { title: 'Fix issue', source: 'webhook', provider: 'github', assignedAgent: 'planner' },
  'hook-2': { title: null, source: 'github', assignedAgent: 'default', metrics: { costUsd: 2, durationSeconds: 9 } },
  'turkish.3': { title: 'İSTANBUL 😀', kind: 'Demo', metrics: { costUsd: 0 }, tags: ['__proto__', 'main'] },
  'plain:4': { kind: 'constructor', source: '__proto__', startedAt: '2026-01-20T00:00:00.000Z', status: 'paused' },
  'done-5': {
    title: 'a_b',
    status: 'completed',
    completedAt: '2026-01-24T11:00:00.000Z',
    metrics: { durationSeconds: 1 },
  },
  'done-6': { title: 'aXb', status: 'completed', completedAt: '2026-01-24T10:30:00.000Z', metrics: { costUsd: 2 } },
};
const said = (text: string): TaskQuery => {
  const query = parseTaskQuery(text, 0);
  return query ? { query } : {};
};
const ids = (tasks: readonly Task[]) => tasks.map((task) => task.taskId);

/** Tasks in lists: filters, sorting, paging, facets. */
export function listingContract(open: OpenStore): void {
  const filters: readonly { name: string; query: TaskQuery; expected: readonly string[] }[] = [
    { name: 'one status', query: { status: ['failed'] }, expected: ['build-2'] },
    { name: 'several statuses', query: { status: ['paused', 'failed'] }, expected: ['build-2', 'plain:4'] },
    { name: 'a source or provider', query: { source: ['github'] }, expected: ['hook-1', 'hook-2'] },
    { name: 'several sources', query: { source: ['cli', 'webhook'] }, expected: ['build-1', 'build-2', 'hook-1'] },
    { name: 'a kind', query: { kind: ['build'] }, expected: ['build-1', 'build-2'] },
    { name: 'a kind that nobody has', query: { kind: ['demo'] }, expected: [] },
    { name: 'an agent', query: { agent: ['planner', 'default'] }, expected: ['hook-1', 'hook-2'] },
    { name: 'a tag', query: { tag: ['main'] }, expected: ['build-1', 'turkish.3'] },
    {
      name: 'several tags, each task once',
      query: { tag: ['ci', 'main'] },
      expected: ['build-1', 'build-2', 'turkish.3'],
    },
    { name: 'text in the title, whatever its case', query: said('"BUILD I"'), expected: ['build-2'] },
    { name: 'text in the id', query: said('Hook-'), expected: ['hook-1', 'hook-2'] },
    { name: 'text in the kind', query: said('demo'), expected: ['turkish.3'] },
    { name: 'text in the source', query: said('WEBH'), expected: ['hook-1'] },
    { name: 'text in the error', query: said('broken'), expected: ['build-2'] },
    { name: 'text folded by toLowerCase', query: said('İstan'), expected: ['turkish.3'] },
    { name: 'text with a wildcard of SQL', query: said('a_b'), expected: ['done-5'] },
    { name: 'text with another wildcard of SQL', query: said('0%'), expected: ['build-2'] },
    { name: 'text with a quote', query: said("'"), expected: [] },
    { name: 'text that only an agent has', query: said('planner'), expected: [] },
    { name: 'one of two texts', query: said('zebra OR hook'), expected: ['hook-1', 'hook-2'] },
    {
      name: 'a query of fields',
      query: said('status:failed,running source:cli -title'),
      expected: ['build-1', 'build-2'],
    },
    { name: 'a source or provider by a query', query: said('source:github'), expected: ['hook-1', 'hook-2'] },
    {
      name: 'what is missing is not denied',
      query: said('-kind:build -agent:planner -(cost>1 OR dur>5)'),
      expected: ['done-5', 'plain:4', 'turkish.3'],
    },
    {
      name: 'a duration of its own, or between start and end',
      query: said('dur>=1 dur<10'),
      expected: ['done-5', 'hook-2'],
    },
    { name: 'a time by a query', query: said('before:2026-01-24T10:00:01Z'), expected: ['build-1'] },
    { name: 'every text', query: said('"" build'), expected: ['build-1', 'build-2'] },
    { name: 'a lowest cost, it included', query: { minCost: 0.5 }, expected: ['build-1', 'done-6', 'hook-2'] },
    { name: 'a highest cost, it included', query: { maxCost: 0.5 }, expected: ['build-1', 'turkish.3'] },
    { name: 'a span of costs', query: { minCost: 0.1, maxCost: 1 }, expected: ['build-1'] },
    {
      name: 'a first moment, it included',
      query: { from: '2026-01-24T10:00:06.000Z' },
      expected: ['done-5', 'done-6'],
    },
    { name: 'a last moment, it not included', query: { to: '2026-01-24T10:00:01.000Z' }, expected: ['build-1'] },
    {
      name: 'everything together',
      query: { status: ['executing'], source: ['cli'], tag: ['ci'], ...said('b') },
      expected: ['build-1'],
    },
  ];
  test('tasks are found by each filter and by several together', async (t) => {
    const store = await withListing(t, open);
    for (const { name, query, expected } of filters) {
      const page = await store.tasks({ ...query, sort: 'created_at', order: 'asc' });
      assert.deepEqual(ids(page.tasks).sort(), [...expected].sort(), name);
      assert.deepEqual([page.total, page.totalExact, page.nextCursor], [expected.length, true, null], name);
    }
  });

  test('tasks come newest first, 50 a page, unless the query says otherwise', async (t) => {
    const { store } = await opened(t, open);
    for (let i = 1; i <= 60; i++) await store.createTask(numberedTask(i));
    const page = await store.tasks({});
    assert.equal(page.tasks.length, 50);
    assert.deepEqual([page.tasks[0]?.taskId, page.tasks[49]?.taskId, page.total], ['n060', 'n011', 60]);
  });

  test('a listing holds the same tasks as the tasks themselves say', async (t) => {
    const store = await withListing(t, open);
    for (const task of (await store.tasks({})).tasks) {
      assert.deepEqual(plain(task), plain(await store.task(task.taskId)));
    }
  });

  test('every sort puts what is missing last in either order, and pages join to the whole', async (t) => {
    const store = await withListing(t, open);
    for (const sort of TASK_SORTS) {
      for (const order of ['asc', 'desc'] as const) {
        const whole = (await store.tasks({ sort, order })).tasks;
        assert.deepEqual(ids(whole), ids([...whole].sort(byHand(sort, order))), `${sort} ${order}`);
        assert.equal(whole.length, Object.keys(DRAFTS).length);
        for (const limit of [1, 3, 4]) {
          assert.deepEqual(await pagedIds(store, { sort, order, limit }), ids(whole), `${sort} ${order} by ${limit}`);
        }
      }
    }
  });

  for (const order of ['desc', 'asc'] as const) {
    test(`paging ${order} through 250 tasks meets each once while new ones come in`, async (t) => {
      const { store } = await opened(t, open);
      for (let i = 1; i <= 250; i++) await store.createTask(numberedTask(i));
      let added = 250;
      const met = await pagedIds(store, { order, limit: 20 }, async () => {
        for (let i = 0; i < 3; i++) await store.createTask(numberedTask(++added));
      });
      assert.equal(new Set(met).size, met.length, 'no task twice');
      const expected = Array.from({ length: 250 }, (_, i) => numberedTask(i + 1).taskId);
      const old = met.filter((id) => id <= 'n250');
      assert.deepEqual(old, order === 'asc' ? expected : expected.reverse());
    });
  }

  test('the total counts what matches, whichever page is asked', async (t) => {
    const store = await withListing(t, open);
    const first = await store.tasks({ source: ['cli', 'api'], limit: 2 });
    assert.deepEqual([first.tasks.length, first.total], [2, 5]);
    const second = await store.tasks({ source: ['cli', 'api'], limit: 2, cursor: String(first.nextCursor) });
    assert.deepEqual([second.tasks.length, second.total], [2, 5]);
    const last = await store.tasks({ source: ['cli', 'api'], limit: 2, cursor: String(second.nextCursor) });
    assert.deepEqual([last.tasks.length, last.total, last.nextCursor], [1, 5, null]);
  });

  test('a last page that is full has no cursor', async (t) => {
    const store = await withListing(t, open);
    assert.equal((await store.tasks({ limit: Object.keys(DRAFTS).length })).nextCursor, null);
  });

  test('a cursor that was not made for this listing is refused', async (t) => {
    const store = await withListing(t, open);
    const cursor = String((await store.tasks({ sort: 'title', order: 'asc', limit: 2 })).nextCursor);
    assert.equal((await store.tasks({ sort: 'title', order: 'asc', limit: 2, cursor })).tasks.length, 2);
    await rejectsWith('invalid_cursor', () => store.tasks({ sort: 'title', order: 'desc', cursor }));
    await rejectsWith('invalid_cursor', () => store.tasks({ sort: 'cost', order: 'asc', cursor }));
    for (const bad of ['', 'x', '%%%', 'e30', `${cursor}!`, cursor.slice(3)]) {
      await rejectsWith('invalid_cursor', () => store.tasks({ sort: 'title', order: 'asc', cursor: bad }));
    }
  });

  test('facets count the tasks that match by each word they bear', async (t) => {
    const store = await withListing(t, open);
    const all = await store.taskFacets({});
    assert.deepEqual(pairs(all.status), ['completed 2', 'executing 4', 'failed 1', 'paused 1']);
    assert.deepEqual(pairs(all.source), ['__proto__ 1', 'api 3', 'cli 2', 'github 1', 'webhook 1']);
    assert.deepEqual(pairs(all.kind), ['Demo 1', 'build 2', 'constructor 1']);
    assert.deepEqual(pairs(all.agent), ['default 1', 'planner 1']);
    assert.deepEqual(pairs(all.tag), ['__proto__ 1', 'ci 2', 'main 2']);
    const some = await store.taskFacets({ ...said('build'), limit: 1, sort: 'title' });
    assert.deepEqual(pairs(some.status), ['executing 1', 'failed 1']);
    assert.deepEqual([pairs(some.tag), pairs(some.agent)], [['ci 2', 'main 1'], []]);
  });

  test('a listing follows what changes: status, lines and deletion', async (t) => {
    const store = await withListing(t, open);
    await store.changeTask('build-1', { status: 'completed', title: 'Zebra', tags: [] });
    await store.deleteTask('build-2', 'ada');
    assert.deepEqual(ids((await store.tasks({ status: ['completed'], ...said('zebra') })).tasks), ['build-1']);
    assert.deepEqual(ids((await store.tasks({ tag: ['ci'] })).tasks), []);
    await stored(store, 'done-5', [line('1', { level: 'ERROR' }), line('2'), line('3'), line('4')]);
    for (const sort of ['lines', 'errors'] as const) {
      assert.equal((await store.tasks({ sort, order: 'desc', limit: 1 })).tasks[0]?.taskId, 'done-5');
    }
  });
}

/** The tasks of DRAFTS, made a second apart, three of them with lines. */
async function withListing(t: Parameters<OpenStore>[0], open: OpenStore): Promise<Store> {
  const { store } = await opened(t, open);
  for (const [i, [id, draft]] of Object.entries(DRAFTS).entries()) {
    await store.createTask(taskOf(id, { createdAt: `2026-01-24T10:00:0${i}.000Z`, ...draft }));
  }
  await stored(store, 'hook-1', [line('1'), line('2'), line('3')]);
  await stored(store, 'hook-2', [line('1'), line('2')]);
  return store;
}

function numberedTask(i: number): Task {
  // Pairs share a moment, so that the id has to decide between them.
  const second = String(Math.floor(i / 2)).padStart(3, '0');
  return taskOf(`n${String(i).padStart(3, '0')}`, { createdAt: `2026-01-24T10:00:00.${second}Z` });
}

async function pagedIds(store: Store, query: TaskQuery, between?: () => Promise<void>): Promise<string[]> {
  const met: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await store.tasks({ ...query, ...(cursor && { cursor }) });
    met.push(...ids(page.tasks));
    // Only the first pages let others in, so that a listing oldest first comes to an end.
    if (met.length <= 250) await between?.();
    cursor = page.nextCursor;
  } while (cursor !== null);
  return met;
}

/** What each sort means, written a second time. */
function byHand(sort: (typeof TASK_SORTS)[number], order: Order): (a: Task, b: Task) => number {
  const value = (task: Task) =>
    ({
      created_at: task.createdAt,
      updated_at: task.updatedAt,
      started_at: task.startedAt,
      completed_at: task.completedAt,
      title: task.title,
      status: task.status,
      source: task.source,
      duration: task.metrics.durationSeconds,
      lines: task.log.total,
      errors: task.log.byLevel.ERROR,
      cost: task.metrics.costUsd,
    })[sort];
  return (a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1;
    } else if (x !== y) return x < y === (order === 'asc') ? -1 : 1;
    return a.taskId < b.taskId === (order === 'asc') ? -1 : 1;
  };
}

function pairs(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .map(([word, count]) => `${word} ${count}`)
    .sort();
}
