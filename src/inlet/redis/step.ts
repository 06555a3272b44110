import { type EntryInput, isEntryType, isSource, isStream, type Json, type JsonObject } from '../../core/entry.ts';
import type { EventStep } from '../../core/event.ts';
import { type Level, parseLevel } from '../../core/level.ts';
import { METADATA_BYTES, TEXT_CHARS } from '../../core/limits.ts';
import { isEnded, parseStatus, type Status } from '../../core/status.ts';
import { type Metrics, NO_METRICS, type TaskDraft } from '../../core/task.ts';
import { cutText } from '../../core/text.ts';
import { numberOf, objectIn, textOf, timeOf, told } from './values.ts';

/** An event taken out of its envelope. */
export interface EventFacts {
  readonly type: string;
  /** ISO 8601. */
  readonly timestamp: string;
  /** As it came, without what the envelope says. */
  readonly data: JsonObject;
}

type Means = Omit<EventStep, 'taskId' | 'webhookEventId'>;
type Draft = NonNullable<EventStep['draft']>;

/** Names of fields that hold a short text of the task. */
const TEXTS = {
  source: 'source',
  provider: 'provider',
  kind: 'kind',
  title: 'title',
  assigned_agent: 'assignedAgent',
  agent_type: 'agentType',
  model: 'model',
  user_id: 'userId',
  machine_id: 'machineId',
} as const;
const FIGURES: ReadonlyMap<string, keyof Metrics> = new Map(
  (Object.keys(NO_METRICS) as (keyof Metrics)[]).map((name) => [
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    name,
  ]),
);
/** Room that the other fields of a webhook's line may take besides its payload. */
const FIELDS_BYTES = 4 * 1024;
const FAILURE = /^(?:fail|failure|error|errored)$/i;

/** What an event means for its task. What the words of a task and a line have no place for is kept in metadata. */
export function stepOf(event: EventFacts): Means {
  switch (event.type) {
    case 'task:created':
      return created(event);
    case 'task:started':
      return started(event);
    case 'task:output':
      return { entries: [output(event)] };
    case 'task:user_input':
      return { entries: [userInput(event)] };
    case 'task:completed':
      return ended(event, 'completed');
    case 'task:failed':
      return ended(event, 'failed');
    default:
      return webhook(event);
  }
}

function created({ timestamp, data }: EventFacts): Means {
  const { created_at, input_message, source_metadata, metadata, ...rest } = data;
  const { texts, left } = takeTexts(rest);
  const made = timeOf(created_at);
  const input = inputOf(input_message, source_metadata);
  return {
    draft: {
      ...texts,
      // It counts only where the task is not there yet.
      status: 'queued',
      createdAt: made ?? timestamp,
      ...(input && { input }),
      ...metadataDraft({
        ...objectIn(metadata),
        ...left,
        ...(!input && unread({ source_metadata })),
        ...(made === undefined && unread({ created_at })),
      }),
    },
    entries: [],
  };
}

function started({ timestamp, data }: EventFacts): Means {
  const { started_at, model, metadata, ...rest } = data;
  const { texts, left } = takeTexts(model === undefined ? {} : { model });
  const begun = timeOf(started_at);
  const more = { ...objectIn(metadata), ...rest, ...left, ...(begun === undefined && unread({ started_at })) };
  const draft = told({ ...texts, ...metadataDraft(more) });
  return {
    ...(draft && { draft }),
    change: { status: 'executing', startedAt: begun ?? timestamp },
    entries: [],
  };
}

function output({ timestamp, data }: EventFacts): EntryInput {
  const { content, type, level, source, stream, metadata, ...rest } = data;
  const known = { type: lower(type), level: levelOf(level), source: sourceOf(source), stream: lower(stream) };
  const odd = unread({
    type: isEntryType(known.type) ? undefined : type,
    level: known.level === undefined ? level : undefined,
    source: known.source === undefined ? source : undefined,
    stream: isStream(known.stream) ? undefined : stream,
  });
  const more = { ...objectIn(metadata), ...rest, ...odd };
  return line(timestamp, more, {
    message: textOf(content) ?? textOf(rest.message) ?? textOf(rest.tool) ?? '',
    type: isEntryType(known.type) ? known.type : 'output',
    ...(known.level && { level: known.level }),
    ...(known.source !== undefined && { source: known.source }),
    ...(isStream(known.stream) && { stream: known.stream }),
  });
}

function userInput({ timestamp, data }: EventFacts): EntryInput {
  const { content, metadata, ...rest } = data;
  const message = textOf(content) ?? textOf(rest.message) ?? '';
  return line(timestamp, { ...objectIn(metadata), ...rest }, { message, type: 'user_input', source: 'user' });
}

function ended({ timestamp, data }: EventFacts, said: 'completed' | 'failed'): Means {
  const { result, status, exit_code, error, completed_at, metrics, metadata, ...others } = data;
  const { figures, left } = takeFigures({ ...objectIn(metrics), ...others });
  const exitCode = numberOf(exit_code);
  const isExit = Number.isInteger(exitCode) && Math.abs(exitCode ?? 0) < 2 ** 31;
  const at = timeOf(completed_at);
  const meant = endingOf(status, said);
  const more = {
    ...objectIn(metadata),
    ...left,
    ...unread({
      ...(!isExit && { exit_code }),
      ...(at === undefined && { completed_at }),
      ...(meant === undefined && { reported_status: status }),
    }),
  };
  return {
    ...(Object.keys(more).length > 0 && { draft: { metadata: more } }),
    change: {
      status: meant ?? said,
      completedAt: at ?? timestamp,
      ...(result !== undefined && { result }),
      ...(error !== undefined && error !== null && { error: textOf(error) ?? '' }),
      ...(isExit && exitCode !== undefined && { exitCode }),
      ...(Object.keys(figures).length > 0 && { metrics: figures }),
    },
    entries: [],
  };
}

/** How it ended, as told; undefined when what was told is no ending. A failure never becomes a success. */
function endingOf(status: Json | undefined, said: 'completed' | 'failed'): Status | undefined {
  if (status === undefined || status === null || status === '') return said;
  if (typeof status === 'string' && FAILURE.test(status.trim())) return 'failed';
  try {
    const named = parseStatus(status);
    if (!isEnded(named)) return undefined;
    return said === 'failed' && named === 'completed' ? undefined : named;
  } catch {
    return undefined;
  }
}

function webhook({ type, timestamp, data }: EventFacts): Means {
  const stage = type.slice('webhook:'.length);
  const entry = line(timestamp, { ...fitting(data), stage }, { message: stage, type: 'webhook', source: 'webhook' });
  if (type !== 'webhook:task_created') return { entries: [entry] };
  const { source, provider, input_message, source_metadata } = data;
  const { texts } = takeTexts({ ...(source !== undefined && { source }), ...(provider !== undefined && { provider }) });
  const input = inputOf(input_message, source_metadata);
  return {
    draft: { ...texts, status: 'queued', createdAt: timestamp, ...(input && { input }) },
    entries: [entry],
  };
}

/** The same fields within the limit of a line's metadata: of a payload that is too large the start of its text. */
function fitting(data: JsonObject): JsonObject {
  const { payload } = data;
  if (payload === undefined) return data;
  const text = textOf(payload) ?? '';
  if (text.length * 3 <= METADATA_BYTES - FIELDS_BYTES) return data;
  if (Buffer.byteLength(JSON.stringify(payload)) <= METADATA_BYTES - FIELDS_BYTES) return data;
  // As text within JSON each quote takes two bytes, and what is masked may become longer.
  const cut = cutText(text, Math.floor((METADATA_BYTES - FIELDS_BYTES) / 3));
  return { payload_size: Buffer.byteLength(text), ...data, payload: cut, payload_cut: true };
}

function line(timestamp: string, metadata: JsonObject, rest: EntryInput): EntryInput {
  return { ...rest, timestamp, ...(Object.keys(metadata).length > 0 && { metadata }) };
}

/** Only with a message: without one it would take the place of what the task was asked before. */
function inputOf(message: Json | undefined, given: Json | undefined): TaskDraft['input'] {
  const text = textOf(message);
  const sourceMetadata = objectIn(given);
  return text === undefined ? undefined : { message: text, ...(sourceMetadata && { sourceMetadata }) };
}

/** The short texts among the fields; one that is too long for its place is cut there and stays whole in what is left. */
function takeTexts(fields: JsonObject): { texts: Draft; left: JsonObject } {
  const texts: Record<string, string> = {};
  const left: [string, Json][] = [];
  for (const [name, value] of Object.entries(fields)) {
    const place = Object.hasOwn(TEXTS, name) ? TEXTS[name as keyof typeof TEXTS] : undefined;
    const text = place && textOf(value);
    if (place && text !== undefined && text !== '') texts[place] = cutText(text, TEXT_CHARS);
    if (!place || (text !== undefined && text.length > TEXT_CHARS)) left.push([name, value]);
  }
  return { texts, left: Object.fromEntries(left) };
}

function takeFigures(fields: JsonObject): { figures: Partial<Metrics>; left: JsonObject } {
  const figures: { -readonly [K in keyof Metrics]?: number } = {};
  const left: [string, Json][] = [];
  for (const [name, value] of Object.entries(fields)) {
    const figure = FIGURES.get(name);
    const number = figure && numberOf(value);
    if (figure && number !== undefined && number >= 0 && number <= Number.MAX_SAFE_INTEGER) figures[figure] = number;
    else if (!figure || value !== null) left.push([name, value]);
  }
  return { figures, left: Object.fromEntries(left) };
}

function metadataDraft(metadata: JsonObject): { metadata?: JsonObject } {
  return Object.keys(metadata).length > 0 ? { metadata } : {};
}

/** What was told but is none of the values that its place knows. */
function unread(fields: Readonly<Record<string, Json | undefined>>): JsonObject {
  const kept: Record<string, Json> = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== undefined && value !== null && value !== '') kept[name] = value;
  }
  return kept;
}

function lower(value: Json | undefined): Json | undefined {
  return typeof value === 'string' ? value.trim().toLowerCase() : value;
}

function levelOf(value: Json | undefined): Level | undefined {
  return parseLevel(value) ?? (typeof value === 'string' ? parseLevel(numberOf(value)) : undefined);
}

function sourceOf(value: Json | undefined): string | undefined {
  const source = typeof value === 'string' ? value.trim() : '';
  return isSource(source) ? source : undefined;
}
