import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkExposure, fileKey, readConfig, wantsColour } from '../../src/cli/config.ts';
import { isLoopback, SETTINGS } from '../../src/cli/settings.ts';
import { scratch } from '../support/scratch.ts';

test('without any setting every default holds', async (t) => {
  const cwd = await scratch(t);
  assert.deepEqual(readConfig({ cwd, env: {} }), {
    dataDir: join(cwd, 'data'),
    host: '127.0.0.1',
    port: 8000,
    publicUrl: undefined,
    trustProxy: [],
    allowedHosts: [],
    allowedOrigins: [],
    tokens: [],
    rateLimit: 60_000,
    flushMs: 25,
    bufferBytes: 16_777_216,
    logLevel: 'INFO',
    taskLogLevel: 'INFO',
    logFile: join(cwd, 'data', 'server.log'),
    taskLogsEnabled: true,
    taskLogsDir: join(cwd, 'data', 'tasks'),
    compressAfterDays: 7,
    retentionDays: 30,
    maxBytes: 0,
    staleAfter: 3600,
    agentCommand: ['claude', '-p', '--output-format', 'stream-json', '--verbose'],
    agentTimeoutSeconds: 300,
    planningTimeoutSeconds: undefined,
    agentStallMinutes: 5,
    agentConcurrency: 2,
    agentTaskUsd: null,
    agentDailyUsd: 20,
    agentTaskTokens: null,
    agentDailyTokens: null,
    agentEnv: ['ANTHROPIC_*', 'CLAUDE_CODE_*', 'DISABLE_*'],
    agentCwd: undefined,
    githubWebhookSecret: undefined,
    jiraWebhookSecret: undefined,
    slackSigningSecret: undefined,
    sentryClientSecret: undefined,
    githubToken: undefined,
    githubApiUrl: 'https://api.github.com',
    jiraUrl: undefined,
    jiraEmail: undefined,
    jiraApiToken: undefined,
    slackBotToken: undefined,
    slackApiUrl: 'https://slack.com/api',
    slackWebhookUrl: undefined,
    outboundAllow: [],
    redisUrl: undefined,
    role: 'all',
    taskEventsStream: 'task_events',
    taskEventsGroup: 'task-logger',
    taskEventsTrim: false,
    taskLogsRedisTtl: 86_400,
    taskLogsRedisMax: 100_000,
    machineId: hostname(),
    url: undefined,
    token: undefined,
    sections: { file: 'tasktrail.config.json', dir: cwd, values: {} },
  });
});

test('a flag beats the environment, that beats .env, that beats the config file', async (t) => {
  const cwd = await scratch(t);
  await writeFile(
    join(cwd, 'tasktrail.config.json'),
    JSON.stringify({ port: 1, host: 'a', flush_ms: '1', data_dir: 'd' }),
  );
  await writeFile(join(cwd, '.env'), 'TASKTRAIL_PORT=2\nTASKTRAIL_HOST="b"\nTASKTRAIL_FLUSH_MS=2\n');
  const env = { TASKTRAIL_PORT: '3', TASKTRAIL_HOST: 'c' };
  const { port, host, flushMs, dataDir } = readConfig({ cwd, env, flags: { port: '4' } });
  assert.deepEqual({ port, host, flushMs, dataDir }, { port: 4, host: 'c', flushMs: 2, dataDir: join(cwd, 'd') });
});

test('an empty value counts as not given', async (t) => {
  const cwd = await scratch(t);
  await writeFile(join(cwd, '.env'), 'TASKTRAIL_PORT=9000\n');
  assert.equal(readConfig({ cwd, env: { TASKTRAIL_PORT: '' } }).port, 9000);
});

test('lists and tokens are read from text and from the config file', async (t) => {
  const cwd = await scratch(t);
  const hosts = { allowed_hosts: ['a.example', 'b.example'], trust_proxy: '10.0.0.0/8, ::1' };
  await writeFile(join(cwd, 'other.json'), JSON.stringify(hosts));
  const config = readConfig({ cwd, env: { TASKTRAIL_TOKENS: 'admin:s3:cret, reader:x' }, configFile: 'other.json' });
  assert.deepEqual(config.allowedHosts, ['a.example', 'b.example']);
  assert.deepEqual(config.trustProxy, ['10.0.0.0/8', '::1']);
  assert.deepEqual(config.tokens, [
    { role: 'admin', token: 's3:cret' },
    { role: 'reader', token: 'x' },
  ]);
});

const BAD: readonly (readonly [name: string, value: string, allowed: RegExp])[] = [
  ['TASKTRAIL_PORT', '65536', /TASKTRAIL_PORT: expected a whole number, 0–65535; got "65536"/],
  ['TASKTRAIL_PORT', '80 00', /whole number/],
  ['TASKTRAIL_HOST', 'two words', /IP address or a host name/],
  ['TASKTRAIL_PUBLIC_URL', 'ftp://x', /http:\/\/ or https:\/\//],
  ['TASKTRAIL_TRUST_PROXY', 'everybody', /IP addresses/],
  ['TASKTRAIL_ALLOWED_HOSTS', 'a b', /host names/],
  ['TASKTRAIL_ALLOWED_ORIGINS', 'https://a.example/path', /origins like/],
  ['TASKTRAIL_FLUSH_MS', '2001', /0–2000/],
  ['TASKTRAIL_BUFFER_BYTES', '10', /65536–/],
  ['TASKTRAIL_LOG_LEVEL', 'loud', /DEBUG, INFO, WARNING, ERROR; got "loud"/],
  ['TASKTRAIL_AGENT_COMMAND', 'claude "open', /a command line with closed quotes; got "claude \\"open"/],
  ['TASKTRAIL_AGENT_DAILY_USD', '-1', /a number of US dollars, 0 or more/],
  ['TASKTRAIL_AGENT_ENV', 'A*B', /names of variables/],
  ['TASKTRAIL_TASK_LOG_LEVEL', '7.5', /DEBUG, INFO, WARNING, ERROR/],
  ['TASKTRAIL_URL', 'localhost:8000', /http:\/\/ or https:\/\//],
];

for (const [name, value, allowed] of BAD) {
  test(`${name}=${value} is refused with what is allowed`, async (t) => {
    const cwd = await scratch(t);
    assert.throws(() => readConfig({ cwd, env: { [name]: value } }), { code: 'invalid_setting', message: allowed });
  });
}

test('a bad token list is refused without showing it', async (t) => {
  const cwd = await scratch(t);
  assert.throws(
    () => readConfig({ cwd, env: { TASKTRAIL_TOKENS: 'root:hunter2hunter2' } }),
    ({ message }: Error) => {
      assert.match(message, /TASKTRAIL_TOKENS: expected admin:TOKEN/);
      assert.doesNotMatch(message, /hunter2/);
      return true;
    },
  );
});

test('a bad value in a file names the file', async (t) => {
  const cwd = await scratch(t);
  await writeFile(join(cwd, '.env'), 'TASKTRAIL_PORT=x\n');
  assert.throws(() => readConfig({ cwd, env: {} }), /TASKTRAIL_PORT in \.env/);
  await writeFile(join(cwd, '.env'), '');
  await writeFile(join(cwd, 'tasktrail.config.json'), '{"port":{}}');
  assert.throws(() => readConfig({ cwd, env: {} }), /port in tasktrail\.config\.json/);
  await writeFile(join(cwd, 'tasktrail.config.json'), '{"prot":1}');
  assert.throws(() => readConfig({ cwd, env: {} }), /tasktrail\.config\.json: expected data_dir, .*; got "prot"/);
});

test('a config file that is named must be there, and must be JSON that is not quoted back', async (t) => {
  const cwd = await scratch(t);
  assert.throws(() => readConfig({ cwd, env: {}, configFile: 'none.json' }), {
    code: 'invalid_setting',
    message: /none\.json/,
  });
  await writeFile(join(cwd, 'bad.json'), '{"tokens": admin:hunter2}');
  assert.throws(
    () => readConfig({ cwd, env: {}, configFile: 'bad.json' }),
    ({ message }: Error) => {
      assert.match(message, /bad\.json: expected JSON/);
      assert.doesNotMatch(message, /hunter2|admin/);
      return true;
    },
  );
});

test('only loopback may be served without tokens', async (t) => {
  const cwd = await scratch(t);
  const exposed = (host: string, tokens = '', stored = false): void =>
    checkExposure(readConfig({ cwd, env: { TASKTRAIL_HOST: host, TASKTRAIL_TOKENS: tokens } }), stored);
  for (const host of ['127.0.0.1', '127.8.8.8', '::1', '[::1]', 'localhost']) exposed(host);
  for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.org']) {
    assert.throws(() => exposed(host), { code: 'invalid_setting', message: /TASKTRAIL_TOKENS/ });
    exposed(host, 'admin:x');
    exposed(host, '', true);
  }
});

test('names that only look like loopback are not', () => {
  for (const host of ['127.0.0.1.example.org', 'localhost.example.org', '128.0.0.1'])
    assert.equal(isLoopback(host), false);
});

test('NO_COLOR switches colours off', () => {
  assert.equal(wantsColour({}), true);
  assert.equal(wantsColour({ NO_COLOR: '' }), true);
  assert.equal(wantsColour({ NO_COLOR: '1' }), false);
});

test('docs/config.md names every setting with its flag, key, default and meaning', async () => {
  const docs = await readFile(new URL('../../docs/config.md', import.meta.url), 'utf8');
  const written = docs
    .split('\n')
    .filter((line) => /^\| `[A-Z]/.test(line))
    .map(unaligned);
  const rows = Object.values(SETTINGS).map(({ name, flag, shownDefault, meaning }) => {
    const shownFlag = flag === undefined ? '' : `\`${flag.split(' ')[0]}\``;
    return unaligned(`| \`${name}\` | ${shownFlag} | \`${fileKey(name)}\` | ${shownDefault} | ${meaning} |`);
  });
  assert.deepEqual(written, rows);
});

/** The formatter aligns columns; how wide they are says nothing. */
function unaligned(row: string): string {
  return row.replace(/ +/g, ' ');
}
