import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { EventStep } from '../../../src/core/event.ts';
import { JSON_DEPTH, METADATA_BYTES, TASK_JSON_BYTES } from '../../../src/core/limits.ts';
import { readEvent } from '../../../src/inlet/redis/event.ts';

const NOW_MS = Date.parse('2026-01-24T12:00:00.000Z');
const AT = '2026-01-24T10:00:00.000Z';

/** The event's three ways to be written, from one set of fields. */
function written(type: string, data: Readonly<Record<string, unknown>>): Readonly<Record<string, readonly string[]>> {
  const { task_id, webhook_event_id, ...rest } = data;
  const ids = Object.entries({ task_id, webhook_event_id }).flatMap(([name, id]) => (id ? [name, String(id)] : []));
  const flat = Object.entries(rest).flatMap(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return {
    'data with the id beside it': ['type', type, 'timestamp', AT, ...ids, 'data', JSON.stringify(rest)],
    'data with the id in it': ['type', type, 'timestamp', AT, 'data', JSON.stringify(data)],
    'event_type and payload': ['event_type', type, 'timestamp', AT, 'payload', JSON.stringify(data)],
    'flat fields': [...(rest.type ? ['event_type', type] : ['type', type]), 'timestamp', AT, ...ids, ...flat],
  };
}

function step(fields: readonly string[]): EventStep {
  const read = readEvent(fields, NOW_MS);
  assert.equal(read.kind, 'step', 'reason' in read ? read.reason : '');
  return (read as { step: EventStep }).step;
}

interface Example {
  readonly name: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly means: Partial<EventStep>;
}

const EXAMPLES: readonly Example[] = [
  {
    name: 'task:created says what the task is and was asked',
    type: 'task:created',
    data: {
      task_id: 'task-1737737400.123',
      source: 'github',
      kind: 'fix',
      title: 'Fix the bug',
      assigned_agent: 'brain',
      agent_type: 'planning',
      model: 'claude-opus-4-5',
      user_id: 'octocat',
      machine_id: 'worker-7',
      created_at: '2026-01-24T09:59:58Z',
      input_message: '@agent fix the bug',
      source_metadata: { repo: 'myorg/myrepo', issue_number: 42 },
      team: 'payments',
    },
    means: {
      taskId: 'task-1737737400.123',
      draft: {
        source: 'github',
        kind: 'fix',
        title: 'Fix the bug',
        assignedAgent: 'brain',
        agentType: 'planning',
        model: 'claude-opus-4-5',
        userId: 'octocat',
        machineId: 'worker-7',
        status: 'queued',
        createdAt: '2026-01-24T09:59:58.000Z',
        input: { message: '@agent fix the bug', sourceMetadata: { repo: 'myorg/myrepo', issue_number: 42 } },
        metadata: { team: 'payments' },
      },
      entries: [],
    },
  },
  {
    name: 'task:started begins it',
    type: 'task:started',
    data: { task_id: 'task-1', started_at: '2026-01-24T10:00:01Z', model: 'claude-opus-4-5' },
    means: {
      taskId: 'task-1',
      draft: { model: 'claude-opus-4-5' },
      change: { status: 'executing', startedAt: '2026-01-24T10:00:01.000Z' },
      entries: [],
    },
  },
  {
    name: 'task:output is a line, its tool in metadata',
    type: 'task:output',
    data: {
      task_id: 'task-1',
      content: 'Writing test file: tests/test_payment.py',
      type: 'TOOL_CALL',
      level: 'warn',
      source: 'agent',
      stream: 'stdout',
      tool: 'Write',
      args: { file_path: 'tests/test_payment.py' },
      metadata: { turn: 3 },
    },
    means: {
      taskId: 'task-1',
      entries: [
        {
          message: 'Writing test file: tests/test_payment.py',
          timestamp: AT,
          type: 'tool_call',
          level: 'WARNING',
          source: 'agent',
          stream: 'stdout',
          metadata: { turn: 3, tool: 'Write', args: { file_path: 'tests/test_payment.py' } },
        },
      ],
    },
  },
  {
    name: 'task:output with words that are not ours keeps them in metadata',
    type: 'task:output',
    data: { task_id: 'task-1', content: 'Reading …', type: 'text', level: 'chatty', stream: 'stdin', source: 'a,b' },
    means: {
      entries: [
        {
          message: 'Reading …',
          timestamp: AT,
          type: 'output',
          metadata: { type: 'text', level: 'chatty', stream: 'stdin', source: 'a,b' },
        },
      ],
    },
  },
  {
    name: 'task:user_input is what a person said',
    type: 'task:user_input',
    data: { task_id: 'task-1', content: 'Yes, go on', question_type: 'approval', user_id: 'octocat' },
    means: {
      entries: [
        {
          message: 'Yes, go on',
          timestamp: AT,
          type: 'user_input',
          source: 'user',
          metadata: { question_type: 'approval', user_id: 'octocat' },
        },
      ],
    },
  },
  {
    name: 'task:completed ends it with its figures',
    type: 'task:completed',
    data: {
      task_id: 'task-1',
      result: { pr: 42 },
      status: 'COMPLETED',
      exit_code: 0,
      cost_usd: 0.25,
      input_tokens: 1_000,
      output_tokens: 200,
      duration_seconds: 12.5,
    },
    means: {
      change: {
        status: 'completed',
        completedAt: AT,
        result: { pr: 42 },
        exitCode: 0,
        metrics: { costUsd: 0.25, inputTokens: 1_000, outputTokens: 200, durationSeconds: 12.5 },
      },
      entries: [],
    },
  },
  {
    name: 'task:completed with a failed status is a failure',
    type: 'task:completed',
    data: { task_id: 'task-1', status: 'Failed', exit_code: 1, error: 'tests failed' },
    means: { change: { status: 'failed', completedAt: AT, exitCode: 1, error: 'tests failed' } },
  },
  {
    name: 'task:failed says why, and what it cost',
    type: 'task:failed',
    data: { task_id: 'task-1', error: 'out of budget', cost_usd: 2 },
    means: { change: { status: 'failed', completedAt: AT, error: 'out of budget', metrics: { costUsd: 2 } } },
  },
  {
    name: 'webhook:received is a stage with the payload, before its task is known',
    type: 'webhook:received',
    data: {
      webhook_event_id: 'evt-1',
      source: 'sentry',
      event_type: 'event_alert',
      payload: { id: '123', data: { event: { message: 'TypeError in payment service' } } },
      payload_size: 87,
    },
    means: {
      taskId: null,
      webhookEventId: 'evt-1',
      entries: [
        {
          message: 'received',
          timestamp: AT,
          type: 'webhook',
          source: 'webhook',
          metadata: {
            source: 'sentry',
            event_type: 'event_alert',
            payload: { id: '123', data: { event: { message: 'TypeError in payment service' } } },
            payload_size: 87,
            stage: 'received',
          },
        },
      ],
    },
  },
  {
    name: 'webhook:validated is a stage',
    type: 'webhook:validated',
    data: { webhook_event_id: 'evt-1', source: 'sentry', signature_valid: true },
    means: {
      webhookEventId: 'evt-1',
      entries: [
        {
          message: 'validated',
          timestamp: AT,
          type: 'webhook',
          source: 'webhook',
          metadata: { source: 'sentry', signature_valid: true, stage: 'validated' },
        },
      ],
    },
  },
  {
    name: 'webhook:matched is a stage',
    type: 'webhook:matched',
    data: {
      webhook_event_id: 'evt-1',
      source: 'jira',
      event_type: 'jira:issue_updated',
      matched_handler: 'jira_handler',
      command: 'plan',
    },
    means: {
      webhookEventId: 'evt-1',
      entries: [
        {
          message: 'matched',
          timestamp: AT,
          type: 'webhook',
          source: 'webhook',
          metadata: {
            source: 'jira',
            event_type: 'jira:issue_updated',
            matched_handler: 'jira_handler',
            command: 'plan',
            stage: 'matched',
          },
        },
      ],
    },
  },
  {
    name: 'webhook:task_created names the task',
    type: 'webhook:task_created',
    data: {
      webhook_event_id: 'evt-1',
      task_id: 'task-1',
      source: 'sentry',
      event_type: 'event_alert',
      input_message: 'TypeError in payment service',
    },
    means: {
      taskId: 'task-1',
      webhookEventId: 'evt-1',
      draft: {
        source: 'sentry',
        status: 'queued',
        createdAt: AT,
        input: { message: 'TypeError in payment service' },
      },
      entries: [
        {
          message: 'task_created',
          timestamp: AT,
          type: 'webhook',
          source: 'webhook',
          metadata: {
            source: 'sentry',
            event_type: 'event_alert',
            input_message: 'TypeError in payment service',
            stage: 'task_created',
          },
        },
      ],
    },
  },
];

describe('an event of the stream', () => {
  for (const { name, type, data, means } of EXAMPLES) {
    for (const [way, fields] of Object.entries(written(type, data))) {
      test(`${name}: ${way}`, () => {
        const read = step(fields);
        for (const [key, value] of Object.entries(means)) assert.deepEqual(read[key as keyof EventStep], value, key);
      });
    }
  }

  test('without a time is of now; one in Unix milliseconds or seconds is read, an unreadable one is kept', () => {
    const timestamp = (fields: readonly string[]) =>
      step(['type', 'task:output', 'task_id', 't', 'content', 'x', ...fields]).entries[0]?.timestamp;
    assert.equal(timestamp([]), '2026-01-24T12:00:00.000Z');
    assert.equal(timestamp(['timestamp', '1769248800000']), '2026-01-24T10:00:00.000Z');
    assert.equal(timestamp(['timestamp', '1769248800.25']), '2026-01-24T10:00:00.250Z');
    assert.equal(timestamp(['timestamp', '2026-01-24 11:00:00+01:00']), '2026-01-24T10:00:00.000Z');
    assert.equal(timestamp(['data', '{"timestamp":1769248800000}']), '2026-01-24T10:00:00.000Z');
    const unread = step(['type', 'task:output', 'task_id', 't', 'timestamp', 'noon', 'content', 'x']);
    assert.equal(unread.entries[0]?.timestamp, '2026-01-24T12:00:00.000Z');
    assert.deepEqual(unread.entries[0]?.metadata, { event_timestamp: 'noon' });
  });

  test('takes statuses in any case and by their older names; a failure never becomes a success', () => {
    const status = (type: string, said: unknown) =>
      step(['type', type, 'task_id', 't', 'data', JSON.stringify({ status: said })]).change?.status;
    const completed = (said: unknown) => status('task:completed', said);
    assert.deepEqual(
      ['SUCCESS', 'completed', null, '', 'running', 'Cancelled', 'timed_out', 'FAILED', 'error', 'failure'].map(
        completed,
      ),
      ['completed', 'completed', 'completed', 'completed', 'completed', 'cancelled', 'timed_out', ...fails(3)],
    );
    assert.deepEqual(
      ['completed', 'Failed', undefined, 'cancelled'].map((said) => status('task:failed', said)),
      ['failed', 'failed', 'failed', 'cancelled'],
    );
    const odd = step([
      'type',
      'task:completed',
      'task_id',
      't',
      'data',
      '{"status":"odd","exit_code":"x","cost_usd":-1}',
    ]);
    assert.deepEqual(odd.draft?.metadata, { reported_status: 'odd', exit_code: 'x', cost_usd: -1 });
  });

  test('takes figures as text, and those in an object of their own', () => {
    const data = { exit_code: '3', cost_usd: '0.5', metrics: { num_turns: 4, input_tokens: '7' } };
    const { change, draft } = step(['type', 'TASK:COMPLETED', 'task_id', 't', 'data', JSON.stringify(data)]);
    assert.equal(change?.exitCode, 3);
    assert.deepEqual(change?.metrics, { numTurns: 4, inputTokens: 7, costUsd: 0.5 });
    assert.equal(draft, undefined);
  });

  test('with a text too long for its place is cut there and whole in metadata', () => {
    const title = 'x'.repeat(2_000);
    const { draft } = step(['type', 'task:created', 'task_id', 't', 'data', JSON.stringify({ title })]);
    assert.equal(draft?.title?.length, 1_000);
    assert.deepEqual(draft?.metadata, { title });
  });

  test('webhook:received keeps the start of a payload that is too large', () => {
    const payload = { text: 'x"'.repeat(METADATA_BYTES) };
    const data = JSON.stringify({ webhook_event_id: 'e', payload });
    const { metadata } = step(['type', 'webhook:received', 'data', data]).entries[0] ?? {};
    assert.equal(metadata?.payload_cut, true);
    assert.equal(metadata?.payload_size, Buffer.byteLength(JSON.stringify(payload)));
    assert.ok(Buffer.byteLength(JSON.stringify(metadata)) <= METADATA_BYTES);
    assert.ok(JSON.stringify(payload).startsWith(String(metadata?.payload)));
  });

  test('that lacks its type or task is left out with the reason', () => {
    const skipped = (fields: readonly string[]) => {
      const read = readEvent(fields, NOW_MS);
      assert.equal(read.kind, 'skipped');
      return 'reason' in read ? read.reason : '';
    };
    assert.equal(skipped([]), 'no type');
    assert.equal(skipped(['type', '', 'task_id', 't']), 'no type');
    assert.equal(skipped(['type', 'task:output', 'content', 'x']), 'task:output without task_id');
    assert.equal(skipped(['type', 'task:output', 'task_id', ' ', 'data', '{}']), 'task:output without task_id');
    assert.equal(skipped(['type', 'webhook:received', 'data', '{}']), 'webhook:received without webhook_event_id');
    assert.equal(
      skipped(['type', 'webhook:task_created', 'webhook_event_id', 'e']),
      'webhook:task_created without task_id',
    );
  });

  test('that cannot be understood is poison with the reason', () => {
    const deep = `${'{"a":'.repeat(JSON_DEPTH + 1)}1${'}'.repeat(JSON_DEPTH + 1)}`;
    const deepest = `${'['.repeat(1_000_000)}`;
    const large = JSON.stringify({ input_message: 'x'.repeat(TASK_JSON_BYTES) });
    for (const [fields, reason] of [
      [['type', 'task:exploded', 'task_id', 't'], /^type: expected task:… or webhook:…, got "task:exploded"$/],
      [['type', 'task:output', 'task_id', 't', 'data', '{not json'], /^data: expected JSON: /],
      [['type', 'task:output', 'task_id', 't', 'data', '[1]'], /^data: expected a JSON object, got a list$/],
      [['event_type', 'task:output', 'task_id', 't', 'payload', '7'], /^payload: expected a JSON object, got number$/],
      [['type', 'task:output', 'task_id', '../etc/passwd', 'content', 'x'], /^a task id has 1–128 characters/],
      [['type', 'task:output', 'task_id', 't', 'data', deep], /^data: nested deeper than 64 levels$/],
      [['type', 'task:output', 'task_id', 't', 'data', deepest], /./],
      [['type', 'task:created', 'task_id', 't', 'data', large], /^input: expected at most 1048576 bytes of JSON/],
      [['type', 'webhook:received', 'webhook_event_id', 'e'.repeat(1_001)], /^webhook_event_id: expected at most 1000/],
    ] as const) {
      const read = readEvent(fields, NOW_MS);
      assert.equal(read.kind, 'poison');
      assert.match('reason' in read ? read.reason : '', reason);
    }
  });

  test('keeps a key __proto__ as data', () => {
    const { entries } = step(['type', 'webhook:x', 'webhook_event_id', 'e', 'data', '{"__proto__":{"a":1}}']);
    assert.equal(JSON.stringify(entries[0]?.metadata), '{"__proto__":{"a":1},"stage":"x"}');
  });

  test('never throws, whatever its fields are, and every step names a task or a webhook event', () => {
    const name = fc.oneof(
      fc.constantFrom('type', 'event_type', 'timestamp', 'task_id', 'webhook_event_id', 'data', 'payload', 'metadata'),
      fc.string(),
    );
    const value = fc.oneof(
      fc.constantFrom(...EXAMPLES.map(({ type }) => type), 'task-1', ''),
      fc.json(),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (fields) => {
        const read = readEvent(fields.flat(), NOW_MS);
        if (read.kind !== 'step') return assert.ok(read.reason.length > 0);
        assert.ok(read.step.taskId !== null || read.step.webhookEventId !== null);
        for (const { timestamp } of read.step.entries) assert.match(String(timestamp), /^\d{4}-.*Z$/);
      }),
      { numRuns: 2_000 },
    );
  });

  test('says the same whichever way it is written', () => {
    const text = fc.string({ minLength: 1 }).filter((said) => !/^\s*(?:$|[[{\d]|true|false)/.test(said));
    const data = fc.record({ task_id: fc.constant('task-1'), content: text, source: text, tool: text, other: text });
    fc.assert(
      fc.property(data, (fields) => {
        const [first, ...others] = Object.values(written('task:output', fields)).map(step);
        for (const other of others) assert.deepEqual(other, first);
      }),
    );
  });
});

function fails(count: number): readonly 'failed'[] {
  return Array.from({ length: count }, () => 'failed');
}
