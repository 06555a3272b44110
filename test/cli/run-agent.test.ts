import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTrail } from '../../src/trail/open.ts';
import { place, tasktrail } from './cli.ts';

const AGENT = fileURLToPath(new URL('../fixtures/programs/fake-agent.js', import.meta.url));
const recording = (name: string) => fileURLToPath(new URL(`../fixtures/claude/${name}`, import.meta.url));

test('an agent that somebody runs is understood, and its output passes through byte for byte', async (t) => {
  const at = await place(t);
  const play = [process.execPath, AGENT, recording('success.jsonl')];
  const ran = await tasktrail(t, at, 'run', '--task', 'a', '--agent', 'claude', '--', ...play);
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(ran.stdoutBytes, await readFile(recording('success.jsonl')));
  const trail = await openTrail({ dataDir: at.dataDir });
  t.after(() => trail.close());
  const task = await trail.get('a');
  assert.deepEqual(
    [task.status, task.kind, task.assignedAgent, task.metrics.numTurns],
    ['completed', 'agent', 'claude', 4],
  );
  assert.ok((task.metrics.costUsd ?? 0) > 0 && task.result !== null);
  const { byType, bySource } = await trail.stats('a');
  assert.ok((byType.tool_call ?? 0) > 0 && (byType.thinking ?? 0) > 0 && (byType.result ?? 0) === 1);
  assert.ok((bySource.claude ?? 0) > 0);
});

test('the exit code passes through, the task ends as the agent says', async (t) => {
  const at = await place(t);
  const play = (name: string, code: string) => [process.execPath, AGENT, recording(name), code];
  const gaveUp = await tasktrail(
    t,
    at,
    'run',
    '--task',
    'a',
    '--agent',
    'claude',
    '--',
    ...play('max-turns.jsonl', '1'),
  );
  assert.equal(gaveUp.code, 1);
  const silent = [process.execPath, AGENT, 'none', '0'];
  assert.equal((await tasktrail(t, at, 'run', '--task', 'b', '--agent', 'claude', '--', ...silent)).code, 0);
  const trail = await openTrail({ dataDir: at.dataDir });
  t.after(() => trail.close());
  assert.match((await trail.get('a')).error ?? '', /turns/);
  assert.deepEqual([(await trail.get('b')).status, (await trail.get('b')).exitCode], ['failed', 0]);
});

test('what a command tells to hide is hidden, and an agent that nobody knows is refused', async (t) => {
  const at = await place(t);
  const script =
    'echo "::add-mask::hunter2-hunter2"; echo "the password is hunter2-hunter2"; echo "::warning::careful"';
  const ran = await tasktrail(t, at, 'run', '--task', 'a', '--agent', 'generic', '--', 'sh', '-c', script);
  assert.equal(ran.code, 0, ran.stderr);
  const trail = await openTrail({ dataDir: at.dataDir });
  t.after(() => trail.close());
  const { logs } = await trail.logs('a');
  assert.deepEqual(
    logs.map(({ level, message }) => [level, message]),
    [
      ['INFO', 'the password is [redacted:registered]'],
      ['WARNING', 'careful'],
    ],
  );
  const unknown = await tasktrail(t, at, 'run', '--agent', 'brain', '--', 'true');
  assert.deepEqual([unknown.code, /Allowed choices are claude, generic/.test(unknown.stderr)], [2, true]);
});
