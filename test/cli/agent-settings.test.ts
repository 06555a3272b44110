import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { agentEnv, readConfig } from '../../src/cli/config.ts';
import { scratch } from '../support/scratch.ts';

const PRINT = 'for word in "$@"; do printf "%s\\0" "$word"; done';

test('an agent command is split as a shell splits it', async (t) => {
  const cwd = await scratch(t);
  const words = (command: string) => readConfig({ cwd, env: { TASKTRAIL_AGENT_COMMAND: command } }).agentCommand;
  assert.deepEqual(words(`my-agent --name 'a b' "c \\"d\\"" e\\ f ''`), [
    'my-agent',
    '--name',
    'a b',
    'c "d"',
    'e f',
    '',
  ]);
  const part = fc.oneof(
    fc.constantFrom('a', 'b-c', ' ', '  ', "'x y'", '"p q"', '\\ ', '\\"', '"\\$h"', "''", '/', '=', '"it\'s"'),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const command = `run ${parts.join('')} end`;
      const { stdout } = spawnSync('sh', ['-c', `set -- ${command}; ${PRINT}`], { encoding: 'utf8' });
      assert.deepEqual(words(command), stdout.split('\0').slice(0, -1));
    }),
    { numRuns: 60 },
  );
});

test('an agent gets what programs need and what is named, and never a secret of ours', () => {
  const env = {
    PATH: '/bin',
    HOME: '/home/ada',
    ANTHROPIC_API_KEY: 'k',
    CLAUDE_CODE_X: 'x',
    AWS_SECRET: 's',
    TASKTRAIL_TOKENS: 'admin:t',
    TASKTRAIL_TOKEN: 't',
    TASKTRAIL_URL: 'u',
  };
  assert.deepEqual(agentEnv(['ANTHROPIC_*', 'CLAUDE_CODE_*'], env), {
    PATH: '/bin',
    HOME: '/home/ada',
    ANTHROPIC_API_KEY: 'k',
    CLAUDE_CODE_X: 'x',
  });
  assert.deepEqual(Object.keys(agentEnv(['TASKTRAIL_*', 'AWS_SECRET'], env)), [
    'PATH',
    'HOME',
    'AWS_SECRET',
    'TASKTRAIL_URL',
  ]);
});
