import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Analytics, AnalyticsQuery, Figures } from '../../../src/core/analytics.ts';
import { TOMBSTONE_DAYS, TOTALS_A_DAY } from '../../../src/core/limits.ts';
import type { Metrics, TaskDraft } from '../../../src/core/task.ts';
import { DAY_MS, line, type OpenedStore, type OpenStore, opened, plain, stored, taskOf } from './support.ts';

const ALL: AnalyticsQuery = { from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z', groupBy: 'day' };
const NOTHING: Figures = {
  ...{ runs: 0, byStatus: {}, ended: 0, successRate: null, costUsd: null, inputTokens: null, outputTokens: null },
  ...{ cacheReadTokens: null, cacheCreationTokens: null, durationP50Seconds: null, durationP95Seconds: null },
  ...{ durationExact: true, lines: 0, errors: 0 },
};

/** What tasks came to together, those that are gone among them. */
export function analyticsContract(open: OpenStore): void {
  test('an empty store has no figures: what nobody reported is null', async (t) => {
    const { store } = await opened(t, open);
    assert.deepEqual(plain(await store.analytics(ALL)), {
      ...{ ...ALL, total: NOTHING, groups: [], topCost: [], topFailures: [], topFailuresExact: true },
    });
  });

  test('runs, success, cost, tokens, durations and lines are summed up by day (UTC)', async (t) => {
    const { store } = await opened(t, open);
    const tokens = { inputTokens: 10, outputTokens: 20, cacheReadTokens: 300 };
    await add(store, 'a', '2026-01-20T00:00:00.000Z', { metrics: { costUsd: 0.5, durationSeconds: 4, ...tokens } });
    await add(store, 'b', '2026-01-20T23:59:59.999Z', { metrics: { costUsd: 0.25, durationSeconds: 1 } });
    await add(store, 'c', '2026-01-20T12:00:00.000Z', { status: 'failed', metrics: { durationSeconds: 2 } });
    await add(store, 'd', '2026-01-21T00:00:00.000Z', { status: 'executing' });
    await stored(store, 'a', [line('one'), line('two', { level: 'ERROR' })]);
    await stored(store, 'c', [line('three', { level: 'ERROR' })]);
    const { total, groups } = plain(await store.analytics(ALL));
    const first: Figures = {
      ...{ runs: 3, byStatus: { completed: 2, failed: 1 }, ended: 3, successRate: 2 / 3, costUsd: 0.75 },
      ...{ inputTokens: 10, outputTokens: 20, cacheReadTokens: 300, cacheCreationTokens: null },
      ...{ durationP50Seconds: 2, durationP95Seconds: 4, durationExact: true, lines: 3, errors: 2 },
    };
    assert.deepEqual(groups, [
      { key: '2026-01-20', ...first },
      { key: '2026-01-21', ...NOTHING, runs: 1, byStatus: { executing: 1 } },
    ]);
    assert.deepEqual(total, { ...first, runs: 4, byStatus: { completed: 2, failed: 1, executing: 1 } });
  });

  test('the same is told by source, agent, model and status, the most runs first, null for those that name none', async (t) => {
    const { store } = await opened(t, open);
    await add(store, 'a', at(1), { source: 'cli', assignedAgent: 'coder', model: 'opus', status: 'failed' });
    await add(store, 'b', at(1), { source: 'cli', assignedAgent: 'coder' });
    await add(store, 'c', at(2), { source: 'api', assignedAgent: '', model: 'opus' });
    await add(store, 'd', at(2), { source: 'cli', assignedAgent: 'coder' });
    const keys = async (groupBy: AnalyticsQuery['groupBy']) =>
      (await store.analytics({ ...ALL, groupBy })).groups.map(({ key, runs }) => [key, runs]);
    assert.deepEqual(await keys('source'), [
      ['cli', 3],
      ['api', 1],
    ]);
    assert.deepEqual(await keys('agent'), [
      ['coder', 3],
      ['', 1],
    ]);
    assert.deepEqual((await keys('model')).sort(), [
      [null, 2],
      ['opus', 2],
    ]);
    assert.deepEqual(await keys('status'), [
      ['completed', 3],
      ['failed', 1],
    ]);
  });

  test('from is inclusive, to is exclusive, to the millisecond', async (t) => {
    const { store } = await opened(t, open);
    const times = ['2026-01-20T11:59:59.999Z', '2026-01-20T12:00:00.000Z', '2026-01-22T12:00:00.000Z'];
    for (const time of times) await add(store, time.replaceAll(/[^0-9]/g, ''), time);
    const runs = async (from: string, to: string) => (await store.analytics({ ...ALL, from, to })).total.runs;
    assert.equal(await runs('2026-01-20T12:00:00.000Z', '2026-01-22T12:00:00.000Z'), 1);
    assert.equal(await runs('2026-01-20T12:00:00.000Z', '2026-01-22T12:00:00.001Z'), 2);
    assert.equal(await runs('0000-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'), 3);
  });

  test('a deleted task counts on, without its lines being there, and its duration is known to 2.5 %', async (t) => {
    const { store } = await opened(t, open);
    const metrics = { costUsd: 2, outputTokens: 7, durationSeconds: 100 };
    await add(store, 'gone', at(1), { assignedAgent: 'coder', metrics });
    await add(store, 'pruned', at(1), { assignedAgent: 'coder', status: 'failed', error: 'broken' });
    await add(store, 'stays', at(2), { metrics: { durationSeconds: 1 } });
    await stored(store, 'gone', [line('one'), line('two', { level: 'ERROR' })]);
    const before = plain(await store.analytics(ALL));
    await store.deleteTask('gone', 'ada');
    assert.deepEqual(await store.prune(await store.ended({ limit: 1, before: at(2) }), 'retention'), ['pruned']);
    while (await store.tidy());
    const after = plain(await store.analytics(ALL));
    const [day = fail('a day'), ...others] = after.groups;
    const [told = fail('a day')] = before.groups;
    assert.ok(near(day.durationP50Seconds, 100) && near(day.durationP95Seconds, 100), `${day.durationP50Seconds} s`);
    const { durationP50Seconds, durationP95Seconds } = day;
    assert.deepEqual(day, { ...told, durationP50Seconds, durationP95Seconds, durationExact: false });
    assert.deepEqual(others, before.groups.slice(1), 'a day without deleted tasks stays exact');
    assert.deepEqual(after.topFailures, [], 'the lists name only tasks that are there');
    const day2 = { ...ALL, from: at(1).replace('T10', 'T00') };
    assert.equal((await store.analytics(day2)).total.runs, 3, 'a day counts with its first moment');
    assert.equal((await store.analytics({ ...ALL, from: at(1).replace('T10', 'T01') })).total.runs, 1);
  });

  test('a deleted task without a duration leaves the durations of others exact', async (t) => {
    const { store } = await opened(t, open);
    await add(store, 'gone', at(1), { status: 'cancelled' });
    await add(store, 'stays', at(1), { metrics: { durationSeconds: 3 } });
    await store.deleteTask('gone', 'ada');
    const { total } = await store.analytics(ALL);
    assert.deepEqual([total.runs, total.durationP50Seconds, total.durationExact], [2, 3, true]);
  });

  test('a task that is brought back after its deletion counts once, however often it is deleted', async (t) => {
    const { store, clock } = await opened(t, open);
    const bring = () => add(store, 'a', at(1), { metrics: { costUsd: 5, durationSeconds: 1 } });
    for (let time = 0; time < 3; time += 1) {
      await bring();
      assert.equal((await store.analytics(ALL)).total.costUsd, 5);
      await store.deleteTask('a', 'ada');
      assert.equal((await store.analytics(ALL)).total.costUsd, 5);
      clock.turn((TOMBSTONE_DAYS + 1) * DAY_MS);
      while (await store.tidy());
    }
    await add(store, 'a', at(2), { metrics: { costUsd: 7 } });
    const { total } = await store.analytics(ALL);
    assert.deepEqual([total.runs, total.costUsd], [2, 12], 'another task that has the same id is another one');
  });

  test('totals of deleted tasks tell so many combinations of a day apart, the rest is other', async (t) => {
    const { store } = await opened(t, open);
    const many = TOTALS_A_DAY + 20;
    for (let n = 0; n < many; n += 1) {
      await add(store, `t${n}`, at(1), { source: `source-${n}`, model: 'm', metrics: { costUsd: 1 } });
      await store.deleteTask(`t${n}`, 'ada');
    }
    await add(store, 'known', at(1), { source: 'source-1', model: 'm' });
    await store.deleteTask('known', 'ada');
    const { total, groups } = await store.analytics({ ...ALL, groupBy: 'source' });
    assert.deepEqual([total.runs, total.costUsd, total.byStatus], [many + 1, many, { completed: many + 1 }]);
    const [first, second, third] = groups.map(({ key, runs }) => [key, runs]);
    // One place of the answer's groups is taken by what is beyond them.
    assert.deepEqual([first, second, third?.[1]], [['other', 21], ['source-1', 2], 1]);
    assert.equal(groups.length, TOTALS_A_DAY);
  });

  test('the dearest tasks of the time are listed, and none that cost nothing', async (t) => {
    const { store } = await opened(t, open);
    for (let n = 0; n < 25; n += 1) {
      await add(store, `t${n}`, at(1 + (n % 3)), {
        ...{ source: `s${n % 4}`, title: `Task ${n}`, assignedAgent: n % 2 ? 'coder' : null },
        metrics: { costUsd: n === 24 ? 0 : n },
      });
    }
    await store.deleteTask('t22', 'ada');
    const { topCost } = await store.analytics(ALL);
    assert.deepEqual(plain(topCost.slice(0, 2)), [
      { taskId: 't23', title: 'Task 23', status: 'completed', assignedAgent: 'coder', costUsd: 23 },
      { taskId: 't21', title: 'Task 21', status: 'completed', assignedAgent: 'coder', costUsd: 21 },
    ]);
    const costs = topCost.map(({ costUsd }) => costUsd);
    assert.deepEqual(costs, [23, 21, 20, 19, 18, 17, 16, 15, 14, 13]);
    const narrow = await store.analytics({ ...ALL, from: at(1), to: at(1).replace('.000Z', '.001Z') });
    assert.deepEqual(
      narrow.topCost.map(({ costUsd }) => costUsd),
      [21, 18, 15, 12, 9, 6, 3],
    );
  });

  test('failures are grouped by their reason without numbers, ids and paths, with the newest task', async (t) => {
    const { store } = await opened(t, open);
    const failed = (id: string, day: number, error: string | null, status = 'failed' as TaskDraft['status']) =>
      add(store, id, at(day), { status, error });
    await failed('a', 1, 'exit code 1 in /tmp/run-7/main.js:12');
    await failed('c', 3, 'exit code 137 in /home/ada/x.js:9');
    await failed('b', 2, 'exit code 2 in /tmp/run-8/main.js:1', 'timed_out');
    await failed('d', 1, 'no such host');
    await failed('e', 1, null);
    await failed('f', 1, 'exit code 1 in /tmp/x', 'cancelled');
    await failed('g', 4, 'no such host');
    await store.deleteTask('g', 'ada');
    const { topFailures, topFailuresExact } = plain(await store.analytics(ALL));
    assert.deepEqual(topFailures[0], {
      ...{ template: 'exit code <n> in <path>', count: 3, taskId: 'c' },
      example: 'exit code 137 in /home/ada/x.js:9',
    });
    assert.deepEqual(
      topFailures
        .slice(1)
        .map(({ template, taskId }) => [template, taskId])
        .sort(),
      [
        [null, 'e'],
        ['no such host', 'd'],
      ],
    );
    assert.equal(topFailuresExact, true);
    assert.deepEqual(
      (await store.analytics({ ...ALL, from: at(2), to: at(3) })).topFailures.map((f) => f.taskId),
      ['b'],
    );
  });

  test('deleted runs of our own agents are told by their day, and no others', async (t) => {
    const { store } = await opened(t, open);
    const metrics: Partial<Metrics> = {
      costUsd: 1.5,
      inputTokens: 1,
      outputTokens: 2,
      cacheReadTokens: 4,
      cacheCreationTokens: 8,
    };
    const runners = { a: 'agent:default', b: 'agent:coder', c: 'plugin:demo', d: null };
    for (const [id, runner] of Object.entries(runners)) await add(store, id, at(1), { runner, metrics });
    assert.deepEqual(await store.deletedSpending('2026-01-01'), { usd: 0, tokens: 0 });
    for (const id of Object.keys(runners)) await store.deleteTask(id, 'ada');
    assert.deepEqual(plain(await store.deletedSpending('2026-01-01')), { usd: 3, tokens: 30 });
    assert.deepEqual(plain(await store.deletedSpending('2026-01-02')), { usd: 0, tokens: 0 });
  });

  test('what deleted tasks came to is still there when the store is opened again', async (t) => {
    const { store } = await opened(t, open);
    if (!store.reopen) return t.skip('this store keeps nothing');
    await add(store, 'a', at(1), { metrics: { costUsd: 5 } });
    await store.deleteTask('a', 'ada');
    const before: Analytics = await store.analytics(ALL);
    const again = await store.reopen();
    assert.deepEqual(plain(await again.analytics(ALL)), plain(before));
  });
}

/** A task that was made at a moment; completed unless it says otherwise. */
async function add(store: OpenedStore, id: string, createdAt: string, draft: TaskDraft = {}): Promise<void> {
  await store.createTask(taskOf(id, { status: 'completed', completedAt: createdAt, ...draft, createdAt }));
}

function at(day: number): string {
  return `2026-01-${String(day).padStart(2, '0')}T10:00:00.000Z`;
}

function fail(expected: string): never {
  assert.fail(`expected ${expected}`);
}

function near(seconds: number | null, exact: number): boolean {
  return seconds !== null && seconds / exact <= 1.025 && exact / seconds <= 1.025;
}
