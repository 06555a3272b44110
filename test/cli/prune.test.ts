import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Trail } from '../../src/core/trail.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { openTrail } from '../../src/trail/open.ts';
import { DAY_MS } from '../contract/store/support.ts';
import { missing } from '../support/programs.ts';
import { type Place, place, reach, serve, tasktrail } from './cli.ts';

const BIN = fileURLToPath(new URL('../../bin/tasktrail.js', import.meta.url));

/** A place whose directory holds tasks that ended 40 (large), 10 and 0 days ago, a pinned one and one that runs. */
async function recorded(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Place> {
  const at = await place(t, env);
  const trail = await openTrail({ dataDir: at.dataDir });
  await ended(trail, { taskId: 'large', days: 40, lines: 2_000 });
  await ended(trail, { taskId: 'pinned', days: 50, pinned: true });
  await ended(trail, { taskId: 'week', days: 10 });
  await ended(trail, { taskId: 'young', days: 0 });
  await trail.create({ taskId: 'running', createdAt: daysAgo(60) });
  await trail.close();
  return at;
}

async function ended(
  trail: Trail,
  { taskId, days, lines = 10, pinned = false }: { taskId: string; days: number; lines?: number; pinned?: boolean },
): Promise<void> {
  await trail.create({ taskId, title: `title of\n${taskId}`, createdAt: daysAgo(days + 1), pinned });
  await trail.append(
    taskId,
    Array.from({ length: lines }, (_, n) => ({ message: `line ${n} ${'x'.repeat(100)}` })),
  );
  await trail.change(taskId, { status: 'completed', completedAt: daysAgo(days) });
}

function daysAgo(days: number): string {
  return new Date(Date.now() - days * DAY_MS).toISOString();
}

async function left(t: TestContext, at: Place): Promise<string[]> {
  const { stdout } = await tasktrail(t, at, 'tasks', '--json');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { task_id: string }).task_id)
    .sort();
}

/** The ids in a printed list, with their rule. */
function rowsOf(printed: string): string[][] {
  return [...printed.matchAll(/ {2}(retention|disk limit) {2,}(\S+) {2}title of (\S+)$/gm)].map(([, rule, id]) => [
    String(id),
    String(rule),
  ]);
}

test('prune --dry-run lists what would go, with sizes and rule, and deletes nothing', async (t) => {
  const at = await recorded(t);
  const { code, stdout, stderr } = await tasktrail(t, at, 'prune', '--dry-run');
  assert.deepEqual([code, rowsOf(stdout)], [0, [['large', 'retention']]]);
  assert.match(stdout, /^ENDED +LINES +SIZE +RULE +ID +TITLE\n/);
  assert.match(stdout, /^\d{4}-\d\d-\d\dT[\d:]{8}Z {2} +2000 {2}\d{3}\.\d kB {2}/m);
  assert.match(stderr, /^tasktrail: 1 task, 2000 lines, about \d{3}\.\d kB\n$/);
  assert.deepEqual(await left(t, at), ['large', 'pinned', 'running', 'week', 'young']);
});

test('flags take the place of the settings, and settings count where there is no flag', async (t) => {
  const at = await recorded(t, { TASK_LOGS_RETENTION_DAYS: '5' });
  const rows = async (...words: readonly string[]) =>
    rowsOf((await tasktrail(t, at, 'prune', '--dry-run', ...words)).stdout);
  const both = [
    ['large', 'retention'],
    ['week', 'retention'],
  ];
  assert.deepEqual(await rows(), both);
  assert.deepEqual(await rows('--older-than', '20'), both.slice(0, 1));
  assert.deepEqual(await rows('--older-than', '0'), [...both, ['young', 'retention']]);
  assert.deepEqual(await rows('--max-bytes', '1', '--older-than', '20'), [
    ['large', 'retention'],
    ['week', 'disk limit'],
    ['young', 'disk limit'],
  ]);
});

test('prune --yes deletes without a server and says what is gone; what runs or is pinned stays', async (t) => {
  const at = await recorded(t);
  const { code, stderr } = await tasktrail(t, at, 'prune', '--older-than', '5', '--yes');
  assert.equal(code, 0);
  assert.match(stderr, /tasktrail: to delete: 2 tasks, 2010 lines, about .* kB\n/);
  assert.match(stderr, /tasktrail: deleted: 2 tasks, 2010 lines, about .* kB; the store takes .* kB now\n$/);
  assert.deepEqual(await left(t, at), ['pinned', 'running', 'young']);
  const again = await tasktrail(t, at, 'prune', '--older-than', '5', '--yes');
  assert.deepEqual([again.code, again.stdout, again.stderr], [0, '', 'tasktrail: no task is to go\n']);
  const trail = await openTrail({ dataDir: at.dataDir });
  t.after(() => trail.close());
  await assert.rejects(trail.get('week'), { code: 'task_deleted', message: /by retention$/ });
});

test('prune goes through the server that owns the directory, by that server’s settings', async (t) => {
  const at = await recorded(t);
  const { url } = await serve(t, at, '--retention-days', '0');
  const dry = await tasktrail(t, at, 'prune', '--dry-run');
  assert.deepEqual([dry.code, dry.stdout, dry.stderr], [0, '', 'tasktrail: no task is to go\n']);
  const { code, stdout, stderr } = await tasktrail(t, at, 'prune', '--older-than', '20', '--yes');
  assert.deepEqual([code, rowsOf(stdout)], [0, [['large', 'retention']]]);
  assert.match(stderr, /deleted: 1 task, 2000 lines/);
  const trail = await reach(t, url);
  assert.deepEqual((await trail.tasks()).tasks.map(({ taskId }) => taskId).sort(), [
    'pinned',
    'running',
    'week',
    'young',
  ]);
});

test('a server deletes by itself what is too old when it starts', async (t) => {
  const at = await recorded(t);
  const { url, child, ended: stopped } = await serve(t, at);
  const trail = await reach(t, url);
  const untilMs = performance.now() + 20_000;
  let ids: string[] = [];
  do ids = (await trail.tasks()).tasks.map(({ taskId }) => taskId).sort();
  while (ids.includes('large') && performance.now() < untilMs);
  assert.deepEqual(ids, ['pinned', 'running', 'week', 'young']);
  child.kill('SIGTERM');
  assert.equal((await stopped).code, 0);
});

test('a task goes with its directory', async (t) => {
  const at = await place(t);
  const { url } = await serve(t, at);
  const trail = await reach(t, url);
  const directory = join(at.dataDir, 'tasks', 'done');
  const until = async (there: boolean): Promise<void> => {
    const untilMs = performance.now() + 20_000;
    while (existsSync(directory) !== there && performance.now() < untilMs) await trail.tasks();
    assert.equal(existsSync(directory), there);
  };
  await trail.create({ taskId: 'done' });
  await trail.append('done', { message: 'one' });
  await trail.complete('done');
  await until(true);
  const { code } = await tasktrail(t, at, 'prune', '--older-than', '0', '--yes');
  assert.equal(code, 0);
  await until(false);
});

test('--json prints what the API gives, a line each', async (t) => {
  const at = await recorded(t);
  const { stdout } = await tasktrail(t, at, 'prune', '--dry-run', '--json');
  const [task, ...rest] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(rest, []);
  assert.deepEqual(Object.keys(task ?? {}).sort(), ['bytes', 'ended_at', 'lines', 'rule', 'task_id', 'title']);
  assert.deepEqual([task?.task_id, task?.lines, task?.rule], ['large', 2_000, 'retention']);
});

test('where nobody can be asked, nothing is deleted without --yes', async (t) => {
  const at = await recorded(t);
  const { code, stdout, stderr } = await tasktrail(t, at, 'prune', '--older-than', '0');
  assert.deepEqual([code, stdout], [2, '']);
  assert.match(stderr, /expected --yes, because nobody can be asked here/);
  assert.equal((await left(t, at)).length, 5);
});

test('at a terminal it asks first, and only a yes deletes', { skip: missing('script') }, async (t) => {
  const at = await recorded(t);
  const asked = async (answer: string): Promise<string> => {
    const command = [process.execPath, BIN, 'prune', '--older-than', '5'].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      cwd: at.cwd,
      env: { ...at.env, SHELL: '/bin/sh' },
    });
    t.after(() => child.kill('SIGKILL'));
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes('[y/N]')) child.stdin.end(answer);
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 0, printed);
    return printed;
  };
  assert.match(await asked('\n'), /Delete them for good\? \[y\/N\] [\s\S]*nothing was deleted/);
  assert.equal((await left(t, at)).length, 5);
  assert.match(await asked('y\n'), /deleted: 2 tasks/);
  assert.deepEqual(await left(t, at), ['pinned', 'running', 'young']);
});

test('a bad number is named', async (t) => {
  const at = await recorded(t);
  for (const [flag, value] of [
    ['--older-than', 'week'],
    ['--older-than', '-1'],
    ['--max-bytes', '0'],
    ['--max-bytes', '10GB'],
  ] as const) {
    const { code, stderr } = await tasktrail(t, at, 'prune', '--dry-run', `${flag}=${value}`);
    assert.equal(code, 2);
    assert.ok(stderr.includes(`${flag}: expected a whole number`) && stderr.includes(value), stderr);
  }
});

test('--max-bytes brings the store below the limit, and its file becomes smaller', async (t) => {
  const at = await place(t);
  const trail = await openTrail({ dataDir: at.dataDir });
  for (let n = 0; n < 8; n++) await ended(trail, { taskId: `t${n}`, days: 20 - n, lines: 20_000 });
  const { bytes } = await trail.parts.store.storage();
  await trail.close();
  const fileBytes = async (): Promise<number> => (await stat(join(at.dataDir, DATABASE_FILE))).size;
  const before = await fileBytes();
  const maxBytes = Math.round(bytes * 0.3);
  const { code, stderr } = await tasktrail(t, at, 'prune', '--max-bytes', String(maxBytes), '--yes');
  assert.equal(code, 0, stderr);
  assert.deepEqual(await left(t, at), ['t6', 't7']);
  const reopened = await openTrail({ dataDir: at.dataDir });
  t.after(() => reopened.close());
  assert.ok((await reopened.parts.store.storage()).bytes <= maxBytes);
  const after = await fileBytes();
  t.diagnostic(`file ${before} → ${after} bytes, limit ${maxBytes}`);
  // 16 MiB of it stay for the lines to come.
  assert.ok(after < maxBytes + 17 * 1024 * 1024 && after < before * 0.8, `${before} → ${after} bytes`);
});
