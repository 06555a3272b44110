import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { type CommandOptions, runCommand } from '../../src/capture/command.ts';
import type { EntryInput, Stream } from '../../src/core/entry.ts';

type Given = Omit<Partial<CommandOptions>, 'command' | 'args'>;

function node(script: string, given: Given = {}, ...args: string[]) {
  return capture({ command: process.execPath, args: ['-e', script, ...args] }, given);
}

function capture(what: Pick<CommandOptions, 'command' | 'args'>, given: Given = {}) {
  const lines: Record<Stream, EntryInput[]> = { stdout: [], stderr: [] };
  const run = runCommand({
    stdin: 'ignore',
    ownGroup: true,
    onLines: (entries, stream) => void lines[stream].push(...entries),
    ...given,
    ...what,
  });
  const texts = (stream: Stream) => lines[stream].map(({ message }) => message);
  return { ...run, lines, texts };
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('both streams are taken apart, with their levels, and the exit code', async () => {
  const run = node('console.log("out"); console.error("error: bad"); process.exitCode = 3', { source: 'build' });
  assert.deepEqual(await run.exited, { code: 3, signal: null, exitCode: 3, timedOut: false });
  const { stdout, stderr } = run.lines;
  const facts = [...stdout, ...stderr].map(({ message, level, source, stream, type }) => [
    message,
    level,
    source,
    stream,
    type,
  ]);
  assert.deepEqual(facts, [
    ['out', 'INFO', 'build', 'stdout', 'output'],
    ['error: bad', 'ERROR', 'build', 'stderr', 'output'],
  ]);
});

test('a program that prints 10,000 lines on both streams and exits at once loses none, twenty times', async () => {
  const script = `
    const { writeSync } = require('node:fs');
    const all = (fd, text) => { const bytes = Buffer.from(text); for (let at = 0; at < bytes.length;) { try { at += writeSync(fd, bytes, at); } catch (e) { if (e.code !== 'EAGAIN') throw e; } } };
    let out = '', err = '';
    for (let n = 1; n <= 10000; n++) { out += 'out ' + n + '\\n'; err += 'err ' + n + '\\n'; }
    all(1, out); all(2, err); process.exit(0);`;
  const numbered = (name: string) => Array.from({ length: 10_000 }, (_, index) => `${name} ${index + 1}`);
  for (let round = 0; round < 20; round++) {
    const run = node(script);
    assert.equal((await run.exited).exitCode, 0);
    assert.deepEqual(run.texts('stdout'), numbered('out'));
    assert.deepEqual(run.texts('stderr'), numbered('err'));
  }
});

test('a signal is an exit code of 128 and its number', async () => {
  const run = node('process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)');
  assert.deepEqual(await run.exited, { code: null, signal: 'SIGTERM', exitCode: 143, timedOut: false });
});

test('what cannot be started says why', async () => {
  const missing = await capture({ command: 'no-such-command-here', args: [] }).exited;
  assert.equal(missing.exitCode, 127);
  assert.match(missing.fault ?? '', /could not be started/);
  const directory = await capture({ command: '/', args: [] }).exited;
  assert.equal(directory.exitCode, 126);
  const impossible = await capture({ command: 'echo', args: ['a\0b'] }).exited;
  assert.equal(impossible.exitCode, 126);
});

test('after its time the whole group is ended, also what ignores SIGTERM', async () => {
  const script = `
    const { spawn } = require('node:child_process');
    process.on('SIGTERM', () => {});
    const child = spawn(process.execPath, ['-e', 'process.on("SIGTERM", () => {}); console.log(process.pid); setInterval(() => {}, 1000)'], { stdio: ['ignore', 'inherit', 'inherit'] });
    setInterval(() => {}, 1000);`;
  const run = node(script, { timeoutMs: 700, killAfterMs: 100 });
  const exit = await run.exited;
  assert.equal(exit.timedOut, true);
  assert.equal(exit.exitCode, 137);
  const grandchild = Number(run.texts('stdout')[0]);
  assert.ok(grandchild > 0);
  // Its end was ordered; the kernel carries it out in its own time.
  while (isAlive(grandchild)) await new Promise((resolve) => setImmediate(resolve));
});

test('a grandchild that holds the pipes open does not hold up the end', async () => {
  const script = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'console.log("late"); setInterval(() => {}, 1000)'], { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    child.unref(); console.log(child.pid); process.exit(0);`;
  const run = node(script, { drainMs: 400 });
  assert.equal((await run.exited).exitCode, 0);
  const [pid, late] = run.texts('stdout');
  assert.equal(late, 'late');
  assert.ok(isAlive(Number(pid)));
  process.kill(Number(pid), 'SIGKILL');
});

test('a taker that is slower than the silence allowed after the exit still gets every line', async (t) => {
  const taken: string[] = [];
  let first = true;
  const run = capture(
    { command: 'seq', args: ['1', '20000'] },
    {
      drainMs: 100,
      onLines: async (entries) => {
        taken.push(...entries.map(({ message }) => message));
        const { promise, resolve } = Promise.withResolvers<void>();
        setTimeout(resolve, first ? 600 : 0);
        first = false;
        await promise;
      },
    },
  );
  assert.equal((await run.exited).exitCode, 0);
  assert.deepEqual(
    taken,
    Array.from({ length: 20_000 }, (_, index) => String(index + 1)),
  );
  t.diagnostic(`${taken.length} lines`);
});

test('a slow taker slows the printer, not our memory', async () => {
  const script = `
    const block = Buffer.from(('x'.repeat(99) + '\\n').repeat(1000));
    let left = 2000; const more = () => { while (left-- > 0) if (!process.stdout.write(block)) return process.stdout.once('drain', more); };
    more();`;
  let taken = 0;
  let largest = 0;
  let busy = false;
  const before = process.memoryUsage.rss();
  const run = node(script, {
    onLines: async (entries) => {
      assert.ok(!busy, 'one batch at a time');
      busy = true;
      taken += entries.length;
      await new Promise((resolve) => setImmediate(resolve));
      largest = Math.max(largest, process.memoryUsage.rss() - before);
      busy = false;
    },
  });
  assert.equal((await run.exited).exitCode, 0);
  assert.equal(taken, 2_000_000);
  assert.ok(largest < 200 * 1024 * 1024, `${largest} bytes`);
});

test('what is passed on is what was printed, to the byte', async () => {
  const script = `
    const { createHash, randomBytes } = require('node:crypto');
    const hash = createHash('sha256');
    for (let n = 0; n < 200; n++) { const bytes = randomBytes(5000); hash.update(bytes); process.stdout.write(bytes); }
    process.stderr.write(hash.digest('hex'));`;
  const out = new PassThrough();
  const hash = createHash('sha256');
  out.on('data', (chunk: Buffer) => hash.update(chunk));
  const run = node(script, { passthrough: { stdout: out, stderr: new PassThrough().resume() } });
  assert.equal((await run.exited).exitCode, 0);
  assert.deepEqual(run.texts('stderr'), [hash.digest('hex')]);
  assert.ok(run.texts('stdout').length > 100);
});

test('an unended line is shown while it stands, and taken back when it ends', async () => {
  const partials: string[] = [];
  const run = node(`process.stdout.write('50 %'); setTimeout(() => console.log(' done'), 1200)`, {
    onPartial: (_stream, text) => partials.push(text),
  });
  await run.exited;
  assert.deepEqual(partials, ['50 %', '']);
  assert.deepEqual(run.texts('stdout'), ['50 % done']);
});

test('text for standard input arrives, and a command that does not read it is no fault', async () => {
  const cat = capture({ command: 'cat', args: [] }, { stdin: { text: 'to the cat\n' } });
  assert.equal((await cat.exited).exitCode, 0);
  assert.deepEqual(cat.texts('stdout'), ['to the cat']);
  const deaf = capture({ command: 'true', args: [] }, { stdin: { text: 'x'.repeat(1_000_000) } });
  assert.equal((await deaf.exited).exitCode, 0);
});

test('a taker that fails ends the capture with its error', async () => {
  const run = node('console.log("x"); setTimeout(() => {}, 100)', {
    onLines: () => {
      throw new Error('the taker failed');
    },
  });
  await assert.rejects(run.exited, /the taker failed/);
});
