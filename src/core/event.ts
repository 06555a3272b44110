import type { EntryInput } from './entry.ts';
import type { TaskChange, TaskDraft } from './task.ts';

/**
 * What an event of another system means here. Of several steps each sees what those before it did.
 *
 *   taskId known ──▶ the task is made when it is not there, `draft` fills in what it does not say yet, `change` is applied,
 *                    `entries` are appended behind the ones that waited for `webhookEventId`
 *   taskId null  ──▶ `entries` wait under `webhookEventId` until a step names its task, or go to the task that one has named
 */
export interface EventStep {
  /** What the event is called in its stream: when it is refused, that is kept under this name. */
  readonly id?: string;
  readonly taskId: string | null;
  /** What `webhook:*` events have in common before their task is known; remembered for a day. */
  readonly webhookEventId: string | null;
  /**
   * What it says of the task: of fields that the task has already the event's are newer, metadata and metrics are merged. Its
   * status counts only for a task that it makes.
   */
  readonly draft?: Omit<TaskDraft, 'taskId' | 'runner'>;
  /**
   * A move that is not allowed from where the task is (it ended already, for one) is left out with all that stands beside it; the
   * entries are kept. Without `taskId` there is neither draft nor change.
   */
  readonly change?: TaskChange;
  readonly entries: readonly EntryInput[];
}

/** An event that was refused for good, for another reason than that its task was deleted. */
export interface Refusal {
  readonly id: string;
  readonly reason: string;
}

/**
 * Steps of one stream, in its order, to be committed together with the place that they reach: a place that is not `from` any more
 * was moved by another reader, and nothing is stored. So each event is stored once, however often it is delivered.
 */
export interface EventBatch {
  /** Names the stream; its place is kept under this name. */
  readonly stream: string;
  /** The place before the first step; null when nothing was ever read. */
  readonly from: string | null;
  /** The place behind the last one. */
  readonly to: string;
  /** Names of steps that were refused before, and that need not be kept any more. */
  readonly buried?: readonly string[];
  /** At most `EVENT_STEPS`. */
  readonly steps: readonly EventStep[];
}
