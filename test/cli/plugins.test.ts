import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readConfig } from '../../src/cli/config.ts';
import { loadPlugins } from '../../src/cli/plugins.ts';
import type { JsonObject } from '../../src/core/entry.ts';
import { scratch } from '../support/scratch.ts';
import { managed } from '../task/support.ts';
import { reach, serve, tasktrail } from './cli.ts';

/** A directory with a config file and modules, and what a server there loads. */
async function configured(t: TestContext, content: object, modules: Readonly<Record<string, string>> = {}) {
  const cwd = await scratch(t);
  await mkdir(join(cwd, 'plugins'));
  await writeFile(join(cwd, 'tasktrail.config.json'), JSON.stringify(content));
  for (const [name, text] of Object.entries(modules)) await writeFile(join(cwd, 'plugins', name), text);
  const facts = { totals: async () => ({ entries: 1, lost: 0 }), redis: async () => null };
  return { cwd, load: () => loadPlugins(readConfig({ cwd, env: { TASKTRAIL_TOKENS: 'admin:hush' } }), facts) };
}

test('without a config file demo and debug can be run, with listed commands shell as well', async (t) => {
  const plain = await (await configured(t, {})).load();
  assert.deepEqual([plain.plugins.map(({ id }) => id), plain.concurrency], [['demo', 'debug'], 4]);
  const { load } = await configured(t, { concurrency: 2, shell: { commands: { hi: { run: ['echo', 'hi'] } } } });
  const { plugins, concurrency } = await load();
  assert.deepEqual([plugins.map(({ id }) => id), concurrency], [['demo', 'debug', 'shell'], 2]);
  const { done, lines } = await managed(t, { plugins });
  const task = await done('shell', { command: 'hi' });
  assert.deepEqual(
    (await lines(task.taskId)).filter(({ source }) => source === 'hi').map(({ message }) => message),
    ['hi'],
  );
  const debug = (await done('debug')).result as Record<string, JsonObject>;
  assert.equal(debug.settings?.tokens, '***');
  assert.deepEqual(debug.settings?.shell_commands, ['hi']);
  assert.doesNotMatch(JSON.stringify(debug), /hush/);
});

test('a module may lie anywhere: what it imports as tasktrail is the copy that runs it', async (t) => {
  const current = `
    import { logger, beliefScope } from 'tasktrail';
    export default {
      id: 'current', name: 'Current',
      execute: () => beliefScope('work', () => logger.info('reached without being handed on')),
    };`;
  const typed = `
    import type { Plugin } from 'tasktrail';
    const one: Plugin = { id: 'one', name: 'One', execute: () => 1 };
    const two: Plugin<{ readonly by: number }> = { id: 'two', name: 'Two', execute: ({ by }, _context) => 2 * by };
    export default [one, two];`;
  const common = `module.exports = { id: 'common', name: 'Common', execute: () => typeof require('tasktrail').openTrail };`;
  const { load } = await configured(
    t,
    { plugins: ['plugins/current.js', './plugins/typed.ts', 'plugins/common.cjs'] },
    { 'current.js': current, 'typed.ts': typed, 'common.cjs': common },
  );
  const { plugins } = await load();
  const { done, lines } = await managed(t, { plugins });
  const { taskId } = await done('current');
  assert.deepEqual(
    (await lines(taskId)).filter(({ source }) => source === 'plugin').map(({ message }) => message),
    ['[work][Entry]', 'reached without being handed on', '[work][Coherence:OK]', '[work][Exit]'],
  );
  assert.equal((await done('two', { by: 3 })).result, 6);
  assert.equal((await done('common')).result, 'function');
});

test('a server runs what its config file names, and says what is wrong in it with exit code 2', async (t) => {
  const module = `export default { id: 'double', name: 'Double', execute: async ({ n }, context) => 2 * n };`;
  const shell = { commands: { hi: { run: ['echo', 'hi'] } } };
  const { cwd } = await configured(t, { plugins: ['plugins/double.mjs'], shell }, { 'double.mjs': module });
  const at = { cwd, dataDir: join(cwd, 'data'), env: { PATH: String(process.env.PATH) } };
  const { url, child, ended } = await serve(t, at);
  const offered = (await (await fetch(`${url}/api/plugins`)).json()) as { plugins: { id: string }[] };
  assert.deepEqual(
    offered.plugins.map(({ id }) => id),
    ['demo', 'debug', 'shell', 'double'],
  );
  const created = await fetch(`${url}/api/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ task_id: 'four', plugin: 'double', params: { n: 2 } }),
  });
  assert.equal(created.status, 201);
  const trail = await reach(t, url);
  for await (const _ of trail.follow('four'));
  assert.equal((await trail.get('four')).result, 4);
  child.kill('SIGTERM');
  assert.equal((await ended).code, 0);

  await writeFile(join(cwd, 'tasktrail.config.json'), '{"shell":{"commands":{"hi":{"run":"echo hi"}}}}');
  const refused = await tasktrail(t, at, 'serve', '--port', '0');
  assert.equal(refused.code, 2);
  assert.equal(
    refused.stderr,
    'tasktrail: shell.commands.hi.run in tasktrail.config.json: expected array; got "echo hi"\n',
  );
});

const BAD: readonly (readonly [name: string, text: string | undefined, message: RegExp])[] = [
  [
    'absent.js',
    undefined,
    /^plugins\.0 in tasktrail\.config\.json: expected a module, but there is no file .*absent\.js/,
  ],
  ['broken.js', 'export default {', /cannot be loaded: /],
  ['thrower.js', `throw new Error('no luck')`, /cannot be loaded: no luck/],
  ['lonely.js', `import 'not-installed-anywhere'`, /cannot be loaded: .*not-installed-anywhere/],
  ['nothing.js', 'export const plugin = {}', /export a plugin, or a list of them, as its default/],
  ['none.js', 'export default []', /export a plugin, or a list of them/],
  ['text.js', `export default 'plugin'`, /expected an object/],
  ['half.js', `export default { id: 'a b', name: '' }`, /id: expected .*; name: expected a text; execute: expected/],
  [
    'schema.js',
    `export default { id: 'a', name: 'A', parameters: { type: 'object', properties: 5 }, execute() {} }`,
    /a: /,
  ],
  ['taken.js', `export default { id: 'demo', name: 'Demo', execute() {} }`, /expected a new id, got demo/],
];

for (const [name, text, message] of BAD) {
  test(`the module ${name} is refused with its place and fault`, async (t) => {
    const { load } = await configured(t, { plugins: [`plugins/${name}`] }, text === undefined ? {} : { [name]: text });
    await assert.rejects(load, { code: 'invalid_setting', message });
  });
}
