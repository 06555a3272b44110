import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appendTaskLog, getTaskLogs } from '../../src/client/index.ts';
import { noRedis, startRedis } from '../support/redis.ts';

describe('the list of a program that has Redis and no server', { skip: noRedis }, () => {
  test('takes lines in order and answers them in the pages of the API', async (t) => {
    const { redis } = await startRedis(t);
    const taskId = 'task-1737737400.123';
    const before = Date.now();
    for (let n = 1; n <= 45; n++) await appendTaskLog(redis, taskId, `[stdout] line ${n}`);
    const page = await getTaskLogs(redis, taskId, 0, 10);
    const { logs, ...facts } = page;
    assert.deepEqual(facts, { task_id: taskId, offset: 0, limit: 10, total: 45, has_more: true });
    assert.deepEqual(
      logs.map(({ message }) => message),
      Array.from({ length: 10 }, (_, index) => `[stdout] line ${index + 1}`),
    );
    for (const { timestamp } of logs) {
      assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(Date.parse(timestamp) >= before && Date.parse(timestamp) <= Date.now());
    }
    const last = await getTaskLogs(redis, taskId, 40, 10);
    assert.deepEqual([last.logs.length, last.has_more, last.total], [5, false, 45]);
    assert.equal((await getTaskLogs(redis, taskId)).logs.length, 45);
    const none = await getTaskLogs(redis, taskId, 0, 0);
    assert.deepEqual([none.logs, none.total, none.has_more], [[], 45, true]);
    assert.deepEqual((await getTaskLogs(redis, taskId, 100, 10)).logs, []);
  });

  test('answers all lines at once for -1, and none of an unknown task', async (t) => {
    const { redis } = await startRedis(t);
    for (let n = 1; n <= 300; n++) await appendTaskLog(redis, 'task-1', `line ${n}`);
    const all = await getTaskLogs(redis, 'task-1', 50, -1);
    assert.deepEqual([all.logs.length, all.limit, all.has_more], [250, -1, false]);
    const { logs, total } = await getTaskLogs(redis, 'unknown');
    assert.deepEqual([logs, total], [[], 0]);
  });

  test('expires a day after its last line, or as the program says', async (t) => {
    const { redis } = await startRedis(t);
    await appendTaskLog(redis, 'task-1', 'one');
    assert.equal(await redis.ttl('tasks:task-1:logs'), 86_400);
    await redis.expire('tasks:task-1:logs', 5);
    await appendTaskLog(redis, 'task-1', 'two', 600);
    assert.equal(await redis.ttl('tasks:task-1:logs'), 600);
    assert.deepEqual(await redis.keys('*'), ['tasks:task-1:logs']);
  });

  test('shows lines of other forms as they are', async (t) => {
    const { redis } = await startRedis(t);
    await redis.rpush('tasks:task-1:logs', 'plain', '{"message":"no time"}', '[1]', 'null', '日本語 🎉');
    assert.deepEqual((await getTaskLogs(redis, 'task-1')).logs, [
      { timestamp: '', message: 'plain' },
      { timestamp: '', message: 'no time' },
      { timestamp: '', message: '[1]' },
      { timestamp: '', message: 'null' },
      { timestamp: '', message: '日本語 🎉' },
    ]);
  });

  test('refuses what is no task, offset or limit, and tells what Redis refuses', async (t) => {
    const { redis } = await startRedis(t);
    await assert.rejects(appendTaskLog(redis, 'a b', 'one'), { code: 'invalid_task_id' });
    await assert.rejects(getTaskLogs(redis, 'a', -1), { code: 'invalid_parameter' });
    await assert.rejects(getTaskLogs(redis, 'a', 0, -2), { code: 'invalid_parameter' });
    await assert.rejects(getTaskLogs(redis, 'a', 0, 10_001), { code: 'invalid_parameter' });
    await redis.set('tasks:task-1:logs', 'something else');
    await assert.rejects(appendTaskLog(redis, 'task-1', 'one'), /WRONGTYPE/);
  });
});
