import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LINE_BYTES } from '../../../src/core/limits.ts';
import { noRedis } from '../../support/redis.ts';
import { mirrored, numbered } from './support.ts';

const DAY_MS = 86_400_000;

describe('the Redis list of a task', { skip: noRedis }, () => {
  test('holds its committed lines in order, as timestamp and message, with the stream of process lines before it', async (t) => {
    const { trail, mirror, append, list, there } = await mirrored(t);
    const running = await mirror();
    await trail.create({ taskId: 'task-1' });
    const timestamp = '2026-01-24T10:00:00.000Z';
    await append(
      'task-1',
      { timestamp, message: 'Claude Code CLI process started', stream: 'stdout' },
      { timestamp, message: 'Warning: deprecated', stream: 'stderr', level: 'WARNING' },
      { timestamp, message: 'from a logger', metadata: { n: 1 } },
    );
    await running.settled();
    await append('task-1', { timestamp, message: 'later', stream: 'stdout' });
    await running.settled();
    assert.deepEqual(await list('task-1'), [
      { timestamp, message: '[stdout] Claude Code CLI process started' },
      { timestamp, message: '[stderr] Warning: deprecated' },
      { timestamp, message: 'from a logger' },
      { timestamp, message: '[stdout] later' },
    ]);
    assert.equal(await there.redis.get('tasks:task-1:logs:seq'), '4');
    assert.deepEqual(running.stats(), { lines: 4, batches: 2, failures: 0 });
  });

  test('is there for a task that makes no lines only when it makes one', async (t) => {
    const { trail, mirror, there } = await mirrored(t);
    const running = await mirror();
    await trail.create({ taskId: 'silent' });
    await trail.complete('silent');
    await running.settled();
    assert.deepEqual(await there.redis.keys('*'), []);
  });

  test('holds every character and the longest line there is', async (t) => {
    const { trail, mirror, append, messages } = await mirrored(t);
    const running = await mirror();
    await trail.create({ taskId: 'task-1' });
    const lines = [
      '日本語 🎉 é \u2028 "quoted" \\ \t',
      'ü'.repeat(LINE_BYTES / 2),
      '\u0000\u001b[31mred',
      'x'.repeat(LINE_BYTES),
    ];
    await append('task-1', ...lines);
    await running.settled();
    const stored = (await trail.logs('task-1')).logs.map(({ message }) => message);
    assert.deepEqual(await messages('task-1'), stored);
    assert.equal(stored[1], lines[1]);
    assert.equal(stored[3], lines[3]);
  });

  test('holds the newest lines only, and those before them are not even sent', async (t) => {
    const { trail, mirror, append, messages } = await mirrored(t);
    const running = await mirror({ max: 100 });
    await trail.create({ taskId: 'task-1' });
    await append('task-1', ...numbered(1, 12_000));
    await running.settled();
    assert.deepEqual(await messages('task-1'), numbered(11_901, 12_000));
    assert.deepEqual(running.stats(), { lines: 100, batches: 1, failures: 0 });
    await append('task-1', ...numbered(12_001, 12_030));
    await running.settled();
    assert.deepEqual(await messages('task-1'), numbered(11_931, 12_030));
    await append('task-1', ...numbered(12_031, 20_000));
    await running.settled();
    assert.deepEqual(await messages('task-1'), numbered(19_901, 20_000));
    assert.equal(running.stats().lines, 230);
  });

  test('is not written when it may hold no line', async (t) => {
    const { trail, mirror, append, there } = await mirrored(t);
    const running = await mirror({ max: 0 });
    await trail.create({ taskId: 'task-1' });
    await append('task-1', 'one');
    await running.close();
    assert.equal(await trail.parts.intake.setting('redis_lists'), null, 'it has followed nothing');
    assert.deepEqual(await there.redis.keys('*'), []);
  });

  test('expires with its place, counted from its last line', async (t) => {
    const { trail, mirror, append, there } = await mirrored(t);
    const running = await mirror({ ttlSeconds: 500 });
    const keys = ['tasks:task-1:logs', 'tasks:task-1:logs:seq'];
    const left = (): Promise<number[]> => Promise.all(keys.map((key) => there.redis.ttl(key)));
    await trail.create({ taskId: 'task-1' });
    await append('task-1', 'one');
    await running.settled();
    assert.ok((await left()).every((seconds) => seconds > 490 && seconds <= 500));
    await Promise.all(keys.map((key) => there.redis.expire(key, 5)));
    await trail.change('task-1', { title: 'no line' });
    await running.settled();
    assert.ok((await left()).every((seconds) => seconds <= 5));
    await append('task-1', 'two');
    await running.settled();
    assert.ok((await left()).every((seconds) => seconds > 490 && seconds <= 500));
  });

  test('goes with its task, whether that is deleted or too old', async (t) => {
    const { trail, mirror, append, messages, there } = await mirrored(t);
    const running = await mirror();
    for (const taskId of ['deleted', 'pruned', 'kept']) {
      await trail.create({ taskId });
      await append(taskId, 'one');
      if (taskId !== 'deleted') await trail.complete(taskId);
    }
    await running.settled();
    assert.equal((await there.redis.keys('*')).length, 6);
    await trail.delete('deleted');
    const { completedAt } = await trail.get('pruned');
    await trail.parts.intake.prune([{ taskId: 'pruned', endedAt: completedAt ?? '' }], 'retention');
    await running.settled();
    assert.deepEqual((await there.redis.keys('*')).sort(), ['tasks:kept:logs', 'tasks:kept:logs:seq']);
    assert.deepEqual(await messages('kept'), ['one']);
  });

  test('goes with a task that was deleted while nobody mirrored', async (t) => {
    const { trail, mirror, append, there } = await mirrored(t);
    const first = await mirror();
    await trail.create({ taskId: 'task-1' });
    await append('task-1', 'one');
    await first.settled();
    await first.close();
    await trail.delete('task-1');
    await (await mirror()).settled();
    assert.deepEqual(await there.redis.keys('*'), []);
  });

  test('goes on where it ended when its server comes back', async (t) => {
    const { trail, mirror, append, messages } = await mirrored(t);
    const first = await mirror();
    await trail.create({ taskId: 'task-1' });
    await append('task-1', ...numbered(1, 10));
    await first.settled();
    await first.close();
    await append('task-1', ...numbered(11, 20));
    const second = await mirror();
    await second.settled();
    assert.deepEqual(await messages('task-1'), numbered(1, 20));
    assert.deepEqual(second.stats(), { lines: 10, batches: 1, failures: 0 });
  });

  test('that expired after its task ended is not written again, one of a running task is', async (t) => {
    const { trail, mirror, append, messages, there } = await mirrored(t);
    let nowMs = Date.now();
    const clock = { now: () => nowMs };
    const running = await mirror({ ttlSeconds: 86_400, clock });
    for (const taskId of ['ended', 'running']) {
      await trail.create({ taskId });
      await append(taskId, 'one');
    }
    await trail.complete('ended');
    await running.settled();
    await there.redis.flushall();
    nowMs += DAY_MS + 1_000;
    // A change that brings the mirror to look at it, as a start after a crash would.
    for (const taskId of ['ended', 'running']) await trail.change(taskId, { title: 'renamed' });
    await running.settled();
    assert.deepEqual(await messages('ended'), []);
    assert.deepEqual(await messages('running'), ['one']);
  });

  test('that lost its place, or was deleted beside it, is written anew', async (t) => {
    const { trail, mirror, append, messages, there } = await mirrored(t);
    const running = await mirror();
    await trail.create({ taskId: 'task-1' });
    await append('task-1', 'one', 'two');
    await running.settled();
    await there.redis.del('tasks:task-1:logs:seq');
    await append('task-1', 'three');
    await running.settled();
    assert.deepEqual(await messages('task-1'), ['one', 'two', 'three']);
    await there.redis.del('tasks:task-1:logs');
    await append('task-1', 'four');
    await running.settled();
    assert.deepEqual(await messages('task-1'), ['one', 'two', 'three', 'four']);
    await there.redis.set('tasks:task-1:logs:seq', '999');
    await append('task-1', 'five');
    await running.settled();
    assert.deepEqual(await messages('task-1'), ['one', 'two', 'three', 'four', 'five'], 'a place of another database');
  });

  test('is written once by two mirrors of one trail', async (t) => {
    const { trail, mirror, append, messages } = await mirrored(t);
    const first = await mirror();
    const second = await mirror();
    await trail.create({ taskId: 'task-1' });
    for (let n = 0; n < 20; n++) await append('task-1', ...numbered(n * 700 + 1, n * 700 + 700));
    await Promise.all([first.settled(), second.settled()]);
    assert.deepEqual(await messages('task-1'), numbered(1, 14_000));
    assert.equal(first.stats().lines + second.stats().lines, 14_000);
  });

  test('under whose name there is something else leaves that alone, and warns', async (t) => {
    const { trail, mirror, append, messages, there, warnings } = await mirrored(t);
    const running = await mirror();
    await there.redis.set('tasks:task-1:logs', 'mine');
    for (const taskId of ['task-1', 'task-2']) {
      await trail.create({ taskId });
      await append(taskId, 'one');
    }
    await running.settled();
    assert.equal(await there.redis.get('tasks:task-1:logs'), 'mine');
    assert.deepEqual(await messages('task-2'), ['one']);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /lines of task-1 .*WRONGTYPE.*left as it is/);
  });
});
