import type { Analytics, AnalyticsQuery } from '../core/analytics.ts';
import type { AuditPage, AuditQuery } from '../core/audit.ts';
import type { Credentials } from '../core/credential.ts';
import type { Refusal } from '../core/event.ts';
import type { LogFilter } from '../core/filter.ts';
import { EntryPage, type PageFacts } from '../core/page.ts';
import type { Patterns, PatternsQuery } from '../core/patterns.ts';
import type { StoreReader } from '../core/ports.ts';
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
} from '../core/query.ts';
import type { LineFacets, Scope, SearchPage, SearchQuery } from '../core/search.ts';
import type { Status } from '../core/status.ts';
import type { Task } from '../core/task.ts';
import type { DeliveryQuery, DeliveryRecord, StoredWebhook } from '../core/webhook.ts';
import { Thread } from './thread.ts';

/** Threads are loaded by file: TypeScript in a clone, JavaScript in the package. */
const SUFFIX = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const READER = new URL(`./reader-thread.${SUFFIX}`, import.meta.url);

/**
 * The reader in its thread, as the main thread sees it. What looks at the lines of many tasks has a second thread, begun when
 * first needed, so that pages never wait for it.
 */
export class ThreadReader implements StoreReader {
  readonly #dataDir: string;
  readonly #thread: Thread;
  #searching: Thread | undefined;
  #closed = false;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.#thread = this.#open();
  }

  task(taskId: string): Promise<Task> {
    return this.#thread.call('task', [taskId]);
  }

  tasks(query: TaskQuery): Promise<TaskPage> {
    return this.#thread.call('tasks', [query]);
  }

  runs(statuses: readonly Status[], limit: number, prefix?: string): Promise<readonly Task[]> {
    return this.#thread.call('runs', [statuses, limit, prefix]);
  }

  taskFacets(query: TaskQuery): Promise<TaskFacets> {
    return this.#thread.call('taskFacets', [query]);
  }

  async read(taskId: string, query: ReadQuery): Promise<EntryPage> {
    return new EntryPage(await this.#thread.call<PageFacts>('read', [taskId, query]));
  }

  count(taskId: string, filter: LogFilter, budgetMs: number): Promise<Count> {
    return this.#thread.call('count', [taskId, filter, budgetMs]);
  }

  stats(taskId: string): Promise<LogStats> {
    return this.#thread.call('stats', [taskId]);
  }

  histogram(taskId: string, query: { filter: LogFilter; buckets: number }): Promise<Histogram> {
    return this.#thread.call('histogram', [taskId, query]);
  }

  analytics(query: AnalyticsQuery): Promise<Analytics> {
    return this.#thread.call('analytics', [query]);
  }

  deletedSpending(day: string): Promise<{ readonly usd: number; readonly tokens: number }> {
    return this.#thread.call('deletedSpending', [day]);
  }

  search(query: SearchQuery, signal?: AbortSignal): Promise<SearchPage> {
    return this.#search('search', query, signal);
  }

  lineFacets(scope: Scope, signal?: AbortSignal): Promise<LineFacets> {
    return this.#search('lineFacets', scope, signal);
  }

  searchHistogram(query: Scope & { readonly buckets: number }, signal?: AbortSignal): Promise<Histogram> {
    return this.#search('searchHistogram', query, signal);
  }

  patterns(query: PatternsQuery, signal?: AbortSignal): Promise<Patterns> {
    return this.#search('patterns', query, signal);
  }

  totals(): Promise<Totals> {
    return this.#thread.call('totals', []);
  }

  changes(after: number, limit: number): Promise<Changes> {
    return this.#thread.call('changes', [after, limit]);
  }

  taskNumber(taskId?: string): Promise<number> {
    return this.#thread.call('taskNumber', [taskId]);
  }

  storage(): Promise<Storage> {
    return this.#thread.call('storage', []);
  }

  ended(query: EndedQuery): Promise<readonly EndedTask[]> {
    return this.#thread.call('ended', [query]);
  }

  deliveries(query: DeliveryQuery): Promise<readonly DeliveryRecord[]> {
    return this.#thread.call('deliveries', [query]);
  }

  delivery(n: number): Promise<DeliveryRecord & { readonly body: string | null }> {
    return this.#thread.call('delivery', [n]);
  }

  deliveryOfKey(webhookId: string, key: string): Promise<{ n: number; taskId: string | null } | null> {
    return this.#thread.call('deliveryOfKey', [webhookId, key]);
  }

  webhooks(): Promise<readonly StoredWebhook[]> {
    return this.#thread.call('webhooks', []);
  }

  eventPlace(stream: string): Promise<string | null> {
    return this.#thread.call('eventPlace', [stream]);
  }

  eventRefusals(stream: string): Promise<readonly Refusal[]> {
    return this.#thread.call('eventRefusals', [stream]);
  }

  credentials(known?: number): Promise<Credentials | null> {
    return this.#thread.call('credentials', [known]);
  }

  audit(query: AuditQuery): Promise<AuditPage> {
    return this.#thread.call('audit', [query]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#thread.close(), this.#searching?.close()]);
  }

  async #search<T>(method: string, query: unknown, signal?: AbortSignal): Promise<T> {
    // A closed thread says what is wrong.
    if (!this.#closed) this.#searching ??= this.#open();
    return (this.#searching ?? this.#thread).callUntil(method, [query], signal);
  }

  #open(): Thread {
    return new Thread(READER, { workerData: { dataDir: this.#dataDir }, youngMb: 12 });
  }
}
