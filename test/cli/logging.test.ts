import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openServerLog } from '../../src/cli/server-log.ts';
import type { Trail } from '../../src/core/trail.ts';
import { createRedactor } from '../../src/intake/redact.ts';
import { scratch } from '../support/scratch.ts';
import { served } from '../support/served.ts';
import { messages, type Place, place, reach, serve } from './cli.ts';

const SETTINGS = '/api/settings/logging';

/** Change the settings of a running server, and answer what holds then. */
async function set(url: string, change: object, headers: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(`${url}${SETTINGS}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(change),
  });
  assert.equal(answer.status, 200);
  return (await answer.json()) as Record<string, unknown>;
}

/** The paths of the requests that the server's own log tells of. */
async function requestsIn(at: Place): Promise<readonly unknown[]> {
  const text = await readFile(join(at.dataDir, 'server.log'), 'utf8');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return lines.filter(({ msg }) => msg === 'request').map(({ path }) => path);
}

/** The levels that are kept of a line of each. */
async function kept(trail: Trail, taskId: string): Promise<readonly string[]> {
  await trail.create({ taskId });
  await trail.append(
    taskId,
    ['DEBUG', 'INFO', 'WARNING', 'ERROR'].map((level) => ({ message: level, level })),
  );
  return messages(trail, taskId);
}

test('a change holds at once for console, file and tasks, each by its own level', async (t) => {
  const at = await place(t);
  const server = await serve(t, at);
  const trail = await reach(t, server.url);
  await fetch(`${server.url}/health?first`);
  assert.deepEqual(await kept(trail, 'before'), ['INFO', 'WARNING', 'ERROR']);
  await set(server.url, { level: 'DEBUG', task_log_level: 'ERROR' });
  await fetch(`${server.url}/ready`);
  assert.deepEqual(await kept(trail, 'loud'), ['ERROR']);
  await set(server.url, { level: 'WARNING', task_log_level: 'DEBUG' });
  await fetch(`${server.url}/metrics`);
  assert.deepEqual(await kept(trail, 'quiet'), ['DEBUG', 'INFO', 'WARNING', 'ERROR']);
  server.child.kill('SIGTERM');
  const { stderr } = await server.ended;
  const printed = [...stderr.matchAll(/DEBUG request .*path: '([^']*)'/g)].map(([, path]) => path);
  assert.deepEqual(await requestsIn(at), printed);
  assert.ok(printed.includes('/ready'));
  assert.ok(!printed.includes('/health') && !printed.includes('/metrics'), printed.join());
});

test('what was saved survives kill -9 and beats the environment; null gives the environment its say again', async (t) => {
  const at = await place(t, { TASKTRAIL_TASK_LOG_LEVEL: 'ERROR', TASKTRAIL_LOG_LEVEL: 'DEBUG' });
  const first = await serve(t, at);
  assert.match(await first.seen('try: '), /level ERROR and above\n {2}tells of itself at level DEBUG and above\n/);
  await set(first.url, { task_log_level: 'WARNING', level: 'ERROR', enable_belief_state: false });
  first.child.kill('SIGKILL');
  await first.ended;
  const second = await serve(t, at);
  const greeting = await second.seen('try: ');
  assert.match(greeting, /keeps lines of level WARNING and above, as saved by \/api\/settings\/logging\n/);
  assert.match(greeting, /tells of itself at level ERROR and above, as saved by \/api\/settings\/logging\n/);
  const held = await (await fetch(`${second.url}${SETTINGS}`)).json();
  assert.deepEqual(held, { level: 'ERROR', task_log_level: 'WARNING', enable_belief_state: false });
  assert.deepEqual(await kept(await reach(t, second.url), 'saved'), ['WARNING', 'ERROR']);
  const back = await set(second.url, { level: null, task_log_level: null, enable_belief_state: null });
  assert.deepEqual(back, { level: 'DEBUG', task_log_level: 'ERROR', enable_belief_state: true });
  assert.deepEqual(await kept(await reach(t, second.url), 'back'), ['ERROR']);
});

test('beliefs of a plugin are silenced and heard again while the server runs', async (t) => {
  const at = await place(t, { TASKTRAIL_TASK_LOG_LEVEL: 'DEBUG' });
  await writePlugin(at);
  const { url } = await serve(t, at);
  const trail = await reach(t, url);
  const run = async (taskId: string): Promise<readonly string[]> => {
    const body = JSON.stringify({ task_id: taskId, plugin: 'believes' });
    await fetch(`${url}/api/tasks`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    for await (const _ of trail.follow(taskId));
    return (await messages(trail, taskId)).filter((message) => message.startsWith('[work]') || message === 'plain');
  };
  const heard = ['[work][Entry]', 'plain', '[work][Coherence:OK]', '[work][Exit]'];
  assert.deepEqual(await run('heard'), heard);
  await set(url, { enable_belief_state: false });
  assert.deepEqual(await run('silent'), ['plain']);
  await set(url, { enable_belief_state: true });
  assert.deepEqual(await run('again'), heard);
});

test('the cause of a failure stands in the log under the request_id of its answer, at the level ERROR', async (t) => {
  const file = join(await scratch(t), 'server.log');
  const log = openServerLog({ level: 'ERROR', file, redactor: createRedactor(), print: () => {} });
  const broken = (): never => {
    throw new Error('the disk is gone');
  };
  const { json } = await served(t, { logger: log.logger, health: broken });
  const { status, body } = await json('GET', '/health');
  assert.deepEqual([status, body.code], [500, 'internal']);
  assert.doesNotMatch(body.detail, /disk/);
  await json('GET', '/no/such/place');
  await log.close();
  const [line, ...more] = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const { level, reqId, err } = JSON.parse(String(line));
  assert.deepEqual([level, reqId, err.message, more], ['ERROR', body.request_id, 'the disk is gone', []]);
});

test('no token reaches the log of the server, whatever it is sent in', async (t) => {
  const token = 'a-token-of-admins';
  const at = await place(t, { TASKTRAIL_TOKENS: `admin:${token}`, TASKTRAIL_LOG_LEVEL: 'DEBUG' });
  const { url, child, ended } = await serve(t, at);
  const authorization = { authorization: `Bearer ${token}` };
  for (const path of [`/api/tasks/${token}`, `/${token}?token=${token}`, '/api/tasks']) {
    await fetch(`${url}${path}`, { headers: { ...authorization, cookie: `session=${token}` } });
  }
  await set(url, { level: 'DEBUG' }, authorization);
  child.kill('SIGTERM');
  const { stderr, stdout } = await ended;
  assert.ok((await requestsIn(at)).includes('/api/tasks'));
  const file = await readFile(join(at.dataDir, 'server.log'), 'utf8');
  for (const text of [stdout, stderr, file]) assert.ok(!text.includes(token));
  assert.equal((await stat(join(at.dataDir, 'server.log'))).mode & 0o777, 0o600);
});

test('a log file that cannot be written is told once and stops nothing', async (t) => {
  const at = await place(t, { TASKTRAIL_LOG_FILE: 'taken' });
  await mkdir(join(at.cwd, 'taken'));
  const { url, child, ended } = await serve(t, at);
  assert.deepEqual(await kept(await reach(t, url), 'fine'), ['INFO', 'WARNING', 'ERROR']);
  child.kill('SIGTERM');
  const { code, stderr } = await ended;
  assert.equal(code, 0);
  assert.equal(stderr.split('log cannot be written').length - 1, 1, stderr);
  assert.deepEqual(await readdir(join(at.cwd, 'taken')), []);
});

async function writePlugin({ cwd }: Place): Promise<void> {
  const plugin = `
    import { beliefScope, logger } from 'tasktrail';
    export default { id: 'believes', name: 'Believes', execute: () => beliefScope('work', () => logger.info('plain')) };`;
  await writeFile(join(cwd, 'believes.mjs'), plugin);
  await writeFile(join(cwd, 'tasktrail.config.json'), JSON.stringify({ plugins: ['./believes.mjs'] }));
}
