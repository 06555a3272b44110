import type { Analytics, AnalyticsQuery } from './analytics.ts';
import type { AuditDraft, AuditEntry, AuditPage, AuditQuery } from './audit.ts';
import type { CredentialChange, Credentials } from './credential.ts';
import type { Draft, EntryInput, Json } from './entry.ts';
import type { TrailError } from './error.ts';
import type { EventBatch, EventStep, Refusal } from './event.ts';
import type { LogFilter } from './filter.ts';
import type { Level } from './level.ts';
import type { PackedLines } from './packed.ts';
import type { EntryPage } from './page.ts';
import type { Patterns, PatternsQuery } from './patterns.ts';
import type {
  Changes,
  Count,
  EndedMark,
  EndedQuery,
  EndedTask,
  Histogram,
  LogStats,
  ReadQuery,
  Receipt,
  Storage,
  TaskFacets,
  TaskPage,
  TaskQuery,
  Totals,
} from './query.ts';
import type { HiddenBy, Secret } from './redaction.ts';
import type { LineFacets, Scope, SearchPage, SearchQuery } from './search.ts';
import type { Status } from './status.ts';
import type { Task, TaskChange, TaskDraft } from './task.ts';
import type { Delivered, DeliveryDraft, DeliveryKey, DeliveryQuery, DeliveryRecord, StoredWebhook } from './webhook.ts';

/** Entries of one task on their way in: as text, which stays bytes until the thread that stores it, or packed. */
export type RawBatch = TextBatch | PackedBatch;

export interface TextBatch {
  readonly taskId: string;
  /** `EntryInput`s: one a line, or one JSON document that is an entry or an array of entries. */
  readonly body: string | Uint8Array;
  readonly format: 'ndjson' | 'json';
  /** Makes a retry harmless: the same key with the same body answers the first receipt again. */
  readonly key?: string;
  /** Captured lines are cut to the limits and kept; a caller's own entries over a limit are refused. */
  readonly captured?: boolean;
}

export interface PackedBatch {
  readonly taskId: string;
  readonly packed: PackedLines;
}

/** Normalised, masked lines of one task, ready to be numbered. */
export interface Batch {
  readonly taskId: string;
  readonly drafts: readonly Draft[];
  /** Lines below the task level, for the receipt. */
  readonly filtered: number;
  /** Missing lines that these stand for; added to the task's count. */
  readonly lost: number;
  /** `digest` tells the same key with another body. */
  readonly key?: { readonly value: string; readonly digest: string };
}

/** One batch's fate: one task's fault does not touch its neighbours in the same commit. */
export type Appended = { readonly receipt: Receipt; readonly error?: undefined } | { readonly error: TrailError };

/** A delivery on its way in, and what it starts. */
export interface DeliveryInput {
  readonly delivery: DeliveryDraft;
  /** Null: it may be repeated. */
  readonly key: DeliveryKey | null;
  /** The task that it starts, with its first lines; its id must be named. */
  readonly task?: TaskDraft & { readonly taskId: string };
  readonly lines?: readonly EntryInput[];
}

/** The same, normalised and masked, ready to be committed. */
export interface DeliveryCommit {
  readonly delivery: DeliveryDraft;
  readonly key: DeliveryKey | null;
  readonly task: Task | null;
  readonly batch: Batch | null;
}

/** A step, normalised and masked: its lines as drafts, its draft and change checked. */
export interface EventCommitStep extends Omit<EventStep, 'entries'> {
  readonly batch: Omit<Batch, 'taskId' | 'key'>;
}

export interface EventCommit extends Omit<EventBatch, 'steps'> {
  readonly steps: readonly EventCommitStep[];
  /** Steps that are none, as they were refused before; kept with those that are refused now. */
  readonly refused?: readonly Refusal[];
}

/** What became of a step; one that cannot be applied (its task was deleted, for one) does not touch its neighbours. */
export interface Applied {
  readonly error?: TrailError;
}

/** Reading what is committed. Each call is one short read; an unknown task throws `task_not_found`, a deleted one `task_deleted`. */
export interface StoreReader {
  /** The task with its counters. */
  task(taskId: string): Promise<Task>;
  /** Tasks that match, in order, with a cursor to the next page. */
  tasks(query: TaskQuery): Promise<TaskPage>;
  /**
   * Tasks that a runner of ours executes or will execute, in these statuses: by priority, then oldest first, at most `limit`. With a
   * prefix only those whose runner begins with it.
   */
  runs(statuses: readonly Status[], limit: number, prefix?: string): Promise<readonly Task[]>;
  /** How many tasks there are by status, source, kind, agent and tag. */
  taskFacets(query: TaskQuery): Promise<TaskFacets>;
  /** One page of lines: at most `limit`, about `maxBytes`, found among at most `READ_ROWS` visited. `scannedTo` and `done` say how far it came. */
  read(taskId: string, query: ReadQuery): Promise<EntryPage>;
  /** How many lines a filter matches; `exact` is false when the time was up first, and the total then means "at least". */
  count(taskId: string, filter: LogFilter, budgetMs: number): Promise<Count>;
  /** The task's counters. */
  stats(taskId: string): Promise<LogStats>;
  /** Lines per time bucket and level, over the span of the lines that match. */
  histogram(taskId: string, query: { filter: LogFilter; buckets: number }): Promise<Histogram>;
  /** What the tasks of a time came to, deleted ones included. It reads counters and no line, in turns with other reads. */
  analytics(query: AnalyticsQuery): Promise<Analytics>;
  /** What deleted runs of our own agents cost that were made on a day (UTC, `2026-01-24`). */
  deletedSpending(day: string): Promise<{ readonly usd: number; readonly tokens: number }>;
  /** Lines of many tasks, newest first. When `signal` aborts it soon throws the signal's reason. */
  search(query: SearchQuery, signal?: AbortSignal): Promise<SearchPage>;
  /** How many lines of each kind match. */
  lineFacets(scope: Scope, signal?: AbortSignal): Promise<LineFacets>;
  /** The same as `histogram` over the lines of many tasks. */
  searchHistogram(query: Scope & { readonly buckets: number }, signal?: AbortSignal): Promise<Histogram>;
  /** Matching lines by pattern, found from new to old until the time is up. */
  patterns(query: PatternsQuery, signal?: AbortSignal): Promise<Patterns>;
  /** Lines that were ever stored, and lost. */
  totals(): Promise<Totals>;
  /** Tasks that changed after revision `after`, oldest change first, at most `limit`. */
  changes(after: number, limit: number): Promise<Changes>;
  /** The number of a task: later ones have greater ones, whatever times they claim. Without an id, the greatest that was given so far. */
  taskNumber(taskId?: string): Promise<number>;
  /** What is stored and how much room it takes. */
  storage(): Promise<Storage>;
  /** Unpinned tasks that have ended, the oldest end first, at most `limit`. */
  ended(query: EndedQuery): Promise<readonly EndedTask[]>;
  /** Deliveries, newest first, at most `limit`. */
  deliveries(query: DeliveryQuery): Promise<readonly DeliveryRecord[]>;
  /** One with what it may be replayed from. Throws `delivery_not_found`. */
  delivery(n: number): Promise<DeliveryRecord & { readonly body: string | null }>;
  /** The delivery of this webhook that has this key now, if any. */
  deliveryOfKey(webhookId: string, key: string): Promise<{ readonly n: number; readonly taskId: string | null } | null>;
  /** Webhooks made at run time, the oldest first. */
  webhooks(): Promise<readonly StoredWebhook[]>;
  /** Tokens, sessions and links, the oldest first; null when they are still those of the revision that is known. */
  credentials(known?: number): Promise<Credentials | null>;
  /** How far a stream of events has been stored; null when nothing was. */
  eventPlace(stream: string): Promise<string | null>;
  /** Steps of a stream that were refused and are not known to be put aside: whoever should have may have been killed. */
  eventRefusals(stream: string): Promise<readonly Refusal[]>;
  /** Who changed what, newest first, at most `limit`. */
  audit(query: AuditQuery): Promise<AuditPage>;
  /** Finish work under way and let go of the file or socket. Safe to call twice. */
  close(): Promise<void>;
}

/** Where committed entries live. Every implementation passes test/contract/store.ts. */
export interface Store extends StoreReader {
  /**
   * Commit all batches with one fsync, keep the order, give each draft its seq. After it resolves, a crash loses none of them.
   * A known key gets its first receipt again and stores nothing.
   */
  append(batches: readonly Batch[]): Promise<readonly Appended[]>;
  /** Store a new task, or throw `task_exists` or `task_deleted`. */
  createTask(task: Task): Promise<Task>;
  /**
   * Apply a change by the rules of `changedTask`, and answer the task as it is then. With `from` only a task that has one of these
   * statuses changes; any other throws `invalid_transition`. So of many that claim a queued task, one gets it.
   */
  changeTask(taskId: string, change: TaskChange, from?: readonly Status[]): Promise<Task>;
  /** Forget the task and its lines; its id answers `task_deleted` from now on. */
  deleteTask(taskId: string, by: string): Promise<void>;
  /** Forget, in one commit, those of these tasks that still have this end and are not pinned. Answers their ids. */
  prune(tasks: readonly EndedMark[], by: string): Promise<readonly string[]>;
  /** Clear away a little of what is deleted or expired, and give room back: a short commit. Answers whether more is left. */
  tidy(): Promise<boolean>;
  /**
   * Fail at most `limit` outside tasks at work of which nothing was heard since a moment (ISO 8601), neither line nor heartbeat.
   * A later line, heartbeat or change of status opens such a task again. Answers their ids.
   */
  failVanished(heardBefore: string, limit: number): Promise<readonly string[]>;
  /**
   * Write a delivery down together with the task that it starts and its first lines, in one commit. When another delivery of the
   * same webhook has its key, nothing is stored and that one is answered.
   */
  deliver(commit: DeliveryCommit): Promise<Delivered>;
  /**
   * Apply events in order and move the stream's place from `from` to `to`, in one commit. Throws `event_conflict` and stores nothing
   * when the place is another one. Answers what became of each step; those it refused are kept until they are `buried`.
   */
  applyEvents(commit: EventCommit): Promise<readonly Applied[]>;
  /** Put a stream's place somewhere else: for a stream that was made anew, whose ids begin before it. */
  setEventPlace(stream: string, place: string | null): Promise<void>;
  /** Make or replace a webhook. Throws `too_many_webhooks` beyond `WEBHOOKS`, `webhook_exists` when a new one has the id of another. */
  saveWebhook(webhook: StoredWebhook, isNew?: boolean): Promise<void>;
  /** Forget a webhook and its deliveries; of no such webhook nothing. */
  deleteWebhook(webhookId: string): Promise<void>;
  /**
   * Change tokens, sessions and links in one commit. For a new one what has expired makes room, tokens aside, and of a token's sessions
   * the one that was used longest ago. Throws `too_many_tokens`, `too_many_shares`.
   */
  changeCredentials(change: CredentialChange): Promise<void>;
  /** Write down who changed something. Too many records, the oldest of them, go. */
  addAudit(entry: AuditEntry): Promise<void>;
  /** Commit nothing, to show that it could. Throws what a commit would throw. */
  check(): Promise<void>;
  /** A setting that outlives the process, as JSON text; null when it was never set. */
  setting(name: string): Promise<string | null>;
  setSetting(name: string, json: string | null): Promise<void>;
}

/** The only door: everything that is stored passes here, is normalised, masked and gated, and committed in groups. */
export interface Intake {
  /** Resolves after the commit. Throws `invalid_lines` and stores nothing when a line is wrong. */
  append(batch: RawBatch): Promise<Receipt>;
  createTask(draft: TaskDraft): Promise<Task>;
  /** A delivery, its task and the task's first lines in one commit, or the delivery that it repeats. */
  deliver(input: DeliveryInput): Promise<Delivered>;
  /** The same, normalised and masked here. A step that cannot be stored has its fault in the answer. */
  applyEvents(batch: EventBatch): Promise<readonly Applied[]>;
  setEventPlace(stream: string, place: string | null): Promise<void>;
  /** Its secret is hidden from now on. Refused when masking would change the definition: a template with a secret would not work. */
  saveWebhook(webhook: StoredWebhook, isNew?: boolean): Promise<void>;
  deleteWebhook(webhookId: string): Promise<void>;
  /** The name of a new one is masked. */
  changeCredentials(change: CredentialChange): Promise<void>;
  /** With `from`: only a task that has one of these statuses changes. */
  changeTask(taskId: string, change: TaskChange, from?: readonly Status[]): Promise<Task>;
  deleteTask(taskId: string, by: string): Promise<void>;
  /** Delete, in one commit, those of these tasks that still have this end and are not pinned. Answers their ids. */
  prune(tasks: readonly EndedMark[], by: string): Promise<readonly string[]>;
  /** Resolves when what is deleted is cleared away and the room given back, or it cannot be done now. */
  tidied(): Promise<void>;
  /** Fail outside tasks of which nothing was heard since a moment (ISO 8601), at most `limit`. Answers their ids. */
  failVanished(heardBefore: string, limit: number): Promise<readonly string[]>;
  /** Lines of type `log` below this level are counted as filtered and not kept. */
  setTaskLevel(level: Level): Promise<void>;
  /** A setting that outlives the process; null when it was never set. */
  setting(name: string): Promise<Json>;
  setSetting(name: string, value: Json): Promise<void>;
  /** Write down, masked, who changed something. Resolves after the commit. */
  audit(draft: AuditDraft): Promise<void>;
  /** Resolves when the store can commit. Throws what a commit would throw. */
  check(): Promise<void>;
  /** Keep these values out of everything that comes after this call. False for each that is too short, too long or one too many. */
  hide(values: readonly string[], by?: HiddenBy): Promise<readonly boolean[]>;
  /** Replace what is secret in a text that is shown but never stored. */
  mask(text: string): string;
  /** The same for a line that is not ended: what may be the start of a secret is held back. */
  maskUnended(text: string): string;
  /** What would be masked in a text, in order. */
  secretsIn(text: string): readonly Secret[];
  /** How many secrets were masked in what was stored since the start, by kind. */
  redactions(): Promise<Readonly<Record<string, number>>>;
  /** Commit what is under way, then refuse with `store_closed`. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Told after each commit: task T now reaches seq N, or changed. `linesOnly` spares followers a look at the task itself; without
 * it they look. `foreign`: another process committed it.
 */
export type Wake = (task: {
  readonly taskId: string;
  readonly lastSeq: number;
  readonly linesOnly?: boolean;
  readonly foreign?: boolean;
}) => void;
