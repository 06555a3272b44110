import type { Analytics, AnalyticsQuery } from '../../core/analytics.ts';
import type { AuditPage, AuditQuery } from '../../core/audit.ts';
import type { Credentials } from '../../core/credential.ts';
import type { LineSource } from '../../core/directory.ts';
import { TrailError } from '../../core/error.ts';
import type { Refusal } from '../../core/event.ts';
import type { LogFilter } from '../../core/filter.ts';
import type { PlainLines } from '../../core/line-text.ts';
import type { EntryPage } from '../../core/page.ts';
import type { Patterns, PatternsQuery } from '../../core/patterns.ts';
import type { StoreReader } from '../../core/ports.ts';
import type {
  Changes,
  Count,
  EndedQuery,
  EndedTask,
  Histogram,
  LogStats,
  ReadQuery,
  Storage,
  TaskFacets,
  TaskPage,
  TaskQuery,
  Totals,
} from '../../core/query.ts';
import type { LineFacets, Scope, SearchPage, SearchQuery } from '../../core/search.ts';
import type { Status } from '../../core/status.ts';
import type { Task } from '../../core/task.ts';
import { type Clock, systemClock } from '../../core/time.ts';
import type { DeliveryQuery, DeliveryRecord, StoredWebhook } from '../../core/webhook.ts';
import { analyticsOf } from './analytics.ts';
import { readAudit } from './audit.ts';
import { Chunks } from './chunks.ts';
import { listCredentials } from './credentials.ts';
import { deletedSpending } from './daily-totals.ts';
import { type Database, openDatabaseForReading, storeError } from './database.ts';
import { defineGathered } from './day-figures.ts';
import { findKey, listDeliveries, listWebhooks, readDelivery } from './deliveries.ts';
import { findPlace, findRefusals } from './events.ts';
import { Facets } from './facets.ts';
import { listEnded, storageOf } from './keeping.ts';
import { Looked } from './looked.ts';
import { patternsOf } from './patterns.ts';
import { readLines, readPage, readPlainLines } from './read.ts';
import type { Tables } from './scan.ts';
import { searchLines } from './search.ts';
import { facetsOfLines, histogramOfSearch } from './search-summary.ts';
import { countLines, histogramOf, statsOf } from './summary.ts';
import { countFacets, listRuns, listTasks } from './task-list.ts';
import { type TaskRow, taskOfRow, taskRow } from './task-row.ts';
import { defineTaskFunctions } from './task-where.ts';

/** Reads one database through a connection of its own. Every method is one short read, or several with turns between them. */
export class SqliteReader implements StoreReader, LineSource {
  readonly #db: Database;
  readonly #tables: Tables;
  readonly #clock: Clock;
  #closed = false;

  constructor(db: Database, clock: Clock = systemClock) {
    this.#db = db;
    this.#tables = { db, facets: new Facets(db), chunks: new Chunks(db), looked: new Looked() };
    this.#clock = clock;
    defineTaskFunctions(db);
    defineGathered(db);
  }

  static open(dataDir: string): SqliteReader {
    return new SqliteReader(openDatabaseForReading(dataDir));
  }

  async task(taskId: string): Promise<Task> {
    return this.#reading(() => taskOfRow(this.#row(taskId)));
  }

  async tasks(query: TaskQuery): Promise<TaskPage> {
    return this.#reading(() => listTasks(this.#db, query));
  }

  async runs(statuses: readonly Status[], limit: number, prefix = ''): Promise<readonly Task[]> {
    return this.#reading(() => listRuns(this.#db, statuses, { limit, prefix }));
  }

  async taskFacets(query: TaskQuery): Promise<TaskFacets> {
    return this.#reading(() => countFacets(this.#db, query));
  }

  async read(taskId: string, query: ReadQuery): Promise<EntryPage> {
    return this.#reading(() => readPage(this.#tables, { task: this.#row(taskId), query }));
  }

  async lines(taskId: string, after: number): ReturnType<LineSource['lines']> {
    return this.#reading(() => readLines(this.#tables, { task: this.#row(taskId), after }));
  }

  async plainLines(taskId: string, after: number, plain: PlainLines): ReturnType<LineSource['plainLines']> {
    return this.#reading(() => readPlainLines(this.#tables, { task: this.#row(taskId), after, plain }));
  }

  async count(taskId: string, filter: LogFilter, budgetMs: number): Promise<Count> {
    return this.#reading(() => countLines(this.#tables, { task: this.#row(taskId), filter, budgetMs }));
  }

  async stats(taskId: string): Promise<LogStats> {
    return this.#reading(() => statsOf(this.#tables, this.#row(taskId)));
  }

  async histogram(taskId: string, query: { filter: LogFilter; buckets: number }): Promise<Histogram> {
    return this.#reading(() => histogramOf(this.#tables, { task: this.#row(taskId), ...query }));
  }

  async analytics(query: AnalyticsQuery): Promise<Analytics> {
    return this.#reading(() => analyticsOf(this.#db, query));
  }

  async deletedSpending(day: string): Promise<{ usd: number; tokens: number }> {
    return this.#reading(() => deletedSpending(this.#db, day));
  }

  async search(query: SearchQuery, signal?: AbortSignal): Promise<SearchPage> {
    return this.#reading(() => searchLines(this.#tables, query, signal), signal);
  }

  async lineFacets(scope: Scope, signal?: AbortSignal): Promise<LineFacets> {
    return this.#reading(() => facetsOfLines(this.#tables, { ...scope, signal }), signal);
  }

  async searchHistogram(query: Scope & { readonly buckets: number }, signal?: AbortSignal): Promise<Histogram> {
    return this.#reading(() => histogramOfSearch(this.#tables, { ...query, signal }), signal);
  }

  async patterns(query: PatternsQuery, signal?: AbortSignal): Promise<Patterns> {
    return this.#reading(() => patternsOf(this.#tables, query, signal), signal);
  }

  async totals(): Promise<Totals> {
    return this.#reading(() => {
      const row = this.#db.get<{ entry_id: number; lost: number }>('SELECT entry_id, lost FROM state');
      return { entries: row?.entry_id ?? 0, lost: row?.lost ?? 0 };
    });
  }

  async changes(after: number, limit: number): Promise<Changes> {
    return this.#reading(() => {
      const rows = this.#db.all<{ task_id: string; last_seq: number; revision: number }>(
        `SELECT task_id, last_seq, revision FROM trails JOIN tasks USING (task_no) WHERE revision > ?1
         UNION ALL SELECT task_id, last_seq, revision FROM tombstones WHERE revision > ?1
         ORDER BY revision LIMIT ?2`,
        after,
        limit,
      );
      return {
        revision: rows.at(-1)?.revision ?? after,
        tasks: rows.map(({ task_id, last_seq }) => ({ taskId: task_id, lastSeq: last_seq })),
      };
    });
  }

  async taskNumber(taskId?: string): Promise<number> {
    return this.#reading(() => {
      if (taskId !== undefined) return taskRow(this.#db, taskId, this.#clock.now()).task_no;
      return this.#db.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'tasks'")?.seq ?? 0;
    });
  }

  async storage(): Promise<Storage> {
    return this.#reading(() => storageOf(this.#db));
  }

  async ended(query: EndedQuery): Promise<readonly EndedTask[]> {
    return this.#reading(() => listEnded(this.#db, query));
  }

  async deliveries(query: DeliveryQuery): Promise<readonly DeliveryRecord[]> {
    return this.#reading(() => listDeliveries(this.#db, query));
  }

  async delivery(n: number): Promise<DeliveryRecord & { readonly body: string | null }> {
    return this.#reading(() => readDelivery(this.#db, n));
  }

  async deliveryOfKey(webhookId: string, key: string): Promise<{ n: number; taskId: string | null } | null> {
    return this.#reading(() => findKey(this.#db, webhookId, key, this.#clock.now()));
  }

  async webhooks(): Promise<readonly StoredWebhook[]> {
    return this.#reading(() => listWebhooks(this.#db));
  }

  async eventPlace(stream: string): Promise<string | null> {
    return this.#reading(() => findPlace(this.#db, stream));
  }

  async eventRefusals(stream: string): Promise<readonly Refusal[]> {
    return this.#reading(() => findRefusals(this.#db, stream));
  }

  async credentials(known?: number): Promise<Credentials | null> {
    return this.#reading(() => listCredentials(this.#db, known));
  }

  async audit(query: AuditQuery): Promise<AuditPage> {
    return this.#reading(() => readAudit(this.#db, query));
  }

  /** The newest revision: where a listener for changes starts. */
  revision(): number {
    return this.#db.get<{ revision: number }>('SELECT revision FROM state')?.revision ?? 0;
  }

  /** Grows when another connection has committed. */
  dataVersion(): number {
    return this.#db.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? 0;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#db.close();
  }

  #row(taskId: string): TaskRow {
    return taskRow(this.#db, taskId, this.#clock.now());
  }

  async #reading<T>(read: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#closed) throw closedError();
    try {
      return await read();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      // Closed under a search that takes turns.
      if (this.#closed) throw closedError();
      throw storeError(error);
    }
  }
}

function closedError(): TrailError {
  return new TrailError('store_closed', 'the store is closed; open it again to read');
}
