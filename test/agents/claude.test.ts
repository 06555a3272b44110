import assert from 'node:assert/strict';
import test from 'node:test';
import { claude } from '../../src/agents/claude/claude.ts';
import { normalise, Refusal } from '../../src/intake/normalise.ts';
import { answer, assistant, printed, run, seen, toolUse } from './support.ts';

const SUCCESS = { type: 'result', subtype: 'success', is_error: false, result: 'done' };
const MAIN = { message_id: 'msg_1', turn: 1 };

test('a line that is no JSON is kept with its stream, as is all that comes on stderr', () => {
  const odd = ['plain', '', '{"type":', '{"no":"type"}', '[1]', '[]', 'null', '{"type":7}', '{}'];
  const stderr = printed('{"type":"assistant","message":{"content":"no"}}', 3, 'stderr');
  const parser = claude.createParser();
  for (const line of [...odd.map((text) => printed(text, 1)), stderr, { ...stderr, level: 'WARNING' }]) {
    assert.deepEqual(parser.line(line), { entries: [line] });
  }
});

test('marks that capture put on a line stay on what is made of it', () => {
  const line = { ...printed(JSON.stringify(assistant('a\ufffd')), 1), metadata: { invalid_utf8: 1 } };
  const { entries } = run(claude, [line]);
  assert.deepEqual(entries[0]?.metadata, { invalid_utf8: 1, ...MAIN });
});

test('the rest of a line that was too long even for an agent is not read as JSON', () => {
  const rest = { ...printed(JSON.stringify(SUCCESS), 1), metadata: { continued: true } };
  const { entries, end } = run(claude, [rest]);
  assert.deepEqual(entries, [rest]);
  assert.equal(end.success, false);
});

test('content may be a plain text, and an empty block is no entry', () => {
  const { entries } = run(claude, [assistant('hello'), assistant([{ type: 'text', text: '' }]), assistant('')]);
  assert.deepEqual(seen(entries), [['output', 'INFO', 'hello']]);
});

test('an event that is not known is kept whole, below what is shown', () => {
  const events = [
    { type: 'brand_new', uuid: 'u', data: [1, { two: null }] },
    { type: 'system', subtype: 'newer_still', n: 1 },
    { type: 'assistant', message: 'not a message' },
    { type: 'system', subtype: 'constructor' },
  ];
  const { entries } = run(claude, events);
  assert.deepEqual(
    entries.map(({ type, level, message, metadata }) => [type, level, message, metadata?.event]),
    [
      ['output', 'DEBUG', 'brand_new', events[0]],
      ['output', 'DEBUG', 'system/newer_still', events[1]],
      ['output', 'DEBUG', 'assistant', events[2]],
      ['output', 'DEBUG', 'system/constructor', events[3]],
    ],
  );
});

test('a block of an unknown kind is kept as well', () => {
  const block = { type: 'hologram', frames: 3 };
  const { entries } = run(claude, [assistant([block])]);
  assert.deepEqual(seen(entries), [['output', 'DEBUG', '[hologram]']]);
  assert.deepEqual(entries[0]?.metadata, { event: block, ...MAIN });
});

test('a call is said as a person would say it', () => {
  const init = { type: 'system', subtype: 'init', cwd: '/srv/repo' };
  const told = (name: string, input: object) =>
    run(claude, [init, assistant([toolUse('t', name, input)])]).entries[1]?.message;
  assert.equal(told('Read', { file_path: '/srv/repo/src/a.ts' }), 'Read src/a.ts');
  assert.equal(told('Read', { file_path: '/etc/hosts' }), 'Read /etc/hosts');
  assert.equal(told('Bash', { command: 'cd a &&\n  make', description: 'Build' }), 'Bash cd a && make');
  assert.equal(told('Bash', { command: 'x'.repeat(1_000) }), `Bash ${'x'.repeat(200)}…`);
  assert.equal(told('Grep', { pattern: 'TODO', path: '/srv/repo/src' }), 'Grep TODO in src');
  assert.equal(
    told('Task', { subagent_type: 'Explore', description: 'Find it', prompt: '…' }),
    'Task Explore: Find it',
  );
  assert.equal(told('WebFetch', { url: 'https://example.com/', prompt: 'sum up' }), 'WebFetch https://example.com/');
  assert.equal(told('mcp__github__create_issue', { title: 'x', name: 'bug' }), 'github: create_issue bug');
  assert.equal(told('TaskUpdate', { taskId: 3, status: 'completed' }), 'TaskUpdate #3 completed');
  assert.equal(told('ExitPlanMode', { plan: 'first this' }), 'ExitPlanMode');
  assert.equal(told('Odd', { n: 1 }), 'Odd');
});

test('parallel calls are paired by id, whatever the order of their answers', () => {
  const { entries } = run(claude, [
    assistant([toolUse('a', 'Read', { file_path: '/a' })]),
    assistant([toolUse('b', 'Bash', { command: 'b' })]),
    answer('b', 'second'),
    answer('a', [{ type: 'text', text: 'first' }, { type: 'image' }]),
    answer('c', 'of nobody'),
  ]);
  assert.deepEqual(
    entries.slice(2).map(({ message, metadata }) => [message, metadata?.tool, metadata?.duration_ms]),
    [
      ['second', 'Bash', 100],
      ['first\n[image]', 'Read', 300],
      ['of nobody', undefined, undefined],
    ],
  );
});

test('a call that is told twice appears once; the same id may be used again after its answer', () => {
  const call = assistant([toolUse('a', 'Read', { file_path: '/a' })]);
  const { entries } = run(claude, [call, call, answer('a', 'one'), call, answer('a', 'two')]);
  assert.deepEqual(
    entries.map(({ message }) => message),
    ['Read /a', 'one', 'Read /a', 'two'],
  );
});

test('a second answer to a call is shown, but is not paired again', () => {
  const { entries } = run(claude, [assistant([toolUse('a', 'Read')]), answer('a', 'one'), answer('a', 'two')]);
  assert.deepEqual(entries[2]?.metadata, { tool_use_id: 'a', is_error: false });
});

test('of many open calls the last 5,000 are remembered: an older answer is shown without its call', () => {
  const calls = Array.from({ length: 5_001 }, (_, index) => toolUse(`t${index}`, 'Read'));
  const { entries } = run(claude, [
    assistant(calls),
    answer('t0', 'old'),
    answer('t1', 'new'),
    answer('t5000', 'newest'),
  ]);
  assert.deepEqual(
    entries.slice(-3).map(({ metadata }) => metadata?.tool),
    [undefined, 'Read', 'Read'],
  );
});

test('calls that the API itself answers are paired too', () => {
  const found = {
    type: 'web_search_tool_result',
    tool_use_id: 's',
    content: [{ type: 'web_search_result', title: 'A page' }],
  };
  const search = { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'q' } };
  const { entries } = run(claude, [assistant([search, found])]);
  assert.deepEqual(seen(entries), [
    ['tool_call', 'INFO', 'web_search q'],
    ['tool_result', 'INFO', 'A page'],
  ]);
});

test('sub-agents are nested: their entries bear the call that started them, its depth and its agent', () => {
  const inner = { parent_tool_use_id: 'task1' };
  const innermost = { parent_tool_use_id: 'task2' };
  const { entries, news } = run(claude, [
    assistant([toolUse('task1', 'Task', { subagent_type: 'Explore', description: 'look' })]),
    { type: 'user', message: { content: [{ type: 'text', text: 'the prompt' }] }, ...inner },
    assistant([toolUse('task2', 'Agent', { description: 'deeper' })], inner, { id: 'msg_2' }),
    assistant('found', innermost, { id: 'msg_3' }),
    answer('task2', 'ok', {}, inner),
    answer('task1', 'launched'),
    assistant('still at work', inner, { id: 'msg_4' }),
  ]);
  assert.deepEqual(
    entries.map(({ level, message, metadata }) => [level, message, metadata?.depth, metadata?.agent]),
    [
      ['INFO', 'Task Explore: look', undefined, undefined],
      ['DEBUG', 'the prompt', 1, 'Explore'],
      ['INFO', 'Agent deeper', 1, 'Explore'],
      ['INFO', 'found', 2, 'deeper'],
      ['INFO', 'ok', 1, 'Explore'],
      ['INFO', 'launched', undefined, undefined],
      ['INFO', 'still at work', 1, 'Explore'],
    ],
  );
  assert.equal(entries[3]?.metadata?.parent_tool_use_id, 'task2');
  assert.equal(news.metrics?.numTurns, 1);
});

test('usage counts once for each message id, as it was told last, sub-agents included', () => {
  const usage = (input: number, output: number) => ({
    usage: { input_tokens: input, output_tokens: output, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
  });
  const { news } = run(claude, [
    assistant('a', {}, usage(100, 1)),
    assistant('b', {}, usage(100, 50)),
    assistant('c', {}, usage(100, 50)),
    // A placeholder that comes late takes nothing back.
    assistant('d', {}, usage(100, 1)),
    assistant(
      'e',
      { parent_tool_use_id: 'x' },
      { id: 'msg_2', model: 'claude-haiku-4-5-20251001', ...usage(1_000, 10) },
    ),
  ]);
  assert.deepEqual(news.metrics, {
    ...{ inputTokens: 1_100, outputTokens: 60, cacheReadTokens: 0, cacheCreationTokens: 0, numTurns: 1 },
    // 100 × $5 + 50 × $25 + 1000 × $1 + 10 × $5 a million
    costUsd: 0.0028,
  });
});

test('writing the cache for an hour costs more than for five minutes', () => {
  const cache_creation = { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 600 };
  const { news } = run(claude, [assistant('a', {}, { usage: { cache_creation_input_tokens: 1_000, cache_creation } })]);
  // 400 × $6.25 + 600 × $10 a million
  assert.equal(news.metrics?.costUsd, 0.0085);
  assert.equal(news.metrics?.cacheCreationTokens, 1_000);
});

test('the cost of a model without a known price is not told, and not taken for nothing', () => {
  const { parsed, end } = run(claude, [
    assistant('a', {}, { model: 'claude-opus-4-8', usage: { input_tokens: 10 } }),
    assistant('b', {}, { id: 'msg_2', model: 'brand-new-model', usage: { input_tokens: 5 } }),
    { ...SUCCESS, total_cost_usd: 0.5 },
  ]);
  assert.equal(parsed[0]?.metrics?.costUsd, 0.00005);
  assert.ok(parsed[1]?.metrics && !('costUsd' in parsed[1].metrics));
  assert.equal(parsed[1].metrics.inputTokens, 15);
  assert.equal(end.metrics.costUsd, 0.5);
});

test('an error that the agent made into a message costs nothing and hides no cost', () => {
  const nothing = { input_tokens: 0, output_tokens: 0 };
  const { entries, news } = run(claude, [
    assistant('a', {}, { usage: { input_tokens: 10 } }),
    assistant('API Error', { error: 'rate_limit' }, { id: 'x', model: '<synthetic>', usage: nothing }),
  ]);
  assert.deepEqual(seen(entries)[1], ['output', 'ERROR', 'API Error']);
  assert.equal(entries[1]?.metadata?.error, 'rate_limit');
  assert.equal(news.metrics?.costUsd, 0.00005);
});

test('every field of a result may be missing, or be of another kind', () => {
  const outcome = (result: object) => {
    const { end } = run(claude, [{ type: 'result', ...result }]);
    return [end.success, end.result, end.error];
  };
  assert.deepEqual(outcome({}), [false, null, 'the agent reported an error']);
  assert.deepEqual(outcome({ is_error: false }), [true, null, null]);
  assert.deepEqual(outcome({ subtype: 'success' }), [true, null, null]);
  assert.deepEqual(outcome({ subtype: 'success', result: 7, usage: 'x', modelUsage: [1], errors: 3 }), [
    true,
    null,
    null,
  ]);
  assert.deepEqual(outcome({ subtype: 'success', structured_output: { a: 1 } }), [true, { a: 1 }, null]);
  const odd = { total_cost_usd: '1', num_turns: -1, usage: { input_tokens: null, output_tokens: 1e300 } };
  assert.deepEqual(run(claude, [{ ...SUCCESS, ...odd }]).end.metrics, {});
});

test('a result that is an error is a failure with a clear reason', () => {
  const reason = (result: object) => run(claude, [{ type: 'result', is_error: true, ...result }]).end.error;
  assert.equal(
    reason({ subtype: 'error_max_budget_usd', errors: ['Reached maximum budget ($1)'] }),
    'budget used up: Reached maximum budget ($1)',
  );
  assert.equal(reason({ subtype: 'error_during_execution', errors: ['a', 7, 'b'] }), 'the run failed: a; b');
  assert.equal(reason({ subtype: 'error_max_structured_output_retries' }), 'no output of the wanted structure');
  assert.equal(reason({ subtype: 'error_of_tomorrow' }), 'error_of_tomorrow');
  assert.equal(
    reason({ subtype: 'success', result: 'Credit balance is too low' }),
    'the agent reported an error: Credit balance is too low',
  );
  assert.equal(
    reason({ subtype: 'success', api_error_status: 529, result: 'Overloaded' }),
    'API error 529: Overloaded',
  );
});

test('without a result there is no success, however the process ended', () => {
  const end = (exit: object) => run(claude, [assistant('working')], exit).end;
  assert.equal(end({}).error, 'claude gave no result: exit code 0');
  assert.equal(end({ exitCode: 1 }).error, 'claude gave no result: exit code 1');
  assert.equal(
    end({ exitCode: 143, signal: 'SIGTERM', timedOut: true }).error,
    'claude gave no result: ended after its time limit',
  );
  assert.equal(
    end({ exitCode: 127, fault: 'it could not be started: ENOENT' }).error,
    'claude gave no result: it could not be started: ENOENT',
  );
  assert.equal(end({}).success, false);
});

test('where there is no result, the last line that is no event is told as the likely reason', () => {
  const { end } = run(claude, [assistant('hi'), printed('Invalid API key', 2, 'stderr'), ''], { exitCode: 1 });
  assert.equal(end.error, 'claude gave no result: exit code 1; its last line was: Invalid API key');
});

test('the result is the end of the work: a process that had to be ended after it is a success with a warning', () => {
  const { entries, end } = run(claude, [SUCCESS], { exitCode: 137, signal: 'SIGKILL' });
  assert.equal(end.success, true);
  assert.deepEqual(seen(entries).at(-1), ['output', 'WARNING', 'After the result: ended by SIGKILL']);
});

test('a further turn that was cut off makes it no success', () => {
  const { parsed, end } = run(claude, [SUCCESS, assistant('and now')], { exitCode: 1 });
  assert.deepEqual(
    parsed.map(({ finished }) => finished),
    [true, false],
  );
  assert.equal(end.success, false);
  assert.equal(end.error, 'claude stopped in the middle of a further turn: exit code 1');
  assert.equal(end.result, 'done');
});

test('a sub-agent that goes on in the background after the result takes nothing back', () => {
  const { end, parsed } = run(claude, [SUCCESS, assistant('still here', { parent_tool_use_id: 'x' })]);
  assert.equal(end.success, true);
  assert.equal(parsed[1]?.finished, undefined);
});

test('several results: cost is of the whole run, turns add up, and a follow-up does not take the place of the answer', () => {
  const origin = { origin: { kind: 'task-notification' } };
  const used = (inputTokens: number) => ({
    modelUsage: { m: { inputTokens, outputTokens: 1 }, n: { inputTokens: 1 } },
  });
  const { entries, end } = run(claude, [
    { ...SUCCESS, total_cost_usd: 0.2, num_turns: 3, ...used(10) },
    { ...SUCCESS, ...origin, result: 'the task is through', total_cost_usd: 0.3, num_turns: 1, ...used(15) },
    { ...SUCCESS, ...origin, is_error: true, result: 'oops', total_cost_usd: 0.25, num_turns: 1, ...used(20) },
  ]);
  assert.deepEqual([end.success, end.result], [true, 'done']);
  assert.deepEqual(end.metrics, { costUsd: 0.3, numTurns: 5, inputTokens: 21, outputTokens: 1 });
  assert.deepEqual(
    entries.map(({ level }) => level),
    ['INFO', 'INFO', 'ERROR'],
  );
});

test('several results without modelUsage: their own usage adds up', () => {
  const used = { usage: { input_tokens: 5, cache_read_input_tokens: 2 } };
  const { end } = run(claude, [
    { ...SUCCESS, ...used },
    { ...SUCCESS, ...used, result: 'more' },
  ]);
  assert.deepEqual(end.metrics, { inputTokens: 10, cacheReadTokens: 4 });
  assert.equal(end.result, 'more');
});

test('what is used after a result counts on top of it', () => {
  const { parsed } = run(claude, [
    assistant('a', {}, { usage: { input_tokens: 10, output_tokens: 1 } }),
    { ...SUCCESS, total_cost_usd: 1, num_turns: 1, usage: { input_tokens: 10, output_tokens: 90 } },
    assistant('b', {}, { id: 'msg_2', usage: { input_tokens: 100, output_tokens: 2 } }),
  ]);
  // 100 × $5 + 2 × $25 a million
  const after = { costUsd: 1.00055, inputTokens: 110, outputTokens: 92, numTurns: 2 };
  assert.deepEqual(parsed[2]?.metrics, { ...after, cacheReadTokens: 0, cacheCreationTokens: 0 });
});

test('a refused call is a warning, once: as it happens, or else from the result', () => {
  const denied = {
    type: 'system',
    subtype: 'permission_denied',
    tool_name: 'Bash',
    tool_use_id: 'a',
    message: 'needs approval',
  };
  const denials = [
    { tool_name: 'Bash', tool_use_id: 'a', tool_input: { command: 'rm' } },
    { tool_name: 'Write', tool_use_id: 'b', tool_input: { file_path: '/x' } },
  ];
  const { entries } = run(claude, [denied, { ...SUCCESS, permission_denials: denials }]);
  assert.deepEqual(seen(entries), [
    ['output', 'WARNING', 'Permission denied for Bash: needs approval'],
    ['output', 'WARNING', 'Permission denied for Write'],
    ['result', 'INFO', 'done'],
  ]);
  assert.deepEqual(entries[1]?.metadata, {
    ...{ kind: 'permission_denied', tool: 'Write', tool_use_id: 'b', args: { file_path: '/x' } },
  });
});

test('what the agent tells of itself is told, in words and at its level', () => {
  const system = (subtype: string, more: object) => ({ type: 'system', subtype, ...more });
  const { entries } = run(claude, [
    system('compact_boundary', { compact_metadata: { trigger: 'auto', pre_tokens: 155_000 } }),
    system('status', { status: 'compacting' }),
    system('status', { status: 'requesting' }),
    system('status', { status: null }),
    system('thinking_tokens', { estimated_tokens: 10 }),
    system('informational', { content: 'Hook said no', level: 'warning' }),
    system('informational', { content: 'By the way', level: 'info' }),
    system('local_command_output', { content: 'usage: 3' }),
    system('hook_response', { hook_name: 'PreToolUse', outcome: 'error', stderr: 'boom' }),
    system('worker_shutting_down', { reason: 'host_exit' }),
    { type: 'rate_limit_event', rate_limit_info: { status: 'allowed' } },
    { type: 'rate_limit_event', rate_limit_info: { status: 'rejected' } },
    { type: 'auth_status', error: 'token expired' },
    { type: 'tool_use_summary', summary: 'Read three files' },
  ]);
  assert.deepEqual(seen(entries), [
    ['output', 'INFO', 'Conversation compacted (auto, 155000 tokens before)'],
    ['progress', 'INFO', 'Compacting the conversation'],
    ['output', 'WARNING', 'Hook said no'],
    ['output', 'INFO', 'By the way'],
    ['output', 'INFO', 'usage: 3'],
    ['output', 'WARNING', 'Hook PreToolUse: error'],
    ['output', 'WARNING', 'Shutting down: host_exit'],
    ['output', 'DEBUG', 'Rate limit: allowed'],
    ['output', 'WARNING', 'Rate limit: rejected'],
    ['output', 'ERROR', 'Authentication failed: token expired'],
    ['output', 'INFO', 'Read three files'],
  ]);
  assert.equal(entries[5]?.metadata?.stderr, 'boom');
});

test('a session that is opened again for each turn starts once for the reader', () => {
  const init = { type: 'system', subtype: 'init', session_id: 's', model: 'claude-opus-4-8' };
  const { entries } = run(claude, [init, init, { ...init, session_id: 't' }]);
  assert.deepEqual(
    entries.map(({ level }) => level),
    ['INFO', 'DEBUG', 'INFO'],
  );
});

test('a tool that runs long tells so as progress', () => {
  const event = {
    type: 'tool_progress',
    tool_use_id: 'a',
    tool_name: 'Bash',
    parent_tool_use_id: null,
    elapsed_time_seconds: 5,
  };
  const { entries } = run(claude, [event]);
  assert.deepEqual(seen(entries), [['progress', 'INFO', 'Bash is running, 5 s']]);
  assert.deepEqual(entries[0]?.metadata, { kind: 'tool_progress', tool: 'Bash', tool_use_id: 'a', elapsed_seconds: 5 });
});

test('the to-do list is progress, in percent and as a list', () => {
  const todos = [
    { content: 'Read', status: 'completed', activeForm: 'Reading' },
    { content: 'Mend', status: 'in_progress', activeForm: 'Mending' },
    { content: 'Test', status: 'pending', activeForm: 'Testing' },
  ];
  const { entries } = run(claude, [assistant([toolUse('t', 'TodoWrite', { todos })]), answer('t', 'ok')]);
  assert.deepEqual(seen(entries), [
    ['tool_call', 'INFO', 'TodoWrite 3 items'],
    ['progress', 'INFO', 'To-do 1/3: Mend'],
    ['tool_result', 'INFO', 'ok'],
  ]);
  assert.deepEqual(entries[1]?.metadata, {
    ...{ progress: 33, ...MAIN },
    todos: todos.map(({ content, status }) => ({ content, status })),
  });
});

test('the list of a sub-agent is shown, but is not the progress of the task', () => {
  const todos = [{ content: 'Look', status: 'completed' }];
  const { entries } = run(claude, [assistant([toolUse('t', 'TodoWrite', { todos })], { parent_tool_use_id: 'p' })]);
  assert.equal(entries[1]?.message, 'To-do 1/1');
  assert.ok(!('progress' in (entries[1]?.metadata ?? {})));
});

test('a to-do list that grows item by item is followed by the ids in its answers', () => {
  const create = (id: string, subject: string) => assistant([toolUse(id, 'TaskCreate', { subject, description: 'd' })]);
  const update = (id: string, input: object) => assistant([toolUse(id, 'TaskUpdate', input)]);
  const { entries } = run(claude, [
    create('a', 'Read'),
    answer('a', 'Task #1 created successfully: Read', {}, { tool_use_result: { task: { id: '1', subject: 'Read' } } }),
    create('b', 'Mend'),
    answer('b', 'Task #2 created successfully: Mend'),
    update('c', { taskId: '1', status: 'completed' }),
    answer('c', 'Updated task #1 status'),
    update('d', { task_id: 2, status: 'in_progress' }),
    answer('d', 'Updated task #2 status'),
    update('e', { taskId: '1', status: 'pending' }),
    answer('e', 'no', { is_error: true }),
    update('f', { taskId: '1', status: 'deleted' }),
    answer('f', 'Updated task #1 deleted'),
    update('g', { taskId: '99', status: 'completed' }),
    answer('g', 'Task not found'),
  ]);
  const progress = entries.filter(({ type }) => type === 'progress');
  assert.deepEqual(
    progress.map(({ message, metadata }) => [message, metadata?.progress]),
    [
      ['To-do 0/1', 0],
      ['To-do 0/2', 0],
      ['To-do 1/2', 50],
      ['To-do 1/2: Mend', 50],
      ['To-do 0/1: Mend', 0],
    ],
  );
});

test('the run is not finished while background tasks are at work', () => {
  const task = (subtype: string, more: object = {}) => ({ type: 'system', subtype, task_id: 'bg1', ...more });
  const { entries, parsed } = run(claude, [
    task('task_started', { description: 'npm test', task_type: 'local_bash' }),
    SUCCESS,
    task('task_progress', { description: 'npm test', usage: { total_tokens: 5 } }),
    task('task_updated', { patch: { status: 'running' } }),
    task('task_notification', { status: 'failed', summary: '3 tests failed' }),
  ]);
  assert.deepEqual(
    parsed.map(({ finished }) => finished),
    [undefined, undefined, undefined, undefined, true],
  );
  assert.deepEqual(seen(entries.filter(({ type }) => type === 'progress')), [
    ['progress', 'INFO', 'Background task started: npm test'],
    ['progress', 'INFO', 'Background task: npm test'],
    ['progress', 'INFO', 'Background task running'],
    ['progress', 'WARNING', 'Background task failed: 3 tests failed'],
  ]);
  assert.equal(entries[0]?.metadata?.background_task_id, 'bg1');
});

test('where the agent tells all its background tasks at once, that is what counts', () => {
  const all = (...descriptions: string[]) => ({
    ...{ type: 'system', subtype: 'background_tasks_changed' },
    tasks: descriptions.map((description) => ({ task_id: description, task_type: 'local_bash', description })),
  });
  const started = { type: 'system', subtype: 'task_started', task_id: 'x', description: 'x' };
  const { entries, parsed } = run(claude, [all('one', 'two'), SUCCESS, all('two'), started, all(), started]);
  assert.equal(entries[0]?.message, '2 background tasks: one, two');
  assert.deepEqual(
    parsed.map(({ finished }) => finished),
    [undefined, undefined, undefined, undefined, true, undefined],
  );
});

test('a plan that is to be approved is told apart', () => {
  const { parsed, end } = run(claude, [assistant([toolUse('p', 'ExitPlanMode', { plan: '1. Mend it' })]), SUCCESS]);
  assert.deepEqual(
    parsed.map(({ plan }) => plan),
    ['1. Mend it', undefined],
  );
  assert.equal(end.plan, '1. Mend it');
});

test('what a message had come to when the agent died is kept, and marked', () => {
  const piece = (delta: object) => ({ type: 'stream_event', event: { type: 'content_block_delta', index: 0, delta } });
  const start = {
    type: 'stream_event',
    event: { type: 'message_start', message: { id: 'm', model: 'claude-opus-4-8' } },
  };
  const { entries } = run(claude, [start, piece({ text: 'I was about ' }), piece({ text: 'to' })], {
    exitCode: 137,
    signal: 'SIGKILL',
  });
  assert.deepEqual(seen(entries), [['output', 'INFO', 'I was about to']]);
  assert.deepEqual(entries[0]?.metadata, { unended: true });
});

test('a tool result of 20 MB is cut into entries within the limits, and nothing of it is lost', () => {
  const text = `${'é'.repeat(3_000_000)}${'0123456789abcdef'.repeat(900_000)}`;
  const { entries } = run(claude, [assistant([toolUse('a', 'Bash', { command: 'cat' })]), answer('a', text)]);
  const results = entries.filter(({ type }) => type === 'tool_result');
  assert.equal(results.map(({ message }) => message).join(''), text);
  assert.equal(results[0]?.metadata?.tool, 'Bash');
  assert.ok(results.slice(1).every(({ metadata }) => metadata?.continued === true));
  assert.equal(results.length, Math.ceil((6_000_000 + 14_400_000) / (1024 * 1024)));
  for (const entry of entries) {
    assert.ok(!(normalise(entry, { taskId: 't', nowMs: 0, captured: false }) instanceof Refusal));
  }
});

test('arguments of megabytes and of great depth are cut, and say by how much', () => {
  const input = { file_path: '/a', content: '\u0001'.repeat(5_000_000), many: Array(100_000).fill('x'), deep: 0 };
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
  const line = JSON.stringify(assistant([toolUse('a', 'Write', input)])).replace('"deep":0', `"deep":${deep}`);
  const { entries } = run(claude, [line]);
  assert.equal(entries[0]?.message, 'Write /a');
  const args = entries[0]?.metadata?.args as { content: string; many: string[]; file_path: string };
  assert.equal(args.file_path, '/a');
  assert.match(args.content, /… \(\+\d+ characters\)$/);
  assert.match(args.many.at(-1) ?? '', /… \(\+\d+ items\)$/);
  assert.ok(!(normalise(entries[0], { taskId: 't', nowMs: 0, captured: false }) instanceof Refusal));
});

test('figures stay right over more messages than are remembered', () => {
  const count = 5_000;
  const lines = Array.from({ length: count }, (_, index) =>
    assistant('x', {}, { id: `msg_${index}`, usage: { input_tokens: 2, output_tokens: 1 } }),
  );
  const { metrics } = run(claude, lines).end;
  assert.deepEqual([metrics?.inputTokens, metrics?.outputTokens, metrics?.numTurns], [10_000, 5_000, 5_000]);
  // The last 1,000 are remembered: an older one that comes again is a message of its own.
  const again = (index: number) => {
    const late = assistant('x', {}, { id: `msg_${index}`, usage: { input_tokens: 2, output_tokens: 1 } });
    return run(claude, [...lines, late]).end.metrics.inputTokens;
  };
  assert.equal(again(count - 1_000), 10_000);
  assert.equal(again(count - 1_001), 10_002);
});
