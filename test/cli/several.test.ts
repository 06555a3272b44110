import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { Task } from '../../src/core/task.ts';
import { startOf } from '../../src/task/process-id.ts';
import { noRedis } from '../support/redis.ts';
import { messages, place, reach, serve, start, tasktrail } from './cli.ts';
import { several, until } from './several.ts';

const SKIP = { skip: noRedis };
const ended = ({ ended }: Task): boolean => ended;

test(
  'tasks that are posted to an api run on workers, each gets some, and the api shows what they do',
  SKIP,
  async (t) => {
    const { server, run, at } = await several(t);
    const api = await server('api');
    const url = String(api.url);
    const workers = [await server('worker'), await server('worker')];
    const consumer = await server('consumer');
    const trail = await reach(t, url);
    const ids = await Promise.all(Array.from({ length: 40 }, () => run(url, 'quick')));
    const done = await Promise.all(ids.map((id) => until(trail, id, ended)));
    const by = (pid: number | undefined): number => done.filter(({ result }) => result === pid).length;
    const shares = workers.map(({ child }) => by(child.pid));
    assert.equal(
      shares.reduce((sum, share) => sum + share),
      40,
      'each ran, on a worker',
    );
    assert.ok(Math.min(...shares) >= 5, `each worker gets some: ${shares}`);
    const seen = await messages(trail, String(ids[0]));
    assert.deepEqual(seen, ['Task started: quick', 'Task completed']);
    const metrics = await (await fetch(`${url}/metrics`, { headers: { accept: 'application/json' } })).json();
    const { queue_depth, queue_lag, pending, dead, tasks_processed } = metrics as Record<string, number>;
    assert.deepEqual([queue_depth, queue_lag, pending, dead, tasks_processed], [0, 0, 0, 0, 40]);
    assert.equal(((await (await fetch(`${url}/health`)).json()) as { redis: string }).redis, 'connected');
    for (const { child } of [...workers, consumer, api]) child.kill('SIGTERM');
    for (const running of [...workers, consumer, api]) assert.equal((await running.ended).code, 0);
    assert.ok(!existsSync(join(at.dataDir, 'owner.json')));
  },
);

test(
  'a worker that is killed: its tasks start again elsewhere or fail, its children are ended, others go on',
  SKIP,
  async (t) => {
    const command = `'${process.execPath}' -e 'setInterval(()=>console.log(process.pid),500)'`;
    const { server, run, go } = await several(t, {
      TASKTRAIL_AGENT_COMMAND: command,
      TASKTRAIL_AGENT_CONCURRENCY: '1',
    });
    const url = String((await server('api')).url);
    const trail = await reach(t, url);
    const first = await server('worker');
    const lost = [await run(url, 'again'), await run(url, 'once')] as const;
    const agent = await post(url, '/api/tasks', { agent: 'default', input: 'sleep' });
    for (const id of [...lost, agent]) await until(trail, id, ({ status }) => status === 'executing');
    const childPid = Number((await seen(trail, agent, /^\d+$/)).trim());
    const second = await server('worker');
    const other = await run(url, 'once');
    await until(trail, other, ({ status }) => status === 'executing');
    first.child.kill('SIGKILL');
    const failed = await Promise.all([lost[1], agent].map((id) => until(trail, id, ended)));
    for (const task of failed) assert.deepEqual([task.status, task.error], ['failed', 'server stopped']);
    await go(lost[0]);
    const again = await until(trail, lost[0], ended);
    assert.deepEqual([again.status, again.result], ['completed', second.child.pid]);
    assert.equal(await startOf(childPid), undefined, 'the child of the agent is ended');
    assert.equal((await trail.get(other)).status, 'executing', 'what another worker does goes on');
    await go(other);
    assert.equal((await until(trail, other, ended)).result, second.child.pid);
  },
);

test('an owner that is killed: another server does its work, and commands find another server', SKIP, async (t) => {
  const { server, run, at } = await several(t);
  const owner = await server('all');
  const api = await server('api');
  const worker = await server('worker');
  const trail = await reach(t, String(api.url));
  owner.child.kill('SIGKILL');
  await owner.ended;
  await Promise.race([api, worker].map(({ seen }) => seen('does its work from now on')));
  const taskId = await run(String(api.url), 'quick');
  assert.equal((await until(trail, taskId, ended)).result, worker.child.pid);
  const file = join(at.dataDir, 'tasks', taskId, '04-final-result.json');
  while (!existsSync(file)) await new Promise((again) => setTimeout(again, 20));
  assert.match(await readFile(file, 'utf8'), /"success":true/);
  const ran = await tasktrail(t, { ...at, env: { PATH: at.env.PATH ?? '' } }, 'logs', taskId);
  assert.deepEqual([ran.code, /Task completed/.test(ran.stdout)], [0, true]);
});

test('an owner that does not listen breaks no command: they ask a server that does', SKIP, async (t) => {
  const { server, at } = await several(t);
  await server('worker');
  const api = await server('api', '--tokens', 'admin:a-token-of-some-length');
  const env = { PATH: at.env.PATH ?? '' };
  const ran = await tasktrail(t, { ...at, env }, 'run', '--', process.execPath, '-p', '"hello"');
  assert.match(ran.stderr, new RegExp(`${api.url}/t/`), 'it is kept by the server that listens');
  const cards = ['owner.json', 'server.json'].map(async (name) =>
    JSON.parse(await readFile(join(at.dataDir, name), 'utf8')),
  );
  assert.deepEqual(
    (await Promise.all(cards)).map(({ url }) => url),
    [null, api.url],
  );
});

test('people steer a task at any server, wherever it runs', SKIP, async (t) => {
  const { server, run, go } = await several(t);
  const urls = [String((await server('api')).url), String((await server('api')).url)] as const;
  await server('worker');
  const trail = await reach(t, urls[1]);
  const asked = await run(urls[0], 'ask');
  await until(trail, asked, ({ status }) => status === 'awaiting_input');
  await post(urls[1], `/api/tasks/${asked}/pause`);
  await post(urls[0], `/api/tasks/${asked}/resume`);
  await until(trail, asked, ({ status }) => status === 'awaiting_input');
  await post(urls[1], `/api/tasks/${asked}/input`, { message: 'that' });
  assert.equal((await until(trail, asked, ended)).result, 'that');
  const cancelled = await run(urls[1], 'once');
  await until(trail, cancelled, ({ status }) => status === 'executing');
  await post(urls[0], `/api/tasks/${cancelled}/cancel`);
  assert.equal((await until(trail, cancelled, ended)).status, 'cancelled');
  const busy = await Promise.all([1, 2].map(() => run(urls[0], 'once')));
  for (const id of busy) await until(trail, id, ({ status }) => status === 'executing');
  // A worker has two places.
  const last = await run(urls[0], 'once');
  await post(urls[0], `/api/tasks/${last}/pause`);
  for (const id of [...busy, last]) await go(id);
  for (const id of busy) await until(trail, id, ended);
  assert.equal((await trail.get(last)).status, 'paused');
  await post(urls[1], `/api/tasks/${last}/resume`);
  assert.equal((await until(trail, last, ended)).status, 'completed');
});

test(
  'parameters with secrets reach the worker, and stand neither in the store nor as they are in Redis',
  SKIP,
  async (t) => {
    const { server, run, redis, at } = await several(t);
    const url = String((await server('api')).url);
    const trail = await reach(t, url);
    const token = `ghp_${'a1B2'.repeat(9)}`;
    const taskId = await run(url, 'secret', { token });
    const inRedis = await Promise.all((await redis.redis.keys('*:secret:*')).map((key) => redis.redis.getBuffer(key)));
    assert.equal(inRedis.length, 1);
    await server('worker');
    assert.equal((await until(trail, taskId, ended)).result, token.length);
    assert.ok(!inRedis[0]?.includes(token));
    for (const name of ['tasktrail.db', 'tasktrail.db-wal']) {
      assert.ok(!(await readFile(join(at.dataDir, name))).includes(token), name);
    }
    while ((await redis.redis.keys('*:secret:*')).length > 0) await new Promise((again) => setTimeout(again, 20));
  },
);

test('while Redis is away tasks are taken, and they run when it is back', SKIP, async (t) => {
  const { server, run, go, redis } = await several(t);
  const url = String((await server('api')).url);
  await server('worker');
  const trail = await reach(t, url);
  const before = await run(url, 'once');
  await until(trail, before, ({ status }) => status === 'executing');
  await redis.kill();
  const taken = await run(url, 'quick');
  await go(before);
  assert.equal((await until(trail, before, ended)).status, 'completed', 'what runs goes on');
  assert.equal((await trail.get(taken)).status, 'queued');
  const health = (await (await fetch(`${url}/health`)).json()) as { status: string; redis: string };
  assert.deepEqual([health.status, health.redis], ['healthy', 'reconnecting']);
  await redis.start();
  assert.equal((await until(trail, taken, ended)).status, 'completed');
});

test('a Redis that loses everything loses no task, and no worker is taken for gone', SKIP, async (t) => {
  const { server, run, go, redis } = await several(t);
  const url = String((await server('api')).url);
  await server('worker');
  const trail = await reach(t, url);
  const ids = await Promise.all([1, 2, 3, 4].map(() => run(url, 'once')));
  await until(trail, String(ids[0]), ({ startedAt }) => startedAt !== null);
  await redis.redis.flushall();
  for (const id of ids) await go(id);
  for (const id of ids) assert.equal((await until(trail, id, ended)).status, 'completed');
});

test(
  'without REDIS_URL a second server and every part of the work are refused, and so is a server beside one without it',
  SKIP,
  async (t) => {
    const { at, server } = await several(t);
    const alone = { ...at, env: { PATH: at.env.PATH ?? '' } };
    for (const role of ['api', 'worker', 'consumer']) {
      const { code, stderr } = await tasktrail(t, alone, 'serve', '--port', '0', '--role', role);
      assert.deepEqual([code, stderr.split('\n').length], [2, 2]);
      assert.match(stderr, new RegExp(`TASKTRAIL_ROLE: ${role} .*REDIS_URL`));
    }
    const first = await server('all');
    const beside = await tasktrail(t, alone, 'serve', '--port', '0');
    assert.equal(beside.code, 2);
    assert.match(beside.stderr, new RegExp(`the server ${first.url} .*owns the data directory`));
    first.child.kill('SIGTERM');
    await first.ended;
    const single = await serve(t, alone);
    const refused = await tasktrail(t, at, 'serve', '--port', '0');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, new RegExp(`the server ${single.url} .*REDIS_URL`));
  },
);

test('without REDIS_URL nothing of Redis is loaded; with it a package that is missing is named', async (t) => {
  const at = await place(t);
  const hook = join(at.cwd, 'hook.mjs');
  await writeFile(
    hook,
    `import { registerHooks } from 'node:module';
     registerHooks({ resolve(specifier, context, next) {
       if (!/^(ioredis|bullmq)(\\/|$)/.test(specifier)) return next(specifier, context);
       throw Object.assign(new Error('no package ' + specifier), { code: 'ERR_MODULE_NOT_FOUND' });
     } });`,
  );
  const env = { ...at.env, NODE_OPTIONS: `--import=${hook}` };
  const server = await serve(t, { ...at, env });
  const task = await post(server.url, '/api/tasks', { plugin: 'demo' });
  assert.equal((await until(await reach(t, server.url), task, ended)).status, 'completed');
  server.child.kill('SIGTERM');
  assert.equal((await server.ended).code, 0);
  const asked = start(t, { ...at, env: { ...env, REDIS_URL: 'redis://127.0.0.1:1' } }, ['serve', '--port', '0']);
  const { code, stderr } = await asked.ended;
  assert.deepEqual(
    [code, stderr],
    [2, 'tasktrail: REDIS_URL: expected the package bullmq; npm install bullmq ioredis\n'],
  );
});

async function post(url: string, path: string, body?: object): Promise<string> {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${url}${path}`, { method: 'POST', ...(body && json) });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.clone().text()}`);
  return ((await response.json()) as { task_id: string }).task_id;
}

/** The first line that fits. */
async function seen(trail: Awaited<ReturnType<typeof reach>>, taskId: string, shape: RegExp): Promise<string> {
  for await (const { message } of trail.follow(taskId)) if (shape.test(message)) return message;
  throw new Error(`expected a line like ${shape}`);
}
