import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { missing } from '../support/programs.ts';
import { projected } from './support.ts';

/*
 * The commands of the mission's "Access Logs via Filesystem" and "Analyze Logs", as written there, on directories as they are.
 */

const run = promisify(execFile);
const skip = missing('jq');

/** Two tasks as in the mission's examples, one completed and one failed. */
async function directories(t: TestContext) {
  const at = await projected(t);
  await at.intake.createTask({ taskId: 'task-abc123', source: 'webhook', provider: 'github', model: 'opus' });
  const stages = ['received', 'validation', 'command_matching', 'task_created', 'received'];
  await at.append(
    'task-abc123',
    ...stages.map((stage) => ({ message: stage, type: 'webhook' as const, metadata: { stage } })),
    { message: '[SYSTEM] Task started\n', type: 'output' },
    { message: 'Analyzing the code…\n', type: 'output' },
  );
  await at.intake.changeTask('task-abc123', {
    status: 'completed',
    result: 'Task completed successfully.',
    metrics: { costUsd: 0.0234, inputTokens: 1500, outputTokens: 800, durationSeconds: 45.2 },
  });
  await at.intake.createTask({ taskId: 'task-def456' });
  await at.append('task-def456', 'no luck');
  await at.intake.changeTask('task-def456', { status: 'failed', error: 'no', metrics: { costUsd: 0.1 } });
  await at.intake.createTask({ taskId: 'task-working' });
  await at.settled();
  /** What a command of the mission prints, in the directory of the first task. */
  const shell = async (command: string): Promise<string> => {
    const { stdout } = await run('sh', ['-ec', command.replaceAll('/data/logs/tasks', at.dir)], {
      cwd: at.path('task-abc123'),
    });
    return stdout;
  };
  return { ...at, shell };
}

test('cat and jq read every file', { skip }, async (t) => {
  const { shell } = await directories(t);
  assert.equal(JSON.parse(await shell('cat metadata.json | jq')).status, 'completed');
  assert.match(await shell('cat 03-agent-output.jsonl | jq'), /"content": "Analyzing the code…\\n"/);
  assert.equal(JSON.parse(await shell('cat 04-final-result.json | jq')).success, true);
  assert.equal(
    await shell('cd /data/logs/tasks/task-abc123 && cat 03-agent-output.jsonl | jq -r .type'),
    'output\noutput\n',
  );
});

test('webhook stages are counted', { skip }, async (t) => {
  const { shell } = await directories(t);
  const counted = await shell(`cat 02-webhook-flow.jsonl | jq -r '.stage' | sort | uniq -c`);
  assert.deepEqual(
    counted
      .trim()
      .split('\n')
      .map((line) => line.trim()),
    ['1 command_matching', '2 received', '1 task_created', '1 validation'],
  );
});

test('the total cost of all tasks is summed up', { skip }, async (t) => {
  const { shell } = await directories(t);
  const command = `find /data/logs/tasks -name "04-final-result.json" | xargs cat | jq -r '.metrics.cost_usd' | awk '{sum+=$1} END {print sum}'`;
  assert.equal(await shell(command), '0.1234\n');
});

test('failed tasks are found, and only those', { skip }, async (t) => {
  const { shell, path } = await directories(t);
  const found = await shell(`find /data/logs/tasks -name "04-final-result.json" | xargs grep -l '"success":false'`);
  assert.equal(found, `${path('task-def456', '04-final-result.json')}\n`);
});

test('token use is added up', { skip }, async (t) => {
  const { shell } = await directories(t);
  const command = `cat 04-final-result.json | jq '.metrics | {input: .input_tokens, output: .output_tokens, total: (.input_tokens + .output_tokens)}'`;
  assert.deepEqual(JSON.parse(await shell(command)), { input: 1500, output: 800, total: 2300 });
});

test('compressed output is read with zcat and jq, late lines included', { skip }, async (t) => {
  const { shell, store, append, settled } = await directories(t);
  while (store.compress('2100-01-01T00:00:00.000Z'));
  await settled();
  await append('task-abc123', { message: 'late', type: 'output' });
  await settled();
  assert.equal(await shell('zcat 03-agent-output.jsonl.gz | jq -r .seq'), '6\n7\n8\n');
  assert.equal(
    await shell('ls'),
    '02-webhook-flow.jsonl\n03-agent-output.jsonl.gz\n04-final-result.json\nmetadata.json\n',
  );
});
