import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TaskDraft } from '../../src/core/task.ts';
import { TurnedClock } from '../contract/store/support.ts';
import { served } from '../support/served.ts';

/** A server at 2026-01-24T10:00Z with three tasks of January, and one of December. */
async function counted(t: TestContext) {
  const server = await served(t, { clock: new TurnedClock() });
  const add = (taskId: string, createdAt: string, draft: TaskDraft = {}) =>
    server.intake.createTask({ taskId, status: 'completed', completedAt: createdAt, ...draft, createdAt });
  await add('a', '2026-01-23T08:00:00.000Z', {
    ...{ source: 'cli', assignedAgent: 'coder', title: 'Mend it' },
    metrics: { costUsd: 1.5, inputTokens: 100, outputTokens: 20, durationSeconds: 12 },
  });
  await add('b', '2026-01-24T00:00:00.000Z', { source: '=cmd|calc', status: 'failed', error: 'exit code 3' });
  await add('c', '2026-01-24T09:00:00.000Z', { source: 'cli', status: 'executing' });
  await add('old', '2025-12-25T23:59:59.999Z', { source: 'cli' });
  return server;
}

test('analytics answers the last 30 days by day, today as a whole, unless it is asked otherwise', async (t) => {
  const { json } = await counted(t);
  const { status, body, headers } = await json('GET', '/api/analytics');
  assert.deepEqual([status, headers.get('cache-control')], [200, 'no-store']);
  const { total, groups, ...rest } = body;
  assert.deepEqual(rest, {
    ...{ from: '2025-12-26T00:00:00.000Z', to: '2026-01-25T00:00:00.000Z', group_by: 'day' },
    top_cost: [{ task_id: 'a', title: 'Mend it', status: 'completed', assigned_agent: 'coder', cost_usd: 1.5 }],
    top_failures: [{ template: 'exit code <n>', count: 1, task_id: 'b', example: 'exit code 3' }],
    top_failures_exact: true,
  });
  const first = {
    ...{ runs: 1, by_status: { completed: 1 }, ended: 1, success_rate: 1, cost_usd: 1.5, input_tokens: 100 },
    ...{ output_tokens: 20, cache_read_tokens: null, cache_creation_tokens: null, duration_p50_seconds: 12 },
    ...{ duration_p95_seconds: 12, duration_exact: true, lines: 0, errors: 0 },
  };
  assert.deepEqual(groups, [
    { key: '2026-01-23', ...first },
    {
      ...{
        key: '2026-01-24',
        runs: 2,
        by_status: { failed: 1, executing: 1 },
        ended: 1,
        success_rate: 0,
        cost_usd: null,
      },
      ...{ input_tokens: null, output_tokens: null, cache_read_tokens: null, cache_creation_tokens: null },
      ...{ duration_p50_seconds: null, duration_p95_seconds: null, duration_exact: true, lines: 0, errors: 0 },
    },
  ]);
  assert.deepEqual(total, {
    ...{ ...first, runs: 3, by_status: { completed: 1, failed: 1, executing: 1 }, ended: 2, success_rate: 0.5 },
  });
});

test('times and groups are as they are asked for; a deleted task counts on', async (t) => {
  const { json, call } = await counted(t);
  const path = '/api/analytics?from=2025-12-01&to=2026-01-24T00:00:00Z&group_by=agent';
  const before = (await json('GET', path)).body;
  assert.deepEqual(
    before.groups.map(({ key, runs }: { key: string | null; runs: number }) => [key, runs]),
    [
      [null, 1],
      ['coder', 1],
    ],
  );
  assert.equal((await call('DELETE', '/api/tasks/a')).status, 204);
  const after = (await json('GET', path)).body;
  assert.deepEqual([after.total.runs, after.total.cost_usd, after.top_cost], [2, 1.5, []]);
  assert.equal(after.total.duration_exact, false);
});

test('a parameter that is wrong is named', async (t) => {
  const { json } = await counted(t);
  for (const [query, name, code] of [
    ['from=yesterday', 'from', 'invalid_parameter'],
    ['to=2026-02-31', 'to', 'invalid_parameter'],
    ['from=2026-01-02&to=2026-01-02', 'from', 'invalid_parameter'],
    ['group_by=colour', 'group_by', 'invalid_parameter'],
    ['format=xml', 'format', 'invalid_parameter'],
    ['groupby=day', 'groupby', 'unknown_parameter'],
  ]) {
    const { status, body } = await json('GET', `/api/analytics?${query}`);
    assert.deepEqual([status, body.code, body.errors?.[0]?.path], [400, code, name], query);
  }
});

test('as CSV it is a file with a row for each group, in which no word is a formula', async (t) => {
  const { call } = await counted(t);
  const response = await call('GET', '/api/analytics?group_by=source&format=csv');
  assert.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8; header=present');
  assert.equal(response.headers.get('content-disposition'), 'attachment; filename="analytics-source-2025-12-26.csv"');
  const [head = '', ...rows] = (await response.text()).split('\r\n');
  assert.ok(head.startsWith('source,runs,ended,success_rate,cost_usd,input_tokens,output_tokens,'), head);
  assert.ok(
    head.endsWith(
      ',lines,errors,queued,discovering,pending_approval,approved,rejected,executing,awaiting_input,paused,completed,failed,cancelled,timed_out',
    ),
    head,
  );
  assert.deepEqual(rows, [
    'cli,2,1,1,1.5,100,20,,,12,12,true,0,0,0,0,0,0,0,1,0,0,1,0,0,0',
    `"'=cmd|calc",1,1,0,,,,,,,,true,0,0,0,0,0,0,0,0,0,0,0,1,0,0`,
    '',
  ]);
});

test('who may read may read analytics', async (t) => {
  const { call } = await served(t, { settings: { tokens: [{ role: 'reader', token: 'r' }] } });
  const status = async (headers?: Record<string, string>) =>
    (await call('GET', '/api/analytics', undefined, headers)).status;
  assert.deepEqual([await status(), await status({ authorization: 'Bearer r' })], [401, 200]);
});

test('many who ask at once are each answered what they asked', async (t) => {
  const { json } = await counted(t);
  const asked = ['day', 'source', 'agent', 'source', 'nothing', 'day'];
  const answers = await Promise.all(asked.map((by) => json('GET', `/api/analytics?group_by=${by}`)));
  assert.deepEqual(
    answers.map(({ body }) => body.group_by ?? body.code),
    ['day', 'source', 'agent', 'source', 'invalid_parameter', 'day'],
  );
  assert.deepEqual(answers[0]?.body, answers[5]?.body);
  await json('DELETE', '/api/tasks/b');
  assert.deepEqual((await json('GET', '/api/analytics')).body.top_failures, [], 'an answer is not kept');
});

test('each group is told by another word when that is asked for', async (t) => {
  const { json } = await counted(t);
  const { status, body } = await json('GET', '/api/analytics?group_by=day&split_by=source');
  assert.deepEqual([status, body.split_by], [200, 'source']);
  const tokens = { input_tokens: 100, output_tokens: 20, cache_read_tokens: null, cache_creation_tokens: null };
  const none = { cost_usd: null, ...tokens, input_tokens: null, output_tokens: null };
  assert.deepEqual(
    body.groups.map((group: { parts: unknown }) => group.parts),
    [
      [{ key: 'cli', runs: 1, cost_usd: 1.5, ...tokens }],
      [
        { key: 'cli', runs: 1, ...none },
        { key: '=cmd|calc', runs: 1, ...none },
      ],
    ],
  );
  assert.equal((await json('GET', '/api/analytics?split_by=colour')).status, 400);
});
