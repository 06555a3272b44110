import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { publishEvent, type TrailEvent } from '../../../src/client/index.ts';
import { missing } from '../../support/programs.ts';
import { noRedis } from '../../support/redis.ts';
import { scratch } from '../../support/scratch.ts';
import { consuming, linesOf, STREAM, until } from './consuming.ts';

const run = promisify(execFile);

test('the commands of docs/redis.md, as written, make the tasks that they tell of', {
  skip: noRedis || missing('redis-cli'),
}, async (t) => {
  const { server, redis, dataDir, store, consumer, drained } = await consuming(t);
  const text = await readFile(new URL('../../../docs/redis.md', import.meta.url), 'utf8');
  const commands = text.split('\n').filter((line) => line.startsWith('redis-cli XADD '));
  assert.equal(commands.length, 10);
  // The same program by its name, but with this test's Redis.
  const bin = await scratch(t);
  const script = `#!/bin/sh\nPATH='${process.env.PATH}' exec redis-cli -p ${server.port} "$@"\n`;
  await writeFile(join(bin, 'redis-cli'), script);
  await chmod(join(bin, 'redis-cli'), 0o755);
  await run('sh', ['-e', '-c', commands.join('\n')], { env: { PATH: `${bin}:${process.env.PATH}` } });
  const own = consumer();
  await drained();
  await until(() => own.stats().pending === 0);
  assert.deepEqual(own.stats(), {
    ...{ isLeader: true, processed: 10, skipped: 0, lost: 0, reconnects: 0, pending: 0, lag: 0, dead: 0 },
  });
  assert.equal(await redis.xlen(`${STREAM}:dead`), 0);
  const [first, second, third] = [await store.task('task-1'), await store.task('task-2'), await store.task('task-3')];
  assert.deepEqual([first.status, first.result, first.metrics.costUsd], ['completed', 'PR #42', 0.25]);
  assert.deepEqual(
    [second.status, second.error, second.completedAt],
    [...['failed', 'out of budget', '2026-01-24T10:00:00.000Z']],
  );
  assert.deepEqual([third.status, third.source, third.provider], ['queued', 'sentry', 'sentry']);
  assert.deepEqual(
    [...linesOf(dataDir)],
    [
      ['task-1', ['Writing test file: tests/test_payment.py', 'Yes, go on']],
      ['task-3', ['received', 'validated', 'matched', 'task_created']],
    ],
  );
});

test('publishEvent writes all ten types as the consumer reads them', { skip: noRedis }, async (t) => {
  const { redis, dataDir, store, consumer, drained } = await consuming(t);
  const taskId = 'task-1';
  const webhookEventId = 'evt-1';
  const events: readonly TrailEvent[] = [
    { type: 'webhook:received', webhookEventId, data: { source: 'github', payload: { a: 1 }, payloadSize: 7 } },
    { type: 'webhook:validated', webhookEventId, data: { signatureValid: true } },
    { type: 'webhook:matched', webhookEventId, data: { matchedHandler: 'github', command: 'fix' } },
    { type: 'webhook:task_created', webhookEventId, data: { taskId, source: 'github', inputMessage: 'fix it' } },
    { type: 'task:created', taskId, data: { assignedAgent: 'brain', sourceMetadata: { issueNumber: 42 } } },
    { type: 'task:started', taskId, timestamp: '2026-01-24T10:00:00Z' },
    { type: 'task:output', taskId, data: { content: 'Reading …', type: 'tool_call', tool: 'Read', args: { aB: 1 } } },
    { type: 'task:user_input', taskId, data: { content: 'go on', questionType: 'approval' } },
    { type: 'task:completed', taskId, data: { result: { aB: 1 }, exitCode: 0, costUsd: 1 } },
    { type: 'task:failed', taskId: 'task-2', data: { error: 'broken', durationSeconds: 3 } },
  ];
  for (const event of events) assert.match(await publishEvent(redis, event, { maxLen: 1_000_000 }), /^\d+-\d+$/);
  consumer();
  await drained();
  const { status, startedAt, assignedAgent, input, result, metrics, metadata } = await store.task(taskId);
  assert.deepEqual(
    { status, startedAt, assignedAgent, input, metadata, result, cost: metrics.costUsd },
    {
      status: 'completed',
      startedAt: '2026-01-24T10:00:00.000Z',
      assignedAgent: 'brain',
      input: { message: 'fix it' },
      metadata: { source_metadata: { issueNumber: 42 } },
      result: { aB: 1 },
      cost: 1,
    },
  );
  assert.deepEqual(linesOf(dataDir).get(taskId), [
    ...['received', 'validated', 'matched', 'task_created', 'Reading …', 'go on'],
  ]);
  const failed = await store.task('task-2');
  assert.deepEqual([failed.status, failed.error, failed.metrics.durationSeconds], ['failed', 'broken', 3]);
});
