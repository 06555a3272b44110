import type { Level } from '../../core/level.ts';
import { type Fields, fieldsOf, figureOf, idOf, listOf, oneLine, textOf } from '../json.ts';
import type { Made } from '../made.ts';

/** Ids that are remembered of background tasks, and of refusals that were told. */
const IDS = 1_000;
const TEXT_CHARS = 500;
const INFORMATIONAL: ReadonlyMap<unknown, Level> = new Map([['warning', 'WARNING']]);
const ENDED: ReadonlySet<unknown> = new Set(['completed', 'failed', 'stopped', 'killed']);

/** What the agent tells of itself: the `system` events, and those that are like them. Null: known, and nothing to tell. */
export class SystemEvents {
  /** Background tasks at work: the result may be there while they go on. */
  readonly #background = new Set<string>();
  /** The agent tells the whole set of them, so that single tasks need not be counted. */
  #toldAll = false;
  readonly #denied = new Set<string>();
  #session: string | undefined;

  get inBackground(): number {
    return this.#background.size;
  }

  /** Undefined when the event is not known. */
  entry(event: Fields): Made | null | undefined {
    const { type, subtype } = event;
    const teller = type === 'system' ? SUBTYPES.get(subtype) : TYPES.get(type);
    if (!teller) return undefined;
    if (TASKS.has(subtype)) this.#followTask(event);
    if (subtype === 'permission_denied') this.#remember(idOf(event.tool_use_id));
    const made = teller(event);
    if (made && subtype === 'init' && this.#again(event)) return { ...made, level: 'DEBUG' };
    return made;
  }

  /** A call that was refused, as the result lists it; null when it was told already. */
  denial(value: unknown): Made | null {
    const denial = fieldsOf(value);
    const id = idOf(denial?.tool_use_id);
    if (!denial || (id !== undefined && this.#denied.has(id))) return null;
    this.#remember(id);
    return denied(denial);
  }

  #followTask({ subtype, tasks, task_id, status, patch }: Fields): void {
    if (subtype === 'background_tasks_changed') {
      this.#toldAll = true;
      this.#background.clear();
      for (const task of listOf(tasks).slice(0, IDS)) this.#background.add(idOf(fieldsOf(task)?.task_id) ?? '');
      return;
    }
    const id = idOf(task_id);
    if (id === undefined || this.#toldAll) return;
    if (subtype === 'task_started' && this.#background.size < IDS) this.#background.add(id);
    const ended = subtype === 'task_notification' || ENDED.has(status) || ENDED.has(fieldsOf(patch)?.status);
    if (ended) this.#background.delete(id);
  }

  #remember(id: string | undefined): void {
    if (id !== undefined && this.#denied.size < IDS) this.#denied.add(id);
  }

  #again({ session_id }: Fields): boolean {
    const known = this.#session;
    this.#session = idOf(session_id);
    return known !== undefined && known === this.#session;
  }
}

type Teller = (event: Fields) => Made | null;

/** Events that say which background tasks are at work. */
const TASKS: ReadonlySet<unknown> = new Set([
  ...['task_started', 'task_progress', 'task_updated', 'task_notification', 'background_tasks_changed'],
]);

const SUBTYPES: ReadonlyMap<unknown, Teller> = new Map<unknown, Teller>([
  ['init', started],
  ['api_retry', retried],
  ['permission_denied', denied],
  ['compact_boundary', compacted],
  ['status', status],
  // A running count of thinking, of which the text itself comes.
  ['thinking_tokens', () => null],
  ['informational', informational],
  ['local_command_output', (event) => said(event, 'INFO', textOf(event.content) ?? '')],
  ['hook_response', hook],
  [
    'worker_shutting_down',
    (event) => said(event, 'WARNING', `Shutting down: ${words(event.reason) ?? 'no reason given'}`),
  ],
  ['task_started', (event) => task(event, `Background task started: ${words(event.description) ?? ''}`)],
  [
    'task_progress',
    (event) => task(event, `Background task: ${words(event.summary) ?? words(event.description) ?? ''}`),
  ],
  ['task_updated', taskUpdated],
  ['task_notification', taskEnded],
  ['background_tasks_changed', tasksChanged],
]);

const TYPES: ReadonlyMap<unknown, Teller> = new Map<unknown, Teller>([
  ['tool_progress', toolProgress],
  ['tool_use_summary', (event) => said(event, 'INFO', textOf(event.summary) ?? '')],
  ['rate_limit_event', rateLimit],
  ['auth_status', authStatus],
]);

/** The fields of an event that its message does not say. */
function rest(event: Fields): Record<string, unknown> {
  const { type, subtype, uuid: _uuid, session_id: _session, content: _content, summary: _summary, ...own } = event;
  return { kind: subtype ?? type, ...own };
}

function said(event: Fields, level: Level, message: string): Made {
  return { type: 'output', level, message, metadata: rest(event) };
}

function words(value: unknown): string | undefined {
  const text = textOf(value);
  return text === undefined ? undefined : oneLine(text, TEXT_CHARS);
}

function started(event: Fields): Made {
  const { cwd, model, permissionMode, mcp_servers, claude_code_version, tools, session_id } = event;
  const version = words(claude_code_version);
  const parts = [words(model), version && `Claude Code ${version}`, words(cwd) && `in ${words(cwd)}`];
  const told = parts.filter(Boolean).join(', ');
  const metadata = { kind: 'init', session_id, model, cwd, claude_code_version, tools, mcp_servers };
  return {
    type: 'output',
    message: `Session started${told && `: ${told}`}`,
    metadata: { ...metadata, permission_mode: permissionMode },
  };
}

function retried(event: Fields): Made {
  const { attempt, max_retries, retry_delay_ms, error_status, error } = event;
  const seconds = (figureOf(retry_delay_ms) ?? 0) / 1000;
  const code = figureOf(error_status);
  const why = `${words(error) ?? 'failed'}${code === undefined ? '' : ` (${code})`}`;
  const which = `retry ${figureOf(attempt) ?? '?'} of ${figureOf(max_retries) ?? '?'}`;
  return said(event, 'WARNING', `API request ${why}: ${which} in ${seconds.toFixed(1)} s`);
}

function denied(event: Fields): Made {
  const { tool_name, tool_use_id, tool_input, decision_reason, decision_reason_type, message } = event;
  const tool = words(tool_name) ?? 'tool';
  const why = words(decision_reason) ?? words(message);
  const metadata = { kind: 'permission_denied', tool, tool_use_id, args: tool_input, decision_reason_type };
  return {
    type: 'output',
    level: 'WARNING',
    message: `Permission denied for ${tool}${why ? `: ${why}` : ''}`,
    metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)),
  };
}

function compacted(event: Fields): Made {
  const { trigger, pre_tokens } = fieldsOf(event.compact_metadata) ?? {};
  const before = figureOf(pre_tokens);
  const how = [words(trigger), before === undefined ? undefined : `${before} tokens before`].filter(Boolean).join(', ');
  return said(event, 'INFO', `Conversation compacted${how && ` (${how})`}`);
}

function status(event: Fields): Made | null {
  // Told before every request; that the conversation is being compacted is worth a line.
  if (event.status !== 'compacting') return null;
  return { type: 'progress', message: 'Compacting the conversation', metadata: rest(event) };
}

function informational(event: Fields): Made {
  return said(event, INFORMATIONAL.get(event.level) ?? 'INFO', textOf(event.content) ?? '');
}

function hook(event: Fields): Made {
  const { hook_name, outcome } = event;
  const failed = outcome === 'error';
  return said(event, failed ? 'WARNING' : 'DEBUG', `Hook ${words(hook_name) ?? '?'}: ${words(outcome) ?? 'ended'}`);
}

function task(event: Fields, message: string, level: Level = 'INFO'): Made {
  // Our own tasks have a `task_id` too.
  const { task_id, ...others } = rest(event);
  return { type: 'progress', level, message, metadata: { ...others, background_task_id: task_id } };
}

function taskUpdated(event: Fields): Made {
  const patch = fieldsOf(event.patch) ?? {};
  const state = words(patch.status) ?? 'changed';
  return task(
    event,
    `Background task ${state}${words(patch.error) ? `: ${words(patch.error)}` : ''}`,
    levelOf(patch.status),
  );
}

function taskEnded(event: Fields): Made {
  const summary = words(event.summary);
  return task(
    event,
    `Background task ${words(event.status) ?? 'ended'}${summary ? `: ${summary}` : ''}`,
    levelOf(event.status),
  );
}

function levelOf(status: unknown): Level {
  return status === 'failed' ? 'WARNING' : 'INFO';
}

function tasksChanged(event: Fields): Made {
  const tasks = listOf(event.tasks);
  const names = tasks.slice(0, 10).flatMap((value) => words(fieldsOf(value)?.description) ?? []);
  const metadata = { kind: event.subtype, tasks };
  const message = `${tasks.length} background tasks${names.length > 0 ? `: ${names.join(', ')}` : ''}`;
  return { type: 'progress', message, metadata };
}

function toolProgress(event: Fields): Made {
  const { tool_name, tool_use_id, elapsed_time_seconds, parent_tool_use_id, task_id } = event;
  const seconds = figureOf(elapsed_time_seconds);
  const tool = words(tool_name) ?? 'tool';
  const metadata = {
    ...{ kind: 'tool_progress', tool, tool_use_id, elapsed_seconds: seconds },
    ...(parent_tool_use_id !== null && { parent_tool_use_id }),
    ...(task_id !== undefined && { background_task_id: task_id }),
  };
  return { type: 'progress', message: `${tool} is running${seconds === undefined ? '' : `, ${seconds} s`}`, metadata };
}

function rateLimit(event: Fields): Made {
  const state = words(fieldsOf(event.rate_limit_info)?.status) ?? 'changed';
  return said(event, state === 'allowed' ? 'DEBUG' : 'WARNING', `Rate limit: ${state}`);
}

function authStatus(event: Fields): Made {
  const error = words(event.error);
  return said(event, error ? 'ERROR' : 'DEBUG', `Authentication${error ? ` failed: ${error}` : ''}`);
}
