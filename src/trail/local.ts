import { type Analytics, type AnalyticsAsked, analyticsQuery } from '../core/analytics.ts';
import type { Actor } from '../core/audit.ts';
import type { CompareAsked, Comparison, PatternsAsked } from '../core/comparison.ts';
import type { EntryInput, Json, JsonObject, LogEntry } from '../core/entry.ts';
import type { AskedFilter } from '../core/filter.ts';
import type { SearchOptions, SearchResult } from '../core/found.ts';
import type { Patterns } from '../core/patterns.ts';
import type { AskedTasks, Histogram, LogStats, Pruned, PruneRequest, Receipt, TaskPage } from '../core/query.ts';
import type { Status } from '../core/status.ts';
import type { Task, TaskChange, TaskDraft } from '../core/task.ts';
import { type LineSink, TaskLogger, textOf } from '../core/task-logger.ts';
import type { Ending, FollowOptions, LogPage, LogQuery, RunningTask, Trail } from '../core/trail.ts';
import { answerTask } from '../intake/answer.ts';
import { LogBuffer, type LogBufferOptions } from '../intake/log-buffer.ts';
import { packedIfPlain } from '../intake/plain.ts';
import { pruneStep, retentionDetails } from '../intake/prune.ts';
import type { LiveHub } from '../live/live.ts';
import { askedFilter, askedTasks } from '../query/filter.ts';
import type { ManagedTrail } from '../task/manager.ts';
import type { TaskParts } from '../task/parts.ts';
import { Heartbeats } from './heartbeats.ts';
import { readLogPage } from './log-page.ts';
import { readComparison, readPatterns } from './patterns.ts';
import { readSearchPage } from './search-page.ts';

/** What a server and its tasks are made of: reading, writing, the wake-ups between them, and the buffer of what loggers write. */
export interface TrailParts extends TaskParts {
  readonly live: LiveHub;
}

/** Bars of a histogram unless the caller says otherwise. */
const BUCKETS = 60;

/** What a person decides of a task, by the status that it leads to. */
const DECISIONS: Partial<Readonly<Record<Status, string>>> = {
  cancelled: 'task.cancel',
  approved: 'task.approve',
  rejected: 'task.reject',
};

interface LocalTrailOptions extends LogBufferOptions {
  /** Who works with it, for the audit. */
  readonly actor: Actor;
  readonly release: () => Promise<void>;
  readonly own: () => Promise<void>;
  readonly keepCompressed: (afterDays: number) => Promise<void>;
}

/** A trail in this process. */
export class LocalTrail implements Trail, ManagedTrail {
  readonly parts: TrailParts;
  readonly #actor: Actor;
  readonly #buffer: LogBuffer;
  readonly #release: () => Promise<void>;
  readonly #own: () => Promise<void>;
  readonly #keepCompressed: (afterDays: number) => Promise<void>;
  readonly #followers = new AbortController();
  readonly #heartbeats: Heartbeats;
  #closing: Promise<void> | undefined;

  constructor(parts: Omit<TrailParts, 'lines'>, options: LocalTrailOptions) {
    this.parts = { ...parts, lines: (taskId) => this.#sinkOf(taskId) };
    this.#actor = options.actor;
    this.#buffer = new LogBuffer(parts.intake, options);
    this.#heartbeats = new Heartbeats(parts.intake);
    this.#release = options.release;
    this.#own = options.own;
    this.#keepCompressed = options.keepCompressed;
  }

  own(): Promise<void> {
    return this.#own();
  }

  /** From now on compress tasks that ended so many days ago: this process has become the owner of the directory. */
  keepCompressed(afterDays: number): Promise<void> {
    return this.#keepCompressed(afterDays);
  }

  async task(draft: TaskDraft = {}): Promise<RunningTask> {
    const { taskId } = await this.create(draft);
    this.#heartbeats.add(taskId);
    return {
      id: taskId,
      logger: new TaskLogger(this.#sinkOf(taskId)),
      complete: (result: Json = null, ending: Omit<Ending, 'result'> = {}) =>
        this.complete(taskId, { ...ending, result }),
      fail: (error: string | Error, ending: Ending = {}) => this.fail(taskId, reasonOf(error), ending),
    };
  }

  create(draft: TaskDraft): Promise<Task> {
    return this.parts.intake.createTask(draft);
  }

  async change(taskId: string, change: TaskChange): Promise<Task> {
    const task = await this.parts.intake.changeTask(taskId, change);
    const decision = change.status && DECISIONS[change.status];
    if (decision) await this.#note(decision, taskId);
    return task;
  }

  async delete(taskId: string): Promise<void> {
    await this.parts.intake.deleteTask(taskId, this.#actor.kind);
    await this.#note('task.delete', taskId);
  }

  /** Delete what is too old or too much, a step. */
  async prune({ dryRun, cursor, ...rules }: PruneRequest): Promise<Pruned> {
    const pruned = await pruneStep(this.parts, { rules, dryRun, cursor, nowMs: Date.now() });
    const gone = dryRun ? 0 : pruned.tasks.length;
    if (gone > 0) await this.#note('retention.delete', null, retentionDetails(gone, rules));
    return pruned;
  }

  complete(taskId: string, ending: Ending = {}): Promise<Task> {
    return this.#end(taskId, { ...ending, status: 'completed' });
  }

  fail(taskId: string, error: string, ending: Ending = {}): Promise<Task> {
    return this.#end(taskId, { ...ending, error, status: 'failed' });
  }

  async input(taskId: string, message: string): Promise<Task> {
    const task = await answerTask(this.parts, taskId, { message });
    await this.#note('task.input', taskId);
    return task;
  }

  async tasks(query: AskedTasks = {}): Promise<TaskPage> {
    return this.parts.store.tasks(askedTasks(query));
  }

  get(taskId: string): Promise<Task> {
    return this.parts.store.task(taskId);
  }

  logs(taskId: string, query: LogQuery = {}): Promise<LogPage> {
    return readLogPage(this.parts.store, taskId, query);
  }

  stats(taskId: string): Promise<LogStats> {
    return this.parts.store.stats(taskId);
  }

  async analytics(asked: AnalyticsAsked = {}): Promise<Analytics> {
    return this.parts.store.analytics(analyticsQuery(asked, Date.now()));
  }

  search(options: SearchOptions = {}): Promise<SearchResult> {
    return readSearchPage(this.parts.store, options);
  }

  patterns(asked: PatternsAsked = {}): Promise<Patterns> {
    return readPatterns(this.parts.store, asked);
  }

  compare(taskId: string, asked: CompareAsked = {}): Promise<Comparison> {
    return readComparison(this.parts.store, taskId, asked);
  }

  async sources(taskId: string): Promise<readonly string[]> {
    return Object.keys((await this.stats(taskId)).bySource).sort();
  }

  async histogram(taskId: string, query: AskedFilter & { buckets?: number } = {}): Promise<Histogram> {
    const { buckets = BUCKETS, ...asked } = query;
    return this.parts.store.histogram(taskId, { filter: askedFilter(asked), buckets });
  }

  async *follow(taskId: string, options: FollowOptions = {}): AsyncGenerator<LogEntry> {
    const { after, tail, signal, ...asked } = options;
    const signals = [this.#followers.signal, ...(signal ? [signal] : [])];
    const following = this.parts.live.follow(taskId, {
      filter: askedFilter(asked),
      signal: AbortSignal.any(signals),
      ...(after !== undefined && { after }),
      ...(tail !== undefined && { tail }),
    });
    for await (const event of following) if (event.type === 'entries') yield* event.page.entries;
  }

  append(
    taskId: string,
    entries: EntryInput | readonly EntryInput[],
    options: { key?: string } = {},
  ): Promise<Receipt> {
    // A key is remembered with the digest of a body.
    const packed = options.key === undefined ? packedIfPlain(Array.isArray(entries) ? entries : [entries]) : undefined;
    if (packed) return this.parts.intake.append({ taskId, packed });
    return this.parts.intake.append({ taskId, body: JSON.stringify(entries), format: 'json', ...options });
  }

  /** Commit what loggers still hold, end followers, and let go of the store. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #sinkOf(taskId: string): LineSink {
    return {
      add: (entry) => this.#buffer.add(taskId, entry),
      flush: () => this.#buffer.flush(taskId),
      drain: () => this.#buffer.drain(taskId),
    };
  }

  async #end(taskId: string, change: TaskChange): Promise<Task> {
    // What was logged before the end is committed before it.
    await this.#buffer.flush(taskId);
    this.#heartbeats.delete(taskId);
    return this.parts.intake.changeTask(taskId, change);
  }

  #note(action: string, id: string | null, details: JsonObject | null = null): Promise<void> {
    const target = { type: action.split('.', 1)[0] ?? action, id };
    return this.parts.intake.audit({ actor: this.#actor, action, target, requestId: null, outcome: 'done', details });
  }

  async #close(): Promise<void> {
    this.#followers.abort();
    this.#heartbeats.close();
    await this.#buffer.close();
    await this.#release();
  }
}

/** Why a task failed, of whatever was thrown. */
function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  if (typeof error !== 'object' || error === null) return textOf(error);
  try {
    return JSON.stringify(error);
  } catch {
    return textOf(error);
  }
}
