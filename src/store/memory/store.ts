import { changedTask, changedVanished, grownLog, isVanished, reopenedTask, vanishedTask } from '../../core/change.ts';
import { asTrailError, TrailError } from '../../core/error.ts';
import type { LogFilter } from '../../core/filter.ts';
import { TOMBSTONE_DAYS } from '../../core/limits.ts';
import type { EntryPage } from '../../core/page.ts';
import type { Appended, Batch, DeliveryCommit, Store, Wake } from '../../core/ports.ts';
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
} from '../../core/query.ts';
import type { Status } from '../../core/status.ts';
import type { Task, TaskChange } from '../../core/task.ts';
import { type Clock, isoTime, systemClock } from '../../core/time.ts';
import { DELIVERY_LIMITS, type Delivered, type DeliveryLimits } from '../../core/webhook.ts';
import { DeliveryLog } from './deliveries.ts';
import type { Held, Tombstone } from './held.ts';
import { changesOf, endedOf, knownKey, silentOf, storageOf, sweep } from './keeping.ts';
import { countMatches, histogramOf, readPage, statsOf } from './lines.ts';
import { facetsOf, pageOf } from './tasks.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export interface MemoryStoreOptions {
  readonly clock?: Clock;
  /** Told after each call that changed a task, once for each task that it changed. */
  readonly onCommit?: Wake;
  readonly deliveryLimits?: DeliveryLimits;
}

/**
 * The reference: arrays and plain loops, slow and obviously right. Other stores are held equal to it by test/contract/store.ts.
 * Nothing outlives the process.
 */
export class MemoryStore extends DeliveryLog implements Store {
  readonly #clock: Clock;
  readonly #onCommit: Wake;
  readonly #held = new Map<string, Held>();
  readonly #tombstones = new Map<string, Tombstone>();
  readonly #settings = new Map<string, string>();
  /** Counts the changes of all tasks; each task and tombstone remembers its last. */
  #revision = 0;
  readonly #totals = { entries: 0, lost: 0 };
  #closed = false;

  constructor(options: MemoryStoreOptions = {}) {
    const { clock = systemClock, onCommit = () => {}, deliveryLimits = DELIVERY_LIMITS } = options;
    super(clock, deliveryLimits);
    this.#clock = clock;
    this.#onCommit = onCommit;
  }

  async append(batches: readonly Batch[]): Promise<readonly Appended[]> {
    this.#checkOpen();
    const changed = new Set<Held>();
    const results = batches.map((batch): Appended => {
      try {
        return { receipt: this.#appendOne(batch, changed) };
      } catch (error) {
        return { error: asTrailError(error) };
      }
    });
    for (const held of changed) this.#committed(held);
    return results;
  }

  async createTask(task: Task): Promise<Task> {
    this.#checkOpen();
    this.#committed(this.#add(task));
    return task;
  }

  async deliver({ delivery, key, task, batch }: DeliveryCommit): Promise<Delivered> {
    this.#checkOpen();
    const known = key && this.holderOf(delivery.webhookId, key.value);
    if (known) return { duplicate: true, ...known };
    const held = task && this.#add(task);
    if (batch) this.#appendOne(batch, new Set());
    const n = this.addDelivery(delivery, key);
    if (held) this.#committed(held);
    return { duplicate: false, n, task: held?.task ?? null };
  }

  async changeTask(taskId: string, change: TaskChange, from?: readonly Status[]): Promise<Task> {
    const held = this.#find(taskId);
    const task = (held.vanished ? changedVanished : changedTask)(held.task, change, isoTime(this.#clock.now()), from);
    if (task === held.task) return task;
    held.task = task;
    held.vanished &&= isVanished(task);
    this.#committed(held);
    return task;
  }

  async deleteTask(taskId: string, by: string): Promise<void> {
    const { lastSeq } = this.#find(taskId).task.log;
    this.#held.delete(taskId);
    this.#tombstones.set(taskId, { revision: ++this.#revision, lastSeq, atMs: this.#clock.now(), by });
    this.#onCommit({ taskId, lastSeq });
  }

  async prune(tasks: readonly EndedMark[], by: string): Promise<readonly string[]> {
    this.#checkOpen();
    const gone = tasks.filter(({ taskId, endedAt }) => {
      const task = this.#held.get(taskId)?.task;
      return task?.completedAt === endedAt && !task.pinned;
    });
    for (const { taskId } of gone) await this.deleteTask(taskId, by);
    return gone.map(({ taskId }) => taskId);
  }

  async tidy(): Promise<boolean> {
    this.#checkOpen();
    sweep(this.#all(), this.#tombstones, this.#clock.now());
    this.sweepDeliveries();
    return false;
  }

  async failVanished(heardBefore: string, limit: number): Promise<readonly string[]> {
    const now = isoTime(this.#clock.now());
    const silent = silentOf(this.#all(), heardBefore);
    return silent.slice(0, limit).map((held) => {
      const { updatedAt, taskId } = held.task;
      held.task = vanishedTask(held.task, held.heardAt > updatedAt ? held.heardAt : updatedAt, now);
      held.vanished = true;
      this.#committed(held);
      return taskId;
    });
  }

  async check(): Promise<void> {
    this.#checkOpen();
  }

  async setting(name: string): Promise<string | null> {
    this.#checkOpen();
    return this.#settings.get(name) ?? null;
  }

  async setSetting(name: string, json: string | null): Promise<void> {
    this.#checkOpen();
    if (json === null) this.#settings.delete(name);
    else this.#settings.set(name, json);
  }

  async task(taskId: string): Promise<Task> {
    return this.#find(taskId).task;
  }

  async tasks(query: TaskQuery): Promise<TaskPage> {
    return pageOf(this.#allTasks(), query);
  }

  async runs(statuses: readonly Status[], limit: number, prefix = ''): Promise<readonly Task[]> {
    return this.#allTasks()
      .filter(({ runner, status }) => runner?.startsWith(prefix) && statuses.includes(status))
      .sort((a, b) => b.priority - a.priority)
      .slice(0, limit);
  }

  async taskFacets(query: TaskQuery): Promise<TaskFacets> {
    return facetsOf(this.#allTasks(), query);
  }

  async read(taskId: string, query: ReadQuery): Promise<EntryPage> {
    return readPage(taskId, this.#find(taskId).lines, query);
  }

  async count(taskId: string, filter: LogFilter, budgetMs: number): Promise<Count> {
    return countMatches(this.#find(taskId).lines, filter, budgetMs);
  }

  async stats(taskId: string): Promise<LogStats> {
    const { lines, task } = this.#find(taskId);
    return statsOf(lines, task.log.lost);
  }

  async histogram(taskId: string, { filter, buckets }: { filter: LogFilter; buckets: number }): Promise<Histogram> {
    return histogramOf(this.#find(taskId).lines, filter, buckets);
  }

  async totals(): Promise<Totals> {
    this.#checkOpen();
    return { ...this.#totals };
  }

  /** A deleted task is a changed one: its followers learn of it by reading. */
  async changes(after: number, limit: number): Promise<Changes> {
    this.#checkOpen();
    return changesOf(this.#held, this.#tombstones, { after, limit });
  }

  async storage(): Promise<Storage> {
    return storageOf(this.#all());
  }

  async ended(query: EndedQuery): Promise<readonly EndedTask[]> {
    return endedOf(this.#all(), query);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#held.clear();
    this.#tombstones.clear();
    this.#settings.clear();
  }

  #add(task: Task): Held {
    this.#checkNotDeleted(task.taskId);
    if (this.#held.has(task.taskId)) {
      throw new TrailError('task_exists', `the task ${task.taskId} exists already; choose another id`);
    }
    const held: Held = { task, revision: 0, heardAt: '', vanished: false, lines: [], keys: new Map() };
    this.#tombstones.delete(task.taskId);
    this.#held.set(task.taskId, held);
    return held;
  }

  #appendOne({ taskId, drafts, filtered, lost, key }: Batch, changed: Set<Held>): Receipt {
    const held = this.#find(taskId);
    const known = key && knownKey(held, key.value, this.#clock.now());
    if (key && known) {
      if (known.digest === key.digest) return known.receipt;
      throw new TrailError(
        'idempotency_mismatch',
        `the idempotency key ${JSON.stringify(key.value)} was used with another body; use a new key for new lines`,
      );
    }
    const before = held.task.log.lastSeq;
    for (const draft of drafts) held.lines.push(draft);
    const stored = drafts.length > 0;
    const receipt: Receipt = {
      accepted: drafts.length,
      filtered,
      firstSeq: stored ? before + 1 : null,
      lastSeq: stored ? held.lines.length : null,
    };
    if (key) held.keys.set(key.value, { digest: key.digest, receipt, atMs: this.#clock.now() });
    const heard = stored || lost > 0 || filtered > 0;
    const reopened = held.vanished && heard;
    if (heard) held.heardAt = isoTime(this.#clock.now());
    if (reopened) {
      held.task = reopenedTask(held.task, held.heardAt);
      held.vanished = false;
      changed.add(held);
    }
    if (stored || lost > 0) {
      held.task = { ...held.task, log: grownLog(held.task.log, drafts, lost) };
      this.#totals.entries += drafts.length;
      this.#totals.lost += lost;
      changed.add(held);
    }
    return receipt;
  }

  #committed(held: Held): void {
    held.revision = ++this.#revision;
    this.#onCommit({ taskId: held.task.taskId, lastSeq: held.task.log.lastSeq });
  }

  #find(taskId: string): Held {
    this.#checkOpen();
    const held = this.#held.get(taskId);
    if (held) return held;
    this.#checkNotDeleted(taskId);
    throw new TrailError('task_not_found', `there is no task ${taskId}`);
  }

  #allTasks(): readonly Task[] {
    return this.#all().map(({ task }) => task);
  }

  #all(): readonly Held[] {
    this.#checkOpen();
    return [...this.#held.values()];
  }

  #checkNotDeleted(taskId: string): void {
    const tombstone = this.#tombstones.get(taskId);
    if (tombstone === undefined || this.#clock.now() - tombstone.atMs > TOMBSTONE_DAYS * DAY_MS) return;
    throw new TrailError(
      'task_deleted',
      `the task ${taskId} was deleted ${isoTime(tombstone.atMs)} by ${tombstone.by}`,
    );
  }

  #checkOpen(): void {
    if (this.#closed) throw new TrailError('store_closed', 'the store is closed; open it again to use it');
  }
}
