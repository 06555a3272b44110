import { changedTask, changedVanished, grownLog, isVanished, reopenedTask } from '../../core/change.ts';
import { asTrailError, TrailError } from '../../core/error.ts';
import type { LogFilter } from '../../core/filter.ts';
import type { EntryPage } from '../../core/page.ts';
import type { Appended, Applied, Batch, DeliveryCommit, EventCommit, Store, Wake } from '../../core/ports.ts';
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
import { EventLog } from './events.ts';
import type { Held, Tombstone } from './held.ts';
import { changesOf, checkNotDeleted, endedOf, knownReceipt, silentOf, storageOf, sweep, vanish } from './keeping.ts';
import { countMatches, histogramOf, readPage, statsOf } from './lines.ts';
import { facetsOf, pageOf, runsOf } from './tasks.ts';

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
  readonly #events = new EventLog();
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

  async applyEvents(commit: EventCommit): Promise<readonly Applied[]> {
    this.#checkOpen();
    const changed = new Set<Held>();
    const applied = this.#events.apply(commit, {
      held: (taskId, make) => this.#held.get(taskId) ?? this.#add(make()),
      append: (batch) => this.#appendOne(batch, changed),
      changed,
      nowMs: this.#clock.now(),
    });
    for (const held of changed) this.#committed(held);
    return applied;
  }

  async setEventPlace(stream: string, place: string | null): Promise<void> {
    this.#checkOpen();
    this.#events.setPlace(stream, place);
  }

  async eventPlace(stream: string): Promise<string | null> {
    this.#checkOpen();
    return this.#events.place(stream);
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
    this.#events.sweep(this.#clock.now());
    return false;
  }

  async failVanished(heardBefore: string, limit: number): Promise<readonly string[]> {
    return silentOf(this.#all(), heardBefore, limit).map((held) => {
      vanish(held, isoTime(this.#clock.now()));
      this.#committed(held);
      return held.task.taskId;
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
    return runsOf(this.#allTasks(), { statuses, limit, prefix });
  }

  async taskFacets(query: TaskQuery): Promise<TaskFacets> {
    return facetsOf(this.#allTasks(), query);
  }

  async read(taskId: string, query: ReadQuery): Promise<EntryPage> {
    return readPage(this.#find(taskId), query);
  }

  async count(taskId: string, filter: LogFilter, budgetMs: number): Promise<Count> {
    return countMatches(this.#find(taskId), filter, budgetMs);
  }

  async stats(taskId: string): Promise<LogStats> {
    const { lines, task } = this.#find(taskId);
    return statsOf(lines, task.log.lost);
  }

  async histogram(taskId: string, { filter, buckets }: { filter: LogFilter; buckets: number }): Promise<Histogram> {
    return histogramOf(this.#find(taskId), filter, buckets);
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
    checkNotDeleted(task.taskId, this.#tombstones.get(task.taskId), this.#clock.now());
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
    const known = key && knownReceipt(held, key, this.#clock.now());
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
    if (key) held.keys.set(key.value, { digest: key.digest, receipt, atMs: this.#clock.now() });
    const heard = stored || lost > 0 || filtered > 0;
    if (heard) held.heardAt = isoTime(this.#clock.now());
    if (held.vanished && heard) {
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
    checkNotDeleted(taskId, this.#tombstones.get(taskId), this.#clock.now());
    throw new TrailError('task_not_found', `there is no task ${taskId}`);
  }

  #allTasks(): readonly Task[] {
    return this.#all().map(({ task }) => task);
  }

  #all(): readonly Held[] {
    this.#checkOpen();
    return [...this.#held.values()];
  }

  #checkOpen(): void {
    if (this.#closed) throw new TrailError('store_closed', 'the store is closed; open it again to use it');
  }
}
