import assert from 'node:assert/strict';
import test from 'node:test';
import type { Plugin } from '../../src/core/plugin.ts';
import { managed } from './support.ts';

type OldParams = Record<string, never> & {
  _task_log: (...line: unknown[]) => void;
  _task_id: string;
};
const old = (id: string, execute: (params: OldParams) => unknown, rest: Partial<Plugin> = {}): Plugin =>
  ({ id, name: id, execute, ...rest }) as unknown as Plugin;

test('a plugin that takes only params runs, and its lines are kept with source plugin', async (t) => {
  const { tasks, done, lines } = await managed(t);
  tasks.register(
    old('by-arity', (params) => {
      params._task_log('starting');
      params._task_log('careful', 'WARNING', { at: 1 });
      params._task_log('ERROR', 'level first');
      params._task_log('info', 'lower case level first', { at: 2 });
      params._task_log('ERROR');
      return { id: params._task_id, keys: Object.keys(params) };
    }),
  );
  const task = await done('by-arity', { target: 'x' });
  assert.deepEqual(task.result, { id: task.taskId, keys: ['target'] });
  assert.deepEqual(task.params, { target: 'x' });
  const written = (await lines(task.taskId)).filter(({ source }) => source === 'plugin');
  assert.deepEqual(
    written.map(({ level, message, metadata }) => [level, message, metadata]),
    [
      ['INFO', 'starting', null],
      ['WARNING', 'careful', { at: 1 }],
      ['ERROR', 'level first', null],
      ['INFO', 'lower case level first', { at: 2 }],
      ['INFO', 'ERROR', null],
    ],
  );
});

test('what a plugin declares beats its number of parameters', async (t) => {
  const { tasks, done } = await managed(t);
  tasks.register({
    id: 'rest',
    name: 'Rest',
    takesContext: true,
    execute: (...given: unknown[]) => typeof (given[1] as { taskId?: string }).taskId,
  });
  tasks.register(old('declared', (params) => typeof params._task_log, { takesContext: false }));
  assert.equal((await done('rest')).result, 'string');
  assert.equal((await done('declared')).result, 'function');
});

test('a new plugin gets plain params', async (t) => {
  const { tasks, done } = await managed(t);
  tasks.register({ id: 'new', name: 'New', execute: (params, _context) => '_task_log' in params });
  assert.equal((await done('new')).result, false);
});

test('nothing that an old plugin logs makes it throw', async (t) => {
  const { tasks, done, lines } = await managed(t);
  const round: Record<string, unknown> = { n: 1n };
  round.self = round;
  tasks.register(
    old('wild', (params) => {
      params._task_log();
      params._task_log(null, null, null);
      params._task_log({ an: 'object' }, 'INFO', round);
      params._task_log(Symbol('s'), 50);
    }),
  );
  const task = await done('wild');
  assert.equal(task.status, 'completed');
  const written = (await lines(task.taskId)).filter(({ source }) => source === 'plugin');
  assert.equal(written.length, 4);
  assert.deepEqual(written[2]?.metadata, { n: '1', self: '[Circular]' });
});
