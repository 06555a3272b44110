import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TrailError } from '../../../src/core/error.ts';
import type { EventBatch } from '../../../src/core/event.ts';
import { EVENTS_READ } from '../../../src/core/limits.ts';
import type { Intake } from '../../../src/core/ports.ts';
import { noRedis } from '../../support/redis.ts';
import { consuming, GROUP, LEASE_KEY, linesOf, Publisher, STREAM, until } from './consuming.ts';

/** Its events fail in a way of our choice, the others go on to the real intake. */
function failing(intake: Intake, fail: (batch: EventBatch) => TrailError | undefined): Intake {
  const applyEvents: Intake['applyEvents'] = async (batch) => {
    const error = fail(batch);
    if (error) throw error;
    return intake.applyEvents(batch);
  };
  return {
    ...intake,
    applyEvents,
    check: () => intake.check(),
    setEventPlace: (...args) => intake.setEventPlace(...args),
  };
}

const output = (taskId: string, content: string) =>
  ['type', 'task:output', 'task_id', taskId, 'data', JSON.stringify({ content })] as const;

describe('the consumer of events', { skip: noRedis }, () => {
  test('stores what comes, makes the group at the beginning, and acknowledges it', async (t) => {
    const { redis, dataDir, store, consumer, drained } = await consuming(t);
    const data = (fields: object) => ['data', JSON.stringify(fields)] as const;
    await redis.xadd(STREAM, '*', 'type', 'webhook:received', 'webhook_event_id', 'e', ...data({ source: 'github' }));
    await redis.xadd(STREAM, '*', 'type', 'webhook:task_created', 'webhook_event_id', 'e', ...data({ task_id: 't' }));
    await redis.xadd(STREAM, '*', 'type', 'task:created', ...data({ task_id: 't', title: 'Fix', source: 'github' }));
    await redis.xadd(STREAM, '*', 'type', 'task:started', 'task_id', 't', ...data({ model: 'm' }));
    const own = consumer();
    await redis.xadd(STREAM, '*', ...output('t', 'working'));
    await redis.xadd(STREAM, '*', 'type', 'task:completed', 'task_id', 't', ...data({ result: 'ok', cost_usd: 1 }));
    await drained();
    const { title, source, provider, status, result, metrics, model } = await store.task('t');
    assert.deepEqual(
      { title, source, provider, status, result, cost: metrics.costUsd, model },
      { title: 'Fix', source: 'github', provider: 'github', status: 'completed', result: 'ok', cost: 1, model: 'm' },
    );
    assert.deepEqual(linesOf(dataDir).get('t'), ['received', 'task_created', 'working']);
    assert.equal(own.stats().processed, 6);
    assert.equal(own.stats().isLeader, true);
  });

  test('goes on where another ended; what one was given and did not store the next one takes first', async (t) => {
    const { redis, dataDir, consumer, drained } = await consuming(t);
    const publisher = new Publisher(redis);
    await publisher.publish(50, 3);
    const first = consumer();
    await drained();
    await first.close();
    await publisher.publish(50, 3);
    await redis.xreadgroup('GROUP', GROUP, 'dead-1', 'COUNT', 20, 'STREAMS', STREAM, '>');
    await redis.xreadgroup('GROUP', GROUP, 'dead-2', 'COUNT', 20, 'STREAMS', STREAM, '>');
    consumer();
    await drained();
    publisher.check(dataDir);
    await until(async () => ((await redis.xinfo('CONSUMERS', STREAM, GROUP)) as unknown[]).length === 1);
  });

  test('stores nothing twice that was stored and not acknowledged', async (t) => {
    const { redis, dataDir, intake, consumer, drained } = await consuming(t);
    const publisher = new Publisher(redis);
    await publisher.publish(30, 2);
    await redis.xgroup('CREATE', STREAM, GROUP, '0');
    await redis.xreadgroup('GROUP', GROUP, 'dead', 'COUNT', 20, 'STREAMS', STREAM, '>');
    const entries = await redis.xrange(STREAM, '-', '+', 'COUNT', 10);
    const steps = entries.map(([, fields]) => ({
      ...{ taskId: fields[3] ?? '', webhookEventId: null },
      entries: [JSON.parse(fields[5] ?? '')].map(({ content }) => ({ message: content as string })),
    }));
    await intake.applyEvents({ stream: STREAM, from: null, to: entries.at(-1)?.[0] ?? '', steps });
    const own = consumer();
    await drained();
    publisher.check(dataDir);
    assert.equal(own.stats().processed, 20);
  });

  test('R14: 10 poison entries in 10,000 are moved to the dead ones with the reason, all others are stored', async (t) => {
    const { redis, dataDir, consumer, drained, said } = await consuming(t);
    const publisher = new Publisher(redis);
    for (let poison = 0; poison < 10; poison++) {
      await publisher.publish(999, 7);
      await redis.xadd(STREAM, '*', 'type', 'task:output', 'task_id', 'task-1', 'data', `{"n":${poison}`);
    }
    const own = consumer();
    await drained();
    publisher.check(dataDir);
    const dead = await redis.xrange(`${STREAM}:dead`, '-', '+');
    assert.equal(dead.length, 10);
    for (const [index, [, fields]] of dead.entries()) {
      assert.deepEqual(
        [fields[0], fields[2], ...fields.slice(4)],
        [...['reason', 'id', 'type', 'task:output', 'task_id', 'task-1', 'data', `{"n":${index}`]],
      );
      assert.match(fields[1] ?? '', /^data: expected JSON/);
      assert.match(fields[3] ?? '', /^\d+-\d+$/);
    }
    await until(() => own.stats().dead === 10);
    assert.equal(said.filter((message) => message.includes('task_events:dead')).length, 10);
  });

  test('leaves out with a warning what names no type, no task, or a deleted task', async (t) => {
    const { redis, dataDir, intake, consumer, drained, said } = await consuming(t);
    await intake.createTask({ taskId: 'gone', status: 'completed' });
    await intake.deleteTask('gone', 'test');
    await redis.xadd(STREAM, '*', 'task_id', 't', 'content', 'no type');
    await redis.xadd(STREAM, '*', 'type', 'task:output', 'content', 'no task');
    await redis.xadd(STREAM, '*', ...output('gone', 'too late'));
    await redis.xadd(STREAM, '*', ...output('t', 'kept'));
    const own = consumer();
    await drained();
    assert.deepEqual([...linesOf(dataDir)], [['t', ['kept']]]);
    assert.equal(own.stats().skipped, 3);
    assert.equal(own.stats().processed, 1);
    assert.equal(said.length, 2, said.join('\n'));
    assert.equal(await redis.xlen(`${STREAM}:dead`), 0);
  });

  test('waits while the store cannot commit, and loses nothing', async (t) => {
    const { redis, dataDir, intake, consumer, drained, said } = await consuming(t);
    const publisher = new Publisher(redis);
    await publisher.publish(10, 1);
    let failures = 2;
    const fail = () => (failures-- > 0 ? new TrailError('storage_full', 'the disk is full') : undefined);
    consumer({ intake: failing(intake, fail) });
    await drained();
    publisher.check(dataDir);
    assert.deepEqual(said, ['events wait until they can be stored: the disk is full']);
  });

  test('tries an event that fails 5 times, then moves it to the dead ones; its neighbours are stored', async (t) => {
    const { redis, dataDir, intake, consumer, drained } = await consuming(t);
    const publisher = new Publisher(redis);
    await publisher.publish(600, 3);
    const id = await redis.xadd(STREAM, '*', ...output('bad', '1'));
    await publisher.publish(300, 3);
    let [tries, calls] = [0, 0];
    const fail = ({ steps }: EventBatch) => {
      calls++;
      if (!steps.some(({ taskId }) => taskId === 'bad')) return undefined;
      if (steps.length === 1) tries++;
      return new TrailError('internal', 'it broke');
    };
    consumer({ intake: failing(intake, fail) });
    await drained();
    assert.equal(tries, 5);
    // It is found by halves.
    assert.ok(calls < 50, String(calls));
    publisher.check(dataDir);
    const [dead] = await redis.xrange(`${STREAM}:dead`, '-', '+');
    assert.deepEqual(dead?.[1].slice(0, 4), ['reason', 'failed 5 times: it broke', 'id', id]);
  });

  test('a commit that fails with the next one under way behind it is made again before that one', async (t) => {
    const { redis, dataDir, intake, consumer, drained, said } = await consuming(t);
    const publisher = new Publisher(redis);
    await publisher.publish(2 * EVENTS_READ + 500, 7);
    const second = Promise.withResolvers<void>();
    const from: (string | null)[] = [];
    const applyEvents: Intake['applyEvents'] = async (batch) => {
      from.push(batch.from);
      if (from.length === 2) second.resolve();
      if (from.length > 1) return intake.applyEvents(batch);
      await second.promise;
      throw new TrailError('storage_full', 'the disk is full');
    };
    // Who loses the lease sends no second one, and the first would wait for it.
    consumer({ intake: { ...failing(intake, () => undefined), applyEvents }, leaseMs: 60_000 });
    await drained();
    publisher.check(dataDir);
    const [, middle] = from;
    assert.deepEqual(from, [null, middle, null, middle]);
    assert.notEqual(middle, null);
    assert.deepEqual(said, []);
  });

  test('when another stored the same events at the same time it begins anew, also when nothing new comes', async (t) => {
    const { redis, dataDir, intake, consumer, drained } = await consuming(t);
    const publisher = new Publisher(redis);
    await publisher.publish(10, 3);
    let calls = 0;
    const applyEvents: Intake['applyEvents'] = async (batch) => {
      if (++calls === 1) await intake.applyEvents(batch);
      return intake.applyEvents(batch);
    };
    consumer({ intake: { ...failing(intake, () => undefined), applyEvents } });
    await drained();
    publisher.check(dataDir);
  });

  test('moves an event that the store refuses to the dead ones', async (t) => {
    const { redis, dataDir, consumer, drained } = await consuming(t);
    await redis.xadd(STREAM, '*', 'type', 'task:created', 'task_id', 'a', 'data', `{"x":${deep(63)}}`);
    await redis.xadd(STREAM, '*', ...output('a', '1'));
    const many = Array.from({ length: 1_001 }, () => ['type', 'webhook:x', 'webhook_event_id', 'e']);
    for (const fields of many) await redis.xadd(STREAM, '*', ...fields);
    consumer();
    await drained();
    assert.deepEqual([...linesOf(dataDir)], [['a', ['1']]]);
    const dead = await redis.xrange(`${STREAM}:dead`, '-', '+');
    assert.equal(dead.length, 1);
    assert.match(dead[0]?.[1][1] ?? '', /expected at most 1000 lines/);
  });

  test('R15: entries that were deleted before they were read are counted as lost', async (t) => {
    const { redis, dataDir, consumer, drained, said } = await consuming(t);
    const first = consumer();
    await redis.xadd(STREAM, '*', ...output('a', '1'));
    await drained();
    await first.close();
    for (let n = 2; n <= 100; n++) await redis.xadd(STREAM, '*', ...output('a', String(n)));
    // Ten were given to somebody who died, and of them five are deleted; then more, which nobody was given.
    await redis.xreadgroup('GROUP', GROUP, 'dead', 'COUNT', 10, 'STREAMS', STREAM, '>');
    await redis.xtrim(STREAM, 'MAXLEN', 94);
    const second = consumer();
    await drained();
    assert.equal(second.stats().lost, 5);
    await second.close();
    for (let n = 101; n <= 150; n++) await redis.xadd(STREAM, '*', ...output('a', String(n)));
    await redis.xtrim(STREAM, 'MAXLEN', 20);
    const third = consumer();
    await drained();
    assert.equal(third.stats().lost, 30);
    await third.close();
    for (let n = 151; n <= 160; n++) await redis.xadd(STREAM, '*', ...output('a', String(n)));
    await redis.xtrim(STREAM, 'MAXLEN', 0);
    const fourth = consumer();
    await until(() => fourth.stats().lost === 10);
    await redis.xadd(STREAM, '*', ...output('a', '161'));
    await drained();
    assert.equal(fourth.stats().lost, 10);
    const stored = [1, ...range(7, 100), ...range(131, 150), 161].map(String);
    assert.deepEqual(linesOf(dataDir).get('a'), stored);
    assert.equal(said.filter((message) => message.includes('are lost')).length, 3);
  });

  test('of a stream that it never read, what was deleted before is lost; what it stored before is not', async (t) => {
    const { redis, consumer, drained } = await consuming(t);
    for (let n = 1; n <= 100; n++) await redis.xadd(STREAM, '*', ...output('a', String(n)));
    await redis.xtrim(STREAM, 'MAXLEN', 60);
    const first = consumer();
    await drained();
    assert.equal(first.stats().lost, 40);
    await redis.xtrim(STREAM, 'MAXLEN', 10);
    await redis.xgroup('DESTROY', STREAM, GROUP);
    await redis.xadd(STREAM, '*', ...output('a', '101'));
    await drained();
    assert.equal(first.stats().lost, 40);
    assert.equal(first.stats().processed, 61);
  });

  test('R16: a group that is destroyed and a stream that is deleted under load are made again, nothing is stored twice', async (t) => {
    const { redis, dataDir, consumer, drained } = await consuming(t);
    const publisher = new Publisher(redis);
    consumer();
    for (let round = 0; round < 5; round++) {
      await publisher.publish(3_000, 5);
      await redis.xgroup('DESTROY', STREAM, GROUP).catch(() => 0);
      await publisher.publish(2_000, 5);
      await drained();
      await redis.del(STREAM);
      await publisher.publish(1_000, 5);
    }
    await drained();
    publisher.check(dataDir);
  });

  test('R16: FLUSHALL takes the lease too; what comes behind it is stored', async (t) => {
    const { redis, dataDir, consumer, drained } = await consuming(t);
    const publisher = new Publisher(redis);
    const own = consumer();
    await publisher.publish(100, 2);
    await drained();
    await redis.flushall();
    await publisher.publish(100, 2);
    await drained();
    publisher.check(dataDir);
    await until(() => own.stats().isLeader);
  });

  test('a stream that is made anew with smaller ids is read from its beginning, with a warning', async (t) => {
    const { redis, dataDir, consumer, drained, said } = await consuming(t);
    await redis.xadd(STREAM, '*', ...output('a', '1'));
    consumer();
    await drained();
    await redis
      .multi()
      .del(STREAM)
      .xadd(STREAM, '1-1', ...output('a', '2'))
      .xadd(STREAM, '1-2', ...output('a', '3'))
      .exec();
    await drained();
    assert.deepEqual(linesOf(dataDir).get('a'), ['1', '2', '3']);
    assert.match(
      said.join('\n'),
      /is not there or was made anew: it was read to \d+-\d+, and is read from its beginning/,
    );
  });

  test('a stream that came back from an older copy with its group is not stored again', async (t) => {
    const { redis, dataDir, consumer, drained, said } = await consuming(t);
    const publisher = new Publisher(redis);
    await publisher.publish(10, 1);
    const first = consumer();
    await drained();
    await first.close();
    const copy = await redis.dumpBuffer(STREAM);
    await publisher.publish(10, 1);
    const second = consumer();
    await drained();
    await second.close();
    await redis.restore(STREAM, 0, copy, 'REPLACE');
    consumer();
    await until(() => said.length > 0);
    assert.match(said[0] ?? '', /went back to an older state/);
    await publisher.publish(10, 1);
    await drained();
    publisher.check(dataDir);
  });

  test('R11: Redis killed again and again under load: every line once, in order', async (t) => {
    const { server, redis, dataDir, consumer, drained } = await consuming(t);
    const publisher = new Publisher(redis);
    const own = consumer();
    for (let round = 0; round < 5; round++) {
      await publisher.publish(4_000, 11);
      await until(() => own.stats().processed > round * 4_000);
      await server.kill();
      await server.start();
    }
    await drained();
    publisher.check(dataDir);
    assert.ok(own.stats().reconnects >= 5);
    assert.equal(own.stats().lost, 0);
  });

  test('one reads, the other stands by and goes on at once when the first is closed', async (t) => {
    const { redis, dataDir, consumer, drained } = await consuming(t);
    const publisher = new Publisher(redis);
    const first = consumer({ leaseMs: 60_000 });
    await until(() => first.stats().isLeader);
    const second = consumer({ leaseMs: 60_000 });
    await publisher.publish(100, 3);
    await drained();
    assert.equal(second.stats().isLeader, false);
    const startMs = performance.now();
    await first.close();
    // Two at most by its own clock; other tests share the machine.
    assert.ok(performance.now() - startMs < 5_000);
    assert.equal(first.stats().isLeader, false);
    await publisher.publish(100, 3);
    await drained();
    assert.equal(second.stats().isLeader, true);
    publisher.check(dataDir);
  });

  test('who lost the lease reads no more, and what it had read before is stored once', async (t) => {
    const { redis, dataDir, consumer, drained } = await consuming(t);
    const publisher = new Publisher(redis);
    const first = consumer();
    await until(() => first.stats().isLeader);
    for (let round = 0; round < 10; round++) {
      await publisher.publish(1_000, 3);
      await redis.set(LEASE_KEY, 'somebody else', 'PX', 50);
      if (round === 0) consumer();
    }
    await drained();
    publisher.check(dataDir);
  });

  test('closes within seconds while Redis is gone', async (t) => {
    const { server, consumer } = await consuming(t);
    const own = consumer();
    await until(() => own.stats().isLeader);
    await server.kill();
    const startMs = performance.now();
    await own.close();
    await own.close();
    // Two at most by its own clock; other tests share the machine.
    assert.ok(performance.now() - startMs < 5_000);
  });

  test('deletes what every group has acknowledged, when that is wanted', async (t) => {
    const { redis, consumer, drained } = await consuming(t);
    await redis.xgroup('CREATE', STREAM, 'another', '0', 'MKSTREAM');
    const ids: string[] = [];
    for (let n = 1; n <= 10; n++) ids.push((await redis.xadd(STREAM, '*', ...output('a', String(n)))) ?? '');
    const own = consumer({ trim: true });
    await drained();
    await redis.xreadgroup('GROUP', 'another', 'x', 'COUNT', 6, 'STREAMS', STREAM, '>');
    await redis.xack(STREAM, 'another', ...ids.slice(0, 4));
    await until(async () => (await redis.xlen(STREAM)) < 10);
    assert.equal((await redis.xrange(STREAM, '-', '+'))[0]?.[0], ids[4]);
    await redis.xack(STREAM, 'another', ...ids.slice(4, 6));
    await until(async () => (await redis.xlen(STREAM)) === 5);
    assert.equal(own.stats().lost, 0);
  });
});

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function deep(levels: number): string {
  return `${'['.repeat(levels)}${']'.repeat(levels)}`;
}
