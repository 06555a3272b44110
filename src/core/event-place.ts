import { TrailError } from './error.ts';
import type { EventStep, Refusal } from './event.ts';
import { TASK_BUFFER_BYTES, TEXT_CHARS, WEBHOOK_EVENT_HOURS, WEBHOOK_EVENT_LINES } from './limits.ts';
import type { Applied } from './ports.ts';
import { cutText } from './text.ts';

const HOUR_MS = 60 * 60 * 1000;

/** Throws `event_conflict` when a stream is not where its reader thinks. */
export function checkPlace(stream: string, { from, found }: { from: string | null; found: string | null }): void {
  if (found === from) return;
  throw new TrailError(
    'event_conflict',
    `expected the stream ${stream} at ${from ?? 'its beginning'}, it is at ${found ?? 'its beginning'}; read its place again`,
  );
}

/** What is kept of refused steps after a commit that had these. */
export function keptRefusals(
  before: readonly Refusal[],
  { buried = [], refused }: { readonly buried?: readonly string[]; readonly refused: readonly Refusal[] },
): readonly Refusal[] {
  return [...before.filter(({ id }) => !buried.includes(id)), ...refused];
}

/** Those of the steps, which must have names, that were refused for good. */
export function refusalsOf(steps: readonly Pick<EventStep, 'id'>[], applied: readonly Applied[]): readonly Refusal[] {
  return applied.flatMap(({ error }, index) => {
    const id = steps[index]?.id;
    if (!error || error.code === 'task_deleted' || id === undefined) return [];
    return [{ id, reason: cutText(error.message, TEXT_CHARS) }];
  });
}

/** What webhook events left behind at this moment or before is forgotten (Unix ms). */
export function forgottenMs(nowMs: number): number {
  return nowMs - WEBHOOK_EVENT_HOURS * HOUR_MS;
}

/** Throws `too_many_lines` when so much may not wait for the task of one webhook event. */
export function checkWaiting({ lines, chars }: { readonly lines: number; readonly chars: number }): void {
  if (lines <= WEBHOOK_EVENT_LINES && chars <= TASK_BUFFER_BYTES) return;
  throw new TrailError(
    'too_many_lines',
    `expected at most ${WEBHOOK_EVENT_LINES} lines and ${TASK_BUFFER_BYTES} characters that wait for the task of a webhook event, got ${lines} lines and ${chars} characters`,
  );
}
