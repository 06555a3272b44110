import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { newTask } from '../../../src/core/change.ts';
import type { Store } from '../../../src/core/ports.ts';
import type { TaskDraft } from '../../../src/core/task.ts';
import { MemoryStore } from '../../../src/store/memory/store.ts';
import { SqliteStore } from '../../../src/store/sqlite/store.ts';
import { scratch } from '../../support/scratch.ts';

const STORES: Readonly<Record<string, (t: TestContext) => Promise<Store>>> = {
  memory: async () => new MemoryStore(),
  sqlite: async (t) => new SqliteStore(await scratch(t)),
};

for (const [name, open] of Object.entries(STORES)) {
  const opened = async (t: TestContext) => {
    const store = await open(t);
    t.after(() => store.close());
    const make = (taskId: string, draft: TaskDraft = {}) =>
      store.createTask(newTask({ taskId, status: 'queued', ...draft }, '2026-01-24T10:00:00.000Z'));
    return { store, make };
  };

  test(`${name}: what waits comes by priority, then by age; outside tasks and other runners are left out`, async (t) => {
    const { store, make } = await opened(t);
    await make('a', { runner: 'plugin:x' });
    await make('b', { runner: 'plugin:y', priority: 5 });
    await make('outside');
    await make('c', { runner: 'agent:x', priority: 9 });
    await make('d', { runner: 'plugin:x', priority: 5, status: 'approved' });
    await make('done', { runner: 'plugin:x', status: 'completed' });
    const ids = async (...query: Parameters<Store['runs']>) => (await store.runs(...query)).map(({ taskId }) => taskId);
    assert.deepEqual(await ids(['queued', 'approved'], 10), ['c', 'b', 'd', 'a']);
    assert.deepEqual(await ids(['queued', 'approved'], 10, 'plugin:'), ['b', 'd', 'a']);
    assert.deepEqual(await ids(['queued'], 2), ['c', 'b']);
    assert.deepEqual(await ids(['executing'], 10), []);
    const [first] = await store.runs(['queued'], 1);
    assert.deepEqual([first?.runner, first?.priority], ['agent:x', 9]);
  });

  test(`${name}: of many that claim a task, one gets it`, async (t) => {
    const { store, make } = await opened(t);
    await make('a', { runner: 'plugin:x' });
    const claims = await Promise.allSettled(
      Array.from({ length: 20 }, () => store.changeTask('a', { status: 'executing' }, ['queued', 'approved'])),
    );
    assert.equal(claims.filter(({ status }) => status === 'fulfilled').length, 1);
    await assert.rejects(store.changeTask('a', { status: 'paused' }, ['queued']), {
      code: 'invalid_transition',
      message: /queued.*executing/,
    });
    assert.equal((await store.changeTask('a', { title: 'fits' }, ['executing'])).title, 'fits');
  });
}
