import { asTrailError, ERRORS, TrailError } from '../core/error.ts';
import type { TaskDraft } from '../core/task.ts';
import type { Ending } from '../core/trail.ts';
import { batchesIn, discard, LOCAL, readCall, refuse, type SpoolCall, spoolDirs } from './spool.ts';
import { lockSpool } from './spool-lock.ts';
import type { Target } from './target.ts';

/** How a task ended, as an `end` call says it in its body. */
export interface EndBody extends Ending {
  /** Why it failed; null when it completed. */
  readonly error: string | null;
}

/** What became of the calls of one run. */
export interface Drained {
  readonly delivered: number;
  /** Calls still on disk, for another try. */
  readonly left: number;
  readonly refused: readonly Refusal[];
  /** Why it stopped early, if it did. */
  readonly fault?: TrailError;
}

export interface Refusal {
  readonly path: string;
  readonly error: TrailError;
}

/** Do what a call says. Doing it twice is harmless. */
export async function perform(target: Target, call: SpoolCall): Promise<void> {
  const { taskId, body, key } = call;
  if (call.call === 'append') await target.append(taskId, body, key);
  else if (call.call === 'start') await start(target, JSON.parse(body) as TaskDraft);
  else await end(target, taskId, JSON.parse(body) as EndBody);
}

/** True when another try may help: the store is away, full, or wants another token. Else the call itself is at fault. */
export function mayRetry(error: TrailError): boolean {
  const { status } = ERRORS[error.code];
  return status >= 500 || status === 429 || status === 401 || status === 403;
}

/** Deliver what one run kept, in order. Nothing happens when another process is at it. */
export async function drain(dir: string, target: Target): Promise<Drained> {
  const unlock = lockSpool(dir);
  const refused: Refusal[] = [];
  let delivered = 0;
  let fault: TrailError | undefined;
  if (unlock === undefined) return { delivered, refused, left: batchesIn(dir).length };
  try {
    for (let paths = batchesIn(dir); paths.length > 0 && !fault; paths = batchesIn(dir)) {
      for (const path of paths) {
        const error = await deliverFile(path, target);
        if (error === undefined) delivered += 1;
        else if (mayRetry(error)) {
          fault = error;
          break;
        } else refused.push({ path: refuse(path), error });
      }
    }
  } finally {
    unlock();
  }
  return { delivered, refused, left: batchesIn(dir).length, ...(fault && { fault }) };
}

/** Deliver what earlier runs kept for this store, oldest first, until the store is away or `signal` says so. */
export async function drainAll(dataDir: string, target: Target, signal?: AbortSignal): Promise<Drained> {
  const refused: Refusal[] = [];
  let delivered = 0;
  let left = 0;
  let fault: TrailError | undefined;
  for (const dir of spoolDirs(dataDir)) {
    const first = batchesIn(dir)[0];
    const to = first === undefined ? undefined : (readCall(first)?.to ?? LOCAL);
    if (to !== target.to) continue;
    if (fault || signal?.aborted) {
      left += batchesIn(dir).length;
      continue;
    }
    const drained = await drain(dir, target);
    delivered += drained.delivered;
    left += drained.left;
    refused.push(...drained.refused);
    fault = drained.fault;
  }
  return { delivered, left, refused, ...(fault && { fault }) };
}

async function deliverFile(path: string, target: Target): Promise<TrailError | undefined> {
  const call = readCall(path);
  try {
    // A file that is not what we wrote can never be delivered; it is refused like one that the store does not take.
    if (call === undefined)
      throw new TrailError('invalid_json', 'expected a call as a run keeps it, got a damaged file');
    await perform(target, call);
    discard(path);
    return undefined;
  } catch (error) {
    return asTrailError(error);
  }
}

/** Make the task; one that is there already goes on, and is opened again if it had ended. */
async function start({ trail }: Target, draft: TaskDraft): Promise<void> {
  try {
    await trail.create(draft);
  } catch (error) {
    const { taskId } = draft;
    if (asTrailError(error).code !== 'task_exists' || taskId === undefined) throw error;
    const task = await trail.get(taskId);
    if (task.ended) await trail.change(taskId, { status: 'executing' });
  }
}

/** A task that somebody else has ended meanwhile keeps the end it has. */
async function end({ trail }: Target, taskId: string, { error, ...ending }: EndBody): Promise<void> {
  try {
    if (error === null) await trail.complete(taskId, ending);
    else await trail.fail(taskId, error, ending);
  } catch (fault) {
    if (asTrailError(fault).code !== 'invalid_transition') throw fault;
  }
}
