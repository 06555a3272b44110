import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTrail } from '../../src/trail/open.ts';
import { type Place, place, reach, serve, start, tasktrail } from './cli.ts';

/** A place whose directory holds one ended task with these lines, and no server. */
async function recorded(t: TestContext, count: number): Promise<Place & { taskId: string }> {
  const at = await place(t);
  const trail = await openTrail({ dataDir: at.dataDir, taskLevel: 'DEBUG' });
  const { taskId } = await trail.create({ title: 'a title\nof two lines \u001b[2J', source: 'nightly' });
  const levels = ['debug', 'info', 'warning', 'error'];
  const entries = Array.from({ length: count }, (_, index) => ({
    message: `line ${index + 1}`,
    level: levels[index % 4],
    source: index % 2 ? 'git' : 'npm',
    timestamp: 1_769_248_800_000 + index,
  }));
  await trail.append(taskId, entries as readonly { message: string }[]);
  await trail.complete(taskId, { exitCode: 0 });
  await trail.close();
  return { ...at, taskId };
}

test('logs prints every stored line, oldest first, however many there are', async (t) => {
  const at = await recorded(t, 2_500);
  const { code, stdout, stderr } = await tasktrail(t, at, 'logs', at.taskId);
  assert.deepEqual([code, stderr], [0, '']);
  const lines = stdout.trimEnd().split('\n');
  assert.equal(lines.length, 2_500);
  assert.equal(lines[0], '2026-01-24T10:00:00.000Z DEBUG   [npm] line 1');
  assert.deepEqual(
    lines.map((line) => line.replace(/^.*\] line /, '')),
    Array.from({ length: 2_500 }, (_, i) => `${i + 1}`),
  );
});

test('logs --tail prints the last lines in their order', async (t) => {
  const at = await recorded(t, 2_500);
  const numbers = async (...words: readonly string[]): Promise<readonly string[]> => {
    const { stdout } = await tasktrail(t, at, 'logs', at.taskId, ...words);
    return [...stdout.matchAll(/line (\d+)$/gm)].map(([, number]) => String(number));
  };
  assert.deepEqual(await numbers('--tail', '3'), ['2498', '2499', '2500']);
  assert.deepEqual(await numbers('-n', '2', '--level', 'debug'), ['2493', '2497']);
  assert.equal((await numbers('--tail', '1500')).length, 1_500);
  assert.deepEqual(await numbers('--tail', '0'), []);
  assert.deepEqual(await numbers('--follow', '--tail', '2'), ['2499', '2500']);
});

test('logs takes the filters of the API', async (t) => {
  const at = await recorded(t, 12);
  const printed = async (...words: readonly string[]): Promise<readonly string[]> => {
    const { stdout, stderr } = await tasktrail(t, at, 'logs', at.taskId, ...words);
    assert.equal(stderr, '');
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/^.*line /, ''));
  };
  assert.deepEqual(await printed('--min-level', 'warn'), ['3', '4', '7', '8', '11', '12']);
  assert.deepEqual(await printed('--level', 'INFO', '--source', 'git'), ['2', '6', '10']);
  assert.deepEqual(await printed('--search', 'LINE 1'), ['1', '10', '11', '12']);
  assert.deepEqual(await printed('--search', '[37]$', '--regex'), ['3', '7']);
  assert.deepEqual(await printed('--from', '1769248800002', '--to', '2026-01-24T10:00:00.004Z'), ['3', '4']);
});

test('logs and tasks take a query, with a server and without one', async (t) => {
  const at = await recorded(t, 12);
  const reads = async () => {
    const lines = await tasktrail(t, at, 'logs', at.taskId, '--query', 'level>=warning -"line 12" (source:git OR 11)');
    const last = await tasktrail(t, at, 'logs', at.taskId, '-q', '/line [0-9]$/', '--tail', '2');
    const listed = await tasktrail(t, at, 'tasks', '--query', '"A TITLE" source:nightly -status:failed', '--json');
    const none = await tasktrail(t, at, 'tasks', '-q', 'cost>1', '--json');
    return [lines, last, listed, none].map(({ stdout }) =>
      [...stdout.matchAll(/line (\d+)$|"task_id":"([^"]+)"/gm)].map(([, n, id]) => n ?? id),
    );
  };
  const expected = [['4', '8', '11'], ['8', '9'], [at.taskId], []];
  assert.deepEqual(await reads(), expected);
  await serve(t, at);
  assert.deepEqual(await reads(), expected);
});

test('a wrong query ends with 2, shows the place, and a near miss is told of', async (t) => {
  const at = await recorded(t, 2);
  const wrong = await tasktrail(t, at, 'logs', at.taskId, '-q', 'line level:eror');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^ {2}line level:eror\n {13}\^{4}\n/m);
  assert.match(wrong.stderr, /column 12: expected a level \(DEBUG/);
  const list = await tasktrail(t, at, 'tasks', '-q', 'level:error');
  assert.equal(list.code, 2);
  const near = await tasktrail(t, at, 'logs', at.taskId, '-q', 'lvl:error');
  assert.deepEqual([near.code, near.stdout], [0, '']);
  assert.match(near.stderr, /did you mean level:\?/);
});

test('logs --json prints what the API gives, a line each', async (t) => {
  const at = await recorded(t, 2);
  const { stdout } = await tasktrail(t, at, 'logs', at.taskId, '--json');
  const entries = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(entries[1], {
    id: `${at.taskId}:2`,
    seq: 2,
    task_id: at.taskId,
    timestamp: '2026-01-24T10:00:00.001Z',
    level: 'INFO',
    source: 'git',
    stream: null,
    type: 'log',
    message: 'line 2',
    metadata: null,
  } satisfies Record<string, unknown>);
});

test('a line cannot move the cursor of who reads it, unless --raw asks for that', async (t) => {
  const at = await place(t);
  const trail = await openTrail({ dataDir: at.dataDir });
  const { taskId } = await trail.create({});
  const message = '\u001b[31mred\u001b[0m \u001b]0;owned\u0007 \u001b[2J\nforged';
  await trail.append(taskId, { message });
  await trail.close();
  const safe = await tasktrail(t, at, 'logs', taskId);
  assert.match(safe.stdout, /red ␛\]0;owned␇ ␛\[2J\n {4}forged\n$/);
  assert.ok((await tasktrail(t, at, 'logs', taskId, '--raw')).stdout.endsWith(`${message}\n`));
});

test('logs --follow shows lines as they come and ends with the task', async (t) => {
  const at = await place(t);
  const { url } = await serve(t, at);
  const trail = await reach(t, url);
  const task = await trail.task();
  task.logger.info('stored');
  await task.logger.flush();
  const following = start(t, at, ['logs', task.id, '--follow']);
  await following.seen('stored');
  task.logger.warning('live');
  await following.seen('WARNING [system] live');
  await task.complete();
  assert.equal((await following.ended).code, 0);
});

test('logs --follow works beside another process without a server', async (t) => {
  const at = await place(t);
  const trail = await openTrail({ dataDir: at.dataDir });
  t.after(() => trail.close());
  const { taskId } = await trail.create({});
  await trail.append(taskId, { message: 'stored' });
  const following = start(t, at, ['logs', taskId, '-f']);
  await following.seen('stored');
  await trail.append(taskId, { message: 'live' });
  await following.seen('live');
  await trail.complete(taskId);
  assert.equal((await following.ended).code, 0);
});

test('a reader that has seen enough ends the command quietly', async (t) => {
  const at = await recorded(t, 5_000);
  const bin = fileURLToPath(new URL('../../bin/tasktrail.js', import.meta.url));
  const command = `"${process.execPath}" "${bin}" logs ${at.taskId} | head -n 1`;
  const shell = spawn('sh', ['-c', command], { cwd: at.cwd, env: at.env });
  let [stdout, stderr] = ['', ''];
  shell.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  shell.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  await once(shell, 'close');
  assert.match(stdout, /line 1\n$/);
  assert.equal(stderr, '');
});

test('tasks lists what is there, newest first, safe to look at', async (t) => {
  const at = await recorded(t, 4);
  const { stdout, code } = await tasktrail(t, at, 'tasks');
  const [head, row, end] = stdout.split('\n');
  assert.deepEqual([code, end], [0, '']);
  assert.match(String(head), /^STATUS +ID +TITLE +STARTED +DURATION +LINES +ERRORS$/);
  assert.match(
    String(row),
    new RegExp(`^completed +${at.taskId} +a title of two lines ␛\\[2J +20.*Z +0\\.\\d s +4 +1$`),
  );
  const json = (await tasktrail(t, at, 'tasks', '--json', '--status', 'success', '--source', 'nightly')).stdout;
  assert.equal((JSON.parse(json) as { task_id: string }).task_id, at.taskId);
  assert.equal((await tasktrail(t, at, 'tasks', '--json', '--status', 'failed')).stdout, '');
});

test('stats counts the lines of a task', async (t) => {
  const at = await recorded(t, 8);
  const one = await tasktrail(t, at, 'stats', at.taskId, '--json');
  const stats = JSON.parse(one.stdout) as { total: number; by_source: Record<string, number> };
  assert.deepEqual([stats.total, stats.by_source], [8, { git: 4, npm: 4 }]);
  assert.match((await tasktrail(t, at, 'stats', at.taskId)).stdout, /^total +8$/m);
});

test('TASKTRAIL_URL names the only server that is asked', async (t) => {
  const here = await recorded(t, 1);
  const there = await place(t);
  const server = await serve(t, there);
  const env = { ...here.env, TASKTRAIL_URL: server.url };
  assert.equal((await tasktrail(t, { ...here, env }, 'tasks', '--json')).stdout, '');
  server.child.kill('SIGKILL');
  await server.ended;
  const { code, stderr } = await tasktrail(t, { ...here, env }, 'logs', here.taskId);
  assert.equal(code, 1);
  assert.match(stderr, /^tasktrail: the server at http:\S+ does not answer \(ECONNREFUSED\); is it running\?\n$/);
});

test('reading where nothing is stored says so, and makes nothing', async (t) => {
  const at = await place(t);
  const { code, stderr } = await tasktrail(t, at, 'tasks');
  assert.equal(code, 1);
  assert.match(stderr, /^tasktrail: nothing is stored in .*data yet; try: npx tasktrail run -- echo hello/);
  assert.equal(existsSync(at.dataDir), false);
});

const MISTAKES: readonly (readonly [words: readonly string[], told: RegExp])[] = [
  [[], /Usage: tasktrail/],
  [['fly'], /tasktrail: unknown command 'fly'/],
  [['logs'], /tasktrail: missing required argument 'id'/],
  [['logs', '../x'], /tasktrail: a task id has 1–128 characters/],
  [['logs', 'task-1', '--loud'], /tasktrail: unknown option '--loud'/],
  [['logs', 'task-1', '--tail', 'many'], /tasktrail: --tail: expected a whole number/],
  [['logs', 'task-1', '--level', 'loud'], /tasktrail: level: expected DEBUG, INFO, WARNING, ERROR, got "loud"/],
  [['logs', 'task-1', '--regex'], /tasktrail: --regex needs --search/],
  [['tasks', '--limit', '0'], /tasktrail: --limit: expected a whole number, 1–1000/],
  [['tasks', '--status', 'flying'], /tasktrail: Invalid status: flying/],
  [['run'], /tasktrail: missing required argument 'command'/],
  [['run', '--task', 'a b', '--', 'true'], /tasktrail: a task id/],
  [['serve', '--config', 'none.json'], /tasktrail: --config: expected a file that can be read, got "none.json"/],
];

for (const [words, told] of MISTAKES) {
  test(`"tasktrail ${words.join(' ')}" is told what is wrong, exit code 2`, async (t) => {
    const at = await place(t);
    const { code, stdout, stderr } = await tasktrail(t, at, ...words);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, told);
  });
}

test('an unknown task is an error, with its cause when asked for', async (t) => {
  const at = await recorded(t, 1);
  const { code, stderr } = await tasktrail(t, at, 'logs', 'task-none');
  assert.deepEqual([code, stderr.split('\n').length], [1, 2]);
  assert.match(stderr, /^tasktrail: .*task-none/);
});

test('help is there for every command, with examples', async (t) => {
  const at = await place(t);
  for (const words of [
    ['--help'],
    ['serve', '--help'],
    ['run', '-h'],
    ['logs', '--help'],
    ['tasks', '--help'],
    ['stats', '--help'],
  ]) {
    const { code, stdout, stderr } = await tasktrail(t, at, ...words);
    assert.deepEqual([code, stderr], [0, ''], words.join(' '));
    assert.match(stdout, /^Usage: tasktrail/);
    assert.match(stdout, /Examples:\n {2}\$ tasktrail /);
  }
  assert.match((await tasktrail(t, at, '--version')).stdout, /^\d+\.\d+\.\d+\n$/);
});
