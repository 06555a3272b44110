import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { openServerLog } from '../../src/cli/server-log.ts';
import { createRedactor } from '../../src/intake/redact.ts';
import { scratch } from '../support/scratch.ts';
import { place, reach, serve } from './cli.ts';

const read = async (file: string) =>
  (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('the console is for people, the file is JSON, both have the same lines, and a new level holds for both', async (t) => {
  const file = join(await scratch(t), 'logs', 'server.log');
  const printed: string[] = [];
  const log = openServerLog({ level: 'INFO', file, redactor: createRedactor(), print: (line) => printed.push(line) });
  log.logger.debug('not yet');
  log.logger.info({ port: 1 }, 'listens');
  log.setLevel('DEBUG');
  log.logger.debug('now');
  log.setLevel('ERROR');
  log.logger.warn('no more');
  log.logger.error({ err: new Error('broken') }, 'failed');
  await log.close();
  await log.close();
  assert.deepEqual(
    printed.map((line) => line.split(' ').slice(1, 3).join(' ')),
    ['INFO listens', 'DEBUG now', 'ERROR failed'],
  );
  const lines = await read(file);
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [
      ['INFO', 'listens'],
      ['DEBUG', 'now'],
      ['ERROR', 'failed'],
    ],
  );
  assert.match(JSON.stringify(lines[2]), /"message":"broken"/);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('the file is turned over at its size, and no more than five older ones are kept', async (t) => {
  const dir = await scratch(t);
  const file = join(dir, 'server.log');
  const log = openServerLog({ level: 'INFO', file, fileBytes: 2_000, redactor: createRedactor(), print: () => {} });
  for (let n = 0; n < 200; n++) {
    log.logger.info({ n, padding: 'x'.repeat(50) }, 'line');
    // Room for the file to be turned over, as a server has between its lines.
    if (n % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
  }
  await log.close();
  const names = (await readdir(dir)).sort();
  assert.deepEqual(names, ['server.log', ...[1, 2, 3, 4, 5].map((n) => `server.log.${n}`)]);
  const kept = (await Promise.all([5, 4, 3, 2, 1].map((n) => read(`${file}.${n}`)))).flat().concat(await read(file));
  const numbers = kept.map(({ n }) => Number(n));
  assert.equal(numbers.at(-1), 199);
  assert.deepEqual(
    numbers,
    Array.from({ length: numbers.length }, (_, place) => 200 - numbers.length + place),
  );
});

test('secrets reach neither console nor file', async (t) => {
  const file = join(await scratch(t), 'server.log');
  const printed: string[] = [];
  const redactor = createRedactor(['a registered "secret"']);
  const log = openServerLog({ level: 'INFO', file, redactor, print: (line) => printed.push(line) });
  log.logger.info({ url: 'https://ada:pass-word@host/', said: 'a registered "secret"' }, `ghp_${'a'.repeat(36)}`);
  await log.close();
  for (const text of [printed.join(), await readFile(file, 'utf8')]) {
    assert.doesNotMatch(text, /pass-word|registered \\?"secret|ghp_a/);
    assert.match(text, /redacted:url-password.*redacted:registered|redacted:github-token/);
  }
});

test('a file that cannot be written is said once, and the lines go to the console', async (t) => {
  const dir = await scratch(t);
  await writeFile(join(dir, 'file'), '');
  const printed: string[] = [];
  const file = join(dir, 'file', 'server.log');
  const log = openServerLog({ level: 'INFO', file, redactor: createRedactor(), print: (line) => printed.push(line) });
  log.logger.info('one');
  log.logger.info('two');
  await log.close();
  assert.equal(printed.length, 3);
  assert.match(printed[0] ?? '', /cannot be written: .*(?:EEXIST|ENOTDIR)/);
});

test('a server keeps its log in the data directory, elsewhere, or nowhere', async (t) => {
  const at = await place(t);
  const first = await serve(t, at);
  first.child.kill('SIGTERM');
  await first.ended;
  const lines = await read(join(at.dataDir, 'server.log'));
  assert.match(String(lines[0]?.msg), /^listens on http/);
  assert.equal(lines.at(-1)?.msg, 'stopped');
  const none = await place(t, { TASKTRAIL_LOG_FILE: '' });
  const silent = await serve(t, none);
  silent.child.kill('SIGTERM');
  await silent.ended;
  assert.ok(!(await readdir(none.dataDir)).includes('server.log'));
  const other = await place(t, { TASKTRAIL_LOG_FILE: 'logs/here.log' });
  await mkdir(join(other.cwd, 'logs'));
  await serve(t, other);
  assert.ok((await readdir(join(other.cwd, 'logs'))).includes('here.log'));
});

test('a level saved by the API beats the environment at the next start, which says so', async (t) => {
  const at = await place(t, { TASKTRAIL_TASK_LOG_LEVEL: 'ERROR', TASKTRAIL_LOG_LEVEL: 'ERROR' });
  const first = await serve(t, at);
  const patch = { method: 'PATCH', headers: { 'content-type': 'application/json' } };
  const body = JSON.stringify({ task_log_level: 'DEBUG', level: 'DEBUG' });
  assert.equal((await fetch(`${first.url}/api/settings/logging`, { ...patch, body })).status, 200);
  await fetch(`${first.url}/health?secret=search`);
  first.child.kill('SIGTERM');
  const ended = await first.ended;
  assert.match(ended.stderr, /DEBUG request \{ .*method: 'GET', path: '\/health'/);
  assert.doesNotMatch(ended.stderr, /secret=search/);
  const second = await serve(t, at);
  assert.match(await second.seen('above, as saved'), /keeps lines of level DEBUG and above, as saved by/);
  const trail = await reach(t, second.url);
  const { taskId } = await trail.create({});
  assert.equal((await trail.append(taskId, { message: 'small', level: 'DEBUG' })).accepted, 1);
});
