import { type EntryInput, type EntryType, isEntryType, isStream, type Json, type JsonObject } from './entry.ts';
import { parseLevel } from './level.ts';
import { parseStatus, type Status } from './status.ts';
import type { Metrics, TaskDraft, TaskInput } from './task.ts';
import { ASSUMED, FILES, type FlowName, QUESTION_TYPE } from './task-files.ts';
import { toCamel } from './wire.ts';

/*
 * The files of a task's directory read back. They may have been written by others, after the same description: fields that are
 * missing are left out, and whatever is checked at the door (times, lengths, nesting) is checked there.
 */

const FIELDS = [
  ...['task_id', 'source', 'provider', 'created_at', 'started_at', 'completed_at', 'status', 'assigned_agent'],
  ...['agent_type', 'model', 'user_id', 'machine_id', 'task'],
];
const TASK_FIELDS = ['kind', 'title', 'owner', 'tags', 'pinned', 'params'];

/** The three documents of a directory; those that are not there are null. */
export interface Documents {
  readonly metadata: JsonObject;
  readonly input: JsonObject | null;
  readonly finalResult: JsonObject | null;
}

/** The task that a directory tells of. Who ran it is told in `metadata.ran_by`: nobody runs it now. */
export function taskBack({ metadata, input, finalResult }: Documents): TaskDraft {
  const task = objectOf(metadata.task) ?? {};
  const rest = Object.fromEntries(Object.entries(metadata).filter(([key]) => !FIELDS.includes(key)));
  const own = objectOf(task.metadata) ?? rest;
  const kept = { ...own, ...(typeof task.runner === 'string' && { ran_by: task.runner }) };
  return {
    ...(toCamel(picked(metadata, FIELDS.slice(0, -1))) as TaskDraft),
    ...(toCamel(picked(task, TASK_FIELDS)) as TaskDraft),
    status: statusBack(metadata, finalResult),
    metadata: Object.keys(kept).length > 0 ? kept : null,
    ...(input && { input: inputBack(input) }),
    ...(finalResult && endingBack(finalResult)),
  };
}

/** The mission's example of a final result has no status, only whether it was a success. */
function statusBack(metadata: JsonObject, finalResult: JsonObject | null): Status {
  if (finalResult?.status !== undefined) return parseStatus(finalResult.status);
  if (typeof finalResult?.success === 'boolean') return finalResult.success ? 'completed' : 'failed';
  return parseStatus(metadata.status ?? 'executing');
}

/** A line of a flow as an entry to be appended, with the seq that it had, if it says one. */
export function entryBack(
  file: FlowName,
  line: JsonObject,
): { readonly entry: EntryInput; readonly seq: number | null } {
  const seq = Number.isSafeInteger(line.seq) ? Number(line.seq) : null;
  if (file === FILES.webhookFlow) return { entry: webhookBack(line), seq };
  return { entry: file === FILES.userInputs ? userInputBack(line) : agentOutputBack(line), seq };
}

function webhookBack({ timestamp, seq: _, stage, entry, ...rest }: JsonObject): EntryInput {
  const said = objectOf(entry);
  return {
    ...lineOf(said, ASSUMED.webhook),
    timestamp: timeOf(timestamp),
    type: 'webhook',
    message: textOf(said?.message ?? stage),
    metadata: said && 'metadata' in said ? objectOf(said.metadata) : { stage: stage ?? null, ...rest },
  };
}

function userInputBack({ timestamp, question_type: question, content, entry }: JsonObject): EntryInput {
  const said = objectOf(entry);
  const plain = { question_type: question ?? QUESTION_TYPE };
  return {
    ...lineOf(said, ASSUMED.user_input),
    timestamp: timeOf(timestamp),
    type: 'user_input',
    message: textOf(content),
    metadata: said && 'metadata' in said ? objectOf(said.metadata) : plain,
  };
}

function agentOutputBack(line: JsonObject): EntryInput {
  const { timestamp, type, level, source, stream, content, tool, args, metrics, metadata } = line;
  const lifted = picked({ tool, args, metrics } as JsonObject, ['tool', 'args', 'metrics']);
  const own = objectOf(metadata);
  return {
    timestamp: timeOf(timestamp),
    type: isEntryType(type) ? type : ('output' satisfies EntryType),
    level: parseLevel(level) ?? 'INFO',
    ...(typeof source === 'string' && { source }),
    stream: isStream(stream) ? stream : null,
    message: textOf(content),
    // What others wrote may have the tool beside the text only.
    metadata: own || Object.keys(lifted).length > 0 ? { ...lifted, ...own } : null,
  };
}

function inputBack({ message, source_metadata: sourceMetadata }: JsonObject): TaskInput {
  const metadata = objectOf(sourceMetadata);
  return { message: textOf(message), ...(metadata && { sourceMetadata: metadata }) };
}

function endingBack({ result, error, exit_code: exitCode, metrics, completed_at: completedAt }: JsonObject): TaskDraft {
  return {
    result: result ?? null,
    ...(typeof error === 'string' && { error }),
    ...(Number.isInteger(exitCode) && { exitCode: Number(exitCode) }),
    ...(objectOf(metrics) && { metrics: toCamel<Partial<Metrics>>(objectOf(metrics) ?? {}) }),
    ...(typeof completedAt === 'string' && { completedAt }),
  };
}

function lineOf(
  said: JsonObject | null,
  assumed: Pick<EntryInput, 'level' | 'source' | 'stream'>,
): Partial<EntryInput> {
  const { level, source, stream } = { ...assumed, ...said };
  return {
    level: parseLevel(level) ?? 'INFO',
    ...(typeof source === 'string' && { source }),
    stream: isStream(stream) ? stream : null,
  };
}

function timeOf(value: Json | undefined): string | number {
  return typeof value === 'number' ? value : textOf(value);
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);
}

function objectOf(value: Json | undefined): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

function picked(from: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.filter((name) => from[name] !== undefined).map((name) => [name, from[name] ?? null]));
}
