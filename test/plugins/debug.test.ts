import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/core/entry.ts';
import { debugPlugin } from '../../src/plugins/debug.ts';
import { managed } from '../task/support.ts';

test('the debug report tells versions, machine, disk, store, Redis and settings, as lines and as result', async (t) => {
  const { trail, tasks, dataDir, done, lines } = await managed(t);
  tasks.register(
    debugPlugin({
      ...{ version: '1.2.3', dataDir, databaseFile: 'tasktrail.db', settings: { port: 8000, tokens: '***' } },
      totals: () => trail.parts.store.totals(),
      redis: async () => null,
    }),
  );
  await trail.append((await trail.create({})).taskId, [{ message: 'one' }, { message: 'two' }]);
  const task = await done('debug');
  assert.equal(task.status, 'completed');
  const report = task.result as Record<string, JsonObject>;
  assert.deepEqual(report.versions, {
    ...{ tasktrail: '1.2.3', node: process.versions.node, sqlite: process.versions.sqlite },
  });
  assert.equal(report.machine?.platform, process.platform);
  assert.ok(Number(report.disk?.free_bytes) > 0 && Number(report.disk?.free_bytes) <= Number(report.disk?.total_bytes));
  assert.ok(Number(report.store?.entries) >= 2 && Number(report.store?.database_bytes) > 0);
  assert.deepEqual(report.redis, { configured: false, reachable: false });
  assert.deepEqual(report.settings, { port: 8000, tokens: '***' });
  const told = (await lines(task.taskId)).filter(({ source }) => source in report);
  assert.deepEqual(
    told.map(({ source, metadata }) => [source, metadata]),
    Object.entries(report),
  );
});

test('what cannot be told does not hide the rest', async (t) => {
  const { tasks, done, lines } = await managed(t);
  tasks.register(
    debugPlugin({
      ...{ version: '1.2.3', dataDir: '/not/there', databaseFile: 'tasktrail.db', settings: {} },
      totals: () => Promise.reject(new Error('the store is closed')),
      redis: async () => true,
    }),
  );
  const task = await done('debug');
  const report = task.result as Record<string, JsonObject>;
  assert.equal(task.status, 'completed');
  assert.match(String(report.disk?.error), /ENOENT/);
  assert.deepEqual(report.store, { error: 'the store is closed' });
  assert.deepEqual(report.redis, { configured: true, reachable: true });
  const errors = (await lines(task.taskId)).filter(({ level }) => level === 'ERROR');
  assert.deepEqual(
    errors.map(({ source }) => source),
    ['disk', 'store'],
  );
});
