import assert from 'node:assert/strict';
import test from 'node:test';
import { claude } from '../../src/agents/claude/claude.ts';
import { LineCutter } from '../../src/capture/lines.ts';
import { AGENT_LINE_BYTES } from '../../src/core/limits.ts';
import { printed, recordedLines, recording, run, seen } from './support.ts';

/* What the recordings hold, read by a person and written down by hand. */

const STARTED = ['output', 'INFO', 'Session started: claude-opus-4-8[1m], Claude Code 2.1.197, in /home/agent/repo'];
const RETRIED = ['output', 'WARNING', 'API request overloaded (529): retry 1 of 10 in 0.5 s'];
const FIRST_TURN = [
  ['thinking', 'INFO', 'The failing test is in payment.test.js; read it before changing anything.'],
  ['output', 'INFO', 'I will read the failing test first.'],
  ['tool_call', 'INFO', 'Read payment.test.js'],
  [
    'tool_result',
    'INFO',
    "1\timport test from 'node:test'; import assert from 'node:assert'; import { total } from './payment.js';\n" +
      "2\ttest('adds', () => assert.equal(total('1'), 2));\n3\t",
  ],
];
const FINAL = 'Fixed: payment.js converts the amount to a number.\n\nTests passed: 5/5.';
const laterTurns = (durationMs: string) => [
  ['tool_call', 'INFO', 'Bash node --test 2>&1 | tail -5; echo warn-on-stderr >&2; false'],
  [
    'tool_result',
    'ERROR',
    `Exit code 1\n# fail 1\n# cancelled 0\n# skipped 0\n# todo 0\n# duration_ms ${durationMs}\nwarn-on-stderr`,
  ],
  ['output', 'INFO', 'The test fails because amount is a string. '],
  ['tool_call', 'INFO', 'Edit payment.js'],
  [
    'tool_result',
    'ERROR',
    '<tool_use_error>File has not been read yet. Read it first before writing to it.</tool_use_error>',
  ],
  ['output', 'INFO', FINAL],
  ['result', 'INFO', FINAL],
];
const TOTAL = {
  costUsd: 0.0855475,
  inputTokens: 40,
  outputTokens: 409,
  cacheReadTokens: 28_370,
  cacheCreationTokens: 9_750,
  numTurns: 4,
};
const WHOLE = {
  metrics: TOTAL,
  model: 'claude-opus-4-8[1m]',
  plan: null,
  entries: [],
  success: true,
  result: FINAL,
  error: null,
};

test('success: thinking, a read, a failing command, a refused edit and the answer, in order', () => {
  const { entries, end } = run(claude, recordedLines('success.jsonl'));
  assert.deepEqual(seen(entries), [STARTED, ...FIRST_TURN, ...laterTurns('48.378418')]);
  assert.deepEqual(end, { ...WHOLE, sessionId: '492a6cef-265b-404c-ba84-123adca508d3' });
});

test('success: calls are paired with their answers, and bear tool, arguments, duration, message and turn', () => {
  const { entries } = run(claude, recordedLines('success.jsonl'));
  const tools = entries.filter(({ type }) => type === 'tool_call' || type === 'tool_result');
  const edit = {
    ...{ replace_all: false, file_path: '/home/agent/repo/payment.js' },
    ...{ old_string: 'amount', new_string: 'Number(amount)' },
  };
  const command = {
    command: 'node --test 2>&1 | tail -5; echo warn-on-stderr >&2; false',
    description: 'run the tests',
  };
  const path = { file_path: '/home/agent/repo/payment.test.js' };
  assert.deepEqual(
    tools.map(({ metadata }) => metadata),
    [
      { tool: 'Read', args: path, tool_use_id: 'toolu_read', message_id: 'msg_1', turn: 1 },
      { tool: 'Read', tool_use_id: 'toolu_read', duration_ms: 100, is_error: false },
      { tool: 'Bash', args: command, tool_use_id: 'toolu_bash', message_id: 'msg_2', turn: 2 },
      { tool: 'Bash', tool_use_id: 'toolu_bash', duration_ms: 100, is_error: true },
      { tool: 'Edit', args: edit, tool_use_id: 'toolu_edit', message_id: 'msg_3', turn: 3 },
      { tool: 'Edit', tool_use_id: 'toolu_edit', duration_ms: 100, is_error: true },
    ],
  );
});

test('success: every entry keeps time, source and stream of the line that it was read from', () => {
  const { entries } = run(claude, recordedLines('success.jsonl'));
  assert.ok(entries.every(({ source, stream }) => source === 'agent' && stream === 'stdout'));
  assert.deepEqual(
    entries.map(({ timestamp }) => timestamp),
    [100, 300, 400, 500, 600, 700, 800, 900, 1_000, 1_100, 1_200, 1_300],
  );
});

test('success: figures grow with each message, counted once by its id, until the result says what is true', () => {
  const { parsed } = run(claude, recordedLines('success.jsonl'));
  const told = parsed.flatMap(({ metrics }, index) => (metrics ? [[index + 1, metrics] as const] : []));
  assert.deepEqual(told, [
    // msg_1 in three events: 12 × $5 + 9200 × $6.25 + 1 × $25 a million
    [
      3,
      {
        inputTokens: 12,
        outputTokens: 1,
        cacheReadTokens: 0,
        cacheCreationTokens: 9_200,
        costUsd: 0.057585,
        numTurns: 1,
      },
    ],
    // msg_2: 9 × $5 + 310 × $6.25 + 9200 × $0.5 + 1 × $25
    [
      7,
      {
        inputTokens: 21,
        outputTokens: 2,
        cacheReadTokens: 9_200,
        cacheCreationTokens: 9_510,
        costUsd: 0.0641925,
        numTurns: 2,
      },
    ],
    // msg_3 in two events: 11 × $5 + 150 × $6.25 + 9510 × $0.5 + 1 × $25
    [
      9,
      {
        inputTokens: 32,
        outputTokens: 3,
        cacheReadTokens: 18_710,
        cacheCreationTokens: 9_660,
        costUsd: 0.069965,
        numTurns: 3,
      },
    ],
    // msg_4: 8 × $5 + 90 × $6.25 + 9660 × $0.5 + 1 × $25
    [
      12,
      {
        inputTokens: 40,
        outputTokens: 4,
        cacheReadTokens: 28_370,
        cacheCreationTokens: 9_750,
        costUsd: 0.0754225,
        numTurns: 4,
      },
    ],
    [13, TOTAL],
  ]);
});

test('success: model and session are told once, and the end of the work with the result', () => {
  const { parsed } = run(claude, recordedLines('success.jsonl'));
  const told = parsed.flatMap(({ model, sessionId, finished }, index) =>
    model || sessionId || finished !== undefined ? [[index + 1, model, sessionId, finished]] : [],
  );
  assert.deepEqual(told, [
    [1, 'claude-opus-4-8[1m]', '492a6cef-265b-404c-ba84-123adca508d3', undefined],
    [13, undefined, undefined, true],
  ]);
});

test('success: the result says that its cost is an estimate, and what each model did', () => {
  const result = run(claude, recordedLines('success.jsonl')).entries.at(-1);
  assert.deepEqual(result?.metadata, {
    subtype: 'success',
    duration_ms: 316,
    duration_api_ms: 88,
    stop_reason: 'end_turn',
    terminal_reason: 'completed',
    session_id: '492a6cef-265b-404c-ba84-123adca508d3',
    is_error: false,
    cost_estimate: true,
    metrics: {
      cost_usd: 0.0855475,
      input_tokens: 40,
      output_tokens: 409,
      cache_read_tokens: 28_370,
      cache_creation_tokens: 9_750,
      num_turns: 4,
    },
    model_usage: {
      'claude-opus-4-8[1m]': {
        inputTokens: 40,
        outputTokens: 409,
        cacheReadInputTokens: 28_370,
        cacheCreationInputTokens: 9_750,
        webSearchRequests: 0,
        costUSD: 0.0855475,
        contextWindow: 1_000_000,
        maxOutputTokens: 64_000,
      },
    },
  });
});

test('max-turns: the run fails with its reason, and what it cost is known', () => {
  const { entries, end } = run(claude, recordedLines('max-turns.jsonl'), { exitCode: 1 });
  const reason = 'turn limit reached: Reached maximum number of turns (1)';
  assert.deepEqual(seen(entries), [STARTED, ...FIRST_TURN, ['result', 'ERROR', reason]]);
  assert.deepEqual(end, {
    ...{ entries: [], success: false, result: null, error: reason, plan: null },
    ...{ model: 'claude-opus-4-8[1m]', sessionId: 'e98068e8-4f66-4361-9687-526efbb4e548' },
    metrics: {
      ...{ costUsd: 0.06156, inputTokens: 12, outputTokens: 160 },
      ...{ cacheReadTokens: 0, cacheCreationTokens: 9_200, numTurns: 2 },
    },
  });
});

test('retry: the overloaded request is a warning before the work', () => {
  const { entries, end } = run(claude, recordedLines('retry.jsonl'));
  assert.deepEqual(seen(entries), [STARTED, RETRIED, ...FIRST_TURN, ...laterTurns('48.643114')]);
  assert.deepEqual(entries[1]?.metadata, {
    ...{ kind: 'api_retry', attempt: 1, max_retries: 10 },
    ...{ retry_delay_ms: 520.9710153696777, error_status: 529, error: 'overloaded' },
  });
  assert.deepEqual(end, { ...WHOLE, sessionId: 'e00a1b94-948d-47c6-981b-b9cba49fe194' });
});

test('partial: the pieces of messages make no entries', () => {
  const { entries, end } = run(claude, recordedLines('partial.jsonl'));
  assert.deepEqual(seen(entries), [STARTED, ...FIRST_TURN, ...laterTurns('61.798849')]);
  assert.deepEqual(end, { ...WHOLE, sessionId: '03f54169-85f8-461a-afa2-5a1ac3e50aaa' });
});

test('partial: cost and tokens are right before the result, because the end of each message tells its own', () => {
  const lines = recordedLines('partial.jsonl');
  const { metrics } = run(claude, lines.slice(0, -1)).end;
  // 160 + 85 + 120 + 44 tokens written; 40 × $5 + 9750 × $6.25 + 28370 × $0.5 + 409 × $25 a million
  assert.deepEqual(metrics, TOTAL);
});

test('partial: the text being written is shown as it grows, and taken back when its entry comes', () => {
  const { parsed } = run(claude, recordedLines('partial.jsonl'));
  const shown = parsed.flatMap(({ partial }) => (partial === undefined ? [] : [partial]));
  assert.deepEqual(shown, [
    'The failing test is in payment.test.js; read it before changing anything.',
    '',
    ...['I ', 'I will ', 'I will read ', 'I will read the ', 'I will read the failing '],
    ...['I will read the failing test ', 'I will read the failing test first.', ''],
    ...['The ', 'The test ', 'The test fails ', 'The test fails because ', 'The test fails because amount '],
    ...['The test fails because amount is ', 'The test fails because amount is a '],
    ...['The test fails because amount is a string. ', ''],
    ...['Fixed: ', 'Fixed: payment.js ', 'Fixed: payment.js converts ', 'Fixed: payment.js converts the '],
    ...['Fixed: payment.js converts the amount ', 'Fixed: payment.js converts the amount to '],
    ...['Fixed: payment.js converts the amount to a ', 'Fixed: payment.js converts the amount to a number.\n\nTests '],
    'Fixed: payment.js converts the amount to a number.\n\nTests passed: ',
    ...[FINAL, ''],
  ]);
});

test('json: one object at the end is result, figures, model and session', () => {
  const { entries, end } = run(claude, recordedLines('result.json'));
  assert.deepEqual(seen(entries), [['result', 'INFO', FINAL]]);
  assert.deepEqual(end, { ...WHOLE, sessionId: '7c1800f1-afff-4005-9e9b-82dba599d97d' });
});

test('json with --verbose: the list of all events gives the same entries as the lines', () => {
  const lines = recordedLines('success.jsonl');
  const list = run(claude, [`[${lines.join(',')}]`]);
  assert.deepEqual(seen(list.entries), seen(run(claude, lines).entries));
  assert.deepEqual(list.end, run(claude, lines).end);
});

for (const name of ['success.jsonl', 'max-turns.jsonl', 'retry.jsonl', 'partial.jsonl', 'result.json']) {
  test(`${name}: wherever its bytes are cut, the entries are the same`, () => {
    const whole = run(claude, recordedLines(name));
    const bytes = recording(name);
    for (const size of [1, 2, 3, 7, 61, 997, 4_096]) {
      const cutter = new LineCutter(AGENT_LINE_BYTES);
      const messages: string[] = [];
      for (let start = 0; start < bytes.length; start += size) {
        messages.push(...cutter.push(bytes.subarray(start, start + size)).map(({ message }) => message));
      }
      messages.push(...cutter.end().map(({ message }) => message));
      assert.deepEqual(run(claude, messages).entries, whole.entries);
    }
  });

  test(`${name}: cut off after any line, it is no success, and nothing that came is lost`, () => {
    const lines = recordedLines(name);
    const whole = run(claude, lines).entries;
    for (let count = 0; count < lines.length; count++) {
      const { entries, end } = run(claude, lines.slice(0, count), { exitCode: 137, signal: 'SIGKILL' });
      assert.equal(end.success, false);
      assert.equal(end.error, 'claude gave no result: ended by SIGKILL');
      const kept = entries.filter(({ metadata }) => !metadata?.unended);
      assert.deepEqual(kept, whole.slice(0, kept.length));
      assert.ok(entries.length - kept.length <= 1);
    }
  });
}

test('a line of the middle of a recording that was cut is kept as it is', () => {
  const lines = recordedLines('success.jsonl');
  const torn = lines.map((line, index) => (index === 4 ? line.slice(0, 300) : line));
  const { entries, end } = run(claude, torn);
  assert.deepEqual(entries[3], printed(torn[4] ?? '', 5));
  // The answer of the call that could not be read is there, with what is known of it.
  assert.deepEqual(entries[4]?.metadata, { tool_use_id: 'toolu_read', is_error: false });
  assert.equal(end.success, true);
});
