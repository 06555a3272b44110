import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectTrail } from '../../src/client/client.ts';
import { startServer } from '../client/server.ts';

test('patterns and a comparison are the same in this process and over HTTP', async (t) => {
  const { url, trail } = await startServer(t);
  const client = await connectTrail({ url });
  t.after(() => client.close());
  const lines = Array.from(
    { length: 30 },
    (_, n) => ({ message: `step ${n}`, level: n % 10 ? 'INFO' : 'ERROR' }) as const,
  );
  for (const [taskId, createdAt] of [
    ['good', '2026-01-24T10:00:00.000Z'],
    ['bad', '2026-01-25T10:00:00.000Z'],
  ] as const) {
    await trail.create({ taskId, createdAt, title: 'Nightly' });
    await trail.append(taskId, [...lines, { message: `${taskId} in /tmp/${taskId}`, source: 'fs' }]);
    await trail.complete(taskId);
  }
  for (const asked of [{}, { limit: 1 }, { q: 'level:error' }, { tasks: ['good'], sources: ['fs'] }, { tasks: [] }]) {
    assert.deepEqual(await client.patterns(asked), await trail.patterns(asked));
  }
  assert.equal((await trail.patterns({ q: 'level:error' })).total, 6);
  for (const asked of [{}, { with: 'good', limit: 1 }, { levels: ['ERROR'] as const, with: 'good' }]) {
    assert.deepEqual(await client.compare('bad', asked), await trail.compare('bad', asked));
  }
  const { added, gone, base } = await trail.compare('bad');
  assert.deepEqual([base.taskId, added[0]?.template, gone[0]?.template], ['good', 'bad in <path>', 'good in <path>']);
});

test('what is asked wrongly, or by nobody any more, throws', async (t) => {
  const { trail } = await startServer(t);
  await trail.create({ taskId: 'a' });
  for (const asked of [{ limit: 0 }, { limit: 1_001 }, { budgetMs: 1 }]) {
    await assert.rejects(trail.patterns(asked), { code: 'invalid_parameter' });
    await assert.rejects(trail.compare('a', asked), { code: 'invalid_parameter' });
  }
  await assert.rejects(trail.compare('b'), { code: 'task_not_found' });
  await assert.rejects(trail.compare('a'), { code: 'not_found' });
  await assert.rejects(trail.compare('a', { with: '?' }), { code: 'invalid_task_id' });
  const gone = new Error('gone');
  await assert.rejects(trail.patterns({ signal: AbortSignal.abort(gone) }), gone);
});
