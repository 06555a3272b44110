import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WEBHOOK_EVENT_LINES } from '../../src/core/limits.ts';
import { consuming, GROUP, LEASE_KEY, LEASE_MS, Publisher, STREAM, until } from '../inlet/redis/consuming.ts';

const PROGRAM = fileURLToPath(new URL('../fixtures/programs/event-consumer.ts', import.meta.url));
const EVENTS = 60;

type Way = 'run' | 'die';

/** R13: a consumer that is killed between the commit and the acknowledgement, `cycles` times: every line once, in order. */
export async function dieBeforeAcknowledging(t: TestContext, cycles: number): Promise<void> {
  const { server, redis, dataDir, consumer, drained } = await consuming(t);
  const publisher = new Publisher(redis);
  for (let cycle = 0; cycle < cycles; cycle++) {
    await publisher.publish(EVENTS, 7);
    const child = start(t, [server.url, dataDir, String(LEASE_MS)], 'die');
    await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
    // Who comes next need not wait for the lease of the dead.
    await redis.del(LEASE_KEY);
  }
  const own = consumer();
  await drained();
  publisher.check(dataDir);
  assert.equal(own.stats().processed, 0, 'all of it had been committed');
}

/** Consumers that are killed between a commit and the burial of what it refused: each refused event is dead, once. */
export async function dieBeforeBurying(t: TestContext): Promise<void> {
  const { server, redis, dataDir, store, consumer, drained } = await consuming(t);
  const publisher = new Publisher(redis);
  const waiting = ['type', 'webhook:received', 'webhook_event_id', 'e'] as const;
  // As many lines as may wait for one task; what comes behind them the store refuses.
  const full = redis.pipeline();
  for (let n = 0; n < WEBHOOK_EVENT_LINES; n++) full.xadd(STREAM, '*', ...waiting);
  await full.exec();
  const first = consumer();
  await drained();
  await first.close();
  const refused: (string | null)[] = [];
  for (let cycle = 0; cycle < 3; cycle++) {
    await publisher.publish(EVENTS, 7);
    for (let n = 0; n < 2; n++) refused.push(await redis.xadd(STREAM, '*', ...waiting));
    await publisher.publish(EVENTS, 7);
    const child = start(t, [server.url, dataDir, String(LEASE_MS)], 'die');
    await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
    assert.equal((await store.eventRefusals(STREAM)).length, 2);
    await redis.del(LEASE_KEY);
  }
  // A group that is made again is given all of it once more.
  for (const isAgain of [false, true]) {
    if (isAgain) await redis.xgroup('DESTROY', STREAM, GROUP);
    const own = consumer();
    await drained();
    await own.close();
    publisher.check(dataDir);
    const dead = await redis.xrange(`${STREAM}:dead`, '-', '+');
    assert.deepEqual(
      dead.map(([, fields]) => fields[3]),
      refused,
    );
    for (const [, [, reason]] of dead) assert.match(reason ?? '', /^expected at most 1000 lines/);
  }
}

/** Two consumers, one of them killed again and again, while events of 1,000 tasks come in turn: every line once, in order. */
export async function killOneOfTwo(t: TestContext, events: number): Promise<void> {
  const { server, redis, dataDir, drained } = await consuming(t);
  const publisher = new Publisher(redis);
  const args = [server.url, dataDir, String(LEASE_MS)];
  start(t, args, 'run');
  for (let sent = 0; sent < events; sent += events / 10) {
    const published = publisher.publish(events / 10, 1_000);
    const child = start(t, args, 'run');
    // Takes the lease from its holder for a moment, until the one that is to die is faster than the other.
    while (!(await redis.get(LEASE_KEY))?.startsWith(`consumer-${child.pid}:`)) {
      await redis.set(LEASE_KEY, 'nobody', 'PX', LEASE_MS / 4);
      await until(async () => !['nobody', null].includes(await redis.get(LEASE_KEY)));
    }
    child.kill('SIGKILL');
    await Promise.all([once(child, 'exit'), published]);
  }
  await drained();
  publisher.check(dataDir);
}

function start(t: TestContext, args: readonly string[], way: Way): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, ...args, way], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
}
