import assert from 'node:assert/strict';
import test from 'node:test';
import type { LogEntry } from '../../src/core/entry.ts';
import { type BeliefScope, beliefScope } from '../../src/task/belief.ts';
import { managed, plugin } from './support.ts';

const said = (lines: readonly LogEntry[]) =>
  lines.filter(({ metadata }) => metadata?.belief_scope).map(({ level, message }) => `${level} ${message}`);

test('a scope writes Entry, its actions, Coherence:OK and Exit at DEBUG, and answers what the work answered', async (t) => {
  const { tasks, done, lines } = await managed(t);
  tasks.register(
    plugin('sync', () =>
      beliefScope('add', (scope) => {
        scope.action('counting', { from: 1 });
        return 1 + 1;
      }),
    ),
  );
  const task = await done('sync');
  assert.equal(task.result, 2);
  const all = await lines(task.taskId);
  assert.deepEqual(said(all), [
    'DEBUG [add][Entry]',
    'DEBUG [add][Action] counting',
    'DEBUG [add][Coherence:OK]',
    'DEBUG [add][Exit]',
  ]);
  const action = all.find(({ message }) => message.includes('[Action]'));
  assert.deepEqual(action?.metadata, { from: 1, belief_scope: 'add', belief_state: 'Action' });
  const exit = all.find(({ message }) => message.endsWith('[Exit]'));
  assert.ok(Number(exit?.metadata?.duration_ms) >= 0);
  assert.equal(exit?.source, 'plugin');
});

test('async work is followed to its end', async (t) => {
  const { tasks, done, lines } = await managed(t);
  tasks.register(
    plugin('async', (_params, { logger }) =>
      beliefScope('load', async () => {
        await new Promise((resolve) => setImmediate(resolve));
        logger.debug('between');
        return 'loaded';
      }),
    ),
  );
  const task = await done('async');
  assert.equal(task.result, 'loaded');
  const messages = (await lines(task.taskId)).filter(({ level }) => level === 'DEBUG').map(({ message }) => message);
  assert.deepEqual(messages, ['[load][Entry]', 'between', '[load][Coherence:OK]', '[load][Exit]']);
});

for (const [kind, work] of [
  ['sync', () => failing()],
  ['async', async () => failing()],
] as const) {
  test(`what ${kind} work throws is written as Coherence:Failed and thrown again`, async (t) => {
    const { tasks, done, lines } = await managed(t);
    let caught: unknown;
    tasks.register(
      plugin('fails', async () => {
        try {
          await beliefScope('break', work);
        } catch (error) {
          caught = error;
        }
      }),
    );
    const task = await done('fails');
    assert.equal(caught, ERROR);
    const all = await lines(task.taskId);
    assert.deepEqual(said(all), [
      'DEBUG [break][Entry]',
      'DEBUG [break][Coherence:Failed] no luck',
      'DEBUG [break][Exit]',
    ]);
    const failed = all.find(({ message }) => message.includes('Failed'));
    assert.match(JSON.stringify(failed?.metadata), /"message":"no luck"/);
  });
}

test('scopes within scopes close from the inside', async (t) => {
  const { tasks, done, lines } = await managed(t);
  tasks.register(plugin('nested', () => beliefScope('outer', () => beliefScope('inner', () => 1))));
  assert.deepEqual(said(await lines((await done('nested')).taskId)), [
    'DEBUG [outer][Entry]',
    'DEBUG [inner][Entry]',
    'DEBUG [inner][Coherence:OK]',
    'DEBUG [inner][Exit]',
    'DEBUG [outer][Coherence:OK]',
    'DEBUG [outer][Exit]',
  ]);
});

test('switched off, a scope is silent and the work is done all the same', async (t) => {
  let on = false;
  const { tasks, done, lines } = await managed(t, { beliefs: () => on });
  tasks.register(plugin('quiet', () => beliefScope('hush', (scope: BeliefScope) => scope.action('x') ?? 'done')));
  const off = await done('quiet');
  assert.equal(off.result, 'done');
  assert.deepEqual(said(await lines(off.taskId)), []);
  on = true;
  assert.equal(said(await lines((await done('quiet')).taskId)).length, 4);
});

test('at the ordinary task level scopes leave no line', async (t) => {
  const { tasks, done, lines } = await managed(t, { taskLevel: 'INFO' });
  tasks.register(plugin('quiet', () => beliefScope('hush', () => 1)));
  assert.deepEqual(said(await lines((await done('quiet')).taskId)), []);
});

test('outside of a task only the work is done, unless a logger is given', async (t) => {
  assert.equal(
    beliefScope('alone', () => 5),
    5,
  );
  const { trail, lines } = await managed(t, { idle: true });
  const task = await trail.task();
  beliefScope('given', () => 1, { logger: task.logger });
  await task.complete();
  assert.equal(said(await lines(task.id)).length, 3);
});

const ERROR = new Error('no luck');

function failing(): never {
  throw ERROR;
}
