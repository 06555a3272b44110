import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { AGENTS } from '../../src/agents/index.ts';
import { METADATA_BYTES } from '../../src/core/limits.ts';
import { normalise, Refusal } from '../../src/intake/normalise.ts';
import { checkedChange } from '../../src/intake/task-fields.ts';
import { printed, recordedLines, run } from './support.ts';

const WORDS = [
  ...[
    'type',
    'subtype',
    'message',
    'content',
    'id',
    'name',
    'input',
    'usage',
    'model',
    'text',
    'thinking',
    'tool_use_id',
  ],
  ...['parent_tool_use_id', 'session_id', 'event', 'delta', 'patch', 'tasks', 'task_id', 'status', 'result', 'errors'],
  ...['modelUsage', 'todos', 'task', 'origin', 'is_error', 'total_cost_usd', 'num_turns', '__proto__', 'constructor'],
  ...['permission_denials', 'tool_use_result', 'input_tokens', 'output_tokens', 'cache_creation', 'toString'],
];
const TYPES = [
  ...[
    'assistant',
    'user',
    'system',
    'result',
    'stream_event',
    'tool_progress',
    'rate_limit_event',
    'auth_status',
    'new',
  ],
  ...[
    'init',
    'api_retry',
    'permission_denied',
    'task_started',
    'task_notification',
    'background_tasks_changed',
    'status',
  ],
  ...[
    'tool_use',
    'tool_result',
    'text',
    'thinking',
    'message_start',
    'message_delta',
    'content_block_delta',
    'success',
  ],
  ...['TodoWrite', 'TaskCreate', 'TaskUpdate', 'ExitPlanMode', 'Task', 'claude-opus-4-8', 'completed', 'informational'],
];

/** Any JSON that speaks the words of the protocol in the wrong places. */
const { event } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...TYPES),
    fc.oneof(fc.double(), fc.boolean(), fc.constant(null), fc.string({ unit: 'binary' })),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('event'),
  ),
  event: fc.dictionary(fc.constantFrom(...WORDS), tie('value'), { maxKeys: 8 }),
}));
const typed = fc.tuple(event, fc.constantFrom(...TYPES), fc.constantFrom(...TYPES)).map(([fields, type, subtype]) => {
  return JSON.stringify({ ...(fields as object), type, subtype });
});
const line = fc.oneof(
  typed,
  fc.string({ unit: 'binary' }),
  fc.constantFrom('::stop-commands::x', '::x::', '::add-mask::secret', '::error file=a,line=x::m', '##[group]g', '99%'),
  fc.constantFrom(...recordedLines('partial.jsonl')),
);
const lines = fc.array(fc.tuple(line, fc.constantFrom('stdout', 'stderr'), fc.boolean()), { maxLength: 30 });

for (const kind of AGENTS) {
  test(`${kind.id}: whatever is printed, nothing is thrown, and every entry and figure is one that intake takes`, () => {
    fc.assert(
      fc.property(lines, (printedLines) => {
        const made = printedLines.map(([text, stream, continued], index) => ({
          ...printed(text, index, stream as 'stdout'),
          ...(continued && { metadata: { continued: true } }),
        }));
        const { entries, news, end } = run(kind, made, { exitCode: 1 });
        for (const entry of entries) {
          const draft = normalise(entry, { taskId: 't', nowMs: 0, captured: false });
          assert.ok(!(draft instanceof Refusal), JSON.stringify(draft));
          assert.ok((draft.metadataJson ?? '').length <= METADATA_BYTES);
        }
        const { result, error, model } = end;
        checkedChange({ metrics: { ...news.metrics }, ...(news.model && { model: news.model }) });
        checkedChange({ metrics: end.metrics, result, error, model, metadata: { plan: end.plan } });
        assert.equal(end.success, end.error === null);
      }),
      { numRuns: 400 },
    );
  });
}
