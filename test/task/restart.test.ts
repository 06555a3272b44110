import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from '../support/scratch.ts';
import { managed, plugin } from './support.ts';

const ASKER = fileURLToPath(new URL('../fixtures/programs/asker.ts', import.meta.url));
const RUNNER = fileURLToPath(new URL('../fixtures/programs/runner.ts', import.meta.url));

interface Ran {
  readonly dataDir: string;
  readonly ids: Readonly<Record<'lost' | 'again' | 'ask' | 'queued' | 'outside', string>>;
  readonly childPid: number;
  readonly child: ChildProcess;
}

/** A process that has tasks at work, and others that wait. */
async function runner(t: TestContext): Promise<Ran> {
  const dataDir = await scratch(t);
  const child = spawn(process.execPath, [RUNNER, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let ids: Ran['ids'] | undefined;
  let childPid = 0;
  const at = new Set<string>();
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line) as { ids?: Ran['ids']; at?: string; child?: number };
    ids ??= told.ids;
    childPid ||= told.child ?? 0;
    if (told.at) at.add(told.at);
    if (ids && at.size === 3) return { dataDir, ids, childPid, child };
  }
  throw new Error('the process ended before its tasks were at work');
}

test('after kill -9 what was at work is failed or starts again, what waited runs, and children are ended', async (t) => {
  const { dataDir, ids, childPid, child } = await runner(t);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(isAlive(childPid), 'the child outlived its parent');
  const { tasks, trail, lines } = await managed(t, { dataDir, idle: true });
  const params: unknown[] = [];
  tasks.register(plugin('lost', () => 'never called'));
  tasks.register(plugin('ask', () => 'never called'));
  tasks.register(plugin('again', (given) => params.push(given), { restartable: true }));
  assert.equal((await trail.get(ids.lost)).status, 'executing');
  await tasks.start();
  for (const id of [ids.lost, ids.ask]) {
    const task = await tasks.wait(id);
    assert.deepEqual([task.status, task.error], ['failed', 'server stopped']);
    const last = (await lines(id)).at(-1);
    assert.deepEqual([last?.level, last?.source], ['ERROR', 'system']);
  }
  assert.equal((await tasks.wait(ids.again)).status, 'completed');
  assert.equal((await tasks.wait(ids.queued)).status, 'completed');
  assert.deepEqual(params, [{}, { n: 2 }]);
  const again = (await lines(ids.again)).map(({ message }) => message);
  assert.deepEqual(again, [
    'Task started: again',
    'first try',
    'The server stopped while the task ran; it starts again',
    'Task started: again',
    'Task completed',
  ]);
  assert.ok(!isAlive(childPid), 'the child was ended');
  assert.equal((await trail.get(ids.outside)).status, 'executing', 'what others report is left alone');
});

test('a process that closes leaves word: failed, or back in the queue', async (t) => {
  const dataDir = await scratch(t);
  const first = await managed(t, { dataDir });
  const hang = (_params: object, { signal }: { signal: AbortSignal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  first.tasks.register(plugin('lost', hang));
  first.tasks.register(plugin('again', hang, { restartable: true }));
  const lost = (await first.tasks.run('lost')).taskId;
  const again = (await first.tasks.run('again')).taskId;
  for (const id of [lost, again]) await first.when(id, ({ status }) => status === 'executing');
  await first.tasks.close();
  assert.deepEqual(
    [await first.trail.get(lost), await first.trail.get(again)].map(({ status, error }) => [status, error]),
    [
      ['failed', 'server stopped'],
      ['queued', null],
    ],
  );
  await first.trail.close();
  const second = await managed(t, { dataDir, idle: true });
  second.tasks.register(plugin('again', () => 'at last', { restartable: true }));
  await second.tasks.start();
  assert.equal((await second.tasks.wait(again)).result, 'at last');
});

test('a task that waits for a plugin that is gone says so, instead of waiting for ever', async (t) => {
  const dataDir = await scratch(t);
  const first = await managed(t, { dataDir, idle: true });
  first.tasks.register(plugin('removed', () => 1));
  const { taskId } = await first.tasks.run('removed');
  await first.trail.close();
  const second = await managed(t, { dataDir });
  const task = await second.tasks.wait(taskId);
  assert.deepEqual([task.status, /removed/.test(task.error ?? '')], ['failed', true]);
});

test('parameters with secrets are not stored: a task that waited over a restart says so', async (t) => {
  const dataDir = await scratch(t);
  const first = await managed(t, { dataDir, idle: true });
  first.tasks.register(plugin('secret', () => 1));
  const { taskId } = await first.tasks.run('secret', { token: `ghp_${'a'.repeat(36)}` });
  await first.trail.close();
  const second = await managed(t, { dataDir, idle: true });
  second.tasks.register(plugin('secret', () => 1));
  await second.tasks.start();
  const task = await second.tasks.wait(taskId);
  assert.deepEqual([task.status, /secrets/.test(task.error ?? '')], ['failed', true]);
});

test('one process runs the tasks of a data directory; a second one is told who does', async (t) => {
  const dataDir = await scratch(t);
  const first = await managed(t, { dataDir });
  const second = await managed(t, { dataDir, idle: true });
  second.tasks.register(plugin('a', () => 1));
  await assert.rejects(second.tasks.start(), { code: 'owner_exists' });
  await first.tasks.close();
  await first.trail.close();
});

test('a process whose task waits for a person stays alive, hears an answer from elsewhere, and ends when it is closed', async (t) => {
  const dataDir = await scratch(t);
  const child = spawn(process.execPath, [ASKER, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const printed = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const taskId = String((await printed.next()).value);
  const { trail, when } = await managed(t, { dataDir, idle: true });
  await when(taskId, ({ status }) => status === 'awaiting_input');
  await trail.input(taskId, 'yes');
  assert.equal((await printed.next()).value, 'yes');
  assert.deepEqual(await ended, [0, null]);
});

test('a task that starts again can be paused while it waits, and goes on in the queue', async (t) => {
  const dataDir = await scratch(t);
  const first = await managed(t, { dataDir, concurrency: 2 });
  const hang = (_params: object, { signal }: { signal: AbortSignal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  first.tasks.register(plugin('again', hang, { restartable: true }));
  const ids = [(await first.tasks.run('again')).taskId, (await first.tasks.run('again')).taskId] as const;
  for (const id of ids) await first.when(id, ({ status }) => status === 'executing');
  await first.tasks.close();
  await first.trail.close();
  const second = await managed(t, { dataDir, concurrency: 1, idle: true });
  let free = (): void => {};
  let runs = 0;
  const wait = (): unknown => (++runs === 1 ? new Promise<void>((resolve) => (free = resolve)) : 'done');
  second.tasks.register(plugin('again', wait, { restartable: true }));
  await second.tasks.start();
  await second.when(ids[0], ({ status }) => status === 'executing');
  assert.equal((await second.tasks.pause(ids[1])).status, 'paused');
  assert.equal((await second.tasks.resume(ids[1])).status, 'queued');
  free();
  assert.equal((await second.tasks.wait(ids[1])).result, 'done');
});

test('a start that failed may be tried again', async (t) => {
  const dataDir = await scratch(t);
  const first = await managed(t, { dataDir });
  const second = await managed(t, { dataDir, idle: true });
  second.tasks.register(plugin('a', () => 'ran'));
  await assert.rejects(second.tasks.start(), { code: 'owner_exists' });
  await first.tasks.close();
  await first.trail.close();
  await second.tasks.start();
  assert.equal((await second.done('a')).result, 'ran');
});

/** A zombie, which nobody has looked after yet, counts as gone. */
function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return /^[^Z\s]/.test(stdout);
}
