import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Workspace } from '../../src/core/plugin.ts';
import { Workspaces } from '../../src/task/workspaces.ts';
import { scratch } from '../support/scratch.ts';
import { managed } from './support.ts';

const skip = spawnSync('git', ['--version']).error ? 'git is not installed' : false;
const NODE = process.execPath;
const DAY_MS = 24 * 60 * 60 * 1000;

/** A repository that is cloned from: `git` runs in it, `commit` writes files and commits them. */
async function remote(t: TestContext) {
  const dir = await scratch(t);
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'init.defaultBranch=main'];
  const git = (...args: string[]) =>
    execFileSync('git', [...who, '-C', dir, ...args], { encoding: 'utf8', env: { PATH: process.env.PATH, HOME: dir } });
  const commit = async (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) await fs.writeFile(join(dir, name), text);
    git('add', '.');
    git('commit', '-q', '-m', Object.keys(files).join(' '));
    return git('rev-parse', 'HEAD').trim();
  };
  git('init', '-q');
  return { dir, url: `file://${dir}`, git, commit };
}

/** Workspaces of a trail of its own. `make` makes one for a task and answers its directory; what was said stands in `said`. */
async function workspaces(t: TestContext, { path = process.env.PATH ?? '', nowMs = Date.now() } = {}) {
  const { trail, dataDir } = await managed(t, { idle: true });
  const said: string[] = [];
  const warned: string[] = [];
  const { store, intake, live } = trail.parts;
  const options = {
    ...{
      dataDir,
      store,
      intake,
      live,
      env: { PATH: path },
      gitEnv: { PATH: path, HOME: dataDir, SSH_AUTH_SOCK: '/keys' },
    },
    warn: (message: string) => void warned.push(message),
    clock: { now: () => nowMs },
  };
  const made = new Workspaces(options);
  /** Those of the server that comes after this one. */
  const successor = () => {
    const next = new Workspaces(options);
    t.after(() => next.close());
    return next;
  };
  t.after(() => made.close());
  const make = (wanted?: Workspace, { taskId = 'task-1', signal = new AbortController().signal } = {}) =>
    made.make({ taskId, wanted, signal, say: (message) => void said.push(message) });
  const deleted = async (taskId: string) => {
    const told = new Promise<void>((resolve) => {
      const stop = live.watch((changed) => {
        if (changed !== taskId) return;
        stop();
        resolve();
      });
    });
    await trail.parts.intake.deleteTask(taskId, 'ada');
    await told;
    await made.settled();
  };
  return { made, successor, make, deleted, said, warned, dataDir, trail };
}

async function text(...parts: string[]): Promise<string> {
  return fs.readFile(join(...parts), 'utf8');
}

function git(dir: string, ...args: string[]): string {
  return execFileSync('git', ['-C', dir, ...args], { encoding: 'utf8' }).trim();
}

async function bytesOf(dir: string): Promise<number> {
  const found = await fs.readdir(dir, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    found.filter((entry) => entry.isFile()).map((entry) => fs.stat(join(entry.parentPath, entry.name))),
  );
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

test('without a repository a task gets an empty directory of its own, and the same one again', async (t) => {
  const { make, dataDir } = await workspaces(t);
  const dir = await make();
  assert.equal(dir, join(dataDir, 'workspaces', 'task-1'));
  assert.equal((await fs.stat(dir)).mode & 0o777, 0o700);
  assert.equal((await fs.stat(join(dataDir, 'workspaces'))).mode & 0o777, 0o700);
  await fs.writeFile(join(dir, 'notes'), 'kept');
  assert.equal(await make(), dir);
  assert.equal(await text(dir, 'notes'), 'kept');
});

test('a repository is cloned shallow at its own branch, and can be pulled and pushed as any clone', {
  skip,
}, async (t) => {
  const { url, commit } = await remote(t);
  await commit({ 'a.txt': 'one' });
  const head = await commit({ 'a.txt': 'two' });
  const { make, said } = await workspaces(t);
  const dir = await make({ repo: url });
  assert.equal(await text(dir, 'a.txt'), 'two');
  assert.equal(git(dir, 'rev-parse', 'HEAD'), head);
  assert.equal(git(dir, 'rev-list', '--count', 'HEAD'), '1');
  assert.equal(git(dir, 'rev-parse', '--abbrev-ref', 'main@{upstream}'), 'origin/main');
  assert.equal(git(dir, 'remote', 'get-url', 'origin'), url);
  assert.equal(git(dir, 'status', '--porcelain'), '');
  assert.deepEqual(said, [`Cloning ${url}`]);
});

test('a branch or a tag is checked out where one is named, by its short or its full name', { skip }, async (t) => {
  const remoteOf = await remote(t);
  await remoteOf.commit({ 'a.txt': 'first' });
  remoteOf.git('tag', '-a', 'v1.0', '-m', 'v1.0');
  remoteOf.git('checkout', '-q', '-b', 'feature/x+y');
  await remoteOf.commit({ 'a.txt': 'feature' });
  remoteOf.git('checkout', '-q', '-b', 'other');
  await remoteOf.commit({ 'a.txt': 'other' });
  const { make } = await workspaces(t);
  const repo = remoteOf.dir;
  for (const [ref, content] of [
    ...([
      ['v1.0', 'first'],
      ['refs/tags/v1.0', 'first'],
      ['feature/x+y', 'feature'],
    ] as const),
    ...([
      ['refs/heads/main', 'first'],
      [undefined, 'other'],
    ] as const),
  ]) {
    const dir = await make({ repo, ...(ref && { ref }) }, { taskId: `task-${ref?.replaceAll(/\W/g, '-')}` });
    assert.equal(await text(dir, 'a.txt'), content, ref);
  }
});

test('a remote whose HEAD is no branch is cloned too', { skip }, async (t) => {
  const { url, git: run, commit } = await remote(t);
  const head = await commit({ 'a.txt': 'one' });
  run('checkout', '-q', '--detach');
  const { make } = await workspaces(t);
  assert.equal(git(await make({ repo: url }), 'rev-parse', 'HEAD'), head);
});

test('a second task transfers only what changed, and sees it', { skip }, async (t) => {
  const { url, commit } = await remote(t);
  const { randomBytes } = await import('node:crypto');
  await commit({ large: randomBytes(300_000).toString('base64'), 'a.txt': 'one' });
  const { make, dataDir } = await workspaces(t);
  await make({ repo: url });
  const [cache = ''] = await fs.readdir(join(dataDir, 'repos'));
  const first = await bytesOf(join(dataDir, 'repos', cache));
  assert.ok(first > 300_000);
  await commit({ 'a.txt': 'two' });
  const dir = await make({ repo: url }, { taskId: 'task-2' });
  assert.equal(await text(dir, 'a.txt'), 'two');
  const second = await bytesOf(join(dataDir, 'repos', cache));
  assert.ok(second > first && second - first < 10_000, `${first} → ${second}`);
  await make({ repo: url }, { taskId: 'task-3' });
  assert.equal(await bytesOf(join(dataDir, 'repos', cache)), second);
  assert.equal((await fs.readdir(join(dataDir, 'repos'))).length, 1);
});

test('a branch that was rewritten, and one below the name of another that is gone, are fetched', {
  skip,
}, async (t) => {
  const { url, git: run, commit } = await remote(t);
  await commit({ 'a.txt': 'one' });
  run('branch', 'topic');
  const { make } = await workspaces(t);
  await make({ repo: url, ref: 'topic' });
  run('branch', '-D', 'topic');
  run('checkout', '-q', '--orphan', 'topic/part');
  await commit({ 'a.txt': 'rewritten' });
  run('branch', '-f', 'main');
  assert.equal(await text(await make({ repo: url, ref: 'topic/part' }, { taskId: 'task-2' }), 'a.txt'), 'rewritten');
  assert.equal(await text(await make({ repo: url, ref: 'main' }, { taskId: 'task-3' }), 'a.txt'), 'rewritten');
});

test('tasks that clone the same repository at once do not disturb each other', { skip }, async (t) => {
  const { url, git: run, commit } = await remote(t);
  await commit({ 'a.txt': 'main' });
  for (const name of ['b0', 'b1', 'b2']) {
    run('checkout', '-q', '-b', name, 'main');
    await commit({ 'a.txt': name });
  }
  const { make } = await workspaces(t);
  const dirs = await Promise.all(
    [...Array(6).keys()].map((n) => make({ repo: url, ref: `b${n % 3}` }, { taskId: `task-${n}` })),
  );
  for (const [n, dir] of dirs.entries()) {
    assert.equal(await text(dir, 'a.txt'), `b${n % 3}`);
    await fs.rm(join(dir, '.git'), { recursive: true });
  }
  assert.equal(await text(await make({ repo: url, ref: 'b0' }, { taskId: 'task-9' }), 'a.txt'), 'b0');
});

test('a cache that a kill left locked or broken is made anew', { skip }, async (t) => {
  const { url, commit } = await remote(t);
  await commit({ 'a.txt': 'one' });
  const { make, dataDir } = await workspaces(t);
  await make({ repo: url });
  const [cache = ''] = await fs.readdir(join(dataDir, 'repos'));
  await fs.writeFile(join(dataDir, 'repos', cache, 'shallow.lock'), '');
  await commit({ 'a.txt': 'two' });
  assert.equal(await text(await make({ repo: url }, { taskId: 'task-2' }), 'a.txt'), 'two');
});

test('programs prepare the clone, what they print is said, and the next step finds it as it was left', {
  skip,
}, async (t) => {
  const { url, commit } = await remote(t);
  await commit({ 'a.txt': 'one' });
  const { make, said } = await workspaces(t);
  const script =
    "require('fs').appendFileSync('made', 'x'); console.log(process.argv[1], Object.keys(process.env).join())";
  const wanted: Workspace = {
    repo: url,
    ref: 'main',
    prepare: [
      ['git', 'log', '--format=%s'],
      [NODE, '-e', script, '$HOME; *'],
    ],
  };
  const dir = await make(wanted);
  assert.equal(await text(dir, 'made'), 'x');
  const prepared = said.filter((line) => line.startsWith('Preparing: '));
  assert.equal(prepared.length, 2);
  assert.deepEqual([said[0], said[2], said[4]], [`Cloning ${url} at main`, 'a.txt', '$HOME; * PATH']);
  await fs.writeFile(join(dir, 'plan'), 'kept');
  await make(wanted);
  assert.deepEqual([await text(dir, 'made'), await text(dir, 'plan')], ['x', 'kept']);
  assert.equal(said.length, 5);
});

test('a program that fails is told with its exit code and last lines, and the clone is made anew the next time', {
  skip,
}, async (t) => {
  const { url, commit } = await remote(t);
  await commit({ 'a.txt': 'one' });
  const { make, said, dataDir } = await workspaces(t);
  const script = "for (let n = 1; n <= 500; n++) console.log('line ' + n); process.exitCode = 7";
  const prepare: Workspace['prepare'] = [[NODE, '-e', script], ['never-run']];
  await assert.rejects(make({ repo: url, prepare }), (error: Error & { exitCode: number }) => {
    assert.equal(error.exitCode, 7);
    assert.match(error.message, /ended with exit code 7\n(line \d+\n){9}line 500$/);
    return true;
  });
  assert.equal(said.at(-1), '… and 300 more lines');
  assert.equal(said.length, 203);
  await fs.writeFile(join(dataDir, 'workspaces', 'task-1', 'half'), '');
  const dir = await make({ repo: url });
  assert.deepEqual((await fs.readdir(dir)).sort(), ['.git', 'a.txt']);
  await assert.rejects(
    make({ repo: url, prepare: [['no-such-program']] }, { taskId: 'task-2' }),
    (error: Error & { exitCode: number }) => error.exitCode === 127 && /could not be started/.test(error.message),
  );
});

test('an unknown ref, an unreachable repository and a missing git are told apart, without credentials', {
  skip,
}, async (t) => {
  const { url, commit } = await remote(t);
  await commit({ 'a.txt': 'one' });
  const { make, said } = await workspaces(t);
  await assert.rejects(make({ repo: url, ref: 'nowhere' }), /expected a branch or tag "nowhere" in file:.*none/);
  await assert.rejects(make({ repo: `${url}-gone` }), /git could not reach file:\/\/.*-gone: .*does not/s);
  const secret = 'https://ada:hunter2@127.0.0.1:1/x.git';
  await assert.rejects(make({ repo: secret }), (error: Error) => {
    assert.match(error.message, /^git could not reach https:\/\/127\.0\.0\.1:1\/x\.git: /);
    assert.doesNotMatch(error.message, /ada|hunter2/);
    return true;
  });
  assert.equal(said.at(-1), 'Cloning https://127.0.0.1:1/x.git');
  const without = await workspaces(t, { path: '/nowhere' });
  await assert.rejects(without.make({ repo: url }), /install git/);
});

test('what git could take for an option, a program or another place is refused before it is run', {
  skip,
}, async (t) => {
  const { url, commit } = await remote(t);
  await commit({ 'a.txt': 'one' });
  const { make, dataDir } = await workspaces(t);
  const mark = join(dataDir, 'mark');
  for (const repo of [
    ...[
      '',
      '-u',
      `--upload-pack=touch ${mark}`,
      `ext::sh -c touch% ${mark}`,
      `file::ext::sh`,
      'relative/path',
      'host:path',
    ],
    ...['http://example.org/x', 'git://example.org/x', 'ssh://-oProxyCommand=x/y', `ssh://a@-oProxyCommand=x/y`],
    ...['git@-oProxyCommand=x:y', 'git@host:-x', 'git@host: x', 'https://', 'https://a b/c', `${url}\n--x`, `${url}\0`],
    ...[`https://example.org/${'x'.repeat(1_000)}`],
  ]) {
    await assert.rejects(make({ repo }), { code: 'invalid_parameter' }, repo);
  }
  for (const ref of [
    ...['', '-x', '--upload-pack=x', 'a..b', 'a b', 'a:b', '+a', 'a~1', 'a^', 'a*', 'a?', 'a[', 'a\\b', 'a@{1}', '/a'],
    ...['a/', 'a//b', 'a.lock', 'a/.b', 'a/-b', 'a.', 'a\n', 'x'.repeat(256)],
  ]) {
    await assert.rejects(make({ repo: url, ref }), { code: 'invalid_parameter' }, ref);
  }
  assert.equal(existsSync(mark), false);
});

test('hooks and settings of the machine’s user run nothing of a repository', { skip }, async (t) => {
  const { url, commit } = await remote(t);
  await commit({ 'a.txt': 'one', '.gitattributes': 'a.txt filter=lfs' });
  const { make, dataDir } = await workspaces(t);
  const hooks = join(dataDir, 'hooks');
  await fs.mkdir(hooks);
  await fs.writeFile(join(hooks, 'post-checkout'), `#!/bin/sh\ntouch ${dataDir}/ran\n`, { mode: 0o755 });
  const lfs = '[filter "lfs"]\n  smudge = no-such-program\n  process = no-such-program\n  required = true\n';
  await fs.writeFile(join(dataDir, '.gitconfig'), `[core]\n  hooksPath = ${hooks}\n${lfs}`);
  assert.equal(await text(await make({ repo: url }), 'a.txt'), 'one');
  assert.equal(existsSync(join(dataDir, 'ran')), false);
});

test('a cancelled task ends git and what it started, and one that waits for its turn at once', { skip }, async (t) => {
  const bin = await scratch(t);
  const hang = '#!/bin/sh\necho $$ > "$0.pid.new" && mv "$0.pid.new" "$0.pid"\nsleep 60\n';
  await fs.writeFile(join(bin, 'ssh'), hang, { mode: 0o755 });
  const { make } = await workspaces(t, { path: `${bin}:${process.env.PATH}` });
  const repo = 'ssh://git@example.org/x.git';
  const abort = new AbortController();
  const other = new AbortController();
  const started = appearance(bin, 'ssh.pid');
  const running = make({ repo }, { signal: abort.signal });
  const waiting = make({ repo }, { taskId: 'task-2', signal: other.signal });
  await started;
  other.abort(new Error('cancelled while it waited'));
  await assert.rejects(waiting, /cancelled while it waited/);
  const pid = Number(await text(bin, 'ssh.pid'));
  assert.equal(process.kill(pid, 0), true);
  abort.abort(new Error('cancelled'));
  await assert.rejects(running, /^Error: cancelled$/);
  await gone(pid);
});

test('a cancelled task ends the program that prepares it', { skip }, async (t) => {
  const { url, commit } = await remote(t);
  await commit({ 'a.txt': 'one' });
  const { made } = await workspaces(t);
  const abort = new AbortController();
  const { promise, resolve } = Promise.withResolvers<number>();
  const prepare: Workspace['prepare'] = [[NODE, '-e', 'console.log(process.pid); setInterval(() => {}, 1e6)']];
  const say = (line: string): void => void (/^\d+$/.test(line) && resolve(Number(line)));
  const making = made.make({ taskId: 'task-1', wanted: { repo: url, prepare }, signal: abort.signal, say });
  const pid = await promise;
  abort.abort(new Error('cancelled'));
  await assert.rejects(making, /cancelled/);
  await gone(pid);
});

test('what a server that died left at work is ended by the next one before it makes a workspace', {
  skip,
}, async (t) => {
  const { url, commit } = await remote(t);
  await commit({ 'a.txt': 'one' });
  const { made, successor, trail } = await workspaces(t);
  const { promise, resolve } = Promise.withResolvers<number>();
  const prepare: Workspace['prepare'] = [[NODE, '-e', 'console.log(process.pid); setInterval(() => {}, 1e6)']];
  const say = (line: string): void => void (/^\d+$/.test(line) && resolve(Number(line)));
  const { signal } = new AbortController();
  const making = made.make({ taskId: 'task-1', wanted: { repo: url, prepare }, signal, say });
  const ended = assert.rejects(making, /ended with exit code 143/);
  const pid = await promise;
  const kept = async () => JSON.stringify(await trail.parts.intake.setting('workspace_children'));
  while (!(await kept()).includes(`"pid":${pid},`)) await new Promise((again) => setImmediate(again));
  const next = successor();
  next.start();
  const dir = await next.make({ taskId: 'task-1', wanted: { repo: url }, signal, say: () => {} });
  await gone(pid);
  await ended;
  assert.equal(await text(dir, 'a.txt'), 'one');
});

/** Resolves when there is a file of this name. */
async function appearance(dir: string, name: string): Promise<void> {
  const stop = new AbortController();
  for await (const _ of fs.watch(dir, { signal: stop.signal })) if (existsSync(join(dir, name))) break;
  stop.abort();
}

/** A process that was ended may still be a zombie for a moment. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    const stat = await fs.readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
    if (stat === undefined || /\) Z /.test(stat)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a workspace goes when its task is deleted, and not before', async (t) => {
  const { made, make, deleted, trail, dataDir } = await workspaces(t);
  made.start();
  for (const taskId of ['task-1', 'task-2']) await trail.parts.intake.createTask({ taskId });
  const [first, second] = [await make(), await make(undefined, { taskId: 'task-2' })];
  await fs.writeFile(join(first, 'file'), '');
  await trail.parts.intake.changeTask('task-1', { status: 'completed' });
  await trail.parts.intake.changeTask('task-2', { status: 'completed' });
  await made.settled();
  assert.ok(existsSync(first));
  await deleted('task-1');
  assert.deepEqual([existsSync(first), existsSync(second)], [false, true]);
  assert.deepEqual(await fs.readdir(join(dataDir, 'workspaces')), ['task-2']);
});

test('what was deleted while nobody looked goes at the next start; what is no task of ours stays', async (t) => {
  const { made, make, trail, dataDir, warned } = await workspaces(t);
  await trail.parts.intake.createTask({ taskId: 'task-1', status: 'completed' });
  const dir = await make();
  await make(undefined, { taskId: 'unknown' });
  await fs.mkdir(join(dataDir, 'workspaces', '.mine'));
  await trail.parts.intake.deleteTask('task-1', 'ada');
  assert.ok(existsSync(dir));
  made.start();
  await made.settled();
  assert.deepEqual((await fs.readdir(join(dataDir, 'workspaces'))).sort(), ['.mine', 'unknown']);
  assert.deepEqual(warned, []);
});

test('links are not followed: neither when a workspace is made nor when it is removed', async (t) => {
  const outside = await scratch(t);
  await fs.writeFile(join(outside, 'precious'), 'kept');
  const { made, make, trail, dataDir } = await workspaces(t);
  for (const taskId of ['task-1', 'task-2']) {
    await trail.parts.intake.createTask({ taskId, status: 'completed' });
    await trail.parts.intake.deleteTask(taskId, 'ada');
  }
  await fs.symlink(outside, join(await make(), 'inside'));
  await fs.symlink(outside, join(dataDir, 'workspaces', 'task-2'));
  await assert.rejects(make(undefined, { taskId: 'task-2' }), { code: 'store_unavailable' });
  made.start();
  await made.settled();
  assert.deepEqual(await fs.readdir(join(dataDir, 'workspaces')), []);
  assert.equal(await text(outside, 'precious'), 'kept');
  await assert.rejects(make(undefined, { taskId: '../task-3' }), { code: 'invalid_task_id' });
});

test('a directory of workspaces that is a link is neither used nor swept', async (t) => {
  const outside = await scratch(t);
  await fs.mkdir(join(outside, 'task-1'));
  const { made, make, trail, dataDir } = await workspaces(t);
  await trail.parts.intake.createTask({ taskId: 'task-1', status: 'completed' });
  await trail.parts.intake.deleteTask('task-1', 'ada');
  await fs.symlink(outside, join(dataDir, 'workspaces'));
  await assert.rejects(make(), { code: 'store_unavailable' });
  made.start();
  await made.settled();
  assert.deepEqual(await fs.readdir(outside), ['task-1']);
});

test('a cache goes when nothing was cloned from it for 30 days; nothing else there is touched', { skip }, async (t) => {
  const { url, commit } = await remote(t);
  await commit({ 'a.txt': 'one' });
  const nowMs = Date.parse('2026-03-31T00:00:00Z');
  const { made, make, dataDir } = await workspaces(t, { nowMs });
  const repos = join(dataDir, 'repos');
  await make({ repo: url });
  const [used = ''] = await fs.readdir(repos);
  const [old, link, mine] = [`${'a'.repeat(40)}.git`, `${'b'.repeat(40)}.git`, 'mine'];
  for (const name of [old, mine]) await fs.mkdir(join(repos, name));
  await fs.symlink(join(repos, mine), join(repos, link));
  const longAgo = (nowMs - 31 * DAY_MS) / 1000;
  for (const name of [old, mine]) await fs.utimes(join(repos, name), longAgo, longAgo);
  await fs.utimes(join(repos, used), longAgo, longAgo);
  await make({ repo: url }, { taskId: 'task-2' });
  made.start();
  await made.settled();
  assert.deepEqual((await fs.readdir(repos)).sort(), [used, link, mine].sort());
});

test('closing twice is safe, and ends the watch', async (t) => {
  const { made } = await workspaces(t);
  made.start();
  await made.close();
  await made.close();
});
