import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { consuming, linesOf, STREAM } from '../inlet/redis/consuming.ts';
import { noRedis } from '../support/redis.ts';
import { place, start } from './cli.ts';

describe('tasktrail redis dead', { skip: noRedis }, () => {
  test('lists what could not be stored, and moves it back to the stream', async (t) => {
    const { server, redis, dataDir, consumer, drained } = await consuming(t);
    const broken = ['type', 'task:output', 'task_id', 't', 'data', '{"content"'];
    const eventId = await redis.xadd(STREAM, '*', ...broken);
    const own = consumer();
    await drained();
    await own.close();
    // Somebody mends what the publisher broke; ids stay as they are.
    const mended = ['reason', 'mended', 'id', '1-1', 'type', 'task:output', 'task_id', 't', 'content', 'hello'];
    const mendedId = await redis.xadd(`${STREAM}:dead`, '*', ...mended);

    const at = await place(t, { REDIS_URL: server.url });
    const run = (...words: string[]) => start(t, at, ['redis', 'dead', ...words]).ended;
    const listed = (await run('list', '--json')).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.equal(listed.length, 2);
    assert.equal(listed[0].event_id, eventId);
    assert.match(listed[0].reason, /^data: expected JSON/);
    assert.deepEqual(listed[0].fields, { type: 'task:output', task_id: 't', data: '{"content"' });
    assert.match(
      (await run('list', '--limit', '1')).stdout,
      /^\d+-\d+ {2}task:output {2}t {2}data: expected JSON.*\n$/,
    );

    const dry = await run('replay', '--all', '--dry-run');
    assert.equal(dry.stdout, `${listed[0].id} would be moved\n${mendedId} would be moved\n`);
    assert.equal(await redis.xlen(`${STREAM}:dead`), 2);
    const moved = await run('replay', String(mendedId));
    assert.equal(moved.code, 0);
    assert.match(moved.stdout, / is \d+-\d+ of task_events now\n$/);
    const again = await run('replay', String(mendedId));
    assert.equal(again.code, 1);
    assert.match(again.stderr, /is not among the dead events of task_events/);

    assert.equal((await run('replay', '--all')).code, 0);
    assert.equal(await redis.xlen(`${STREAM}:dead`), 0);
    consumer();
    await drained();
    assert.deepEqual([...linesOf(dataDir)], [['t', ['hello']]]);
    assert.equal(await redis.xlen(`${STREAM}:dead`), 1, 'what is still broken is dead again');
  });

  test('says what is missing: REDIS_URL, ids, a Redis that answers', async (t) => {
    const at = await place(t);
    const run = (env: Record<string, string>, ...words: string[]) =>
      start(t, { ...at, env: { ...at.env, ...env } }, ['redis', 'dead', ...words]).ended;
    const url = { REDIS_URL: 'redis://127.0.0.1:1/0' };
    const [unset, noIds, badId, away] = await Promise.all([
      run({}, 'list'),
      run(url, 'replay'),
      run(url, 'replay', 'x'),
      run(url, 'list'),
    ]);
    assert.deepEqual([unset.code, noIds.code, badId.code, away.code], [2, 2, 2, 1]);
    assert.match(unset.stderr, /REDIS_URL: expected the address of Redis/);
    assert.match(noIds.stderr, /expected either ids or --all/);
    assert.match(badId.stderr, /expected ids like/);
    assert.match(away.stderr, /Redis cannot be reached: .*ECONNREFUSED/);
  });
});
