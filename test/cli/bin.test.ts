import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from '../support/scratch.ts';

const BIN = fileURLToPath(new URL('../../bin/tasktrail.js', import.meta.url));
/** Makes the Node that runs take itself for an older one. */
const OLD = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'12.22.9'}})`;

test('an old Node without a newer one beside it is told which one is needed', async (t) => {
  const dir = await scratch(t);
  await mkdir(join(dir, 'bin'));
  await writeFile(join(dir, 'package.json'), '{"type":"module"}');
  await copyFile(BIN, join(dir, 'bin', 'tasktrail.js'));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', OLD, join(dir, 'bin', 'tasktrail.js'), '--version'],
    {
      encoding: 'utf8',
    },
  );
  assert.deepEqual([status, stdout], [1, '']);
  assert.equal(stderr, 'tasktrail: expected Node.js 24 or newer, got 12.22.9; install it from https://nodejs.org\n');
});

test('an old Node hands over to the one among the dependencies: input, output and exit code are the same', async (t) => {
  const cwd = await scratch(t);
  const words = ['--import', OLD, BIN, 'run', '--', 'sh', '-c', 'cat; exit 9'];
  const { status, stdout } = spawnSync(process.execPath, words, { cwd, input: 'through\n', encoding: 'utf8' });
  assert.deepEqual([status, stdout], [9, 'through\n']);
});

test('an old Node hands signals over', async (t) => {
  const cwd = await scratch(t);
  const child = spawn(process.execPath, ['--import', OLD, BIN, 'serve', '--port', '0'], {
    cwd,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});
