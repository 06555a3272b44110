import { setTimeout as delay } from 'node:timers/promises';
import type { EntryInput, JsonObject } from '../../core/entry.ts';
import { METADATA_BYTES } from '../../core/limits.ts';
import { cutText } from '../../core/text.ts';
import { type Clock, isoTime } from '../../core/time.ts';
import type { Delivery } from './delivery.ts';

/** What a delivery that starts a task goes through, in this order. */
export type Stage =
  | 'received'
  | 'validation'
  | 'command_matching'
  | 'immediate_response'
  | 'task_created'
  | 'queue_push';

interface StageOptions {
  readonly level?: 'INFO' | 'WARNING';
  /** When it was reached, Unix ms (default now). */
  readonly atMs?: number;
}

const SOURCE = 'webhook';
/** Room that the other fields of `received` may take besides the payload. */
const FIELDS_BYTES = 4 * 1024;

/** The stages of one delivery so far, as lines of the task that it may start: each with the time at which it was reached. */
export class Stages {
  readonly lines: EntryInput[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(stage: Stage, fields: JsonObject, { level, atMs = this.#clock.now() }: StageOptions = {}): void {
    this.lines.push(stageLine({ stage, ...fields }, { timestamp: isoTime(atMs), ...(level && { level }) }));
  }
}

export function stageLine(
  metadata: JsonObject & { readonly stage: string },
  { timestamp, level = 'INFO' }: { readonly timestamp: string; readonly level?: 'INFO' | 'WARNING' },
): EntryInput {
  return { message: metadata.stage, type: 'webhook', source: SOURCE, timestamp, level, metadata };
}

/** The payload as it came, for the stage `received`: a value where it fits, else the start of its text. */
export function payloadFields(payload: JsonObject, { body }: Delivery): JsonObject {
  const limit = METADATA_BYTES - FIELDS_BYTES;
  const fields = { payload_size: body.byteLength };
  if (Buffer.byteLength(JSON.stringify(payload)) <= limit) return { payload, ...fields };
  // As text within JSON each quote takes two bytes, and what is masked may become longer.
  const text = cutText(new TextDecoder().decode(body.subarray(0, limit)), Math.floor(limit / 3));
  return { payload: text, ...fields, payload_cut: true };
}

/** What `work` answers, or undefined when it takes longer; then it goes on. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  const timer = new AbortController();
  try {
    return await Promise.race([work, delay(ms, undefined, { signal: timer.signal, ref: false })]);
  } finally {
    timer.abort();
  }
}
