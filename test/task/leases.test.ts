import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { Leases } from '../../src/task/leases.ts';
import { ownProcessId } from '../../src/task/process-id.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';

const SKIP = { skip: noRedis };
const PREFIX = '{test}';

/** A process that cannot be seen from here, as in another container. */
const ELSEWHERE = 'elsewhere.1.start';

async function leases(t: TestContext): Promise<{ redis: TestRedis; own: Leases; far: Leases }> {
  const redis = await startRedis(t);
  const make = (id: string): Leases => new Leases({ redis: redis.redis, prefix: PREFIX, id });
  const [own, far] = [make(await ownProcessId()), make(ELSEWHERE)];
  t.after(() => Promise.all([own.close(), far.close()]));
  return { redis, own, far };
}

test('a process elsewhere is alive while its lease is, and gone some seconds after it is missing', SKIP, async (t) => {
  const { redis, own, far } = await leases(t);
  far.start();
  while ((await redis.redis.exists(`${PREFIX}:worker:${ELSEWHERE}`)) === 0) await turn();
  assert.deepEqual(await own.gone(), []);
  await redis.redis.del(`${PREFIX}:worker:${ELSEWHERE}`);
  assert.equal(await own.isAlive(ELSEWHERE), true, 'it may be coming back');
  t.mock.method(performance, 'now', () => 1e9);
  await redis.redis.del(`${PREFIX}:worker:${ELSEWHERE}`);
  assert.equal(await own.isAlive(ELSEWHERE), false);
  assert.deepEqual(await own.gone(), [ELSEWHERE]);
  await own.forget(ELSEWHERE);
  assert.deepEqual(await own.gone(), []);
});

test('one that closes is not among those that are gone', SKIP, async (t) => {
  const { redis, own, far } = await leases(t);
  far.start();
  while ((await redis.redis.hlen(`${PREFIX}:workers`)) === 0) await turn();
  await far.close();
  await far.close();
  assert.deepEqual([await own.gone(), await redis.redis.keys('*')], [[], []]);
});

test('of a process on this machine the machine knows, whatever Redis says', SKIP, async (t) => {
  const { own } = await leases(t);
  const [place, pid, start] = own.id.split('.');
  const other = (await import('node:child_process')).spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);
  t.after(() => other.kill('SIGKILL'));
  assert.equal(await own.isAlive(own.id), true);
  assert.equal(await own.isAlive([place, pid, 'earlier'].join('.')), false, 'the pid has another process by now');
  assert.equal(await own.isAlive([place, other.pid, start].join('.')), false, 'another process has that pid');
  assert.equal(await own.isAlive([place, 2 ** 22 + 1, start].join('.')), false);
});

test('while Redis does not answer nobody elsewhere is thought to be gone', SKIP, async (t) => {
  const { redis, own } = await leases(t);
  assert.equal(await own.isAlive(ELSEWHERE), true);
  await redis.kill();
  await assert.rejects(own.isAlive(ELSEWHERE), { code: 'server_unreachable' });
  await redis.start();
  t.mock.method(performance, 'now', () => 1e9);
  assert.equal(await own.isAlive(ELSEWHERE), true, 'the time that Redis was away does not count');
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
