import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, readlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeOnly } from '../support/source.ts';
import { makeClone } from './clone.ts';

const SCRIPTS = fileURLToPath(new URL('../../scripts', import.meta.url));

test('a first start installs, builds and serves, and passes flags and the exit code', async (t) => {
  const clone = await makeClone(t);
  const { code, output } = await clone.run('start.cjs', ['--port', '0', '--exit', '2']);
  assert.equal(code, 2);
  assert.deepEqual(output.trim().split('\n'), [
    'tasktrail: installing packages (the first time takes up to a minute) …',
    'tasktrail: building the web page …',
    'served ["serve","--port","0","--exit","2"]',
  ]);
  const calls = await clone.npmCalls();
  assert.equal(calls.length, 1);
  assert.deepEqual(calls[0]?.args.slice(0, 4), ['ci', '--include=dev', '--include=optional', '--ignore-scripts=false']);
  assert.equal(calls[0]?.path.includes('node_modules/.bin'), false, 'npm must not run on the Node that it removes');
});

test('a second start neither installs nor builds', async (t) => {
  const clone = await makeClone(t);
  await clone.run('start.cjs', ['--exit', '0']);
  const { code, output } = await clone.run('start.cjs', ['--exit', '0']);
  assert.equal(code, 0);
  assert.equal(output, 'served ["serve","--exit","0"]\n');
  assert.equal((await clone.npmCalls()).length, 1);
});

test('a changed lockfile is installed, a changed source of the page is built', async (t) => {
  const clone = await makeClone(t);
  await clone.run('start.cjs', ['--exit', '0']);
  await clone.changeLock('2.0.0');
  assert.match((await clone.run('start.cjs', ['--exit', '0'])).output, /installing/);
  assert.equal((await clone.npmCalls()).length, 2);

  await writeFile(join(clone.root, 'src/web/main.ts'), 'second');
  const { output } = await clone.run('start.cjs', ['--exit', '0']);
  assert.match(output, /^tasktrail: building the web page …\nserved/);
  assert.equal(await readFile(join(clone.root, 'dist/web/index.html'), 'utf8'), 'second');
});

test('packages that someone installed by hand are not installed again', async (t) => {
  const clone = await makeClone(t);
  await clone.run('start.cjs', ['--exit', '0']);
  await unlink(join(clone.root, 'node_modules/.tasktrail-lock'));
  await writeFile(
    join(clone.root, 'node_modules/.package-lock.json'),
    await readFile(join(clone.root, 'package-lock.json')),
  );
  assert.doesNotMatch((await clone.run('start.cjs', ['--exit', '0'])).output, /installing/);

  await clone.changeLock('2.0.0');
  assert.match((await clone.run('start.cjs', ['--exit', '0'])).output, /installing/);
});

test('a Node that is not the pinned one stops the start with one line', async (t) => {
  const clone = await makeClone(t);
  const { code, output } = await clone.run('start.cjs', [], { PINNED: '99.0.0' });
  assert.equal(code, 1);
  const line = output.trim().split('\n').at(-1) ?? '';
  assert.ok(line.startsWith('tasktrail: expected Node 99.0.0 at '), line);
  assert.ok(line.includes(`got ${process.version}`), line);
  assert.doesNotMatch(output, /served/);
});

test('what npm says is shown when it fails, and the next start tries again', async (t) => {
  const clone = await makeClone(t);
  const { code, output } = await clone.run('start.cjs', [], { NPM_FAILS: '1' });
  assert.equal(code, 1);
  assert.match(output, /npm ci failed:\nnpm error the registry does not answer/);
  assert.doesNotMatch(output, /served/);
  assert.equal((await clone.run('start.cjs', ['--exit', '0'])).code, 0);
});

test('a page that cannot be built stops the start, and is tried again', async (t) => {
  const clone = await makeClone(t);
  const { code, output } = await clone.run('start.cjs', [], { VITE_FAILS: '1' });
  assert.equal(code, 1);
  assert.match(output, /the web page cannot be built:\nmain\.ts: unexpected token/);
  assert.match((await clone.run('start.cjs', ['--exit', '0'])).output, /building/);
});

test('a home that cannot be written to gives npm a cache of its own', async (t) => {
  const clone = await makeClone(t);
  assert.equal((await clone.run('start.cjs', ['--exit', '0'], { HOME: '/proc/no-home' })).code, 0);
  assert.equal((await clone.npmCalls())[0]?.cache, join(clone.root, '.cache', 'npm'));
});

test('a signal reaches the server, and its exit code comes back', async (t) => {
  const clone = await makeClone(t);
  const child = clone.spawnScript('start.cjs');
  let output = '';
  for await (const text of child.stdout.setEncoding('utf8')) {
    output += text;
    if (text.includes('served')) child.kill('SIGTERM');
  }
  if (child.exitCode === null) await once(child, 'exit');
  assert.equal(child.exitCode, 7);
  assert.match(output, /told to stop/);
});

test('the command is linked, so that npx finds it at once', async (t) => {
  const clone = await makeClone(t);
  await clone.run('start.cjs', ['--exit', '0']);
  assert.equal(await readlink(join(clone.root, 'node_modules/.bin/tasktrail')), '../../bin/tasktrail.js');
});

test('an old Node can read the scripts far enough to say that it is too old', () => {
  const newer = /\?\.(?!\d)|\?\?|\|\|=|&&=|\bstatic\s*\{|#\w+\s*[(=;]|\bawait\b/;
  assert.match('a?.b', newer);
  for (const name of readdirSync(SCRIPTS).filter((file) => file.endsWith('.cjs'))) {
    const code = codeOnly(readFileSync(join(SCRIPTS, name), 'utf8'));
    assert.doesNotMatch(code, newer, name);
  }
});
