import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTrail } from '../../src/trail/open.ts';
import { missing } from '../support/programs.ts';
import { scratch } from '../support/scratch.ts';
import { killCycles } from './kill.ts';

const APPENDER = fileURLToPath(new URL('../fixtures/programs/appender.ts', import.meta.url));

// Two hundred cycles are in kill.long.test.ts.
test('what was acknowledged is stored after kill -9, in order and once', (t) => killCycles(t, 8));

test('every awaited commit is an fsync of its own', { skip: missing('strace') }, async (t) => {
  const dataDir = await scratch(t);
  const trail = await openTrail({ dataDir });
  await trail.create({ taskId: 'task-1' });
  await trail.close();
  const trace = join(dataDir, 'trace.txt');
  const commits = 50;
  const { status, stderr } = spawnSync(
    'strace',
    [
      '-f',
      '-o',
      trace,
      '-e',
      'trace=fsync,fdatasync',
      process.execPath,
      APPENDER,
      dataDir,
      'a',
      `${commits}`,
      '1',
      'task-1',
    ],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  const synced = (await readFile(trace, 'utf8')).match(/f(?:data)?sync\(\d+\)\s+= 0/g) ?? [];
  assert.ok(synced.length >= commits, `${synced.length} fsyncs for ${commits} awaited commits`);
});
