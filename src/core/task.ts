import type { Json, JsonObject } from './entry.ts';
import type { Level } from './level.ts';
import type { Status } from './status.ts';

/** What a run cost. A figure nobody reported is null, never 0. */
export interface Metrics {
  readonly costUsd: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheCreationTokens: number | null;
  readonly durationSeconds: number | null;
  readonly numTurns: number | null;
}

export interface TaskInput {
  readonly message: string;
  readonly sourceMetadata?: JsonObject;
}

/** The task's trail in figures: counters that are kept with the lines, never scanned. */
export interface TaskLog {
  readonly total: number;
  readonly lastSeq: number;
  /** Lines that could not be kept. */
  readonly lost: number;
  readonly byLevel: Readonly<Record<Level, number>>;
  /** The start of the newest line's message, for lists. */
  readonly lastLine: string | null;
}

/** All times are ISO 8601 UTC with milliseconds, or null. */
export interface Task {
  readonly taskId: string;
  readonly kind: string | null;
  readonly title: string | null;
  readonly status: Status;
  readonly ended: boolean;
  readonly source: string;
  readonly provider: string | null;
  readonly assignedAgent: string | null;
  readonly agentType: string | null;
  readonly model: string | null;
  readonly userId: string | null;
  readonly machineId: string | null;
  readonly owner: string | null;
  /** Who runs it here, as `plugin:<id>` or `agent:<name>`; null when an outside program reports it. */
  readonly runner: string | null;
  /** Greater goes first in the queue (default 0). */
  readonly priority: number;
  readonly tags: readonly string[];
  readonly pinned: boolean;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly updatedAt: string;
  readonly params: JsonObject | null;
  readonly input: TaskInput | null;
  readonly metadata: JsonObject | null;
  readonly metrics: Metrics;
  readonly result: Json;
  readonly error: string | null;
  readonly exitCode: number | null;
  readonly log: TaskLog;
}

/** A task about to be made. What is left out gets its default: a new id, `executing`, source `api`, now. */
export type TaskDraft = {
  readonly [K in keyof Omit<Task, 'ended' | 'log' | 'metrics' | 'updatedAt'>]?: Task[K];
} & { readonly metrics?: Partial<Metrics> };

/** What may change in a task. `metadata` and `metrics` are merged, all else is replaced. */
export type TaskChange = Omit<TaskDraft, 'taskId' | 'createdAt' | 'runner'>;

export const NO_METRICS: Metrics = {
  costUsd: null,
  inputTokens: null,
  outputTokens: null,
  cacheReadTokens: null,
  cacheCreationTokens: null,
  durationSeconds: null,
  numTurns: null,
};
