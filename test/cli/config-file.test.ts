import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { readConfig } from '../../src/cli/config.ts';
import { configSchema, readSections } from '../../src/cli/config-file.ts';
import { scratch } from '../support/scratch.ts';

async function sections(t: TestContext, content: object) {
  const cwd = await scratch(t);
  await writeFile(join(cwd, 'tasktrail.config.json'), JSON.stringify(content));
  return { cwd, read: () => readSections(readConfig({ cwd, env: {} }).sections) };
}

test('commands, plugins and concurrency are read; paths are seen from the config file', async (t) => {
  const { cwd, read } = await sections(t, {
    port: 9000,
    concurrency: 8,
    plugins: ['./plugins/backup.js', '/opt/other.js'],
    shell: {
      commands: {
        deploy: {
          run: ['./deploy.sh', '--fast'],
          ...{ description: 'Deploys', cwd: 'site', env: { STAGE: 'live' }, timeout_seconds: 600, approval: true },
        },
        'disk.free': { run: ['df'] },
      },
    },
  });
  const none = { description: undefined, env: undefined, timeoutSeconds: undefined, approval: undefined };
  assert.deepEqual(read(), {
    ...{ webhooks: {}, agents: {}, slack: null, alerts: {}, redaction: [] },
    concurrency: 8,
    plugins: [join(cwd, 'plugins', 'backup.js'), '/opt/other.js'],
    shell: {
      deploy: {
        ...{ run: ['./deploy.sh', '--fast'], description: 'Deploys', cwd: join(cwd, 'site') },
        ...{ env: { STAGE: 'live' }, timeoutSeconds: 600, approval: true },
      },
      'disk.free': { ...none, run: ['df'], cwd },
    },
  });
});

test('what is not there, or null, has its default', async (t) => {
  for (const content of [
    {},
    { shell: null, plugins: null, concurrency: null, webhooks: null, agents: null, slack: null, alerts: null },
    { shell: { commands: {} } },
  ]) {
    const { read } = await sections(t, content);
    assert.deepEqual(read(), {
      shell: {},
      plugins: [],
      concurrency: 4,
      webhooks: {},
      agents: {},
      slack: null,
      alerts: {},
      redaction: [],
    });
  }
});

test('a config file elsewhere is what its paths are seen from', async (t) => {
  const { cwd } = await sections(t, { plugins: ['p.js'] });
  const elsewhere = await scratch(t);
  const config = readConfig({ cwd: elsewhere, env: {}, configFile: join(cwd, 'tasktrail.config.json') });
  assert.deepEqual(readSections(config.sections).plugins, [join(cwd, 'p.js')]);
});

test('what is told to Slack is read, with what is left out', async (t) => {
  const { read } = await sections(t, {
    slack: {
      channel: 'C0TRAIL',
      rules: [
        {
          name: 'oom',
          when: { min_level: 'WARNING', regex: 'out of memory' },
          cool_down_seconds: 60,
          channel: 'C0OPS',
        },
        { name: 'dear', when: { min_cost: 2, agent: 'planner' } },
      ],
    },
  });
  assert.deepEqual(read().slack, {
    channel: 'C0TRAIL',
    on: ['failed', 'timed_out', 'pending_approval'],
    rules: [
      {
        ...{ name: 'oom', channel: 'C0OPS', coolDownMs: 60_000 },
        lines: { levels: ['WARNING', 'ERROR'], search: 'out of memory', regex: true },
      },
      { name: 'dear', channel: null, coolDownMs: 300_000, lines: null, minCostUsd: 2, agent: 'planner' },
    ],
  });
});

const command = (rest: object) => ({ shell: { commands: { deploy: { run: ['x'], ...rest } } } });
const agent = (rest: object) => ({ agents: { a: { command: 'x', ...rest } } });
const rule = (when: object, rest: object = {}) => ({ slack: { rules: [{ name: 'r', when, ...rest }] } });
const BAD: readonly (readonly [content: object, message: RegExp])[] = [
  [{ concurrency: 0 }, /^concurrency in tasktrail\.config\.json: expected >= 1; got 0$/],
  [{ concurrency: 101 }, /expected <= 100; got 101/],
  [{ concurrency: 'four' }, /expected integer; got "four"/],
  [{ plugins: './a.js' }, /^plugins in .*: expected array; got "\.\/a\.js"/],
  [{ plugins: [5] }, /^plugins\.0 in .*: expected string; got 5/],
  [{ plugins: ['a.js', 'a.js'] }, /expected no duplicate items; got a list/],
  [{ shell: {} }, /^shell\.commands in .*: expected a value; got nothing/],
  [{ shell: { commands: {}, commandz: {} } }, /^shell in .*: expected commands; got "commandz"/],
  [{ shell: { commands: { 'a b': { run: ['x'] } } } }, /^shell\.commands in .*: expected a name that matches .*"a b"/],
  [{ shell: { commands: { __proto: { run: ['x'] } } } }, /a name that matches/],
  [command({ run: './deploy.sh --fast' }), /^shell\.commands\.deploy\.run in .*: expected array; got "\.\/deploy/],
  [command({ run: [] }), /deploy\.run in .*: expected no fewer than 1 items; got a list/],
  [command({ runs: 1 }), /^shell\.commands\.deploy in .*: expected run, description, .*; got "runs"/],
  [command({ timeout_seconds: 0 }), /timeout_seconds in .*: expected > 0; got 0/],
  [command({ env: { TOKEN: 12345 } }), /env\.TOKEN in .*: expected string; got a number/],
  [command({ env: ['TOKEN=hush'] }), /env in .*: expected object; got a list/],
  [command({ env: { 'A=B': 'hush' } }), /env in .*: expected a name that matches .*; got "A=B"/],
  [{ agents: { 'a b': { command: 'x' } } }, /^agents in .*: expected a name that matches .*"a b"/],
  [{ agents: { a: {} } }, /^agents\.a\.command in .*: expected a value; got nothing/],
  [{ agents: { a: { command: 5 } } }, /^agents\.a\.command in .*: expected either string or array; got 5/],
  [{ agents: { a: { command: [] } } }, /^agents\.a\.command in .*: expected no fewer than 1 items; got a list/],
  [
    { agents: { a: { command: "claude 'x" } } },
    /^agents\.a\.command in .*: expected a command line with closed quotes/,
  ],
  [{ agents: { a: { command: ' ' } } }, /^agents\.a\.command in .*: expected a command line/],
  [{ agents: { a: { command: ['', 'x'] } } }, /^agents\.a\.command in .*: expected a program, got an empty text/],
  [agent({ plan_command: '"' }), /^agents\.a\.plan_command in .*: expected a command line with closed quotes/],
  [agent({ parser: 'gpt' }), /^agents\.a\.parser in .*: expected claude or generic; got "gpt"/],
  [agent({ input: 'json' }), /^agents\.a\.input in .*: expected none or text or stream-json; got "json"/],
  [agent({ timeout_seconds: 0 }), /^agents\.a\.timeout_seconds in .*: expected > 0; got 0/],
  [agent({ env: ['A=B'] }), /^agents\.a\.env\.0 in .*: expected a text of pattern "\^\[A-Za-z_/],
  [agent({ env: { TOKEN: 'hush' } }), /^agents\.a\.env in .*: expected array; got an object/],
  [agent({ commands: 'x' }), /^agents\.a in .*: expected command, type, .*; got "commands"/],
  [{ slack: { chanel: 'C1' } }, /^slack in .*: expected channel, on, rules; got "chanel"/],
  [{ slack: { channel: 'C 1' } }, /^slack\.channel in .*: expected a text of pattern/],
  [{ slack: { on: ['done'] } }, /^slack\.on\.0 in .*: expected completed or failed or .*; got "done"/],
  [{ slack: { rules: [{ name: 'r' }] } }, /^slack\.rules\.0\.when in .*: expected a value; got nothing/],
  [rule({ levl: 'ERROR' }), /^slack\.rules\.0\.when in .*: expected min_level, text, .*; got "levl"/],
  [rule({ regex: 'a(b' }), /^slack\.rules\.0\.when in .*: search: expected a regular expression in RE2 syntax/],
  [rule({ regex: '(?=a)' }), /^slack\.rules\.0\.when in .*RE2/],
  [rule({ text: 'a', regex: 'a' }), /^slack\.rules\.0\.when in .*: expected text or regex, got both/],
  [rule({ stalled: true, text: 'a' }), /^slack\.rules\.0\.when in .*: expected stalled without/],
  [rule({ source: 'api' }), /^slack\.rules\.0\.when in .*: expected one of min_level/],
  [rule({ text: 'a' }, { cool_down_seconds: -1 }), /^slack\.rules\.0\.cool_down_seconds in .*: expected >= 0; got -1/],
  [
    { slack: { rules: [1, 2].map(() => ({ name: 'r', when: { text: 'a' } })) } },
    /^slack\.rules\.1\.name in .*: expected another name/,
  ],
  [command({ approval: 'yes' }), /approval in .*: expected boolean; got "yes"/],
];

for (const [content, message] of BAD) {
  test(`${JSON.stringify(content)} is refused with its place`, async (t) => {
    const { read } = await sections(t, content);
    assert.throws(read, (error: Error & { code: string }) => {
      assert.equal(error.code, 'invalid_setting');
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hush|12345/);
      return true;
    });
  });
}

test('the published JSON Schema is what the code takes', async () => {
  const file = await readFile(new URL('../../tasktrail.schema.json', import.meta.url), 'utf8');
  // When this fails: npm run schema
  assert.deepEqual(JSON.parse(file), JSON.parse(JSON.stringify(configSchema())));
});

test('another checker takes and refuses just the sections that we do', async (t) => {
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(configSchema());
  const cwd = await scratch(t);
  const valid = fc.record(
    {
      concurrency: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer(), fc.string()),
      plugins: fc.oneof(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 3 }), fc.array(fc.string())),
      agents: fc.dictionary(fc.constantFrom('a', 'b.c', '-', ' '), agents(), { maxKeys: 2 }),
      shell: fc.record({ commands: fc.dictionary(fc.constantFrom('a', 'b.c', '-', ' '), commands(), { maxKeys: 2 }) }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(valid, (values) => {
      const taken = (): boolean => {
        try {
          readSections({ file: 'f', dir: cwd, values });
          return true;
        } catch {
          return false;
        }
      };
      assert.equal(taken(), validate(values));
    }),
  );
});

function agents() {
  return fc.record(
    {
      command: fc.oneof(fc.constantFrom('claude -p', ''), fc.constantFrom(['a', 'b'], []), fc.integer()),
      parser: fc.constantFrom('claude', 'generic', 'other'),
      input: fc.constantFrom('none', 'text', 'stream-json', 'json'),
      timeout_seconds: fc.oneof(fc.integer(), fc.double()),
      env: fc.array(fc.constantFrom('A', 'B_*', '*', 'A B'), { maxLength: 2 }),
    },
    { requiredKeys: ['command'] },
  );
}

function commands() {
  return fc.record(
    {
      run: fc.array(fc.string(), { maxLength: 2 }),
      cwd: fc.string(),
      env: fc.dictionary(fc.constantFrom('A', 'A=B'), fc.oneof(fc.string(), fc.integer()), { maxKeys: 1 }),
      timeout_seconds: fc.oneof(fc.integer(), fc.double()),
      approval: fc.boolean(),
    },
    { requiredKeys: ['run'] },
  );
}
