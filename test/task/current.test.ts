import assert from 'node:assert/strict';
import test from 'node:test';
import { currentTask, logger, withTask } from '../../src/task/current.ts';
import { managed, plugin } from './support.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('code that a plugin calls and awaits reaches its logger without being handed it', async (t) => {
  const { tasks, done, lines } = await managed(t);
  async function deep(name: unknown): Promise<void> {
    await turn();
    logger.info(`deep in ${name}`);
    setTimeout(() => logger.warning(`later in ${name}`), 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    logger.withSource('database').error(`saved ${name}`, { rows: 1 });
  }
  tasks.register(plugin('deep', ({ name }) => deep(name)));
  const both = await Promise.all([done('deep', { name: 'one' }), done('deep', { name: 'two' })]);
  for (const [place, { taskId }] of both.entries()) {
    const name = place === 0 ? 'one' : 'two';
    const written = (await lines(taskId)).filter(({ source }) => source !== 'system');
    assert.deepEqual(
      written.map(({ source, level, message }) => [source, level, message]),
      [
        ['plugin', 'INFO', `deep in ${name}`],
        ['plugin', 'WARNING', `later in ${name}`],
        ['database', 'ERROR', `saved ${name}`],
      ],
    );
  }
});

test('outside of a task the logger writes nothing and breaks nothing', async () => {
  assert.equal(currentTask(), undefined);
  logger.debug('nobody');
  logger.info('nobody');
  logger.warning('nobody');
  logger.error('nobody');
  logger.progress(50);
  logger.withSource('x').info('nobody');
  await logger.flush();
  await logger.drain();
});

test('a program that reports a task itself can make it the current one', async (t) => {
  const { trail, lines } = await managed(t, { idle: true });
  const task = await trail.task({ title: 'mine' });
  const answer = await withTask(task, async () => {
    await turn();
    logger.info('from within');
    return 42;
  });
  assert.equal(answer, 42);
  assert.equal(currentTask(), undefined);
  await task.complete();
  assert.deepEqual(
    (await lines(task.id)).map(({ message }) => message),
    ['from within'],
  );
});

test('console is captured for the task that wants it, printed as ever, and put back afterwards', async (t) => {
  const { tasks, done, lines } = await managed(t);
  const printed: string[] = [];
  const before = { ...console };
  const quiet = t.mock.method(console, 'log', (text: string) => printed.push(text));
  const replaced = console.log;
  const talk = async () => {
    console.log('plain %s', 'text', { a: 1 });
    await turn();
    console.debug('small');
    console.warn('careful');
    console.error(new Error('broken').message);
  };
  t.mock.method(console, 'debug', () => {});
  t.mock.method(console, 'warn', () => {});
  t.mock.method(console, 'error', () => {});
  tasks.register(plugin('loud', talk, { captureConsole: true }));
  tasks.register(plugin('deaf', talk));
  const [loud, deaf] = await Promise.all([done('loud'), done('deaf')]);
  assert.equal(console.log, replaced, 'nothing is left behind');
  assert.deepEqual(printed, ['plain %s', 'plain %s']);
  const captured = (await lines(loud.taskId)).filter(({ source }) => source === 'console');
  assert.deepEqual(
    captured.map(({ level, message }) => [level, message]),
    [
      ['INFO', 'plain text { a: 1 }'],
      ['DEBUG', 'small'],
      ['WARNING', 'careful'],
      ['ERROR', 'broken'],
    ],
  );
  assert.ok((await lines(deaf.taskId)).every(({ source }) => source === 'system'));
  quiet.mock.restore();
  assert.equal(console.log, before.log);
});

test('what console cannot format is named, and the plugin goes on', async (t) => {
  const { tasks, done, lines } = await managed(t);
  t.mock.method(console, 'info', () => {});
  const bad = {
    [Symbol.for('nodejs.util.inspect.custom')]() {
      throw new Error('not today');
    },
  };
  tasks.register(
    plugin(
      'odd',
      () => {
        console.info('%o', bad);
        return 'went on';
      },
      { captureConsole: true },
    ),
  );
  const task = await done('odd');
  assert.equal(task.result, 'went on');
  const line = (await lines(task.taskId)).find(({ source }) => source === 'console');
  assert.match(line?.message ?? '', /Unreadable: not today/);
});
