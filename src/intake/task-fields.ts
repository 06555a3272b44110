import type { Json } from '../core/entry.ts';
import { type Fault, TrailError } from '../core/error.ts';
import { checkTaskId } from '../core/id.ts';
import { JSON_DEPTH, TAGS, TASK_JSON_BYTES, TEXT_CHARS } from '../core/limits.ts';
import { parseStatus } from '../core/status.ts';
import { NO_METRICS, type TaskChange, type TaskDraft } from '../core/task.ts';
import { parseTime } from '../core/time.ts';
import { deeper } from './normalise.ts';
import { maskedValue, type Redactor } from './redact.ts';

const TEXTS = [
  'kind',
  'title',
  'source',
  'provider',
  'assignedAgent',
  'agentType',
  'model',
  'userId',
  'machineId',
  'owner',
] as const;
const TIMES = ['createdAt', 'startedAt', 'completedAt'] as const;
const DOCUMENTS = ['params', 'input', 'metadata', 'result'] as const;

/** The draft when its fields are as they should be. Throws `invalid_task` that names every fault. */
export function checkedDraft(draft: TaskDraft): TaskDraft {
  if (draft.taskId !== undefined) checkTaskId(draft.taskId);
  return checkedChange(draft);
}

/** Ids stand in addresses and file names, where nothing can be masked. Throws `invalid_task_id` for one that holds a secret. */
export function checkPlainId(taskId: string, redactor: Redactor): void {
  if (redactor.find(taskId).length === 0) return;
  throw new TrailError(
    'invalid_task_id',
    'the task id holds what looks like a secret, which it would show; choose another',
  );
}

/** The change when its fields are as they should be; times in our own form. Throws `invalid_task` that names every fault. */
export function checkedChange<T extends TaskDraft | TaskChange>(change: T): T {
  const faults: Fault[] = [];
  const fields: Record<string, unknown> = { ...change };
  for (const name of Object.keys(fields)) if (fields[name] === undefined) delete fields[name];
  for (const name of TEXTS) checkText(name, fields, faults);
  for (const name of TIMES) checkTime(name, fields, faults);
  for (const name of DOCUMENTS) checkDocument(name, fields, faults);
  checkTags(fields, faults);
  checkMetrics(fields, faults);
  if (typeof fields.error === 'string') fields.error = cut(fields.error.toWellFormed(), TASK_JSON_BYTES);
  else if (fields.error != null) faults.push({ path: 'error', detail: 'expected text or null' });
  checkExitCode(fields, faults);
  if (faults.length > 0) {
    const named = faults.map(({ path, detail }) => `${path}: ${detail}`).join('; ');
    throw new TrailError('invalid_task', named, { errors: faults });
  }
  if (fields.status !== undefined) fields.status = parseStatus(fields.status);
  return fields as T;
}

/** The same fields with every secret in their texts masked, however deep. */
export function maskedFields<T extends TaskDraft | TaskChange>(fields: T, redactor: Redactor): T {
  const masked: Record<string, unknown> = { ...fields };
  for (const name of [...TEXTS, ...DOCUMENTS, 'error', 'tags']) {
    if (masked[name] != null) masked[name] = maskedValue(masked[name] as Json, redactor);
  }
  return masked as T;
}

function checkText(name: string, fields: Record<string, unknown>, faults: Fault[]): void {
  const value = fields[name];
  if (value === undefined || value === null) return;
  if (typeof value !== 'string') faults.push({ path: snake(name), detail: `expected text, got ${typeof value}` });
  else if (value.length > TEXT_CHARS) {
    faults.push({ path: snake(name), detail: `expected at most ${TEXT_CHARS} characters, got ${value.length}` });
  }
}

function checkTime(name: string, fields: Record<string, unknown>, faults: Fault[]): void {
  if (fields[name] === undefined || fields[name] === null) return;
  const time = parseTime(fields[name]);
  if (time === undefined) faults.push({ path: snake(name), detail: 'expected ISO 8601 or Unix milliseconds' });
  fields[name] = time;
}

function checkDocument(name: string, fields: Record<string, unknown>, faults: Fault[]): void {
  const value = fields[name];
  if (value === undefined || value === null) return;
  if (name !== 'result' && (typeof value !== 'object' || Array.isArray(value))) {
    faults.push({ path: snake(name), detail: 'expected an object or null' });
  } else if (deeper(value, JSON_DEPTH)) {
    faults.push({ path: snake(name), detail: `expected at most ${JSON_DEPTH} levels of nesting` });
  } else {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    if (bytes > TASK_JSON_BYTES) {
      faults.push({ path: snake(name), detail: `expected at most ${TASK_JSON_BYTES} bytes of JSON, got ${bytes}` });
    }
  }
}

function checkTags(fields: Record<string, unknown>, faults: Fault[]): void {
  const { tags } = fields;
  if (tags === undefined) return;
  const fine =
    Array.isArray(tags) &&
    tags.length <= TAGS &&
    tags.every((tag) => typeof tag === 'string' && tag.length <= TEXT_CHARS);
  if (!fine) faults.push({ path: 'tags', detail: `expected at most ${TAGS} texts` });
}

function checkMetrics(fields: Record<string, unknown>, faults: Fault[]): void {
  const { metrics } = fields;
  if (metrics === undefined || metrics === null) return;
  if (typeof metrics !== 'object' || Array.isArray(metrics)) {
    faults.push({ path: 'metrics', detail: 'expected an object of figures' });
    return;
  }
  for (const [name, value] of Object.entries(metrics)) {
    const path = `metrics.${snake(name)}`;
    if (!Object.hasOwn(NO_METRICS, name))
      faults.push({ path, detail: `expected one of ${Object.keys(NO_METRICS).map(snake).join(', ')}` });
    else if (
      value !== null &&
      !(typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= Number.MAX_SAFE_INTEGER)
    ) {
      faults.push({ path, detail: 'expected a number from 0 to 2^53 - 1, or null' });
    }
  }
}

/** POSIX gives 0–255 and the like, Windows unsigned 32 bits (0xC0000005), some programs the same as signed ones. */
function checkExitCode({ exitCode }: Record<string, unknown>, faults: Fault[]): void {
  if (exitCode === undefined || exitCode === null) return;
  const fine = Number.isInteger(exitCode) && Number(exitCode) >= -(2 ** 31) && Number(exitCode) < 2 ** 32;
  if (!fine) faults.push({ path: 'exit_code', detail: 'expected a whole number of 32 bits, or null' });
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The start of a text, with a mark when there was more. */
export function cut(text: string, chars: number): string {
  return text.length > chars ? `${text.slice(0, chars).toWellFormed()}…` : text;
}
