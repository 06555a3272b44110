import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join, relative, sep } from 'node:path';
import { type TestContext, test } from 'node:test';
import { tasktrail } from '../cli/cli.ts';
import { call } from '../support/api.ts';
import { noRedis, startRedis } from '../support/redis.ts';
import { scratch } from '../support/scratch.ts';
import { type Server, startServer } from '../support/server.ts';
import { githubPayload, SECRET, signed } from '../support/webhooks.ts';

/** Names that lead elsewhere if anybody believes them; `outside` is a directory beside the data directory. */
function hostileNames(outside: string): readonly string[] {
  return [
    ...['../../outside/pwned', '..', '.', '../pwned', '../../pwned', './pwned', 'a/../../../outside/pwned', 'a/b', '/'],
    ...[
      '..\\..\\outside\\pwned',
      'a\\b',
      'C:\\pwned',
      '\\\\server\\share',
      `${outside}/pwned`,
      `file://${outside}/pwned`,
    ],
    ...[
      '%2e%2e%2f%2e%2e%2foutside%2fpwned',
      '..%2f..%2foutside%2fpwned',
      '..%252f..%252foutside%252fpwned',
      '..%c0%af..%c0%afpwned',
    ],
    ...[
      'pwned\0',
      'pwned\0/../../outside/pwned',
      '../../outside/pwned\0.jsonl',
      'pwned\n',
      'pwned\r\n',
      ' pwned',
      'pwned ',
    ],
    ...[
      '．．／．．／outside／pwned',
      '‥/‥/pwned',
      '∕etc∕pwned',
      '․․/pwned',
      '..\u2044pwned',
      '\u202e/pwned',
      'pwned\ufeff',
      'PWNÉD',
      'pwned\u200b',
    ],
    ...[
      '~',
      '~/pwned',
      '$HOME/pwned',
      '`id`',
      '$(id)',
      '-rf',
      '--help',
      '.hidden',
      '.lock',
      '.x.tmp',
      '*',
      '?',
      '|',
      ':',
      ':x',
    ],
    ...['x'.repeat(129), 'x'.repeat(4_096), `${'../'.repeat(200)}pwned`, `${'a/'.repeat(2_000)}b`],
  ];
}

/** Ids that are ids, though some file systems make them something else. */
const ODD_IDS = [
  'CON',
  'nul',
  'aux.txt',
  'a:b',
  'trailing.',
  'a..b',
  'Case',
  'case',
  'x'.repeat(128),
  '0',
  'metadata.json',
];

/** Everything below a directory: kind, content or where a link leads. */
async function snapshot(dir: string, without = ''): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const names = await readdir(dir, { recursive: true, withFileTypes: true });
  for (const item of names) {
    const path = join(item.parentPath, item.name);
    if (without !== '' && (path === without || path.startsWith(`${without}${sep}`))) continue;
    const { mode } = await lstat(path);
    const content = item.isFile()
      ? createHash('sha256')
          .update(await readFile(path))
          .digest('hex')
      : '';
    const target = item.isSymbolicLink() ? await readlink(path) : '';
    found.set(relative(dir, path), `${mode} ${content} ${target}`);
  }
  return found;
}

/** A data directory in a tree of its own, with something outside of it that nobody may touch. */
async function tree(t: TestContext) {
  const root = await scratch(t);
  const dataDir = join(root, 'deep', 'data');
  const outside = join(root, 'outside');
  await mkdir(outside);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await writeFile(join(outside, 'victim'), 'untouched');
  await mkdir(join(outside, 'folder'));
  await writeFile(join(outside, 'folder', 'metadata.json'), '{"untouched":true}\n');
  return { root, dataDir, outside, tasksDir: join(dataDir, 'tasks') };
}

/** A request whose path goes out as it is: `fetch` would tidy it. */
function raw({ url }: Server, method: string, path: string, body?: string): Promise<number> {
  const { port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, method, path, headers: { 'content-type': 'application/json' } },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    sent.on('error', reject).end(body);
  });
}

async function post({ url }: Server, path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, text: await response.text() };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Names in the directory of all tasks, once so many are there. */
async function directories(tasksDir: string, count: number): Promise<readonly string[]> {
  for (;;) {
    const names = (await readdir(tasksDir).catch(() => [])).filter((name) => !name.startsWith('.'));
    if (names.length >= count) return names.sort();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('no task id, source, delivery or event leads out of the directory of tasks', { timeout: 120_000 }, async (t) => {
  const { root, dataDir, outside, tasksDir } = await tree(t);
  const redis = noRedis ? undefined : await startRedis(t);
  const before = await snapshot(root, dataDir);
  const env = {
    GITHUB_WEBHOOK_SECRET: SECRET,
    TASKTRAIL_AGENT_COMMAND: 'true',
    ...(redis && { REDIS_URL: redis.url }),
  };
  const server = await startServer(t, { dataDir, env });
  const names = hostileNames(outside);
  const made = new Set(ODD_IDS);
  for (const taskId of ODD_IDS) {
    assert.equal((await post(server, '/api/tasks', { task_id: taskId, title: taskId })).status, 201, taskId);
    await call(server, `/api/tasks/${encodeURIComponent(taskId)}/logs`, { message: `line of ${taskId}` });
  }

  for (const name of names) {
    const { status, text } = await post(server, '/api/tasks', { task_id: name });
    assert.deepEqual([status, JSON.parse(text).code], [400, 'invalid_task_id'], JSON.stringify(name));
    const encoded = encodeURIComponent(name.slice(0, 2_000));
    for (const path of [`/api/tasks/${encoded}`, `/tasks/${encoded}/logs`, `/api/tasks/${encoded}/logs/metadata`]) {
      const code = await raw(server, 'GET', path);
      assert.ok(code >= 300 && code < 500, `${path}: ${code}`);
    }
    for (const [method, path] of [
      ['POST', `/api/tasks/${encoded}/logs`],
      ['DELETE', `/api/tasks/${encoded}?force=true`],
      ['POST', `/webhooks/github/${encoded}`],
      ['POST', `/webhooks/${encoded}`],
    ] as const) {
      const code = await raw(server, method, path, method === 'POST' ? '{"message":"x"}' : undefined);
      assert.ok(code >= 300 && code < 500, `${method} ${path}: ${code}`);
    }
    // A source is any text but for controls; it is data in a file, never a name of one.
    const { status: sourced } = await post(server, '/api/tasks/0/logs', { message: 'x', source: name });
    assert.ok(sourced === 200 || sourced === 400, `${sourced}`);
    const { status: titled, text: task } = await post(server, '/api/tasks', { source: name, kind: name, title: name });
    assert.ok(titled === 201 || titled === 400, `${titled}`);
    if (titled === 201) made.add(JSON.parse(task).task_id);
  }
  for (const path of [
    '/api/tasks/../../outside/victim',
    '/../../outside/victim',
    '/assets/..%2f..%2f..%2foutside%2fvictim',
  ]) {
    const code = await raw(server, 'GET', path);
    assert.ok(code >= 400 && code < 500, `${path}: ${code}`);
  }

  const payload = githubPayload('issue_comment');
  for (const name of names.filter((each) => each.length < 200)) {
    const comment = { ...(payload.comment as object), body: `/agent ${name}`, author_association: 'OWNER' };
    const repository = { ...(payload.repository as object), full_name: name, name, clone_url: `file://${outside}` };
    const body = JSON.stringify({ ...payload, comment, repository });
    const { status, text } = await post(server, '/webhooks/github', body, {
      'x-github-event': 'issue_comment',
      // A header bears no line breaks; what is no header is not sent at all.
      'x-github-delivery': Buffer.from(name)
        .toString('latin1')
        .replace(/[^\x20-\xff]/g, '_'),
      'x-hub-signature-256': `sha256=${signed(SECRET, body)}`,
    });
    assert.ok(status < 500 || status === 503, `${status} ${text}`);
    const { task_id: taskId } = JSON.parse(text) as { task_id?: string };
    if (taskId !== undefined) made.add(taskId);
  }

  if (redis) {
    for (const name of names) {
      const data = JSON.stringify({ content: 'x', title: name, source: name });
      await redis.redis.xadd('task_events', '*', 'type', 'task:created', 'task_id', name, 'data', data);
      await redis.redis.xadd('task_events', '*', 'type', 'task:output', 'task_id', name, 'data', data);
    }
    await redis.redis.xadd('task_events', '*', 'type', 'task:created', 'task_id', 'last-event', 'data', '{}');
    // Blanks around an id of an event do not count.
    for (const id of ['pwned', 'last-event']) made.add(id);
  }
  const dirs = await directories(tasksDir, made.size);
  await server.stop();
  assert.deepEqual(dirs, [...made].sort());
  assert.deepEqual(await snapshot(root, dataDir), before);
  // Two ids that differ in case are two tasks, each with its own line.
  for (const id of ['Case', 'case']) {
    assert.match(await readFile(join(tasksDir, id, '03-agent-output.jsonl'), 'utf8'), new RegExp(`line of ${id}"`));
  }
  t.diagnostic(`${names.length} names by REST, webhooks${redis ? ', events' : ''}: 0 paths outside`);
});

test('a link in the place of a directory or a file is never followed out, also not to delete', {
  timeout: 60_000,
}, async (t) => {
  const { root, dataDir, outside, tasksDir } = await tree(t);
  await mkdir(tasksDir, { mode: 0o700 });
  // Planted before the task is there: as its directory, and as each of its files.
  await symlink(join(outside, 'folder'), join(tasksDir, 'planted'));
  const FILES = [
    'metadata.json',
    '01-input.json',
    '02-webhook-flow.jsonl',
    '03-agent-output.jsonl',
    '03-user-inputs.jsonl',
    '04-final-result.json',
  ];
  for (const file of FILES) {
    await mkdir(join(tasksDir, 'files'), { recursive: true, mode: 0o700 });
    await symlink(join(outside, 'victim'), join(tasksDir, 'files', file));
  }
  const before = await snapshot(outside);
  const server = await startServer(t, { dataDir });
  const write = async (taskId: string): Promise<void> => {
    const lines = ['output', 'webhook', 'user_input'].map((type) => ({ message: 'x', type, metadata: { stage: 's' } }));
    await call(server, `/api/tasks/${taskId}/logs`, lines);
  };
  for (const taskId of ['planted', 'files', 'later', 'plain']) {
    await call(server, '/api/tasks', { task_id: taskId, input: { message: 'x' } });
    await write(taskId);
  }
  const whole = (taskId: string) => readFile(join(tasksDir, taskId, '03-agent-output.jsonl'), 'utf8').catch(() => '');
  await until(async () => (await whole('later')) !== '' && (await whole('plain')) !== '');
  // And while the server works.
  await rename(join(tasksDir, 'later'), join(root, 'moved'));
  await symlink(join(outside, 'folder'), join(tasksDir, 'later'));
  for (const taskId of ['planted', 'files', 'later', 'plain']) {
    await write(taskId);
    await call(server, `/api/tasks/${taskId}/complete`, { result: 'done' });
  }
  await until(
    async () => (await readFile(join(tasksDir, 'plain', '04-final-result.json'), 'utf8').catch(() => '')) !== '',
  );
  for (const taskId of ['planted', 'later']) {
    assert.equal((await fetch(`${server.url}/api/tasks/${taskId}`, { method: 'DELETE' })).status, 204);
  }
  await server.stop();
  assert.deepEqual(await snapshot(outside), before);
  await rm(join(root, 'moved'), { recursive: true });
});

test('an imported directory says its own name in vain: it becomes the task that its name is, or none', {
  timeout: 60_000,
}, async (t) => {
  const { root, dataDir, outside } = await tree(t);
  const from = join(root, 'backup');
  const names = ['good', 'evil-id', 'evil-files'];
  for (const name of names) {
    await mkdir(join(from, name), { recursive: true });
    const taskId = name === 'good' ? name : '../../outside/pwned';
    await writeFile(
      join(from, name, 'metadata.json'),
      `${JSON.stringify({ task_id: taskId, status: 'completed', source: '../x' })}\n`,
    );
  }
  await rm(join(from, 'evil-files', 'metadata.json'));
  await symlink(join(outside, 'victim'), join(from, 'evil-files', 'metadata.json'));
  const before = await snapshot(root, dataDir);
  const at = { cwd: root, dataDir, env: { PATH: String(process.env.PATH), TASKTRAIL_DATA_DIR: dataDir } };
  const { stdout, stderr } = await tasktrail(t, at, 'import', from);
  assert.match(stdout, /tasks? with/, stderr);
  const listed = await tasktrail(t, at, 'tasks', '--json');
  const ids = listed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).task_id);
  assert.ok(ids.includes('good') && ids.every((id) => names.includes(id)), `${ids}`);
  assert.deepEqual(await snapshot(root, dataDir), before);
});
