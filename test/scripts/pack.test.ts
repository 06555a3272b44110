import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connectTrail } from '../../src/client/client.ts';
import { scratch } from '../support/scratch.ts';
import { startServer, withoutOurSettings } from '../support/server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMMANDS = join(ROOT, 'node_modules', '.bin');
const run = promisify(execFile);

/*
 * What `npm pack` makes is unpacked into the node_modules of an empty project, as `npm install` would. Its dependencies are links to
 * the clone's, so that no network is needed; whatever of ours it used besides its own files would not be found there.
 */
test('the packed tarball runs plugins in JavaScript and TypeScript, with types, and has the command', async (t) => {
  const base = await scratch(t);
  const tarball = await packed(base);
  const project = join(base, 'a project');
  await install(project, tarball);

  await t.test('it holds what is published and nothing else', async () => {
    const { stdout } = await run('tar', ['tzf', tarball]);
    const files = stdout.trim().split('\n');
    const tops = new Set(files.map((file) => file.replace(/^package\//, '').split('/')[0]));
    assert.deepEqual(tops, new Set(['LICENSE', 'README.md', 'bin', 'dist', 'package.json', 'tasktrail.schema.json']));
    for (const file of ['dist/web/index.html', 'dist/trail/writer-thread.js', 'dist/trail/index.d.ts']) {
      assert.ok(files.includes(`package/${file}`), `${file} is missing`);
    }
    const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
    assert.deepEqual(sources, []);
  });

  await t.test('a plugin in plain JavaScript runs and its lines are read back', async () => {
    await writeFile(join(project, 'plain.js'), PLAIN);
    assert.deepEqual(JSON.parse(await node(project, 'plain.js')), {
      status: 'completed',
      result: { greeted: 'Ada' },
      lines: ['system: Task started: hello', 'plugin: Hello Ada', 'db: saved', 'system: Task completed'],
    });
  });

  await t.test('a plugin in TypeScript is checked by its types and runs', async () => {
    await writeFile(join(project, 'typed.ts'), TYPED);
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify(TSCONFIG));
    const checked = await run(join(COMMANDS, 'tsc'), ['-p', '.'], { cwd: project }).catch((error) => error);
    assert.equal(checked.stdout, '');
    assert.deepEqual(JSON.parse(await node(project, 'typed.ts')), { status: 'completed', result: { total: 6 } });
  });

  await t.test('its command tells how it is used, and serves the page and the API', async (t) => {
    const help = await run('npx', ['--offline', 'tasktrail', '--help'], { cwd: project, env: ourPath() });
    assert.match(help.stdout, /Usage: tasktrail/);
    const command = join(project, 'node_modules', '.bin', 'tasktrail');
    const dataDir = await scratch(t);
    await writeFile(join(dataDir, 'tasktrail.config.json'), '{"plugins":["./far.js"]}');
    await writeFile(join(dataDir, 'far.js'), FAR);
    const { url, stop } = await startServer(t, { command, dataDir });
    for (const path of ['/', '/docs', '/redoc'])
      assert.match(await (await fetch(`${url}${path}`)).text(), /<html/, path);
    const health = (await (await fetch(`${url}/health`)).json()) as { status: string };
    assert.equal(health.status, 'healthy');
    const created = await fetch(`${url}/api/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"task_id":"kept","plugin":"far"}',
    });
    assert.equal(created.status, 201);
    const trail = await connectTrail({ url });
    const lines = await Array.fromAsync(trail.follow('kept'), ({ message }) => message);
    await trail.close();
    assert.ok(lines.includes('reached from afar'), lines.join('\n'));
    assert.equal(await stop(), 0);
  });
});

const PLAIN = `
import { openTrail, TaskManager } from 'tasktrail';

const hello = {
  id: 'hello',
  name: 'Say hello',
  parameters: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
  async execute(params, context) {
    context.logger.info('Hello ' + params.name);
    context.logger.info('saved', { rows: 1 }, { source: 'db' });
    return { greeted: params.name };
  },
};

const trail = await openTrail({ dataDir: 'plain-data' });
const tasks = new TaskManager(trail, { plugins: [hello] });
await tasks.start();
const { taskId } = await tasks.run('hello', { name: 'Ada' });
const { status, result } = await tasks.wait(taskId);
const { logs } = await trail.logs(taskId);
console.log(JSON.stringify({ status, result, lines: logs.map(({ source, message }) => source + ': ' + message) }));
await tasks.close();
await trail.close();
`;

/** Lies where no package is installed; what it imports is the server's own. */
const FAR = `
import { logger } from 'tasktrail';
export default { id: 'far', name: 'Far', execute: () => logger.info('reached from afar') };
`;

const TYPED = `
import { openTrail, type Plugin, type TaskContext, TaskManager, TrailError } from 'tasktrail';
import { connectTrail } from 'tasktrail/client';
import { demoPlugin, shellPlugin } from 'tasktrail/plugins';

type Numbers = { readonly numbers: readonly number[] };

const sum: Plugin<Numbers> = {
  id: 'sum',
  name: 'Sum',
  execute: async (params, context: TaskContext<Numbers>) => {
    const total = params.numbers.reduce((all, one) => all + one, 0);
    context.logger.withSource('calculator').info('added', { total });
    // @ts-expect-error there is no such level
    context.logger.shout?.('no');
    // @ts-expect-error numbers are no text
    const text: string = params.numbers;
    return { total, text };
  },
};

// @ts-expect-error a plugin without execute
const unfinished: Plugin = { id: 'unfinished', name: 'Unfinished' };
// @ts-expect-error concurrency is a number
const wrong = (): TaskManager => new TaskManager(trail, { concurrency: 'four' });
// @ts-expect-error a server has a URL
const nowhere = (): unknown => connectTrail({ url: 8000 });

const trail = await openTrail({ dataDir: 'typed-data' });
const shell = shellPlugin({ hi: { run: ['echo', 'hi'] } }, { cwd: '.', env: {} });
const tasks = new TaskManager(trail, { plugins: [demoPlugin, shell] }).register(sum);
try {
  tasks.register(unfinished);
} catch (error) {
  if (!(error instanceof TrailError) || error.code !== 'invalid_plugin') throw error;
}
await tasks.start();
const { taskId } = await tasks.run('sum', { numbers: [1, 2, 3] });
const task = await tasks.wait(taskId);
const { total } = task.result as { total: number };
console.log(JSON.stringify({ status: task.status, result: { total } }));
await tasks.close();
await trail.close();
void [wrong, nowhere];
`;

/** As strict as it gets, and without the packages of types that only we have. */
const TSCONFIG = {
  compilerOptions: {
    ...{ target: 'esnext', module: 'nodenext', lib: ['esnext', 'dom'], types: [] },
    ...{ strict: true, noEmit: true, skipLibCheck: false, exactOptionalPropertyTypes: true, erasableSyntaxOnly: true },
  },
  files: ['typed.ts'],
};

async function packed(base: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', base], { cwd: ROOT, env: ourPath() });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return join(base, filename);
}

async function install(project: string, tarball: string): Promise<void> {
  const modules = join(project, 'node_modules');
  const own = join(modules, 'tasktrail');
  await mkdir(own, { recursive: true });
  await run('tar', ['xzf', tarball, '--strip-components=1', '-C', own]);
  await writeFile(join(project, 'package.json'), '{"private":true,"type":"module"}');
  const { dependencies } = JSON.parse(await readFile(join(own, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const link = join(modules, name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), link);
  }
  await mkdir(join(modules, '.bin'));
  await symlink(join('..', 'tasktrail', 'bin', 'tasktrail.js'), join(modules, '.bin', 'tasktrail'));
}

async function node(cwd: string, file: string): Promise<string> {
  const { stdout } = await run(process.execPath, [file], { cwd, env: ourPath() });
  return stdout;
}

/** The Node that runs this test comes first, and npm says nothing of the run that started us. */
function ourPath(): NodeJS.ProcessEnv {
  const env = Object.entries(withoutOurSettings()).filter(([name]) => !/^npm_/i.test(name));
  return { ...Object.fromEntries(env), PATH: `${COMMANDS}:${process.env.PATH}` };
}
