import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { readOwner, takeOwnership } from '../../src/trail/owner.ts';
import { scratch } from '../support/scratch.ts';

const OWNER = new URL('../../src/trail/owner.ts', import.meta.url).href;

test('one owner at a time: the second is told who the first is, and may come when it has gone', async (t) => {
  const dataDir = await scratch(t);
  const first = await takeOwnership(dataDir);
  await assert.rejects(takeOwnership(dataDir), { code: 'owner_exists', message: /another server owns/ });
  await first.publish('http://127.0.0.1:8000');
  await assert.rejects(takeOwnership(dataDir), {
    code: 'owner_exists',
    message: new RegExp(`http://127\\.0\\.0\\.1:8000 \\(pid ${process.pid}\\)`),
  });
  assert.deepEqual(await readOwner(dataDir), { url: 'http://127.0.0.1:8000', token: first.token, pid: process.pid });
  assert.equal((await stat(join(dataDir, 'owner.json'))).mode & 0o777, 0o600);
  await first.close();
  await first.close();
  assert.equal(await readOwner(dataDir), null);
  const second = await takeOwnership(dataDir);
  assert.notEqual(second.token, first.token);
  await second.close();
});

test('an owner that was killed leaves no lock, and its card is not believed', async (t) => {
  const dataDir = await scratch(t);
  const script = `
    const { takeOwnership } = await import(${JSON.stringify(OWNER)});
    const owner = await takeOwnership(${JSON.stringify(dataDir)});
    await owner.publish('http://127.0.0.1:1');
    console.log('mine');
    setInterval(() => owner, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await assert.rejects(takeOwnership(dataDir), { code: 'owner_exists' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await readOwner(dataDir), null);
  const next = await takeOwnership(dataDir);
  await next.close();
});
