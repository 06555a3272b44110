import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { scratch } from '../support/scratch.ts';
import { withoutOurSettings } from '../support/server.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SECOND_START_MS = 2_000;
const run = promisify(execFile);

test('a fresh clone starts with one command, again in under 2 s, and says when the port is taken', async (t) => {
  const clone = join(await scratch(t), 'a fresh clone');
  await run('git', ['clone', '--quiet', ROOT, clone]);
  await started(t, clone);

  // The best of some: other tests have the machine at the same time.
  const tookMs: number[] = [];
  do {
    const beganAtMs = performance.now();
    const next = await started(t, clone);
    tookMs.push(performance.now() - beganAtMs);
    assert.match(next.output, /npx tasktrail run/);
  } while (tookMs.length < 8 && Math.min(...tookMs) >= SECOND_START_MS);
  assert.ok(Math.min(...tookMs) < SECOND_START_MS, `ready after ${tookMs.map(Math.round).join(', ')} ms`);

  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const address = taken.address();
  assert.ok(address !== null && typeof address === 'object');
  const refused = npmStart(clone, String(address.port));
  let output = '';
  refused.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  refused.stdout.resume();
  const [code] = await once(refused, 'close');
  assert.equal(code, 2);
  assert.ok(output.includes(String(address.port)), output);
  assert.equal((await run('git', ['status', '--porcelain'], { cwd: clone })).stdout, '');
});

/** Start with `npm start`, wait until the server answers, and stop it by a signal to npm. */
async function started(t: TestContext, clone: string): Promise<{ output: string }> {
  const child = npmStart(clone, '0');
  const closed = once(child, 'close');
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  for await (const text of child.stdout.setEncoding('utf8')) {
    output += text;
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
    if (url === undefined || child.killed) continue;
    assert.equal((await fetch(`${url}/health`)).status, 200);
    const page = await fetch(url);
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/);
    child.kill('SIGTERM');
  }
  await closed;
  assert.ok(child.killed, `npm start ended by itself: ${output}`);
  return { output };
}

function npmStart(clone: string, port: string) {
  const env = Object.entries(withoutOurSettings()).filter(([name]) => !/^npm_/i.test(name));
  const ours = join(ROOT, 'node_modules', '.bin');
  const path = (process.env.PATH ?? '').split(':').filter((dir) => dir !== ours);
  return spawn('npm', ['start', '--', '--port', port], {
    cwd: clone,
    env: { ...Object.fromEntries(env), PATH: path.join(':') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
