import type { Analytics, AnalyticsQuery } from '../../core/analytics.ts';
import type { AuditEntry, AuditPage, AuditQuery } from '../../core/audit.ts';
import { changedTask, changedVanished, isVanished } from '../../core/change.ts';
import type { CredentialChange, Credentials } from '../../core/credential.ts';
import { asTrailError, TrailError } from '../../core/error.ts';
import type { Refusal } from '../../core/event.ts';
import type { Appended, Applied, Batch, DeliveryCommit, EventCommit, Store, Wake } from '../../core/ports.ts';
import type { Changes, EndedMark, Totals } from '../../core/query.ts';
import type { Status } from '../../core/status.ts';
import type { Task, TaskChange } from '../../core/task.ts';
import { type Clock, isoTime, systemClock } from '../../core/time.ts';
import { DELIVERY_LIMITS, type Delivered, type DeliveryLimits } from '../../core/webhook.ts';
import { DailyTotals } from './analytics.ts';
import { type Appending, appendOne } from './append.ts';
import { AuditLog } from './audit.ts';
import { CredentialList } from './credentials.ts';
import { EventLog } from './events.ts';
import type { Held } from './held.ts';
import { changesOf, checkNotDeleted, silentOf, sweep, vanish } from './keeping.ts';
import { MemoryReader } from './reader.ts';

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
export class MemoryStore extends MemoryReader implements Store {
  readonly #onCommit: Wake;
  readonly #events = new EventLog();
  readonly #audit: AuditLog;
  readonly #credentials = new CredentialList();
  readonly #daily = new DailyTotals();
  readonly #settings = new Map<string, string>();
  /** Counts the changes of all tasks; each task and tombstone remembers its last. */
  #revision = 0;
  #taskNumber = 0;
  readonly #totals = { entries: 0, lost: 0 };

  constructor(options: MemoryStoreOptions = {}) {
    const { clock = systemClock, onCommit = () => {}, deliveryLimits = DELIVERY_LIMITS } = options;
    super(clock, deliveryLimits);
    this.#audit = new AuditLog(clock);
    this.#onCommit = onCommit;
  }

  async append(batches: readonly Batch[]): Promise<readonly Appended[]> {
    this.checkOpen();
    const changed = new Set<Held>();
    const results = batches.map((batch): Appended => {
      try {
        return { receipt: appendOne(this.find(batch.taskId), batch, this.#appending(changed)) };
      } catch (error) {
        return { error: asTrailError(error) };
      }
    });
    for (const held of changed) this.#committed(held);
    return results;
  }

  async createTask(task: Task): Promise<Task> {
    this.checkOpen();
    this.#committed(this.#add(task));
    return task;
  }

  async deliver({ delivery, key, task, batch }: DeliveryCommit): Promise<Delivered> {
    this.checkOpen();
    const known = key && this.holderOf(delivery.webhookId, key.value);
    if (known) return { duplicate: true, ...known };
    const held = task && this.#add(task);
    if (batch) appendOne(this.find(batch.taskId), batch, this.#appending(new Set()));
    const n = this.addDelivery(delivery, key);
    if (held) this.#committed(held);
    return { duplicate: false, n, task: held?.task ?? null };
  }

  async applyEvents(commit: EventCommit): Promise<readonly Applied[]> {
    this.checkOpen();
    const changed = new Set<Held>();
    const applied = this.#events.apply(commit, {
      held: (taskId, make) => this.held.get(taskId) ?? this.#add(make()),
      append: (batch) => appendOne(this.find(batch.taskId), batch, this.#appending(changed)),
      changed,
      nowMs: this.clock.now(),
    });
    for (const held of changed) this.#committed(held);
    return applied;
  }

  async setEventPlace(stream: string, place: string | null): Promise<void> {
    this.checkOpen();
    this.#events.setPlace(stream, place);
  }

  async eventPlace(stream: string): Promise<string | null> {
    this.checkOpen();
    return this.#events.place(stream);
  }

  async eventRefusals(stream: string): Promise<readonly Refusal[]> {
    this.checkOpen();
    return this.#events.refusals(stream);
  }

  async credentials(known?: number): Promise<Credentials | null> {
    this.checkOpen();
    return this.#credentials.all(known);
  }

  async changeCredentials(change: CredentialChange): Promise<void> {
    this.checkOpen();
    this.#credentials.change(change, this.clock.now());
  }

  async addAudit(entry: AuditEntry): Promise<void> {
    this.checkOpen();
    this.#audit.add(entry);
  }

  async audit(query: AuditQuery): Promise<AuditPage> {
    this.checkOpen();
    return this.#audit.page(query);
  }

  async changeTask(taskId: string, change: TaskChange, from?: readonly Status[]): Promise<Task> {
    const held = this.find(taskId);
    const task = (held.vanished ? changedVanished : changedTask)(held.task, change, isoTime(this.clock.now()), from);
    if (task === held.task) return task;
    held.task = task;
    held.vanished &&= isVanished(task);
    this.#committed(held);
    return task;
  }

  async deleteTask(taskId: string, by: string): Promise<void> {
    const { task } = this.find(taskId);
    const { lastSeq } = task.log;
    this.#daily.count(task);
    this.held.delete(taskId);
    this.tombstones.set(taskId, { revision: ++this.#revision, lastSeq, atMs: this.clock.now(), by });
    this.#onCommit({ taskId, lastSeq });
  }

  async prune(tasks: readonly EndedMark[], by: string): Promise<readonly string[]> {
    this.checkOpen();
    const gone = tasks.filter(({ taskId, endedAt }) => {
      const task = this.held.get(taskId)?.task;
      return task?.completedAt === endedAt && !task.pinned;
    });
    for (const { taskId } of gone) await this.deleteTask(taskId, by);
    return gone.map(({ taskId }) => taskId);
  }

  async tidy(): Promise<boolean> {
    this.checkOpen();
    sweep(this.all(), this.tombstones, this.clock.now());
    this.sweepDeliveries();
    this.#events.sweep(this.clock.now());
    this.#audit.sweep();
    return false;
  }

  async failVanished(heardBefore: string, limit: number): Promise<readonly string[]> {
    return silentOf(this.all(), heardBefore, limit).map((held) => {
      vanish(held, isoTime(this.clock.now()));
      this.#committed(held);
      return held.task.taskId;
    });
  }

  async check(): Promise<void> {
    this.checkOpen();
  }

  async setting(name: string): Promise<string | null> {
    this.checkOpen();
    return this.#settings.get(name) ?? null;
  }

  async setSetting(name: string, json: string | null): Promise<void> {
    this.checkOpen();
    if (json === null) this.#settings.delete(name);
    else this.#settings.set(name, json);
  }

  async analytics(query: AnalyticsQuery): Promise<Analytics> {
    return this.#daily.analytics(this.allTasks(), query);
  }

  async deletedSpending(day: string): Promise<{ usd: number; tokens: number }> {
    this.checkOpen();
    return this.#daily.spending(day);
  }

  async totals(): Promise<Totals> {
    this.checkOpen();
    return { ...this.#totals };
  }

  /** A deleted task is a changed one: its followers learn of it by reading. */
  async changes(after: number, limit: number): Promise<Changes> {
    this.checkOpen();
    return changesOf(this.held, this.tombstones, { after, limit });
  }

  async taskNumber(taskId?: string): Promise<number> {
    this.checkOpen();
    return taskId === undefined ? this.#taskNumber : this.find(taskId).number;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.held.clear();
    this.tombstones.clear();
    this.#settings.clear();
  }

  #add(task: Task): Held {
    checkNotDeleted(task.taskId, this.tombstones.get(task.taskId), this.clock.now());
    if (this.held.has(task.taskId)) {
      throw new TrailError('task_exists', `the task ${task.taskId} exists already; choose another id`);
    }
    this.#taskNumber += 1;
    const held: Held = {
      task,
      number: this.#taskNumber,
      revision: 0,
      heardAt: '',
      vanished: false,
      lines: [],
      keys: new Map(),
    };
    this.tombstones.delete(task.taskId);
    this.held.set(task.taskId, held);
    return held;
  }

  #appending(changed: Set<Held>): Appending {
    return { changed, totals: this.#totals, nowMs: this.clock.now() };
  }

  #committed(held: Held): void {
    held.revision = ++this.#revision;
    this.#onCommit({ taskId: held.task.taskId, lastSeq: held.task.log.lastSeq });
  }
}
