import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { messages, type Place, place, type Ran, reach, serve, start, tasktrail } from './cli.ts';

/** The task that a run named on standard error. */
function taskOf({ stderr }: Pick<Ran, 'stderr'>): string {
  const id = /task-[0-9A-Z]{26}/.exec(stderr)?.[0];
  assert.ok(id, `expected a task's id in ${JSON.stringify(stderr)}`);
  return id;
}

function node(script: string): readonly string[] {
  return [process.execPath, '-e', script];
}

async function lines(t: TestContext, at: Place, id: string): Promise<readonly string[]> {
  const { stdout } = await tasktrail(t, at, 'logs', id, '--json');
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { message: string }).message);
}

test('without a server the directory itself keeps the trail, and the output passes through byte by byte', async (t) => {
  const at = await place(t);
  const bytes = Buffer.from([...Array(256).keys(), 0xff, 0xfe, 0x0a, 0xc3]);
  await writeFile(join(at.cwd, 'bytes'), bytes);
  const ran = await tasktrail(t, at, 'run', '--', 'sh', '-c', 'cat bytes; echo oops >&2; exit 3');
  assert.equal(ran.code, 3);
  assert.deepEqual(ran.stdoutBytes, bytes);
  const id = taskOf(ran);
  assert.equal(ran.stderr, `tasktrail: kept without a server, read it with: npx tasktrail logs ${id}\noops\n`);
  const { stdout } = await tasktrail(t, at, 'tasks', '--json');
  const task = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(
    { ...pick(task, 'task_id', 'kind', 'title', 'status', 'source', 'error', 'exit_code', 'machine_id', 'params') },
    {
      task_id: id,
      kind: 'command',
      title: 'sh -c cat bytes; echo oops >&2; exit 3',
      status: 'failed',
      source: 'cli',
      error: 'exit code 3',
      exit_code: 3,
      machine_id: hostname(),
      params: { command: 'sh', args: ['-c', 'cat bytes; echo oops >&2; exit 3'], cwd: at.cwd },
    },
  );
});

test('with a server the lines go there, and the link leads to the task', async (t) => {
  const at = await place(t);
  const { url } = await serve(t, at);
  const ran = await tasktrail(
    t,
    at,
    'run',
    '--title',
    'nightly',
    '--source',
    'cron',
    '--',
    'sh',
    '-c',
    'echo one; echo two >&2',
  );
  assert.deepEqual([ran.code, ran.stdout], [0, 'one\n']);
  const id = taskOf(ran);
  assert.ok(ran.stderr.includes(`tasktrail: ${url}/t/${id}\n`));
  const trail = await reach(t, url);
  const task = await trail.get(id);
  assert.deepEqual([task.title, task.source, task.status, task.exitCode], ['nightly', 'cron', 'completed', 0]);
  const { logs } = await trail.logs(id);
  assert.deepEqual(logs.map(({ stream, message }) => `${stream} ${message}`).sort(), ['stderr two', 'stdout one']);
});

test('the command reads our standard input', async (t) => {
  const at = await place(t);
  const { stdout } = await start(t, at, ['run', '--', 'tr', 'a-z', 'A-Z'], 'shout\n').ended;
  assert.equal(stdout, 'SHOUT\n');
});

test("words after -- are the command's, even where they look like ours", async (t) => {
  const at = await place(t);
  const { stdout } = await tasktrail(t, at, 'run', '--', 'echo', '--help', '--verbose', '--task', 'x');
  assert.equal(stdout, '--help --verbose --task x\n');
});

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} reaches the command and all that it started; the exit code says so`, async (t) => {
    const at = await place(t);
    const running = start(t, at, ['run', '--', 'sh', '-c', 'sh -c "echo pid \\$\\$; exec sleep 1000"; :']);
    const printed = await running.seen('pid ');
    running.child.kill(signal);
    const ran = await running.ended;
    assert.equal(ran.code, code);
    const grandchild = Number(/pid (\d+)/.exec(printed)?.[1]);
    assert.equal(isRunning(grandchild), false);
    const task = JSON.parse((await tasktrail(t, at, 'tasks', '--json')).stdout) as { error: string; exit_code: number };
    assert.deepEqual([task.error, task.exit_code], [`ended by ${signal}`, code]);
  });
}

test('a command that answers the signal itself keeps its own exit code', async (t) => {
  const at = await place(t);
  const script = `process.on('SIGTERM', () => { console.log('bye'); process.exit(7); }); console.log('up'); setInterval(() => {}, 1000)`;
  const running = start(t, at, ['run', '--', ...node(script)]);
  await running.seen('up');
  running.child.kill('SIGTERM');
  const ran = await running.ended;
  assert.deepEqual([ran.code, ran.stdout], [7, 'up\nbye\n']);
  assert.deepEqual(await lines(t, at, taskOf(ran)), ['up', 'bye']);
});

test('a command that is not there is told, exit code 127', async (t) => {
  const at = await place(t);
  const ran = await tasktrail(t, at, 'run', '--', 'no-such-command');
  assert.equal(ran.code, 127);
  assert.match(ran.stderr, /tasktrail: no-such-command: it could not be started/);
  assert.equal((await tasktrail(t, at, 'tasks', '--status', 'failed', '--json')).stdout.split('\n').length, 2);
});

test('a reader that goes away ends the command, as it would without us', async (t) => {
  const at = await place(t);
  const running = start(t, at, ['run', '--', 'sh', '-c', 'while :; do echo y; done']);
  await running.seen('y\n');
  running.child.stdout.destroy();
  assert.equal((await running.ended).code, 128 + 13);
});

test('--task goes on with a task, opens it again if it had ended, and makes it if it is unknown', async (t) => {
  const at = await place(t);
  assert.equal((await tasktrail(t, at, 'run', '--task', 'build.7', '--', 'sh', '-c', 'echo first; exit 1')).code, 1);
  assert.equal((await tasktrail(t, at, 'run', '--task', 'build.7', '--', 'echo', 'second')).code, 0);
  const task = JSON.parse((await tasktrail(t, at, 'tasks', '--json')).stdout) as Record<string, unknown>;
  assert.deepEqual(pick(task, 'task_id', 'status', 'error', 'exit_code'), {
    task_id: 'build.7',
    status: 'completed',
    error: null,
    exit_code: 0,
  });
  assert.deepEqual(await lines(t, at, 'build.7'), ['first', 'second']);
});

const BURST = 10_000;
const burst = `let out = '', err = ''; for (let i = 1; i <= ${BURST}; i++) { out += 'out ' + i + '\\n'; err += 'err ' + i + '\\n'; }
  const fs = require('fs'); const write = (fd, text) => { for (let b = Buffer.from(text), at = 0; at < b.length;) at += fs.writeSync(fd, b, at, Math.min(65536, b.length - at)); };
  write(1, out); write(2, err); process.exit(0)`;

for (const served of [true, false]) {
  test(`a program that prints ${BURST} lines on both streams and exits loses none, 5 times ${served ? 'with' : 'without'} a server`, async (t) => {
    const at = await place(t);
    if (served) await serve(t, at);
    for (let round = 1; round <= 5; round++) {
      const ran = await tasktrail(t, at, 'run', '--', ...node(burst));
      assert.equal(ran.code, 0);
      const all = await lines(t, at, taskOf(ran));
      for (const name of ['out', 'err']) {
        const expected = Array.from({ length: BURST }, (_, index) => `${name} ${index + 1}`);
        assert.deepEqual(
          all.filter((line) => line.startsWith(name)),
          expected,
          `${name}, round ${round}`,
        );
      }
      assert.equal(all.length, 2 * BURST);
    }
  });
}

/** Prints 1–100, and the next hundred at each line of input. */
const steps = `let n = 0; const more = () => { for (let i = 0; i < 100; i++) console.log(++n); };
  more(); process.stdin.on('data', more).on('end', () => process.exit(5))`;

test('a server killed in mid-run and started again has every line, in order, once; the command notices nothing', async (t) => {
  const at = await place(t);
  const first = await serve(t, at);
  const running = start(t, at, ['run', '--', ...node(steps)], null);
  const id = taskOf({ stderr: await running.seen('\n100\n') });
  first.child.kill('SIGKILL');
  await first.ended;
  running.child.stdin.write('\n');
  await running.seen('lines are kept in');
  const second = await serve(t, at);
  running.child.stdin.write('\n');
  await running.seen('\n300\n');
  running.child.stdin.end();
  const ran = await running.ended;
  assert.equal(ran.code, 5);
  assert.doesNotMatch(ran.stderr, /on disk wait|lost|refused/);
  const numbers = Array.from({ length: 300 }, (_, index) => String(index + 1));
  assert.deepEqual(ran.stdout.trimEnd().split('\n'), numbers);
  const trail = await reach(t, second.url);
  assert.deepEqual(await messages(trail, id), numbers);
  const task = await trail.get(id);
  assert.deepEqual([task.status, task.exitCode, task.log.lost], ['failed', 5, 0]);
  assert.deepEqual(await readdir(join(at.dataDir, 'spool')), []);
});

test('a server that stands still does not hold the command up: lines wait on disk until it moves again', async (t) => {
  const at = await place(t);
  const { child: server } = await serve(t, at);
  const count = 120_000;
  const script = `process.stdin.once('data', () => {
    for (let n = 1; n <= ${count}; n++) console.log(n + ' '.padEnd(100, '.'));
    process.stdin.destroy();
  }); console.log('0 ready');`;
  const running = start(t, at, ['run', '--', ...node(script)], null);
  const id = taskOf({ stderr: await running.seen('ready') });
  server.kill('SIGSTOP');
  running.child.stdin.end('\n');
  const ran = await running.ended;
  assert.equal(ran.code, 0);
  assert.match(ran.stderr, /batches of lines on disk wait/);
  server.kill('SIGCONT');
  const kept = await lines(t, at, id);
  assert.equal(kept.length, count + 1);
  assert.ok(kept.every((message, index) => message.startsWith(`${index} `)));
});

for (const next of ['server', 'command'] as const) {
  test(`what a dead server could not take is announced, and delivered by the next ${next}`, async (t) => {
    const at = await place(t);
    const first = await serve(t, at);
    const running = start(t, at, ['run', '--', ...node(steps)], null);
    const id = taskOf({ stderr: await running.seen('\n100\n') });
    first.child.kill('SIGKILL');
    await first.ended;
    running.child.stdin.end('\n');
    const ran = await running.ended;
    assert.equal(ran.code, 5);
    assert.match(
      ran.stderr,
      /tasktrail: \d+ (batch|batches) of lines on disk wait: the next tasktrail command or server/,
    );
    const numbers = Array.from({ length: 200 }, (_, index) => String(index + 1));
    if (next === 'server') {
      const { url } = await serve(t, at);
      const trail = await reach(t, url);
      const seen = await Array.fromAsync(trail.follow(id), ({ message }) => message);
      assert.deepEqual(seen, numbers);
    }
    assert.deepEqual(await lines(t, at, id), numbers);
    assert.deepEqual(await readdir(join(at.dataDir, 'spool')), []);
  });
}

test('a server that cannot be reached from the start costs the command nothing but a warning', async (t) => {
  const at = await place(t);
  const there = await place(t);
  const first = await serve(t, there);
  first.child.kill('SIGKILL');
  await first.ended;
  const env = { ...at.env, TASKTRAIL_URL: first.url };
  const ran = await tasktrail(t, { ...at, env }, 'run', '--', 'sh', '-c', 'echo kept; exit 4');
  assert.deepEqual([ran.code, ran.stdout], [4, 'kept\n']);
  assert.equal(ran.stderr.match(/does not answer/g)?.length, 1);
  await serve(t, there, '--port', new URL(first.url).port);
  const listed = await tasktrail(t, { ...at, env }, 'logs', taskOf(ran));
  assert.match(listed.stdout, /kept$/m);
});

test('a data directory that cannot be opened costs the command nothing but a warning', async (t) => {
  const at = await place(t);
  await writeFile(at.dataDir, 'not a directory');
  const ran = await tasktrail(t, at, 'run', '--', 'sh', '-c', 'echo printed; exit 6');
  assert.deepEqual([ran.code, ran.stdout], [6, 'printed\n']);
  assert.match(ran.stderr, /the command runs/);
  assert.match(ran.stderr, /1 line was lost/);
});

test('what waits on disk holds no secret', async (t) => {
  const at = await place(t);
  const env = { ...at.env, TASKTRAIL_URL: 'http://127.0.0.1:9' };
  const secret = `ghp_${'a1B2'.repeat(9)}`;
  const ran = await tasktrail(t, { ...at, env }, 'run', '--', 'sh', '-c', `echo ${secret}; echo plain`);
  assert.equal(ran.stdout, `${secret}\nplain\n`);
  const [dir] = await readdir(join(at.dataDir, 'spool'));
  let kept = '';
  for (const name of await readdir(join(at.dataDir, 'spool', String(dir)))) {
    kept += await readFile(join(at.dataDir, 'spool', String(dir), name), 'utf8');
  }
  assert.match(kept, /plain/);
  assert.match(kept, /\[redacted:github-token\]/);
  assert.ok(!kept.includes(secret));
});

test('a kept batch that is refused is set aside and named, once', async (t) => {
  const at = await place(t);
  await tasktrail(t, at, 'run', '--', 'true');
  const dir = join(at.dataDir, 'spool', '01ARZ3NDEKTSV4RRFFQ69G5FAV');
  spawnSync('mkdir', ['-p', dir]);
  const header = JSON.stringify({ to: 'local', call: 'append', task_id: 'task-none', key: 'k' });
  await writeFile(join(dir, '00000001.batch'), `${header}\n{"message":"orphan"}`);
  const first = await tasktrail(t, at, 'stats');
  assert.equal(first.code, 0);
  assert.match(first.stderr, /kept lines were refused \(.*task-none.*\) and lie in .*00000001\.refused/);
  assert.equal((await tasktrail(t, at, 'stats')).stderr, '');
  assert.deepEqual(await readdir(dir), ['00000001.refused']);
});

test('commands that deliver the same spool at once store each line once, in order', async (t) => {
  const at = await place(t);
  const { url } = await serve(t, at);
  const trail = await reach(t, url);
  await trail.create({ taskId: 'task-1' });
  const dir = join(at.dataDir, 'spool', '01ARZ3NDEKTSV4RRFFQ69G5FAV');
  spawnSync('mkdir', ['-p', dir]);
  for (let batch = 1; batch <= 60; batch++) {
    const header = JSON.stringify({ to: 'local', call: 'append', task_id: 'task-1', key: `k${batch}` });
    await writeFile(join(dir, `${String(batch).padStart(8, '0')}.batch`), `${header}\n{"message":"${batch}"}`);
  }
  const ends = await Promise.all([1, 2, 3].map(() => tasktrail(t, at, 'stats')));
  assert.deepEqual(
    ends.map(({ code }) => code),
    [0, 0, 0],
  );
  assert.deepEqual(
    await messages(trail, 'task-1'),
    Array.from({ length: 60 }, (_, index) => String(index + 1)),
  );
});

test('an unended line is shown to those who watch, masked, before it is a line', async (t) => {
  const at = await place(t);
  const { url } = await serve(t, at);
  const running = start(t, at, ['run', '--', 'sh', '-c', 'printf "Password: "; read answer; echo "got $answer"'], null);
  const id = taskOf({ stderr: await running.seen('/t/') });
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/logs/${id}`);
  const { promise, resolve } = Promise.withResolvers<unknown>();
  socket.addEventListener('message', ({ data }) => {
    const frame = JSON.parse(String(data)) as { type: string };
    if (frame.type === 'partial') resolve(frame);
  });
  assert.deepEqual(await promise, { type: 'partial', stream: 'stdout', text: 'Password: ' });
  socket.close();
  running.child.stdin.end('x\n');
  assert.equal((await running.ended).stdout, 'Password: got x\n');
});

/** A process that has ended may wait for its parent to ask how; then it counts as ended. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function pick(from: Record<string, unknown>, ...keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, from[key]]));
}
