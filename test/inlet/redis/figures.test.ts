import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noRedis } from '../../support/redis.ts';
import { consuming, Publisher, STREAM, until } from './consuming.ts';

test('after a kill of Redis what was read is neither behind nor, when it is trimmed, lost', {
  skip: noRedis,
}, async (t) => {
  const { server, redis, dataDir, consumer, drained } = await consuming(t);
  const publisher = new Publisher(redis);
  const own = consumer();
  await publisher.publish(500, 3);
  await drained();
  await server.kill();
  await server.start();
  await publisher.publish(10, 3);
  await drained();
  await redis.xtrim(STREAM, 'MAXLEN', 5);
  await publisher.publish(10, 3);
  await drained();
  await until(() => own.stats().lag === 0);
  assert.equal(own.stats().lost, 0);
  publisher.check(dataDir);
});
