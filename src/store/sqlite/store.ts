import type { AuditEntry } from '../../core/audit.ts';
import { changedTask, changedVanished } from '../../core/change.ts';
import type { CredentialChange } from '../../core/credential.ts';
import { TrailError } from '../../core/error.ts';
import type { Appended, Applied, Batch, DeliveryCommit, EventCommit, Store, Wake } from '../../core/ports.ts';
import type { EndedMark } from '../../core/query.ts';
import type { Status } from '../../core/status.ts';
import type { Task, TaskChange } from '../../core/task.ts';
import { type Clock, isoTime, systemClock } from '../../core/time.ts';
import { DELIVERY_LIMITS, type Delivered, type DeliveryLimits, type StoredWebhook } from '../../core/webhook.ts';
import { Appender, type Moved, type Numbers } from './append.ts';
import { insertAudit, sweepAudit } from './audit.ts';
import { commitStep, prepareStep } from './compress.ts';
import { changeCredentials } from './credentials.ts';
import { type Database, isBroken, openDatabase, storeError } from './database.ts';
import { findKey, freeKey, insertDelivery, putWebhook, removeWebhook, sweepDeliveries } from './deliveries.ts';
import { commitEvents, putPlace, sweepEvents } from './events.ts';
import { Facets } from './facets.ts';
import { Filling } from './filling.ts';
import { dropFilters, OpenFilters, putFilter } from './filters.ts';
import { buryEnded, buryTask, failSilent } from './keeping.ts';
import { checkpoint, purgeSome, shrinkSome, sweepSome } from './purge.ts';
import { SqliteReader } from './reader.ts';
import { putSetting, readSetting } from './settings.ts';
import { addTask, changeRow, taskOfRow, taskRow } from './task-row.ts';

export interface SqliteStoreOptions {
  readonly clock?: Clock;
  /** Told after each commit, once for each task that it changed. */
  readonly onCommit?: Wake;
  readonly deliveryLimits?: DeliveryLimits;
}

/**
 * The embedded store: one SQLite file in WAL mode. Any process may append beside this one, so numbers are read and written
 * inside each transaction and never kept in memory.
 *
 * States: open; broken after a failed write or fsync, when what the disk holds is unknown and nothing is acknowledged until the
 * process starts again; closed.
 */
export class SqliteStore extends SqliteReader implements Store {
  readonly #db: Database;
  readonly #facets: Facets;
  readonly #filters: OpenFilters;
  readonly #filling: Filling;
  readonly #appender: Appender;
  readonly #clock: Clock;
  readonly #onCommit: Wake;
  readonly #deliveryLimits: DeliveryLimits;
  #shrunk = false;
  #state: 'open' | 'broken' | 'closed' = 'open';

  constructor(dataDir: string, options: SqliteStoreOptions = {}) {
    const { clock = systemClock, onCommit = () => {}, deliveryLimits = DELIVERY_LIMITS } = options;
    const db = openDatabase(dataDir);
    super(db, clock);
    this.#db = db;
    this.#facets = new Facets(this.#db);
    this.#filters = new OpenFilters(this.#db);
    this.#filling = new Filling(this.#db);
    this.#appender = new Appender(this.#db, { facets: this.#facets, filters: this.#filters });
    this.#clock = clock;
    this.#onCommit = onCommit;
    this.#deliveryLimits = deliveryLimits;
  }

  async append(batches: readonly Batch[]): Promise<readonly Appended[]> {
    const moved: Moved = new Map();
    const nowMs = this.#clock.now();
    const results = this.#write((numbers) =>
      batches.map((batch) => this.#appender.append(batch, { numbers, nowMs, moved })),
    );
    this.#wake(moved);
    return results;
  }

  async createTask(task: Task): Promise<Task> {
    this.#write((numbers) => addTask(this.#db, task, { numbers, nowMs: this.#clock.now() }));
    this.#onCommit({ taskId: task.taskId, lastSeq: 0 });
    return task;
  }

  async deliver({ delivery, key, task, batch }: DeliveryCommit): Promise<Delivered> {
    const moved: Moved = new Map();
    const nowMs = this.#clock.now();
    const delivered = this.#write((numbers): Delivered => {
      const known = key && findKey(this.#db, delivery.webhookId, key.value, nowMs);
      if (known) return { duplicate: true, ...known };
      if (key) freeKey(this.#db, delivery.webhookId, key.value);
      if (task) addTask(this.#db, task, { numbers, nowMs });
      const appended = batch && this.#appender.append(batch, { numbers, nowMs, moved });
      // One commit: what cannot be written takes the whole delivery with it.
      if (appended?.error) throw appended.error;
      const n = insertDelivery(this.#db, delivery, { key, limits: this.#deliveryLimits });
      return { duplicate: false, n, task: task && taskOfRow(taskRow(this.#db, task.taskId, nowMs)) };
    });
    if (!delivered.duplicate && delivered.task) {
      const { taskId, log } = delivered.task;
      this.#onCommit({ taskId, lastSeq: log.lastSeq });
    }
    return delivered;
  }

  async applyEvents(commit: EventCommit): Promise<readonly Applied[]> {
    const moved: Moved = new Map();
    const nowMs = this.#clock.now();
    const applied = this.#write((numbers) =>
      commitEvents(commit, { db: this.#db, appender: this.#appender, numbers, nowMs, moved }),
    );
    this.#wake(moved);
    return applied;
  }

  async setEventPlace(stream: string, place: string | null): Promise<void> {
    this.#write(() => putPlace(this.#db, stream, { place }));
  }

  async saveWebhook(webhook: StoredWebhook, isNew = false): Promise<void> {
    this.#write(() => putWebhook(this.#db, webhook, isNew));
  }

  async deleteWebhook(webhookId: string): Promise<void> {
    this.#write(() => removeWebhook(this.#db, webhookId));
  }

  async changeCredentials(change: CredentialChange): Promise<void> {
    this.#write(() => changeCredentials(this.#db, change, this.#clock.now()));
  }

  async addAudit(entry: AuditEntry): Promise<void> {
    this.#write(() => insertAudit(this.#db, entry));
  }

  async changeTask(taskId: string, change: TaskChange, from?: readonly Status[]): Promise<Task> {
    const nowMs = this.#clock.now();
    let changed = true;
    const task = this.#write((numbers) => {
      const row = taskRow(this.#db, taskId, nowMs);
      const before = taskOfRow(row);
      const after = (row.vanished ? changedVanished : changedTask)(before, change, isoTime(nowMs), from);
      changed = after !== before;
      if (!changed) return before;
      changeRow(this.#db, row, after, numbers);
      if (after.ended) this.#appender.ended(row.task_no);
      return after;
    });
    if (changed) this.#onCommit({ taskId, lastSeq: task.log.lastSeq });
    return task;
  }

  async deleteTask(taskId: string, by: string): Promise<void> {
    const nowMs = this.#clock.now();
    const lastSeq = this.#write((numbers) => {
      const { task_no, last_seq } = taskRow(this.#db, taskId, nowMs);
      buryTask(this.#db, task_no, { by, nowMs, numbers });
      return last_seq;
    });
    this.#onCommit({ taskId, lastSeq });
  }

  async prune(tasks: readonly EndedMark[], by: string): Promise<readonly string[]> {
    const nowMs = this.#clock.now();
    return this.#told(this.#write((numbers) => buryEnded(this.#db, tasks, { by, nowMs, numbers })));
  }

  async failVanished(heardBefore: string, limit: number): Promise<readonly string[]> {
    const nowMs = this.#clock.now();
    return this.#told(this.#write((numbers) => failSilent(this.#db, { heardBefore, limit, nowMs, numbers })));
  }

  async tidy(): Promise<boolean> {
    return this.purge() || this.#write(() => this.#sweep()) || this.shrink();
  }

  /**
   * Delete some lines of deleted tasks: a short transaction. The task itself is gone at once with `deleteTask`; its lines go in
   * steps like this one, so that a large task does not hold up those who append.
   * @returns whether more is left to do
   */
  purge(): boolean {
    return this.#write(() => purgeSome(this.#db));
  }

  /**
   * Compress some lines of a task that ended before a moment (ISO 8601): a short transaction. Reading stays what it was; late
   * lines come as plain ones, and a later step compresses those too.
   * @returns whether more may be left to do
   */
  compress(endedBefore: string): boolean {
    this.#checkOpen();
    const step = this.#reading(() => prepareStep(this.#db, endedBefore));
    if (step) this.#write((numbers) => commitStep(this.#db, step, numbers));
    return step !== undefined;
  }

  /**
   * Make one of the filters that searching lacks, from lines that were not filtered as they came in: a short transaction. The last
   * lines of tasks at work are left for later, unless `all` is asked for.
   * @returns whether more may be left to do
   */
  fillFilters({ all = false } = {}): boolean {
    this.#checkOpen();
    const { filter, more } = this.#reading(() => this.#filling.next(this.#clock.now(), all));
    if (filter) this.#write(() => putFilter(this.#db, filter));
    return more;
  }

  /** Forget all filters, for `fillFilters` to make them anew. Answers how many that will be. */
  dropFilters(): number {
    this.#filling.restart();
    return this.#write(() => dropFilters(this.#db));
  }

  /**
   * Give some of the room that lines left behind back to the file system: a short transaction.
   * @returns whether more may be left to do
   */
  shrink(): boolean {
    const more = this.#write(() => shrinkSome(this.#db));
    if (!more && this.#shrunk) checkpoint(this.#db);
    this.#shrunk = more;
    return more;
  }

  async check(): Promise<void> {
    this.#write(() => this.#db.run('UPDATE state SET revision = revision'));
  }

  async setting(name: string): Promise<string | null> {
    this.#checkOpen();
    return readSetting(this.#db, name);
  }

  async setSetting(name: string, json: string | null): Promise<void> {
    this.#write(() => putSetting(this.#db, name, json));
  }

  override async close(): Promise<void> {
    this.#state = 'closed';
    await super.close();
  }

  #sweep(): boolean {
    const nowMs = this.#clock.now();
    return [sweepSome, sweepDeliveries, sweepEvents, sweepAudit].map((sweep) => sweep(this.#db, nowMs)).includes(true);
  }

  #wake(moved: Moved): void {
    for (const [taskId, { lastSeq, reopened }] of moved) this.#onCommit({ taskId, lastSeq, linesOnly: !reopened });
  }

  #told(changed: ReadonlyMap<string, number>): readonly string[] {
    for (const [taskId, lastSeq] of changed) this.#onCommit({ taskId, lastSeq });
    return [...changed.keys()];
  }

  #reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw storeError(error);
    }
  }

  /** One write transaction with the shared numbers, which are stored back at its end when they grew. */
  #write<T>(work: (numbers: Numbers) => T): T {
    this.#checkOpen();
    try {
      return this.#db.transaction(() => {
        const numbers = this.#db.get<Numbers>('SELECT entry_id, revision, lost FROM state');
        if (!numbers) throw new Error('the row of shared numbers is missing');
        const { entry_id, revision } = numbers;
        const value = work(numbers);
        this.#filters.settle();
        if (numbers.entry_id !== entry_id || numbers.revision !== revision) {
          this.#db.run(
            'UPDATE state SET entry_id = ?, revision = ?, lost = ?',
            numbers.entry_id,
            numbers.revision,
            numbers.lost,
          );
        }
        return value;
      });
    } catch (error) {
      // A number that was given out in the transaction that failed may be given to another facet next time.
      this.#facets.forget();
      this.#filters.forget();
      if (isBroken(error)) this.#state = 'broken';
      throw storeError(error);
    }
  }

  #checkOpen(): void {
    if (this.#state === 'closed') throw new TrailError('store_closed', 'the store is closed; open it again to use it');
    if (this.#state === 'broken') {
      throw new TrailError('store_unavailable', 'an earlier write to the disk failed; mend the disk and start again');
    }
  }
}
