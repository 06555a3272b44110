import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, readdir, readFile, realpath, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { agentOptions, configuredAgents } from '../../src/cli/agents.ts';
import { readConfig } from '../../src/cli/config.ts';
import { readSections } from '../../src/cli/config-file.ts';
import type { AgentRun } from '../../src/core/plugin.ts';
import { TaskManager } from '../../src/task/manager.ts';
import { scratch } from '../support/scratch.ts';
import { managed } from '../task/support.ts';
import { place, reach, serve } from './cli.ts';

const NODE = process.execPath;
const AGENT = fileURLToPath(new URL('../fixtures/programs/fake-agent.js', import.meta.url));
/** An agent that tells its environment and where it runs. */
const TELLS = [NODE, AGENT, 'none', '0', 'env'];
const noGit = spawnSync('git', ['--version']).error ? 'git is not installed' : false;

async function written(t: TestContext, content: object, env: Readonly<Record<string, string>> = {}) {
  const cwd = await realpath(await scratch(t));
  await writeFile(join(cwd, 'tasktrail.config.json'), JSON.stringify(content));
  return { cwd, config: readConfig({ cwd, env }) };
}

async function options(t: TestContext, agent: object, env: Readonly<Record<string, string>> = {}) {
  const { config } = await written(t, { agents: { a: { command: 'claude -p', ...agent } } }, env);
  const { a } = readSections(config.sections).agents;
  assert.ok(a);
  return agentOptions('a', a, config);
}

/** A manager with the agents of a config file. */
async function server(t: TestContext, content: object, env: Readonly<Record<string, string>> = {}) {
  const parts = await managed(t, { idle: true });
  const { cwd, config } = await written(t, content, { ...env, TASKTRAIL_DATA_DIR: parts.dataDir });
  const warned: string[] = [];
  const { agents, workspaces } = configuredAgents(config, {
    parts: parts.trail.parts,
    warn: (message) => void warned.push(message),
  });
  const tasks = new TaskManager(parts.trail, { agents });
  t.after(async () => {
    await tasks.close();
    await workspaces.close();
  });
  await tasks.start();
  workspaces.start();
  const run = async (name: string, how?: AgentRun) => {
    const { taskId } = await tasks.runAgent(name, { input: { message: 'Do it' } }, how);
    return tasks.wait(taskId);
  };
  /** What the agent of a task told: its environment, and where it ran. */
  const told = async (taskId: string) => {
    const line = (await parts.lines(taskId)).find(({ message }) => message.startsWith('{'))?.message ?? '';
    const [env = '', where = ''] = line.split(' in ');
    return { env: JSON.parse(env) as Readonly<Record<string, string>>, where };
  };
  return { ...parts, cwd, run, told, warned, workspaces };
}

test('what an agent leaves out comes from the settings', async (t) => {
  const given = await options(
    t,
    {},
    { TASKTRAIL_AGENT_TIMEOUT: '100', TASKTRAIL_AGENT_STALL_MINUTES: '7', TASKTRAIL_AGENT_COMMAND: 'other' },
  );
  const { env: _, kind, ...rest } = given;
  assert.equal(kind.id, 'claude');
  assert.deepEqual(rest, {
    ...{ name: 'a', type: null, model: null, command: ['claude', '-p'], input: 'none' },
    ...{ timeoutSeconds: 100, stallMinutes: 7 },
    plan: { command: ['claude', '-p', '--permission-mode', 'plan'], timeoutSeconds: 100 },
  });
});

test('what it says beats the settings', async (t) => {
  const env = { TASKTRAIL_AGENT_TIMEOUT: '100', PLANNING_AGENT_TIMEOUT: '50' };
  const { kind, type, model, timeoutSeconds, plan, input } = await options(
    t,
    {
      ...{ type: 'planning', model: 'opus', parser: 'generic', timeout_seconds: 9, input: 'text' },
      ...{ plan_command: ['plan it', '--now'], plan_timeout_seconds: 8 },
    },
    env,
  );
  assert.deepEqual([kind.id, type, model, timeoutSeconds, input], ['generic', 'planning', 'opus', 9, 'text']);
  assert.deepEqual(plan, { command: ['plan it', '--now'], timeoutSeconds: 8 });
  assert.equal((await options(t, { timeout_seconds: 9 }, env)).plan?.timeoutSeconds, 50);
  assert.equal((await options(t, { timeout_seconds: 9 })).plan?.timeoutSeconds, 9);
});

test('the program tells the parser, and the command how it plans and what it reads', async (t) => {
  const of = async (command: unknown, rest: object = {}) => {
    const { kind, input, plan } = await options(t, { command, ...rest });
    return [kind.id, input, plan?.command.join(' ')];
  };
  assert.deepEqual(await of('/opt/bin/claude -p'), ['claude', 'none', '/opt/bin/claude -p --permission-mode plan']);
  for (const named of ['claude --permission-mode acceptEdits', 'claude --permission-mode=default']) {
    assert.deepEqual(await of(named), ['claude', 'none', named]);
  }
  for (const reads of ['--input-format stream-json', '--input-format=stream-json']) {
    assert.deepEqual((await of(`claude ${reads}`))[1], 'stream-json');
  }
  assert.equal((await of('claude --input-format text'))[1], 'none');
  assert.equal((await of('claude --input-format stream-json', { input: 'none' }))[1], 'none');
  assert.deepEqual(await of(['my-agent', '--x']), ['generic', 'none', 'my-agent --x']);
  assert.deepEqual(await of('my-agent', { parser: 'claude' }), ['claude', 'none', 'my-agent --permission-mode plan']);
});

test('agents of the config file run beside the built-in one, each with the variables that it names', async (t) => {
  process.env.FOR_ALL_AGENTS = 'all';
  process.env.FOR_THIS_AGENT = 'this';
  t.after(() => {
    delete process.env.FOR_ALL_AGENTS;
    delete process.env.FOR_THIS_AGENT;
  });
  const settings = {
    TASKTRAIL_AGENT_COMMAND: TELLS.map((word) => `'${word}'`).join(' '),
    TASKTRAIL_AGENT_ENV: 'FOR_ALL_*',
  };
  const { run, told, dataDir, cwd } = await server(
    t,
    { agents: { here: { command: TELLS, env: ['FOR_THIS_AGENT'], cwd: 'sub dir' } } },
    settings,
  );
  await mkdir(join(cwd, 'sub dir'));
  const [builtIn, here] = [await run('default'), await run('here')];
  assert.deepEqual([builtIn.status, here.status], ['completed', 'completed']);
  const [first, second] = [await told(builtIn.taskId), await told(here.taskId)];
  assert.equal(first.where, await realpath(join(dataDir, 'workspaces', builtIn.taskId)));
  assert.equal(second.where, join(cwd, 'sub dir'));
  assert.deepEqual([first.env.FOR_ALL_AGENTS, first.env.FOR_THIS_AGENT], ['all', undefined]);
  assert.deepEqual([second.env.FOR_ALL_AGENTS, second.env.FOR_THIS_AGENT], ['all', 'this']);
});

test('the config file may define the default agent anew', async (t) => {
  const { run, lines } = await server(
    t,
    { agents: { default: { command: [NODE, '-e', 'console.log("anew")'] } } },
    { TASKTRAIL_AGENT_COMMAND: 'no-such-program' },
  );
  const { taskId, status } = await run('default');
  assert.equal(status, 'completed');
  assert.ok((await lines(taskId)).some(({ message }) => message === 'anew'));
});

test('an agent runs in the repository that was asked for; a preparation that fails fails the task', {
  skip: noGit,
}, async (t) => {
  const remote = await scratch(t);
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', remote, '-c', 'user.name=A', '-c', 'user.email=a@b', ...args]);
  git('init', '-q');
  await writeFile(join(remote, 'notes'), 'in the repository\n');
  git('add', '.');
  git('commit', '-q', '-m', 'notes');
  const { run, lines } = await server(t, { agents: { reader: { command: ['cat', 'notes', 'prepared'] } } });
  const prepare: [string, ...string[]][] = [['cp', 'notes', 'prepared']];
  const fine = await run('reader', { workspace: { repo: remote, prepare } });
  assert.equal(fine.status, 'completed', fine.error ?? '');
  const said = (await lines(fine.taskId)).map(({ source, message }) => `${source}: ${message}`);
  assert.ok(said.includes(`system: Cloning ${remote}`) && said.includes('system: Preparing: cp notes prepared'));
  assert.equal(said.filter((line) => line.endsWith(': in the repository')).length, 2);
  const failed = await run('reader', { workspace: { repo: remote, prepare: [['cp', 'nothing', 'prepared']] } });
  assert.deepEqual([failed.status, failed.exitCode], ['failed', 1]);
  assert.match(failed.error ?? '', /^cp nothing prepared: ended with exit code 1\ncp: .*nothing/);
  const unknown = await run('reader', { workspace: { repo: remote, ref: 'no-such-branch' } });
  assert.match(unknown.error ?? '', /expected a branch or tag "no-such-branch"/);
});

test('TASKTRAIL_AGENT_CWD is used as it is, and stays when a task is deleted', async (t) => {
  const cwd = await realpath(await scratch(t));
  await writeFile(join(cwd, 'mine'), 'kept');
  const settings = { TASKTRAIL_AGENT_CWD: cwd, TASKTRAIL_AGENT_COMMAND: TELLS.map((word) => `'${word}'`).join(' ') };
  const { run, told, lines, trail, workspaces } = await server(t, {}, settings);
  const task = await run('default', { workspace: { repo: '/nowhere' } });
  assert.equal(task.status, 'completed', task.error ?? '');
  assert.equal((await told(task.taskId)).where, cwd);
  assert.ok((await lines(task.taskId)).some(({ message }) => message.startsWith('Its repository is not cloned')));
  await trail.parts.intake.deleteTask(task.taskId, 'ada');
  await workspaces.settled();
  assert.equal(await readFile(join(cwd, 'mine'), 'utf8'), 'kept');
});

test('a server lists its agents, runs one by its name, and removes its workspace with its task', async (t) => {
  const at = await place(t);
  const agents = { writer: { command: [NODE, '-e', 'require("fs").writeFileSync("made", "")'], type: 'executing' } };
  await writeFile(join(at.cwd, 'tasktrail.config.json'), JSON.stringify({ agents }));
  const { url } = await serve(t, at);
  const send = async (method: string, path: string, body?: object) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}${path}`, { method, ...(body && { headers, body: JSON.stringify(body) }) });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    return response;
  };
  assert.deepEqual(await (await send('GET', '/api/agents')).json(), {
    agents: [
      { id: 'default', name: 'Claude Code CLI' },
      { id: 'writer', name: 'Command' },
    ],
  });
  const made = (await (await send('POST', '/api/tasks', { agent: 'writer', input: 'Write' })).json()) as {
    task_id: string;
  };
  const trail = await reach(t, url);
  // It ends with the task.
  for await (const _ of trail.follow(made.task_id));
  const task = await trail.get(made.task_id);
  assert.deepEqual([task.status, task.agentType], ['completed', 'executing']);
  const workspaces = join(at.dataDir, 'workspaces');
  assert.deepEqual(await readdir(join(workspaces, made.task_id)), ['made']);
  const stop = new AbortController();
  const changes = watch(workspaces, { signal: stop.signal });
  const gone = (async () => {
    for await (const _ of changes) if ((await readdir(workspaces)).length === 0) break;
    stop.abort();
  })();
  await send('DELETE', `/api/tasks/${made.task_id}`);
  await gone;
});
