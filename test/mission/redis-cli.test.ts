import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { several } from '../cli/several.ts';
import { missing } from '../support/programs.ts';
import { noRedis } from '../support/redis.ts';

const run = promisify(execFile);
const skip = noRedis || missing('redis-cli') || missing('curl') || missing('jq');

test('"No logs appearing?": `redis-cli ping` and the commands beside it tell what is wrong', { skip }, async (t) => {
  const { server, redis, at } = await several(t);
  const { url } = await server('all');
  // The same program by its name, but with this test's Redis.
  const script = `#!/bin/sh\nPATH='${process.env.PATH}' exec redis-cli -p ${redis.port} "$@"\n`;
  await writeFile(join(at.cwd, 'redis-cli'), script);
  await chmod(join(at.cwd, 'redis-cli'), 0o755);
  const text = await readFile(new URL('../../docs/redis.md', import.meta.url), 'utf8');
  const block = /## When no lines come\n.*?```sh\n(.*?)```/s.exec(text)?.[1] ?? '';
  const commands = block.trim().split('\n');
  assert.deepEqual([commands.length, commands[0]], [3, 'redis-cli ping']);
  /** What the commands print, one line each. */
  async function told(): Promise<readonly string[]> {
    const words = commands.join('; ').replaceAll('http://127.0.0.1:8000', String(url));
    const { stdout } = await run('sh', ['-c', `{ ${words}; } 2>&1`], {
      env: { PATH: `${at.cwd}:${process.env.PATH}` },
    });
    return stdout.trim().split('\n');
  }
  async function until(...expected: readonly (string | RegExp)[]): Promise<void> {
    const fits = (lines: readonly string[]): boolean =>
      lines.length === expected.length && lines.every((line, n) => line.match(expected[n] ?? '')?.[0] === line);
    while (!fits(await told())) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await redis.redis.xadd('task_events', '*', 'type', 'task:output', 'task_id', 'task-1', 'data', '{"content":"one"}');
  await until('PONG', 'connected', /\[0,0,0\]/);
  await redis.redis.xadd('task_events', '*', 'type', 'task:output', 'task_id', 'task-1', 'data', '{');
  await until('PONG', 'connected', /\[0,0,1\]/);
  await redis.kill();
  await until(/Could not connect.*/, 'reconnecting', /\[null,null,null\]/);
  await redis.start();
  await until('PONG', 'connected', /\[0,0,1\]/);
});
