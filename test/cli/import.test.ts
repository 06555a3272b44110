import assert from 'node:assert/strict';
import { appendFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ENTRY_TYPES, type EntryInput } from '../../src/core/entry.ts';
import { LEVELS } from '../../src/core/level.ts';
import type { Task, TaskDraft } from '../../src/core/task.ts';
import type { Trail } from '../../src/core/trail.ts';
import { openTaskDirectory } from '../../src/outlet/directory/writer.ts';
import { openTrail } from '../../src/trail/open.ts';
import { projected } from '../outlet/support.ts';
import { type Place, place, reach, serve, start, tasktrail } from './cli.ts';

const OUTPUT = '03-agent-output.jsonl';
const RICH: TaskDraft = {
  taskId: 'task-rich.1',
  kind: 'agent',
  title: 'Fix the bug\nnow',
  source: 'webhook',
  provider: 'github',
  assignedAgent: 'brain',
  agentType: 'planning',
  model: 'opus',
  userId: 'u1',
  machineId: 'm1',
  owner: 'me',
  tags: ['a', 'b'],
  pinned: true,
  params: { depth: 3 },
  input: { message: 'fix it', sourceMetadata: { repo: 'owner/repo', issue_number: 42 } },
  metadata: { branch: 'main', nested: { list: [1, null, 'x'] } },
  createdAt: '2024-01-01T00:00:00.000Z',
  startedAt: '2024-01-01T00:00:01.000Z',
};

/** Lines of every type, level, source and stream. */
const LINES: readonly EntryInput[] = ENTRY_TYPES.flatMap((type, index) =>
  LEVELS.map((level) => ({
    message: `${type} \u001b[31m${level}\n ü\u2028`,
    type,
    level,
    source: `source-${index}`,
    stream: index % 2 ? ('stdout' as const) : null,
    timestamp: `2024-01-01T00:00:${String(10 + index)}.123Z`,
    metadata: index % 3 === 0 ? null : { stage: type, tool: 'Read', args: { file: 'a.ts' }, question_type: 'approval' },
  })),
);

/** Directories of an ended rich task and of one that still works, as a server leaves them; and the tasks themselves. */
async function written(t: TestContext) {
  const from = await projected(t);
  await from.intake.setTaskLevel('DEBUG');
  await from.intake.createTask(RICH);
  await from.append('task-rich.1', ...LINES);
  await from.intake.changeTask('task-rich.1', {
    status: 'failed',
    error: 'no',
    result: { partial: [1, 2] },
    exitCode: 3,
    metrics: { costUsd: 0.5, inputTokens: 100, numTurns: 4 },
    completedAt: '2024-01-01T00:01:00.000Z',
  });
  await from.intake.createTask({ taskId: 'task-working' });
  await from.append('task-working', 'one', 'two');
  await from.settled();
  return from;
}

async function opened(t: TestContext, { dataDir }: Place): Promise<Trail> {
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  return trail;
}

/** A task without what an import cannot bring back: when it was last touched. */
function told({ updatedAt: _, ...task }: Task): object {
  return task;
}

describe('import', () => {
  test('brings back every field of the tasks and of their lines', async (t) => {
    const { dir, store } = await written(t);
    const at = await place(t);
    const { code, stdout } = await tasktrail(t, at, 'import', dir);
    assert.equal(stdout, `2 tasks with ${LINES.length + 2} lines imported\n`);
    assert.equal(code, 0);
    const trail = await opened(t, at);
    for (const taskId of ['task-rich.1', 'task-working']) {
      const original = await store.task(taskId);
      assert.deepEqual(told(await trail.get(taskId)), told(original));
      const { logs } = await trail.logs(taskId, { limit: -1 });
      assert.deepEqual(logs, (await store.read(taskId, { limit: 1_000 })).entries);
    }
  });

  test('reads one directory, also with its output compressed and late lines beside it', async (t) => {
    const { dir, path, store } = await written(t);
    const at = await place(t);
    const copy = join(at.cwd, 'task-rich.1');
    await cp(path('task-rich.1'), copy, { recursive: true });
    const [first = '', ...rest] = (await readFile(join(copy, OUTPUT), 'utf8')).split(/(?<=\n)/);
    await writeFile(join(copy, `${OUTPUT}.gz`), Buffer.concat([gzipSync(first), gzipSync(rest.slice(0, 3).join(''))]));
    await writeFile(join(copy, OUTPUT), rest.slice(3).join(''));
    assert.equal((await tasktrail(t, at, 'import', copy)).code, 0);
    const { logs } = await (await opened(t, at)).logs('task-rich.1', { limit: -1 });
    assert.deepEqual(logs, (await store.read('task-rich.1', { limit: 1_000 })).entries);
    assert.notEqual(dir, copy);
  });

  test('leaves tasks that exist as they are, and may be repeated', async (t) => {
    const { dir } = await written(t);
    const at = await place(t);
    const trail = await opened(t, at);
    await trail.create({ taskId: 'task-working', title: 'mine' });
    const first = await tasktrail(t, at, 'import', dir);
    assert.match(first.stdout, /^1 tasks with \d+ lines imported, 1 exist already\n$/);
    assert.match(first.stderr, /task-working exists already/);
    const second = await tasktrail(t, at, 'import', dir);
    assert.equal(second.stdout, '0 tasks with 0 lines imported, 2 exist already\n');
    assert.equal(second.code, 0);
    assert.equal((await trail.get('task-working')).title, 'mine');
    assert.equal((await trail.get('task-rich.1')).log.total, LINES.length);
  });

  test('--dry-run says what it would do, and does nothing', async (t) => {
    const { dir } = await written(t);
    const at = await place(t);
    const { stdout } = await tasktrail(t, at, 'import', dir, '--dry-run');
    assert.equal(stdout, `2 tasks with ${LINES.length + 2} lines would be imported\n`);
    assert.equal((await (await opened(t, at)).tasks()).total, 0);
  });

  test('tells bad lines with file and number, and reads the rest', async (t) => {
    const { dir, path } = await written(t);
    const at = await place(t);
    const whole = await readFile(path('task-working', OUTPUT), 'utf8');
    const [first = '', second = ''] = whole.split('\n');
    await writeFile(
      path('task-working', OUTPUT),
      `${first}\n{"bad\n\xff\n[1]\n${second}\n${'\0'.repeat(100)}`,
      'latin1',
    );
    await writeFile(path('task-rich.1', '01-input.json'), '{"mess');
    const { code, stdout, stderr } = await tasktrail(t, at, 'import', dir);
    for (const line of [2, 3, 4, 6]) assert.match(stderr, new RegExp(`task-working/${OUTPUT}:${line}: `));
    assert.match(stderr, /task-rich\.1\/01-input\.json: not a JSON object/);
    assert.match(stdout, /, 5 bad lines or files left out\n$/);
    assert.equal(code, 0);
    const trail = await opened(t, at);
    assert.deepEqual(
      (await trail.logs('task-working')).logs.map(({ message }) => message),
      ['one', 'two'],
    );
    assert.equal((await trail.get('task-rich.1')).error, 'no');
  });

  test('goes on with the others when one cannot be imported', async (t) => {
    const { dir, path } = await written(t);
    const at = await place(t);
    await writeFile(path('task-rich.1', 'metadata.json'), '{"task_id":"task-rich.1","status":"odd"}');
    await writeFile(path('task-rich.1', '04-final-result.json'), '{"status":"odd"}');
    const { code, stdout, stderr } = await tasktrail(t, at, 'import', dir);
    assert.match(stderr, /task-rich\.1 is not imported: Invalid status: odd/);
    assert.equal(stdout, '1 tasks with 2 lines imported, 1 failed\n');
    assert.equal(code, 1);
  });

  test('goes on where a killed import stopped, and nothing is there twice', async (t) => {
    const { dir, path, append, settled } = await written(t);
    for (let n = 0; n < 20; n++) {
      await append(
        'task-working',
        ...Array.from({ length: 1_000 }, (_, i) => `line ${n * 1_000 + i} ${'x'.repeat(200)}`),
      );
    }
    await settled();
    const at = await place(t);
    const trail = await opened(t, at);
    const running = start(t, at, ['import', path('task-working')]);
    for (let lines = 0; lines < 2_000; ) {
      lines = await trail.get('task-working').then(
        ({ log }) => log.total,
        () => 0,
      );
    }
    running.child.kill('SIGKILL');
    await running.ended;
    const { stdout } = await tasktrail(t, at, 'import', dir);
    assert.match(stdout, /^2 tasks with \d+ lines imported\n$/);
    const { log, owner } = await trail.get('task-working');
    assert.equal(log.total, 20_002);
    assert.equal(owner, null);
  });

  test('reads what another program wrote with openTaskDirectory', async (t) => {
    const at = await place(t);
    const dir = join(at.cwd, 'files');
    const files = await openTaskDirectory(dir, 'task-abc123');
    await files.writeMetadata({ source: 'jira', status: 'running', started_at: '2024-01-01T00:00:01Z', shard: 7 });
    await files.writeInput({ message: 'please' });
    await files.appendWebhookEvent({ stage: 'received', timestamp: '2024-01-01T00:00:00Z', event_type: 'push' });
    await files.appendAgentOutput({ content: 'Analyzing', timestamp: '2024-01-01T00:00:06Z' });
    await files.appendUserInput({ content: 'yes', timestamp: '2024-01-01T00:00:03Z' });
    await files.writeFinalResult({ success: true, result: 'done', completed_at: '2024-01-01T00:00:50Z' });
    await files.close();
    assert.equal((await tasktrail(t, at, 'import', dir)).code, 0);
    const trail = await opened(t, at);
    const task = await trail.get('task-abc123');
    assert.deepEqual([task.source, task.provider, task.result, task.metadata], ['jira', 'jira', 'done', { shard: 7 }]);
    assert.equal(task.completedAt, '2024-01-01T00:00:50.000Z');
    const { logs } = await trail.logs('task-abc123');
    assert.deepEqual(
      logs.map(({ type, message }) => [type, message]),
      [
        ['webhook', 'received'],
        ['user_input', 'yes'],
        ['output', 'Analyzing'],
      ],
    );
  });

  test('into a running server goes through it', async (t) => {
    const { dir, store } = await written(t);
    const at = await place(t, { TASKTRAIL_TASK_LOG_LEVEL: 'DEBUG' });
    const { url } = await serve(t, at);
    const { code, stderr } = await tasktrail(t, at, 'import', dir);
    assert.equal(code, 0, stderr);
    const trail = await reach(t, url);
    assert.deepEqual(told(await trail.get('task-rich.1')), told(await store.task('task-rich.1')));
    const { logs } = await trail.logs('task-rich.1', { limit: -1 });
    assert.deepEqual(logs, (await store.read('task-rich.1', { limit: 1_000 })).entries);
  });

  test('of the very files that a running server writes is refused', async (t) => {
    const at = await place(t);
    await serve(t, at);
    await mkdir(join(at.dataDir, 'tasks', 'task-lost'), { recursive: true });
    await appendFile(join(at.dataDir, 'tasks', 'task-lost', OUTPUT), '{"content":"precious"}\n');
    const { code, stderr } = await tasktrail(t, at, 'import', join(at.dataDir, 'tasks'));
    assert.equal(code, 2);
    assert.match(stderr, /stop it/);
  });

  test('says what it expected when there is no task directory', async (t) => {
    const at = await place(t);
    for (const dir of ['none', '.']) {
      const { code, stderr } = await tasktrail(t, at, 'import', dir);
      assert.equal(code, 2);
      assert.match(stderr, /expected a/);
    }
  });
});
