import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EntryInput } from '../../src/core/entry.ts';
import type { TaskDraft } from '../../src/core/task.ts';
import { openTrail } from '../../src/trail/open.ts';
import { scratch } from '../support/scratch.ts';
import { served } from '../support/served.ts';

const DAY: TaskDraft = { title: 'Nightly build', kind: 'build' };

/** A server over a real database: a run that was good, and a later one that failed. */
async function seeded(t: TestContext) {
  const trail = await openTrail({ dataDir: await scratch(t), taskLevel: 'DEBUG' });
  t.after(() => trail.close());
  const { store, intake, live } = trail.parts;
  const server = await served(t, { store, intake, live });
  const run = async (taskId: string, createdAt: string, lines: readonly EntryInput[], draft: TaskDraft = DAY) => {
    await trail.create({ ...draft, taskId, createdAt });
    await trail.append(taskId, lines);
  };
  await run('good', '2026-01-24T10:00:00.000Z', [...steps(20), { message: 'all 12 tests passed' }]);
  await trail.complete('good');
  await run('bad', '2026-01-25T10:00:00.000Z', [
    ...steps(20),
    { message: 'cache miss for key 7f3a9c1b22' },
    { message: 'ECONNREFUSED 10.0.0.7:5432', level: 'ERROR', source: 'db' },
  ]);
  await trail.fail('bad', 'no database');
  return { ...server, trail, run };
}

function steps(count: number): EntryInput[] {
  return Array.from({ length: count }, (_, n) => ({ message: `step ${n + 1} of ${count} took ${n * 7}ms` }));
}

test('the lines of a task are answered by pattern', async (t) => {
  const { json } = await seeded(t);
  const { status, body } = await json('GET', '/api/tasks/bad/logs/patterns?limit=1');
  assert.equal(status, 200, JSON.stringify(body));
  const { patterns, ...rest } = body;
  assert.deepEqual(rest, { total: 22, other: 2, exact: true, scanned_from: null });
  const [{ first_at, last_at, ...pattern }] = patterns;
  assert.ok(first_at <= last_at);
  assert.deepEqual(pattern, {
    template: 'step <n> of <n> took <n>ms',
    count: 20,
    by_level: { DEBUG: 0, INFO: 20, WARNING: 0, ERROR: 0 },
    sources: ['system'],
    tasks: 1,
    sample: { task_id: 'bad', seq: 20, message: 'step 20 of 20 took 133ms' },
  });
});

test('a filter and a query narrow what is counted, in one task and in all', async (t) => {
  const { json } = await seeded(t);
  const names = async (path: string): Promise<string[]> =>
    (await json('GET', path)).body.patterns.map(({ template }: { template: string }) => template);
  assert.deepEqual(await names('/api/tasks/bad/logs/patterns?min_level=error'), ['ECONNREFUSED <ip>']);
  assert.deepEqual(await names('/api/tasks/bad/logs/patterns?q=source:db'), ['ECONNREFUSED <ip>']);
  assert.deepEqual(await names('/api/logs/patterns?q=-step'), [
    'ECONNREFUSED <ip>',
    'all <n> tests passed',
    'cache miss for key <id>',
  ]);
  assert.deepEqual(await names('/api/logs/patterns?task=good&q=-step'), ['all <n> tests passed']);
  const { body } = await json('GET', '/api/logs/patterns');
  assert.deepEqual([body.patterns[0].count, body.patterns[0].tasks], [40, 2]);
});

test('a comparison with the last good run says what is new in the failed one, errors first', async (t) => {
  const { json } = await seeded(t);
  for (const query of ['', '?with=good']) {
    const { status, body } = await json('GET', `/api/tasks/bad/logs/compare${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual([body.task.task_id, body.task.status, body.task.lines], ['bad', 'failed', 22]);
    assert.deepEqual([body.base.task_id, body.base.status, body.base.lines], ['good', 'completed', 21]);
    const told = body.new.map(({ level, template, count }: Record<string, unknown>) => [level, template, count]);
    assert.deepEqual(told, [
      ['ERROR', 'ECONNREFUSED <ip>', 1],
      ['INFO', 'cache miss for key <id>', 1],
    ]);
    assert.deepEqual(body.new[0].sample, { task_id: 'bad', seq: 22, message: 'ECONNREFUSED 10.0.0.7:5432' });
    assert.deepEqual(
      body.gone.map(({ template }: { template: string }) => template),
      ['all <n> tests passed'],
    );
    assert.deepEqual(body.totals, { new: 2, gone: 1, changed: 0, same: 1 });
    assert.equal(body.exact, true);
  }
  const { body } = await json('GET', '/api/tasks/bad/logs/compare?min_level=error');
  assert.deepEqual([body.totals.new, body.totals.gone, body.base.lines], [1, 0, 0]);
});

test('the base is the newest completed task before it that does the same work', async (t) => {
  const { json, run, trail } = await seeded(t);
  const add = async (taskId: string, day: number, draft: TaskDraft) => {
    await run(taskId, `2026-01-${day}T10:00:00.000Z`, [], draft);
    await trail.complete(taskId);
  };
  await add('other-kind', 26, { ...DAY, kind: 'deploy' });
  await add('other-title', 26, { ...DAY, title: 'Weekly build' });
  await add('too-late', 28, DAY);
  await run('later', '2026-01-27T10:00:00.000Z', [], DAY);
  const baseOf = async (id: string) => (await json('GET', `/api/tasks/${id}/logs/compare`)).body.base?.task_id;
  assert.equal(await baseOf('later'), 'good', 'the same title goes before a newer one of the kind');
  await run('new-title', '2026-01-27T10:00:00.000Z', [], { ...DAY, title: 'Hotfix' });
  assert.equal(await baseOf('new-title'), 'other-title', 'without its title the kind tells');
  await add('run-7', 20, { title: 'Import 7' });
  await run('run-8', '2026-01-27T10:00:00.000Z', [], { title: 'Import 8' });
  assert.equal(await baseOf('run-8'), 'run-7', 'titles that differ in their numbers are one');
});

test('where nothing can be compared, the answer says what to do', async (t) => {
  const { json, run } = await seeded(t);
  await run('lonely', '2026-01-27T10:00:00.000Z', [], { title: 'Never before' });
  const { status, body } = await json('GET', '/api/tasks/lonely/logs/compare');
  assert.deepEqual([status, body.code], [404, 'not_found']);
  assert.match(body.detail, /no completed task before lonely .* with=TASK_ID/);
  for (const path of [
    '/api/tasks/none/logs/patterns',
    '/api/tasks/none/logs/compare',
    '/api/tasks/bad/logs/compare?with=none',
  ]) {
    assert.equal((await json('GET', path)).body.code, 'task_not_found', path);
  }
  for (const query of ['limit=0', 'budget_ms=1', 'level=loud', 'regex=true&search=(', 'sort=count']) {
    assert.equal((await json('GET', `/api/tasks/bad/logs/patterns?${query}`)).status, 400, query);
  }
});
