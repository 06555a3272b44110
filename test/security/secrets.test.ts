import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { place, type RunningCli, type ServedPlace, serve, start } from '../cli/cli.ts';
import { letters, privateKey, settings, tokens } from '../support/secrets.ts';

const TELLER = fileURLToPath(new URL('../fixtures/programs/secret-teller.js', import.meta.url));
const HOOK_SECRET = 'a secret of the webhook';
/** Ordinary text beside every secret: the search that finds no secret must find this. */
const CANARY = 'canary-of-ordinary-text';

const TOKENS = tokens('everywhere');
const KEY = privateKey('everywhere');
const PASSWORD = letters('password', 20);
const REGISTERED = `${letters('registered', 14)}/+ "é" ${letters('registered b', 10)}`;
const ENVIRONMENT = letters('environment', 24);
const MULTILINE = [letters('line 1', 30), letters('line 2', 30), letters('line 3', 30)];
const EMPLOYEE = 'EMP-204981';

/** What must be found nowhere: tokens without their prefix, which is no secret, and values in the forms that they may have. */
const NEEDLES: readonly string[] = [
  ...Object.values(TOKENS).map((token) => token.slice(-12)),
  ...Object.values(TOKENS).map((token) => token.slice(Math.ceil(token.length / 2) - 8, Math.ceil(token.length / 2))),
  ...KEY.body.map((line) => line.slice(0, 10)),
  PASSWORD,
  ...forms(REGISTERED),
  ...forms(ENVIRONMENT),
  ...MULTILINE,
  EMPLOYEE,
  HOOK_SECRET,
];

function forms(value: string): readonly string[] {
  const inBase64 = ['', 'a', 'ab'].map((before) => Buffer.from(`${before}${value}`).toString('base64').slice(4, -4));
  return [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), ...inBase64];
}

/** Lines with every secret, in every setting. */
function secretLines(): readonly string[] {
  return [
    ...Object.values(TOKENS).flatMap(settings),
    `postgres://app:${PASSWORD}@db/x`,
    ...[REGISTERED, ENVIRONMENT].flatMap((value) => [
      `it is ${value}!`,
      JSON.stringify({ value, inner: JSON.stringify({ value }) }),
      `?q=${encodeURIComponent(value)}`,
      ...['', 'a', 'ab'].map((before) => `Basic ${Buffer.from(`${before}${value}`).toString('base64')}`),
      Buffer.from(value).toString('base64url'),
    ]),
    ...MULTILINE,
    ...KEY.text.split('\n'),
    JSON.stringify({ key: KEY.text }),
    `by ${EMPLOYEE} in person`,
    CANARY,
  ];
}

/** Everything in one text, for fields that take one. */
const everything = () => [...secretLines(), KEY.text].join(' \n');

interface Setting {
  readonly api: ServedPlace;
  readonly dataDir: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

async function setting(t: TestContext): Promise<Setting> {
  const at = await place(t, {
    OUR_API_KEY: ENVIRONMENT,
    GITHUB_WEBHOOK_SECRET: HOOK_SECRET,
    TASKTRAIL_LOG_LEVEL: 'DEBUG',
  });
  const rules = [{ name: 'employee', pattern: 'EMP-[0-9]{6}' }];
  await writeFile(join(at.cwd, 'tasktrail.config.json'), JSON.stringify({ redaction: { rules } }));
  const api = await serve(t, at);
  return { api, dataDir: at.dataDir, cwd: at.cwd, env: at.env };
}

async function send({ api }: Setting, path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${api.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  });
  const answer = await response.text();
  assert.ok(response.ok, `${path}: ${response.status} ${answer.slice(0, 300)}`);
  return answer;
}

/** What a follower receives of a task, as text, and when it is over. */
function follower({ api }: Setting, taskId: string) {
  const frames: string[] = [];
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/ws/logs/${taskId}`);
  socket.on('message', (data) => frames.push(String(data)));
  return { frames, opened: once(socket, 'open'), closed: once(socket, 'close') };
}

/** Which needles a text holds, as it is and without its colours. */
function foundIn(text: string, needles: readonly string[]): readonly string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal takes out
  const plain = text.replace(/(?:\u001b|\\+u001b)\[[0-9;]*[mK]/g, '');
  return needles.filter((needle) => text.includes(needle) || plain.includes(needle));
}

/** Every file below a directory, byte by byte as text. */
async function filesIn(dir: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')] as const)));
}

async function deliver(at: Setting): Promise<void> {
  const comment = {
    id: 7,
    body: `@agent ${everything()}`,
    user: { login: `octo ${TOKENS['github-token']}`, type: 'User' },
  };
  const repository = { full_name: 'team/app', clone_url: `https://me:${PASSWORD}@git.example.org/team/app.git` };
  const issue = { number: 3, title: everything(), user: comment.user, html_url: `https://x/?t=${TOKENS.jwt}` };
  const body = JSON.stringify({ action: 'created', comment, repository, issue, sender: comment.user });
  const signature = `sha256=${createHmac('sha256', HOOK_SECRET).update(body).digest('hex')}`;
  await send(at, '/webhooks/github', body, {
    ...{ 'x-github-event': 'issue_comment', 'x-github-delivery': `d-${TOKENS['npm-token']}` },
    ...{ 'x-hub-signature-256': signature, 'user-agent': `agent ${TOKENS['slack-token']}` },
  });
}

async function report(at: Setting): Promise<readonly string[]> {
  const all = everything();
  await send(at, '/api/redact/values', { values: [REGISTERED, MULTILINE.join('\n')] });
  await send(at, '/api/tasks', {
    ...{
      task_id: 'task-told',
      title: secretLines().slice(0, 8).join(' '),
      source: 'test',
      owner: TOKENS['google-key'],
    },
    ...{
      params: { all, [TOKENS['aws-key'] ?? '']: [all] },
      input: { message: all },
      metadata: { all },
      tags: [TOKENS.jwt],
    },
  });
  const following = follower(at, 'task-told');
  await following.opened;
  const lines = secretLines();
  // In several batches, so that the key goes on from one to the next.
  for (let from = 0; from < lines.length; from += 7) {
    const entries = lines
      .slice(from, from + 7)
      .map((message) => ({ message, metadata: { copy: message, list: [message] } }));
    await send(at, '/api/tasks/task-told/logs', entries);
  }
  await send(at, '/api/tasks/task-told/logs', [{ message: all, source: (TOKENS['openai-key'] ?? '').slice(0, 60) }]);
  for (const token of [...Object.values(TOKENS), REGISTERED, ENVIRONMENT]) {
    for (const part of [0.6, 1]) {
      const text = `unended ${token.slice(0, Math.floor(token.length * part))}`;
      await send(at, '/api/tasks/task-told/partial', { stream: 'stdout', text });
    }
  }
  // Refused, with the secret in what is refused: it is told in answers and in our own log.
  await fetch(`${at.api.url}/api/tasks/${TOKENS['stripe-key']}?token=${TOKENS.jwt}`).then((answer) => answer.text());
  await send(at, '/api/tasks/task-told/fail', { error: all, result: { all }, exit_code: 3 });
  await following.closed;
  return following.frames;
}

/** Commands that print secrets: one to the server, with somebody watching, one while no server is there. */
async function runs(t: TestContext, at: Setting): Promise<{ frames: readonly string[]; printed: string }> {
  const words = ['node', TELLER, ...Object.values(TOKENS), ENVIRONMENT, EMPLOYEE, `${CANARY}-told`];
  const child = (env: Record<string, string>): RunningCli =>
    start(t, { ...at, env: { ...at.env, ...env } }, [
      'run',
      '--task',
      'task-ran',
      '--',
      process.execPath,
      ...words.slice(1),
    ]);
  await send(at, '/api/tasks', { task_id: 'task-ran' });
  const following = follower(at, 'task-ran');
  await following.opened;
  const [there, away] = await Promise.all([
    child({ TASKTRAIL_URL: at.api.url }).ended,
    child({ TASKTRAIL_URL: 'http://127.0.0.1:9', TASKTRAIL_DATA_DIR: join(at.cwd, 'away') }).ended,
  ]);
  await following.closed;
  assert.deepEqual([there.code, away.code], [0, 0], there.stderr + away.stderr);
  // What passes through to the terminal is the command's own; what we say of it is not.
  return { frames: following.frames, printed: there.stderr + away.stderr };
}

test('no secret is in the database, its WAL, files, spool, live frames, answers or our own log, however it comes', async (t) => {
  const at = await setting(t);
  await mkdir(join(at.cwd, 'away'), { recursive: true, mode: 0o700 });
  const told = await report(at);
  await deliver(at);
  const ran = await runs(t, at);
  const answers = await Promise.all(
    [
      '/api/tasks',
      '/api/tasks/task-told',
      '/api/tasks/task-told/logs?limit=1000',
      '/api/logs/search?q=canary',
      '/metrics',
    ].map(async (path) => (await fetch(`${at.api.url}${path}`)).text()),
  );
  const whileOpen = await filesIn(at.dataDir);
  at.api.child.kill('SIGTERM');
  const { stdout, stderr } = await at.api.ended;
  const places = new Map([
    ...[...whileOpen].map(([path, text]) => [`${path}, open`, text] as const),
    ...(await filesIn(at.dataDir)),
    ...(await filesIn(join(at.cwd, 'away'))),
    ...answers.map((text, index) => [`answer ${index}`, text] as const),
    ['frames of what was reported', told.join('\n')],
    ['frames of the run', ran.frames.join('\n')],
    ['what run says', ran.printed],
    ['what the server prints', stdout + stderr],
  ]);
  const leaks = [...places].flatMap(([name, text]) => foundIn(text, NEEDLES).map((needle) => `${name}: ${needle}`));
  assert.deepEqual(leaks, []);
  // The same search finds what is no secret, in each kind of place: it can fail.
  const withCanary = [...places].filter(([, text]) => foundIn(text, [CANARY]).length > 0).map(([name]) => name);
  for (const kind of [
    ...[/tasktrail\.db$/, /tasktrail\.db-wal, open$/, /\/tasks\/.*, open$/, /\/away\/spool\//],
    ...[/^frames of what/, /^frames of the run/, /^answer 2/],
  ]) {
    assert.ok(
      withCanary.some((name) => kind.test(name)),
      `no ${kind} in ${withCanary.join(', ')}`,
    );
  }
  assert.ok([...places].some(([name, text]) => name.endsWith('server.log') && text.includes('/api/tasks')));
  assert.ok(told.some((frame) => frame.includes('"type":"partial"') && frame.includes('unended')));
  for (const kind of [...Object.keys(TOKENS), 'private-key', 'registered', 'url-password', 'employee']) {
    assert.ok(foundIn(answers[2] ?? '', [`[redacted:${kind}]`]).length > 0, kind);
    assert.match(answers[4] ?? '', new RegExp(`tasktrail_redactions_total\\{kind="${kind}"\\} [1-9]`));
  }
});

test('the search finds each secret where it is not masked, coloured too', () => {
  for (const needle of NEEDLES) {
    assert.deepEqual(foundIn(`x ${needle} y`, [needle]), [needle]);
    assert.deepEqual(foundIn(`x ${needle.slice(0, 3)}\u001b[31m${needle.slice(3)} y`, [needle]), [needle]);
  }
  assert.ok(foundIn(everything(), NEEDLES).length >= NEEDLES.length - 2);
});
