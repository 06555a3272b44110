/* What the files of one agent run take up: a server runs a recorded session as its agent, a person says something meanwhile. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BenchClient } from '../support/client.ts';
import { DATA_DIR, report, startServer } from '../support/server.ts';

const AGENT = fileURLToPath(new URL('../../test/fixtures/programs/fake-agent.js', import.meta.url));
const RECORDED = fileURLToPath(new URL('../../test/fixtures/claude/success.jsonl', import.meta.url));
/** How often the turns of the recording are played: it has five, ordinary runs have some dozens. */
const TIMES = 6;
const FILES = 6;
const WAIT_MS = 60_000;

const env = { TASK_LOGS_ENABLED: 'true', TASKTRAIL_AGENT_COMMAND: `'${agentProgram()}'` };
const server = await startServer(join(DATA_DIR, 'data'), env);
const client = new BenchClient(server.url);
try {
  const input = 'Pay: the test of payments fails since this morning. Find out why, mend it, and run all tests again.';
  const { task_id: taskId } = JSON.parse(await client.post('/api/tasks', { agent: 'default', input }));
  await client.post(`/api/tasks/${taskId}/logs`, [...stages(), said()]);
  await until(async () => (await client.json<{ status: string }>(`/api/tasks/${taskId}`)).status === 'completed');
  const dir = join(DATA_DIR, 'data', 'tasks', taskId);
  await until(async () => sizesOf(dir).length === FILES);
  const sizes = sizesOf(dir);
  report({ files: sizes.length, runBytes: sizes.reduce((sum, size) => sum + size, 0) });
} finally {
  await client.close();
  await server.stop();
}

/** A program named as the agent is that it stands in for. */
function agentProgram(): string {
  const [begin = '', ...rest] = readFileSync(RECORDED, 'utf8').trim().split('\n');
  const end = rest.pop() ?? '';
  const turns = Array.from({ length: TIMES }, (_, n) => rest.map((line) => line.replaceAll('"toolu_', `"toolu_${n}_`)));
  const recording = join(DATA_DIR, 'recording.jsonl');
  writeFileSync(recording, `${[begin, ...turns.flat(), end].join('\n')}\n`);
  const program = join(DATA_DIR, 'claude');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${AGENT}' '${recording}'\n`, { mode: 0o755 });
  return program;
}

/** What a webhook that starts a task writes of its way. */
function stages() {
  return ['received', 'verified', 'matched', 'started'].map((stage) => ({
    ...{ message: stage, type: 'webhook', source: 'webhook' },
    metadata: {
      stage,
      provider: 'github',
      event_type: 'issue_comment',
      delivery_id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    },
  }));
}

function said() {
  return { message: 'Leave the fixtures as they are, please.', type: 'user_input', source: 'user' };
}

/** Of what stands there under its own name. */
function sizesOf(dir: string): number[] {
  return readdirSync(dir)
    .filter((name) => !name.startsWith('.'))
    .map((name) => statSync(join(dir, name)).size);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > endMs) throw new Error('expected the run and its files to be there in time');
    await delay(50);
  }
}
