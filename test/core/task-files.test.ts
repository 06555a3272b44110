import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { newTask } from '../../src/core/change.ts';
import { ENTRY_TYPES, type EntryType, type JsonObject, type LogEntry, STREAMS } from '../../src/core/entry.ts';
import { LEVELS } from '../../src/core/level.ts';
import type { TaskDraft } from '../../src/core/task.ts';
import { finalResultFile, flowLine, inputFile, metadataFile } from '../../src/core/task-files.ts';
import { entryBack, taskBack } from '../../src/core/task-files-back.ts';

const NOW = '2026-01-24T10:00:00.000Z';
const task = (draft: TaskDraft = {}) => newTask({ taskId: 'task-abc123', ...draft }, NOW);
const entry = (rest: Partial<LogEntry> & { type: EntryType }): LogEntry => ({
  id: 'task-abc123:1',
  seq: 1,
  taskId: 'task-abc123',
  timestamp: NOW,
  level: 'INFO',
  source: 'system',
  stream: null,
  message: 'm',
  metadata: null,
  ...rest,
});

test('metadata.json begins with the fields of the mission, and executing reads running', () => {
  const file = metadataFile(
    task({
      source: 'webhook',
      provider: 'github',
      assignedAgent: 'brain',
      agentType: 'planning',
      model: 'claude-opus-4-5-20251101',
      metadata: { plan: 'look first', status: 'mine' },
    }),
  );
  assert.deepEqual(Object.keys(file).slice(0, 12), [
    ...['task_id', 'source', 'provider', 'created_at', 'started_at', 'completed_at', 'status', 'assigned_agent'],
    ...['agent_type', 'model', 'user_id', 'machine_id'],
  ]);
  assert.equal(file.status, 'running');
  assert.deepEqual(
    [file.source, file.provider, file.assigned_agent, file.plan],
    ['webhook', 'github', 'brain', 'look first'],
  );
  assert.equal(metadataFile(task({ status: 'awaiting_input' })).status, 'awaiting_input');
});

test('01-input.json is what was asked, and is not there when nothing was', () => {
  const sourceMetadata = { provider: 'github', issue_number: 42 };
  assert.deepEqual(inputFile(task({ input: { message: 'fix it', sourceMetadata } })), {
    message: 'fix it',
    source_metadata: sourceMetadata,
  });
  assert.equal(inputFile(task()), null);
});

test('04-final-result.json is there when the task has ended, with metrics always', () => {
  assert.equal(finalResultFile(task()), null);
  const failed = finalResultFile(task({ status: 'failed', error: 'no', exitCode: 2, completedAt: NOW }));
  assert.deepEqual(failed, {
    success: false,
    status: 'failed',
    result: null,
    error: 'no',
    exit_code: 2,
    metrics: {
      cost_usd: null,
      input_tokens: null,
      output_tokens: null,
      cache_read_tokens: null,
      cache_creation_tokens: null,
      duration_seconds: null,
      num_turns: null,
    },
    completed_at: NOW,
  });
  assert.equal(finalResultFile(task({ status: 'completed' }))?.success, true);
});

test('each type of line has its file, with the fields of the mission', () => {
  const webhook = flowLine(
    entry({
      type: 'webhook',
      source: 'webhook',
      message: 'validation',
      metadata: { stage: 'validation', status: 'passed' },
    }),
  );
  assert.deepEqual(webhook, {
    file: '02-webhook-flow.jsonl',
    line: { timestamp: NOW, seq: 1, stage: 'validation', status: 'passed' },
  });
  const said = flowLine(
    entry({ type: 'user_input', source: 'user', message: 'yes', metadata: { question_type: 'clarification' } }),
  );
  assert.deepEqual(said, {
    file: '03-user-inputs.jsonl',
    line: { timestamp: NOW, seq: 1, type: 'user_response', question_type: 'clarification', content: 'yes' },
  });
  const metadata = { tool: 'Read', args: { file: 'a' }, tool_use_id: 'x' };
  const call = flowLine(entry({ type: 'tool_call', source: 'claude', stream: 'stdout', message: 'Read a', metadata }));
  assert.deepEqual(call, {
    file: '03-agent-output.jsonl',
    line: {
      timestamp: NOW,
      seq: 1,
      type: 'tool_call',
      level: 'INFO',
      source: 'claude',
      stream: 'stdout',
      content: 'Read a',
      tool: 'Read',
      args: { file: 'a' },
      metadata,
    },
  });
  for (const type of ENTRY_TYPES) assert.ok(flowLine(entry({ type })).file.endsWith('.jsonl'));
});

const json = fc.jsonValue({ maxDepth: 2 });
const names = fc.oneof(
  fc.constantFrom(
    'stage',
    'timestamp',
    'seq',
    'entry',
    'task',
    'status',
    'question_type',
    'tool',
    'args',
    'metrics',
    '__proto__',
  ),
  fc.string({ maxLength: 8 }),
);
const object = fc.option(
  fc.array(fc.tuple(names, json), { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs) as JsonObject),
);

test('every line comes back from its file as it was', () => {
  fc.assert(
    fc.property(
      fc.record({
        type: fc.constantFrom(...ENTRY_TYPES),
        level: fc.constantFrom(...LEVELS),
        source: fc.constantFrom('system', 'user', 'webhook', 'git'),
        stream: fc.constantFrom(null, ...STREAMS),
        message: fc.string(),
        metadata: object,
      }),
      (given) => {
        const before = entry(given);
        const { file, line } = flowLine(before);
        const { entry: after, seq } = entryBack(file, JSON.parse(JSON.stringify(line)));
        const { id: _id, seq: beforeSeq, taskId: _task, ...rest } = before;
        assert.equal(seq, beforeSeq);
        assert.deepEqual(JSON.parse(JSON.stringify(after)), JSON.parse(JSON.stringify(rest)));
      },
    ),
    { numRuns: 1_000 },
  );
});

test('every task comes back from its documents as it was', () => {
  const text = fc.option(fc.string({ minLength: 1, maxLength: 20 }));
  fc.assert(
    fc.property(
      fc.record({
        kind: text,
        title: text,
        owner: text,
        model: text,
        userId: text,
        status: fc.constantFrom('executing', 'queued', 'failed', 'completed', 'cancelled'),
        tags: fc.array(fc.string()),
        pinned: fc.boolean(),
        params: object,
        metadata: object.filter((value) => value === null || Object.keys(value).length > 0),
        result: json,
        error: text,
        input: fc.option(fc.record({ message: fc.string(), sourceMetadata: fc.constant({ a: 1 }) })),
      }),
      (given) => {
        const draft = given as TaskDraft;
        const ended = ['failed', 'completed', 'cancelled'].includes(given.status);
        const before = task({ ...draft, ...(!ended && { result: null, error: null }) });
        const files = {
          metadata: metadataFile(before),
          input: inputFile(before),
          finalResult: finalResultFile(before),
        };
        const documents = JSON.parse(JSON.stringify(files));
        const after = newTask(taskBack(documents), NOW);
        assert.deepEqual(JSON.parse(JSON.stringify(after)), JSON.parse(JSON.stringify(before)));
      },
    ),
    { numRuns: 500 },
  );
});

test("files that others wrote after the mission's example are read", () => {
  const draft = taskBack({
    metadata: {
      task_id: 'task-abc123',
      source: 'webhook',
      provider: 'github',
      status: 'running',
      assigned_agent: 'brain',
    },
    input: { message: 'do it' },
    finalResult: { success: true, result: 'done', error: null, metrics: { cost_usd: 0.0234, input_tokens: 1500 } },
  });
  assert.deepEqual(
    [draft.taskId, draft.provider, draft.status, draft.assignedAgent, draft.input?.message, draft.result],
    ['task-abc123', 'github', 'completed', 'brain', 'do it', 'done'],
  );
  assert.equal(draft.metrics?.costUsd, 0.0234);
  const { entry: line } = entryBack('03-agent-output.jsonl', { timestamp: NOW, type: 'output', content: 'hello\n' });
  assert.deepEqual([line.message, line.type, line.level, line.metadata], ['hello\n', 'output', 'INFO', null]);
});
