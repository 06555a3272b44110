import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connectTrail } from '../../src/client/client.ts';
import type { LogEntry } from '../../src/core/entry.ts';
import type { Trail } from '../../src/core/trail.ts';
import { startServer } from '../client/server.ts';

/** The same trail from within and over HTTP, with one ended task. */
async function both(t: TestContext): Promise<readonly (readonly [string, Trail])[]> {
  const server = await startServer(t);
  const client = await connectTrail({ url: server.url });
  t.after(() => client.close());
  await client.create({ taskId: 'demo', title: 'Nightly', source: 'ci' });
  await client.append('demo', [
    { message: 'starting', source: 'git', timestamp: Date.now() - 7_200_000 },
    { message: 'failed once', level: 'error', source: 'git' },
    { message: 'failed again, retry', level: 'error' },
  ]);
  await client.complete('demo');
  return [
    ['embedded', server.trail],
    ['connected', client],
  ];
}

const messages = (entries: readonly LogEntry[]) => entries.map(({ message }) => message);

test('a program asks by a query, embedded and connected', async (t) => {
  for (const [name, trail] of await both(t)) {
    const { logs, total } = await trail.logs('demo', { q: 'failed -retry', levels: ['ERROR'] });
    assert.deepEqual([messages(logs), total], [['failed once'], 1], name);
    assert.deepEqual(messages((await trail.logs('demo', { q: 'before:-1h' })).logs), ['starting'], name);
    const histogram = await trail.histogram('demo', { q: 'level:error', buckets: 1 });
    assert.equal(histogram.buckets[0]?.total, 2, name);
    const followed = await Array.fromAsync(trail.follow('demo', { q: 'source:git OR retry' }));
    assert.equal(followed.length, 3, name);
    const page = await trail.tasks({ q: 'nightly source:ci -status:failed' });
    assert.deepEqual(
      page.tasks.map(({ taskId }) => taskId),
      ['demo'],
      name,
    );
    assert.equal((await trail.tasks({ q: 'status:failed' })).total, 0, name);
  }
});

test('a wrong query rejects with its place, embedded and connected', async (t) => {
  for (const [name, trail] of await both(t)) {
    const wrong = { code: 'invalid_query', message: /column 7: expected a level/ };
    await assert.rejects(trail.logs('demo', { q: 'level:eror' }), wrong, name);
    await assert.rejects(trail.histogram('demo', { q: 'level:eror' }), wrong, name);
    await assert.rejects(Array.fromAsync(trail.follow('demo', { q: 'level:eror' })), wrong, name);
    await assert.rejects(trail.tasks({ q: 'level:error' }), { code: 'invalid_query' }, name);
  }
});
