import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newTask } from '../../src/core/change.ts';
import { type Draft, ENTRY_TYPES, STREAMS } from '../../src/core/entry.ts';
import { LEVELS } from '../../src/core/level.ts';
import { EntryPage } from '../../src/core/page.ts';
import type { Task } from '../../src/core/task.ts';
import {
  countToWire,
  entryJson,
  entryOfWire,
  histogramToWire,
  statsToWire,
  taskOfWire,
  taskPageOfWire,
  taskPageToWire,
  taskToWire,
  type WireEntry,
} from '../../src/core/wire.ts';

const NOW = '2026-01-24T10:00:00.000Z';
const FULL: Task = newTask(
  {
    taskId: 'task-1.2',
    status: 'failed',
    tags: ['camelCase', 'snake_case'],
    params: { camelCase: 1, snake_case: { deepKey: null } },
    input: { message: 'm', sourceMetadata: { issueNumber: 5, issue_number: 6 } },
    metadata: { createdAt: 'mine', created_at: 'mine too' },
    result: { exitCode: 1, exit_code: 2 },
    metrics: { costUsd: 0.25, cacheReadTokens: 5 },
  },
  NOW,
);

test('a task has the names of the contract on the wire', () => {
  const names = [
    ...['task_id', 'kind', 'title', 'status', 'ended', 'source', 'provider', 'assigned_agent', 'agent_type', 'model'],
    ...['user_id', 'machine_id', 'owner', 'tags', 'pinned', 'created_at', 'started_at', 'completed_at', 'updated_at'],
    ...['params', 'input', 'metadata', 'metrics', 'result', 'error', 'exit_code', 'log'],
    // Ours, beyond the contract: who runs it here, and its place in the queue.
    ...['runner', 'priority'],
  ];
  const wire = taskToWire(FULL);
  assert.deepEqual(Object.keys(wire).sort(), names.sort());
  assert.deepEqual(Object.keys(wire.log), ['total', 'last_seq', 'lost', 'by_level', 'last_line']);
  assert.deepEqual(Object.keys(wire.metrics).sort(), [
    ...['cache_creation_tokens', 'cache_read_tokens', 'cost_usd', 'duration_seconds', 'input_tokens', 'num_turns'],
    'output_tokens',
  ]);
});

test("users' own keys are never renamed", () => {
  const { params, input, metadata, result, tags, log } = taskToWire(FULL);
  assert.deepEqual([params, metadata, result, tags], [FULL.params, FULL.metadata, FULL.result, FULL.tags]);
  assert.deepEqual(input, { message: 'm', source_metadata: { issueNumber: 5, issue_number: 6 } });
  assert.deepEqual(log.by_level, { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 });
});

test('a task and a page of tasks come back from the wire as they were', () => {
  const through = <T>(value: T): T => JSON.parse(JSON.stringify(value));
  for (const task of [FULL, newTask({ taskId: 'bare' }, NOW)]) {
    assert.deepEqual(taskOfWire(through(taskToWire(task))), task);
  }
  const page = { tasks: [FULL], total: 5, totalExact: false, nextCursor: 'x' };
  assert.deepEqual(Object.keys(taskPageToWire(page)), ['tasks', 'total', 'total_exact', 'next_cursor']);
  assert.deepEqual(taskPageOfWire(through(taskPageToWire(page))), page);
});

test('figures have the names of the contract on the wire, sources keep theirs', () => {
  const byLevel = { DEBUG: 0, INFO: 1, WARNING: 0, ERROR: 0 };
  const figures = { total: 1, byLevel, bySource: { myApp: 1 }, byStream: { none: 1 }, byType: { tool_call: 1 } };
  assert.deepEqual(statsToWire({ ...figures, firstTimestamp: NOW, lastTimestamp: NOW, lost: 2 }), {
    total: 1,
    by_level: byLevel,
    by_source: { myApp: 1 },
    by_stream: { none: 1 },
    by_type: { tool_call: 1 },
    first_timestamp: NOW,
    last_timestamp: NOW,
    lost: 2,
  });
  const buckets = [{ timestamp: NOW, total: 1, byLevel }];
  assert.deepEqual(histogramToWire({ from: NOW, to: NOW, widthMs: 1, exact: true, buckets }), {
    from: NOW,
    to: NOW,
    width_ms: 1,
    exact: true,
    buckets: [{ timestamp: NOW, total: 1, by_level: byLevel }],
  });
  assert.deepEqual(countToWire({ total: 3, exact: false }), { total: 3, total_exact: false });
});

const nasty = fc.array(
  fc.constantFrom(
    '\u0000',
    '"',
    '\\',
    '\n',
    '\u2028',
    '\u001b[31m',
    '😀',
    'İ',
    '\ud800',
    '</script>',
    '{',
    'a',
    '\u007f',
  ),
);
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  nasty.map((pieces) => pieces.join('')),
);
const drafts: fc.Arbitrary<Draft> = fc.record({
  timestamp: fc.constant(NOW),
  level: fc.constantFrom(...LEVELS),
  source: texts,
  stream: fc.constantFrom(...STREAMS, null),
  type: fc.constantFrom(...ENTRY_TYPES),
  message: texts,
  metadataJson: fc.option(fc.dictionary(texts, fc.jsonValue()).map((value) => JSON.stringify(value))),
});

test('an entry written by hand is the JSON of its wire form, byte for byte', () => {
  fc.assert(
    fc.property(drafts, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (draft, seq) => {
      const { timestamp, level, source, stream, type, message, metadataJson } = draft;
      const metadata = metadataJson === null ? null : JSON.parse(metadataJson);
      const wire: WireEntry = {
        ...{
          id: `task-1.2:${seq}`,
          seq,
          task_id: 'task-1.2',
          timestamp,
          level,
          source,
          stream,
          type,
          message,
          metadata,
        },
      };
      const json = entryJson('task-1.2', seq, draft);
      assert.equal(json, JSON.stringify(wire));
      const { task_id: taskId, ...rest } = JSON.parse(json);
      assert.deepEqual(entryOfWire(JSON.parse(json)), { ...rest, taskId });
    }),
    { numRuns: 500 },
  );
});

test('a page parses its entries when they are asked for, once', () => {
  const draft: Draft = {
    ...{ timestamp: NOW, level: 'INFO', source: 's', stream: null, type: 'log', message: 'm' },
    metadataJson: '{"a_b":1}',
  };
  const json = `[${entryJson('a', 7, draft)}]`;
  const page = new EntryPage({ json, count: 1, firstSeq: 7, lastSeq: 7, skipped: 0, scannedTo: 7, done: true });
  assert.deepEqual(page.entries, [
    {
      ...{ id: 'a:7', seq: 7, taskId: 'a', timestamp: NOW, level: 'INFO', source: 's', stream: null, type: 'log' },
      ...{ message: 'm', metadata: { a_b: 1 } },
    },
  ]);
  assert.equal(page.entries, page.entries);
});
