import type { EntryInput } from './entry.ts';

/**
 * The line that stands where lines are missing: one WARNING with their number. It counts itself: whoever stores a line with
 * this metadata adds the number to the task's `lost`, so the count arrives with the line, by whichever way it came.
 */
export function lossNote(lost: number, reason: string): EntryInput {
  const lines = lost === 1 ? '1 line was' : `${lost} lines were`;
  return { level: 'WARNING', message: `${lines} lost here: ${reason}`, metadata: { tasktrail_lost: lost } };
}

const LOSS = /^\{"tasktrail_lost":(\d{1,9})\}$/;

/** How many missing lines a line with this metadata stands for; 0 for any other line. */
export function lostBy(metadataJson: string | null): number {
  const match = metadataJson === null ? null : LOSS.exec(metadataJson);
  return match ? Number(match[1]) : 0;
}
