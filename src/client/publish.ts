import type { EntryType, Json, JsonObject, Stream } from '../core/entry.ts';
import { TASK_EVENTS_STREAM } from '../core/limits.ts';
import type { Status } from '../core/status.ts';
import type { Metrics } from '../core/task.ts';
import { toSnake } from '../core/wire.ts';

/** What is needed of a Redis client; one of ioredis has it. */
export interface EventRedis {
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
}

type Figures = Partial<Metrics>;

interface Created {
  readonly source?: string;
  readonly provider?: string;
  readonly kind?: string;
  readonly title?: string;
  readonly assignedAgent?: string;
  readonly agentType?: string;
  readonly model?: string;
  readonly userId?: string;
  readonly machineId?: string;
  readonly createdAt?: string;
  readonly inputMessage?: string;
  readonly sourceMetadata?: JsonObject;
}

interface Output {
  readonly content: string;
  readonly type?: EntryType;
  readonly level?: string;
  readonly source?: string;
  readonly stream?: Stream;
  readonly tool?: string;
  readonly args?: Json;
  readonly metadata?: JsonObject;
}

interface UserInput {
  readonly content: string;
  readonly questionType?: string;
  readonly userId?: string;
}

interface Completed extends Figures {
  readonly result?: Json;
  readonly status?: Status;
  readonly exitCode?: number;
}

interface Failed extends Figures {
  readonly error: string;
  readonly exitCode?: number;
}

interface WebhookCreated {
  readonly taskId: string;
  readonly source?: string;
  readonly eventType?: string;
  readonly inputMessage?: string;
}

interface TaskEventData {
  'task:created': Created;
  'task:started': { readonly startedAt?: string; readonly model?: string };
  'task:output': Output;
  'task:user_input': UserInput;
  'task:completed': Completed;
  'task:failed': Failed;
}

interface WebhookEventData {
  'webhook:received': {
    readonly source?: string;
    readonly eventType?: string;
    readonly payload?: Json;
    readonly payloadSize?: number;
  };
  'webhook:validated': { readonly source?: string; readonly signatureValid?: boolean };
  'webhook:matched': {
    readonly source?: string;
    readonly eventType?: string;
    readonly matchedHandler?: string;
    readonly command?: string;
  };
  'webhook:task_created': WebhookCreated;
}

/** An event of a task, or of a webhook whose task is not known yet: all of one delivery bear the same `webhookEventId`. */
export type TrailEvent =
  | { [K in keyof TaskEventData]: EventOf<K, { readonly taskId: string }, TaskEventData[K]> }[keyof TaskEventData]
  | {
      [K in keyof WebhookEventData]: EventOf<K, { readonly webhookEventId: string }, WebhookEventData[K]>;
    }[keyof WebhookEventData];

type EventOf<K, Id, Data> = Id & {
  readonly type: K;
  /** When it happened: ISO 8601 or Unix milliseconds (default now). */
  readonly timestamp?: string | number;
} & (Partial<Data> extends Data ? { readonly data?: Data } : { readonly data: Data });

export interface PublishOptions {
  /** The stream's name (default `task_events`). */
  readonly stream?: string;
  /** About how many entries the stream keeps. What is deleted before it was read is lost; so leave it out, or make it large. */
  readonly maxLen?: number;
}

/** Add an event to the stream. Answers the id of its entry. */
export async function publishEvent(
  redis: EventRedis,
  event: TrailEvent,
  { stream = TASK_EVENTS_STREAM, maxLen }: PublishOptions = {},
): Promise<string> {
  const { type, timestamp = Date.now(), data = {} } = event;
  const id = 'taskId' in event ? ['task_id', event.taskId] : ['webhook_event_id', event.webhookEventId];
  const limit = maxLen === undefined ? [] : ['MAXLEN', '~', maxLen];
  const fields = ['type', type, 'timestamp', timestamp, ...id, 'data', JSON.stringify(toSnake(data))];
  return String(await redis.call('XADD', stream, ...limit, '*', ...fields));
}
