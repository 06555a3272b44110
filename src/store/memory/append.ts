import { grownLog, reopenedTask } from '../../core/change.ts';
import type { Batch } from '../../core/ports.ts';
import type { Receipt } from '../../core/query.ts';
import { isoTime } from '../../core/time.ts';
import type { Held } from './held.ts';
import { knownReceipt } from './keeping.ts';

export interface Appending {
  /** Gets the tasks that are not what they were. */
  readonly changed: Set<Held>;
  readonly totals: { entries: number; lost: number };
  readonly nowMs: number;
}

/** Put the lines of one batch behind those of its task. Throws `idempotency_mismatch`. */
export function appendOne(held: Held, batch: Batch, { changed, totals, nowMs }: Appending): Receipt {
  const { drafts, filtered, lost, key } = batch;
  const known = key && knownReceipt(held, key, nowMs);
  if (known) return known;
  const before = held.task.log.lastSeq;
  for (const draft of drafts) held.lines.push(draft);
  const stored = drafts.length > 0;
  const receipt: Receipt = {
    accepted: drafts.length,
    filtered,
    firstSeq: stored ? before + 1 : null,
    lastSeq: stored ? held.lines.length : null,
  };
  if (key) held.keys.set(key.value, { digest: key.digest, receipt, atMs: nowMs });
  const heard = stored || lost > 0 || filtered > 0;
  if (heard) held.heardAt = isoTime(nowMs);
  if (held.vanished && heard) {
    held.task = reopenedTask(held.task, held.heardAt);
    held.vanished = false;
    changed.add(held);
  }
  if (stored || lost > 0) {
    held.task = { ...held.task, log: grownLog(held.task.log, drafts, lost) };
    totals.entries += drafts.length;
    totals.lost += lost;
    changed.add(held);
  }
  return receipt;
}
