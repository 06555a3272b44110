import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isSource } from '../../src/core/entry.ts';
import type { TaskContext } from '../../src/core/plugin.ts';
import { managed, plugin } from './support.ts';

test('a context knows its task, its params and its signal', async (t) => {
  const { tasks, done } = await managed(t);
  tasks.register(
    plugin('facts', (params, context) => ({
      id: context.taskId,
      same: context.params === params,
      aborted: context.signal.aborted,
      paused: context.paused,
    })),
  );
  const task = await done('facts', { a: 1 });
  assert.deepEqual(task.result, { id: task.taskId, same: true, aborted: false, paused: false });
});

test('a plugin may take the parts of its context apart', async (t) => {
  const { tasks, done, lines } = await managed(t);
  tasks.register(
    plugin('apart', async (_params, { logger, progress, checkpoint, metrics, createSubContext }) => {
      progress(10);
      await checkpoint();
      metrics({ numTurns: 1 });
      createSubContext('sub').logger.info('from below');
      logger.info('from above');
    }),
  );
  const task = await done('apart');
  assert.equal(task.status, 'completed');
  assert.deepEqual(
    (await lines(task.taskId)).filter(({ source }) => source !== 'system').map(({ source }) => source),
    ['plugin', 'sub', 'plugin'],
  );
});

test('a plugin that listens hears what is said, in order, until it stops; then nothing is taken', async (t) => {
  const { tasks, when } = await managed(t);
  tasks.register(
    plugin('ear', async (_params, context: TaskContext) => {
      const heard: string[] = [];
      let enough = (): void => {};
      const all = new Promise<void>((resolve) => {
        enough = resolve;
      });
      const { stop } = await context.takeInput(async (message) => {
        heard.push(message);
        if (message === 'go on') enough();
      });
      await all;
      await stop();
      await context.input('Sure?');
      return heard;
    }),
  );
  const { taskId } = await tasks.run('ear');
  await when(taskId, ({ metadata }) => metadata?.takes_input === true);
  for (const message of ['left', 'right', 'go on']) await tasks.input(taskId, message);
  const asking = await when(taskId, ({ status }) => status === 'awaiting_input');
  assert.equal(asking.metadata?.takes_input, null);
  await tasks.input(taskId, 'yes');
  assert.deepEqual((await tasks.wait(taskId)).result, ['left', 'right', 'go on']);
});

test('a changed copy of the params leaves the stored ones as they are', async (t) => {
  const { tasks, done } = await managed(t);
  tasks.register(
    plugin('rude', (params: Record<string, unknown>) => {
      params.a = 'changed';
    }),
  );
  const given = { a: 'given' };
  assert.deepEqual((await done('rude', given)).params, { a: 'given' });
  assert.deepEqual(given, { a: 'given' });
});

test('a sub-context writes under its own source, its parent goes on under its own', async (t) => {
  const { tasks, done, lines } = await managed(t);
  tasks.register(
    plugin('family', (_params, context: TaskContext) => {
      const api = context.createSubContext('superset_api');
      const deeper = api.createSubContext('cache');
      context.logger.info('1');
      api.logger.info('2');
      deeper.progress(50, '3');
      api.progress(60, '4');
      context.logger.info('5');
      return [api.taskId, deeper.signal === context.signal, api.params === context.params];
    }),
  );
  const task = await done('family');
  assert.deepEqual(task.result, [task.taskId, true, true]);
  assert.deepEqual(
    (await lines(task.taskId))
      .filter(({ source }) => source !== 'system')
      .map(({ source, message }) => [source, message]),
    [
      ['plugin', '1'],
      ['superset_api', '2'],
      ['cache', '3'],
      ['superset_api', '4'],
      ['plugin', '5'],
    ],
  );
});

test('withSource leaves the logger it came from untouched', async (t) => {
  const { trail, lines } = await managed(t, { idle: true });
  const { id, logger, complete } = await trail.task();
  const git = logger.withSource('git');
  const api = git.withSource('api');
  for (const [writer, text] of [
    [logger, 'a'],
    [git, 'b'],
    [api, 'c'],
    [git, 'd'],
    [logger, 'e'],
  ] as const) {
    writer.info(text);
  }
  await complete();
  assert.deepEqual(
    (await lines(id)).map(({ source, message }) => [source, message]),
    [
      ['system', 'a'],
      ['git', 'b'],
      ['api', 'c'],
      ['git', 'd'],
      ['system', 'e'],
    ],
  );
});

test('one call may name its own source, by its options or in its metadata', async (t) => {
  const { trail, lines } = await managed(t, { idle: true });
  const { id, logger, complete } = await trail.task();
  logger.info('by option', { rows: 1 }, { source: 'database' });
  logger.warning('by metadata', { source: 'storage', rows: 2 });
  logger.error('options first', { source: 'storage' }, { source: 'database' });
  logger.debug('no metadata', null, { source: 'cache' });
  logger.info('not a source', { source: 'a,b' });
  logger.info('not a text', { source: { url: 'x' } });
  await complete();
  assert.deepEqual(
    (await lines(id)).map(({ source, metadata }) => [source, metadata]),
    [
      ['database', { rows: 1 }],
      ['storage', { source: 'storage', rows: 2 }],
      ['database', { source: 'storage' }],
      ['cache', null],
      ['system', { source: 'a,b' }],
      ['system', { source: { url: 'x' } }],
    ],
  );
});

test('each level has its method, and a line the time at which it was written', async (t) => {
  const { trail, lines } = await managed(t, { idle: true });
  const { id, logger, complete } = await trail.task();
  const from = Date.now();
  for (const level of ['debug', 'info', 'warning', 'error'] as const) logger[level](level, { level });
  const to = Date.now();
  await complete();
  const all = await lines(id);
  assert.deepEqual(
    all.map(({ level, message, metadata, type, stream, seq }) => [level, message, metadata, type, stream, seq]),
    [
      ['DEBUG', 'debug', { level: 'debug' }, 'log', null, 1],
      ['INFO', 'info', { level: 'info' }, 'log', null, 2],
      ['WARNING', 'warning', { level: 'warning' }, 'log', null, 3],
      ['ERROR', 'error', { level: 'error' }, 'log', null, 4],
    ],
  );
  for (const { timestamp } of all) assert.ok(Date.parse(timestamp) >= from && Date.parse(timestamp) <= to);
});

test('progress is clamped to 0–100 and leaves a line that draws a bar', async (t) => {
  const { trail, lines } = await managed(t, { idle: true });
  const { id, logger, complete } = await trail.task();
  for (const percent of [0, 33.3, 100, -5, 250, Number.NaN, Number.POSITIVE_INFINITY]) logger.progress(percent);
  logger.progress(50, 'half way');
  logger.progress('70' as never, 5 as never);
  await complete();
  const all = await lines(id);
  assert.deepEqual(
    all.map(({ metadata }) => metadata?.progress),
    [0, 33.3, 100, 0, 100, 0, 100, 50, 70],
  );
  assert.ok(all.every(({ type, level }) => type === 'progress' && level === 'INFO'));
  assert.deepEqual([all[1]?.message, all[7]?.message, all[8]?.message], ['33.3 %', 'half way', '5']);
});

test('nothing that a logger is given makes it throw, and each call leaves its line', async (t) => {
  const { trail, lines } = await managed(t, { idle: true });
  const { id, logger, complete } = await trail.task();
  let calls = 0;
  fc.assert(
    fc.property(fc.anything(WILD), fc.anything(WILD), fc.anything(WILD), (message, metadata, options) => {
      logger.info(message as string, metadata as never, options as never);
      logger.withSource(message as string).progress(metadata as number, options as string);
      calls += 2;
    }),
    { numRuns: 300 },
  );
  await complete();
  const all = await lines(id);
  assert.equal(all.length, calls);
  assert.ok(all.every(({ source }) => isSource(source)));
});

test('methods of a logger may be handed on by themselves', async (t) => {
  const { trail, lines } = await managed(t, { idle: true });
  const { id, logger, complete } = await trail.task();
  const { info, withSource } = logger;
  info('taken out');
  withSource('git').info('and again');
  ['a', 'b'].map((text) => text).forEach(logger.debug as (text: string) => void);
  await complete();
  assert.equal((await lines(id)).length, 4);
});

test('flush resolves when every line so far is committed; a line after the end is a late one', async (t) => {
  const { trail, lines } = await managed(t, { idle: true });
  const { id, logger, complete } = await trail.task();
  logger.info('before');
  await logger.flush();
  assert.equal((await lines(id)).length, 1);
  await complete('done');
  logger.info('late');
  await logger.flush();
  const task = await trail.get(id);
  assert.deepEqual([task.status, task.result, task.log.total], ['completed', 'done', 2]);
});

test('two loggers of one task keep the order in which they wrote', async (t) => {
  const { trail, lines } = await managed(t, { idle: true });
  const { id, logger, complete } = await trail.task();
  const other = logger.withSource('other');
  for (let n = 0; n < 1_000; n++) (n % 2 === 0 ? logger : other).info(String(n));
  await complete();
  assert.deepEqual(
    (await lines(id)).map(({ message }) => Number(message)),
    Array.from({ length: 1_000 }, (_, n) => n),
  );
});

const WILD = {
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withSparseArray: true,
  withNullPrototype: true,
};
