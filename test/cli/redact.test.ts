import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { secretEnvValues } from '../../src/cli/secret-env.ts';
import { scratch } from '../support/scratch.ts';
import { privateKey, tokens } from '../support/secrets.ts';
import { place, start, tasktrail } from './cli.ts';

const TOKEN = tokens('cli')['github-token'] ?? '';

test('values of variables are secrets by their names', () => {
  const value = 'k3eD9-value-of-it';
  for (const name of [
    ...[
      'GITHUB_TOKEN',
      'token',
      'NPM_TOKENS',
      'CLIENT_SECRET',
      'DB_PASSWORD',
      'MYSQL_PASSWD',
      'SMTP_PASS',
      'OPENAI_API_KEY',
    ],
    ...['APIKEY', 'TLS_PRIVATE_KEY', 'GOOGLE_CREDENTIALS', 'AWS_SECRET_ACCESS_KEY', 'KEY_PASSPHRASE', 'MYSQL_PWD'],
  ]) {
    assert.deepEqual(secretEnvValues({ [name]: value }), [value], name);
  }
  for (const name of [
    ...[
      'PATH',
      'HOME',
      'KEYBOARD',
      'TOKENIZERS_PARALLELISM',
      'PUBLIC_KEY',
      'TOKEN_URL',
      'SECRET_NAME',
      'PASSWORD_FILE',
    ],
    ...['AWS_ACCESS_KEY_ID', 'SSH_AUTH_SOCK', 'MAX_TOKENS', 'PWD', 'COMPASS', 'MONKEY'],
  ]) {
    assert.deepEqual(secretEnvValues({ [name]: value }), [], name);
  }
});

test('what is short, a plain word, a count or a file that is there is no secret', async (t) => {
  const file = join(await scratch(t), 'credentials.json');
  await writeFile(file, '{}');
  const env = {
    A_TOKEN: 'short',
    B_TOKEN: 'required',
    C_TOKENS: '32000000',
    D_CREDENTIALS: file,
    E_PASSWORD: 'changeme',
  };
  assert.deepEqual(secretEnvValues(env), []);
  assert.deepEqual(secretEnvValues({ D_CREDENTIALS: `${file}-gone` }), [`${file}-gone`]);
});

test('passwords in addresses are secrets, whatever the variable is called', () => {
  const env = {
    DATABASE_URL: 'postgres://app:p%40ssw0rd1@db:5432/x',
    ADO_DSN: 'Server=db;User=a;Password=hunter2222;',
  };
  assert.deepEqual(secretEnvValues(env), ['p%40ssw0rd1', 'p@ssw0rd1', 'hunter2222']);
  assert.deepEqual(
    secretEnvValues({ PAGE: 'https://example.org:8080/a@b', DEV_URL: 'postgres://a:postgres@db/x' }),
    [],
  );
});

test('redact test shows what is masked and why, by shape, environment and rules, and never the secret', async (t) => {
  const at = await place(t, { MY_SECRET: 'value-of-my-secret' });
  const rules = [{ name: 'employee', pattern: 'EMP-([0-9]{6})', kind: 'person' }];
  await writeFile(join(at.cwd, 'tasktrail.config.json'), JSON.stringify({ redaction: { rules } }));
  const text = `${TOKEN} value-of-my-secret EMP-123456 x=42`;
  const ran = await tasktrail(t, at, 'redact', 'test', '--rule', 'answer=x=[0-9]+', text);
  assert.equal(ran.stdout, '[redacted:github-token] [redacted:registered] EMP-[redacted:person] [redacted:answer]\n');
  assert.equal(ran.code, 0);
  for (const part of [
    'github-token, by a known shape',
    'registered value',
    'the rule employee',
    'the rule answer',
    '4 masked',
  ]) {
    assert.ok(ran.stderr.includes(part), ran.stderr);
  }
  for (const secret of [TOKEN, 'value-of-my-secret', '123456']) assert.ok(!ran.stderr.includes(secret));
});

test('lines of standard input are those of one task; nothing to mask is exit code 1, a wrong rule 2', async (t) => {
  const at = await place(t);
  const input = `hello\n${privateKey('cli').text}\nend\n`;
  const read = await start(t, at, ['redact', 'test', '--json'], input).ended;
  const lines = read.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual([lines[0].masked, lines[0].matches], ['hello', []]);
  assert.deepEqual([lines[2].masked, lines[2].matches[0].by], ['[redacted:private-key]', 'block']);
  assert.equal(lines.at(-1).masked, 'end');
  assert.deepEqual([read.code, (await tasktrail(t, at, 'redact', 'test', 'hello')).code], [0, 1]);
  for (const rule of ['x', 'Upper=a', 'a=(', 'a=x*', `a=${'x'.repeat(501)}`]) {
    const wrong = await tasktrail(t, at, 'redact', 'test', '--rule', rule, 'hello');
    assert.deepEqual([wrong.code, wrong.stdout], [2, ''], rule);
  }
});

test('a wrong rule in the config file stops the start and names its place', async (t) => {
  const at = await place(t);
  for (const [rules, said] of [
    [[{ name: 'a', pattern: '(' }], /redaction\.rules\.0\.pattern in tasktrail\.config\.json: expected RE2 syntax/],
    [[{ name: 'a', pattern: 'x*' }], /does not match the empty text/],
    [[{ name: 'a', pattern: '(a{1,90}){90}' }], /at most 200 pieces/],
    [
      [
        { name: 'a', pattern: 'b' },
        { name: 'a', pattern: 'c' },
      ],
      /redaction\.rules\.1\.name.*another name/,
    ],
    [[{ name: 'A b', pattern: 'b' }], /redaction\.rules\.0\.name/],
  ] as const) {
    await writeFile(join(at.cwd, 'tasktrail.config.json'), JSON.stringify({ redaction: { rules } }));
    for (const words of [
      ['serve', '--port', '0'],
      ['run', '--', 'echo', 'hello'],
    ]) {
      const { code, stderr } = await tasktrail(t, at, ...words);
      assert.equal(code, 2, stderr);
      assert.match(stderr, said);
    }
  }
});
