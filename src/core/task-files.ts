import type { EntryType, JsonObject, LogEntry } from './entry.ts';
import type { LineTemplate } from './line-text.ts';
import type { Task } from './task.ts';
import { toSnake } from './wire.ts';

/*
 * What the files of a task's directory say, made from the task and its lines. The same shapes answer the API's routes for the parts.
 * Whatever a file's fields have no place for stands under one more key (`task` in metadata.json, `entry` in a line), and only when it
 * is not what a reader would assume: so that a directory alone can be read back completely (`task-files-back.ts`).
 */

export const FILES = {
  metadata: 'metadata.json',
  input: '01-input.json',
  webhookFlow: '02-webhook-flow.jsonl',
  agentOutput: '03-agent-output.jsonl',
  userInputs: '03-user-inputs.jsonl',
  finalResult: '04-final-result.json',
} as const;
/** The files that are appended to, line by line. */
export type FlowName = typeof FILES.webhookFlow | typeof FILES.agentOutput | typeof FILES.userInputs;

/** What a reader assumes of the lines of a file that say no more. */
export const ASSUMED = {
  webhook: { level: 'INFO', source: 'webhook', stream: null },
  user_input: { level: 'INFO', source: 'user', stream: null },
} as const;
export const QUESTION_TYPE = 'clarification';

/** Which file a line belongs to, and how it stands there. */
export function flowLine(entry: LogEntry): { readonly file: FlowName; readonly line: JsonObject } {
  const file = flowOf(entry.type);
  if (file === FILES.webhookFlow) return { file, line: webhookLine(entry) };
  return { file, line: file === FILES.userInputs ? userInputLine(entry) : agentOutputLine(entry) };
}

export function flowOf(type: EntryType): FlowName {
  if (type === 'webhook') return FILES.webhookFlow;
  return type === 'user_input' ? FILES.userInputs : FILES.agentOutput;
}

/** metadata.json: what is known of the task, then its metadata. A task that is `executing` reads `running` there. */
export function metadataFile(task: Task): JsonObject {
  const { taskId, source, provider, createdAt, startedAt, completedAt, status } = task;
  const fields = {
    task_id: taskId,
    source,
    provider,
    created_at: createdAt,
    started_at: startedAt,
    completed_at: completedAt,
    status: status === 'executing' ? 'running' : status,
    assigned_agent: task.assignedAgent,
    agent_type: task.agentType,
    model: task.model,
    user_id: task.userId,
    machine_id: task.machineId,
  };
  const { kind, title, owner, tags, pinned, params, runner, priority, log } = task;
  const clash = clashes({ ...fields, task: null }, task.metadata);
  return {
    ...fields,
    ...without(task.metadata, { ...fields, task: null }),
    task: {
      ...{ kind, title, owner, tags, pinned, params, runner, priority, lost: log.lost },
      ...(clash && { metadata: task.metadata }),
    },
  };
}

/** 01-input.json; null when the task was given none. */
export function inputFile({ input }: Task): JsonObject | null {
  return input && { message: input.message, ...(input.sourceMetadata && { source_metadata: input.sourceMetadata }) };
}

/** 04-final-result.json; null until the task has ended. */
export function finalResultFile(task: Task): JsonObject | null {
  if (!task.ended) return null;
  const { status, result, error, exitCode, metrics, completedAt } = task;
  return {
    success: status === 'completed',
    status,
    result,
    error,
    exit_code: exitCode,
    metrics: { ...toSnake(metrics) },
    completed_at: completedAt,
  };
}

/** A line of 02-webhook-flow.jsonl: what its metadata says of the stage. */
function webhookLine(entry: LogEntry): JsonObject {
  const { timestamp, seq, message, metadata } = entry;
  const stage = metadata?.stage ?? message;
  const fields = { timestamp, seq, stage };
  const clash = clashes({ timestamp, seq, entry: null }, metadata) || (metadata?.stage ?? null) === null;
  return {
    ...fields,
    ...without(metadata, { ...fields, entry: null }),
    ...told(entry, ASSUMED.webhook, {
      ...(stage !== message && { message }),
      ...(clash && { metadata }),
    }),
  };
}

/** A line of 03-user-inputs.jsonl: what a person said. */
function userInputLine(entry: LogEntry): JsonObject {
  const { timestamp, seq, message, metadata } = entry;
  const question = metadata?.question_type;
  const plain = metadata === null || (Object.keys(metadata).length === 1 && typeof question === 'string');
  return {
    timestamp,
    seq,
    type: 'user_response',
    question_type: typeof question === 'string' ? question : QUESTION_TYPE,
    content: message,
    // A line without metadata would come back with its question type in it.
    ...told(entry, ASSUMED.user_input, { ...((!plain || metadata === null) && { metadata }) }),
  };
}

/** A line of 03-agent-output.jsonl: everything else. What a tool was called with, and figures, stand beside the text as well. */
function agentOutputLine(entry: LogEntry): JsonObject {
  const { timestamp, seq, type, level, source, stream, message, metadata } = entry;
  const { tool, args, metrics } = metadata ?? {};
  return {
    timestamp,
    seq,
    type,
    level,
    source,
    stream,
    content: message,
    ...(tool !== undefined && { tool }),
    ...(args !== undefined && { args }),
    ...(metrics !== undefined && { metrics }),
    metadata,
  };
}

/** The same line as text, where its metadata is nothing that stands beside the text as well. */
export const OUTPUT_TEMPLATE: LineTemplate = ({ timestamp, seq, type, level, source, stream, message, metadata }) =>
  `{"timestamp":"${timestamp}","seq":${seq},"type":"${type}","level":"${level}","source":${source},"stream":${stream},` +
  `"content":${message},"metadata":${metadata}}`;

/** The key `entry` with what differs from the assumption; nothing when all is as assumed. */
function told(entry: LogEntry, assumed: Partial<LogEntry>, more: Record<string, unknown>): JsonObject {
  const { level, source, stream } = entry;
  const different = Object.entries({ level, source, stream }).filter(
    ([name, value]) => assumed[name as keyof LogEntry] !== value,
  );
  const all = { ...Object.fromEntries(different), ...more } as JsonObject;
  return Object.keys(all).length === 0 ? {} : { entry: all };
}

function clashes(fields: object, metadata: JsonObject | null): boolean {
  return Object.keys(metadata ?? {}).some((key) => Object.hasOwn(fields, key));
}

function without(metadata: JsonObject | null, fields: object): JsonObject {
  const left = Object.entries(metadata ?? {}).filter(([key]) => !Object.hasOwn(fields, key));
  // Entries, so that a key `__proto__` stays a key.
  return Object.fromEntries(left);
}
