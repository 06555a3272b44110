import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTrail } from '../../src/trail/open.ts';
import { missing } from '../support/programs.ts';
import { type Place, place, serve, tasktrail } from './cli.ts';

const BIN = fileURLToPath(new URL('../../bin/tasktrail.js', import.meta.url));
const at = (second: number): string => `2026-01-24T10:00:0${second}.000Z`;

/** A place whose directory holds two tasks, and no server. */
async function recorded(t: TestContext): Promise<Place> {
  const there = await place(t);
  const trail = await openTrail({ dataDir: there.dataDir });
  for (const [index, taskId] of ['one', 'two'].entries()) {
    await trail.create({ taskId, title: `Build ${taskId}` });
    await trail.append(taskId, [
      { message: 'begin', timestamp: at(index) },
      { message: `TimeOut after ${index} s\n\u001b[2J`, timestamp: at(index + 2), level: 'error', source: 'net' },
      { message: 'end', timestamp: at(index + 4) },
    ]);
  }
  await trail.close();
  return there;
}

const TWO = '2026-01-24T10:00:03.000Z two ERROR   [net] TimeOut after 1 s\n    ␛[2J\n';
const ONE = '2026-01-24T10:00:02.000Z one ERROR   [net] TimeOut after 0 s\n    ␛[2J\n';

test('search finds lines in all tasks of the directory, newest first, safe to print', async (t) => {
  const there = await recorded(t);
  const { code, stdout, stderr } = await tasktrail(t, there, 'search', 'timeout', 'after');
  assert.deepEqual([code, stdout, stderr], [0, TWO + ONE, '']);
  assert.equal((await tasktrail(t, there, 'search', 'timeout', '--task', 'one')).stdout, ONE);
  assert.equal((await tasktrail(t, there, 'search', '--source', 'net', '--from', at(3))).stdout, TWO);
  assert.equal((await tasktrail(t, there, 'search', 'level:error', '-1', '--json')).stdout.split('\n').length, 2);
});

test('search answers 1 when nothing is found, and tells nothing', async (t) => {
  const there = await recorded(t);
  const { code, stdout, stderr } = await tasktrail(t, there, 'search', 'nowhere');
  assert.deepEqual([code, stdout, stderr], [1, '', '']);
});

test('search --json prints what the API gives, a line each', async (t) => {
  const there = await recorded(t);
  const { stdout } = await tasktrail(t, there, 'search', 'begin', '--task', 'two', '--json');
  assert.deepEqual(JSON.parse(stdout), {
    id: 'two:1',
    seq: 1,
    task_id: 'two',
    timestamp: at(1),
    level: 'INFO',
    source: 'system',
    stream: null,
    type: 'log',
    message: 'begin',
    metadata: null,
    highlights: [[0, 5]],
  });
});

test('search --context shows the lines around, --group the task of each', async (t) => {
  const there = await recorded(t);
  const { stdout } = await tasktrail(t, there, 'search', 'timeout', '--context', '1', '--group');
  const block = (index: number) =>
    `  ${at(index)} INFO    [system] begin\n` +
    `> ${at(index + 2)} ERROR   [net] TimeOut after ${index} s\n    ␛[2J\n` +
    `  ${at(index + 4)} INFO    [system] end\n`;
  assert.equal(stdout, `two  executing  Build two\n${block(1)}\none  executing  Build one\n${block(0)}`);
  const plain = await tasktrail(t, there, 'search', 'timeout', '--context', '1');
  assert.equal(plain.stdout.split('--\n').length, 2);
});

test('search says how far it came, and --cursor goes on there', async (t) => {
  const there = await recorded(t);
  const first = await tasktrail(t, there, 'search', 'timeout', '--limit', '1');
  assert.deepEqual([first.code, first.stdout], [0, TWO]);
  const told = /searched back to (\S+), there are more; run again with --all, or with --cursor (\S+)\n$/.exec(
    first.stderr,
  );
  assert.equal(told?.[1], at(3));
  const second = await tasktrail(t, there, 'search', 'timeout', '--cursor', String(told?.[2]));
  assert.deepEqual([second.stdout, second.stderr], [ONE, '']);
  const other = await tasktrail(t, there, 'search', 'begin', '--cursor', String(told?.[2]));
  assert.deepEqual([other.code, other.stdout], [2, '']);
});

test('search --all prints every line there is', async (t) => {
  const there = await recorded(t);
  const trail = await openTrail({ dataDir: there.dataDir });
  await trail.append(
    'one',
    Array.from({ length: 2_300 }, (_, n) => ({ message: `many ${n}`, timestamp: at(9) })),
  );
  await trail.close();
  const { code, stdout, stderr } = await tasktrail(t, there, 'search', 'many', '--all');
  assert.deepEqual([code, stderr], [0, '']);
  const numbers = [...stdout.matchAll(/many (\d+)$/gm)].map(([, number]) => Number(number));
  assert.deepEqual(
    numbers,
    Array.from({ length: 2_300 }, (_, n) => 2_299 - n),
  );
});

test('a query that is not understood is shown with a mark under the fault', async (t) => {
  const there = await recorded(t);
  const { code, stdout, stderr } = await tasktrail(t, there, 'search', 'timeout', 'level:loud');
  assert.deepEqual([code, stdout], [2, '']);
  const [query = '', marks = ''] = stderr.split('\n');
  assert.equal(query, '  timeout level:loud');
  assert.equal(query.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1), 'loud');
});

test('search that is not used rightly answers 2', async (t) => {
  const there = await recorded(t);
  for (const words of [
    [],
    ['x', '--limit', '0'],
    ['x', '--context', '21'],
    ['x', '--limt', '5'],
    ['x', '--all', '--limit', '5'],
    ['x', '--task', ''],
    ['x', '--task', ' , '],
  ]) {
    const { code, stdout, stderr } = await tasktrail(t, there, 'search', ...words);
    assert.deepEqual([code, stdout], [2, ''], words.join(' '));
    assert.match(stderr, /^tasktrail: /);
  }
  const help = await tasktrail(t, there, 'search', '--help');
  assert.match(help.stdout, /Examples:\n {2}\$ tasktrail search timeout/);
});

test('a lone -h is help; behind -- or among words it is a query', async (t) => {
  const there = await recorded(t);
  const help = await tasktrail(t, there, 'search', '--help');
  const { code, stdout, stderr } = await tasktrail(t, there, 'search', '-h');
  assert.deepEqual([code, stdout, stderr], [0, help.stdout, '']);
  assert.match(help.stdout, /search -- -h /);
  const every = await tasktrail(t, there, 'search', '--from', at(0));
  assert.equal((await tasktrail(t, there, 'search', '--', '-h')).stdout, every.stdout);
  assert.equal((await tasktrail(t, there, 'search', '-h', 'timeout')).stdout, TWO + ONE);
});

test('search asks the server that owns the directory, and the one that is named', async (t) => {
  const there = await recorded(t);
  const { url } = await serve(t, there);
  assert.equal((await tasktrail(t, there, 'search', 'timeout')).stdout, TWO + ONE);
  const elsewhere = await place(t, { TASKTRAIL_URL: url });
  const far = await tasktrail(t, elsewhere, 'search', 'timeout', '--limit', '1', '--json', '--context', '1');
  assert.equal(JSON.parse(far.stdout).context.before[0].message, 'begin');
  const bad = await tasktrail(t, elsewhere, 'search', 'level:loud');
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /^ {2}level:loud\n {8}\^{4}\n/);
});

test('at a terminal what was found stands out, unless NO_COLOR is set', { skip: missing('script') }, async (t) => {
  const there = await recorded(t);
  const printed = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const command = `"${process.execPath}" "${BIN}" search timeout --limit 1`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: there.cwd,
      env: { ...there.env, ...env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.after(() => child.kill('SIGKILL'));
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    await once(child, 'close');
    return out;
  };
  assert.ok((await printed({})).includes('\u001b[1;7mTimeOut\u001b[0m after 1 s'));
  assert.ok((await printed({ NO_COLOR: '1' })).includes('[net] TimeOut after 1 s'));
});
