import { TrailError } from '../../core/error.ts';
import type { LogFilter } from '../../core/filter.ts';
import type { EntryPage } from '../../core/page.ts';
import type { Patterns, PatternsQuery } from '../../core/patterns.ts';
import type {
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
} from '../../core/query.ts';
import type { LineFacets, Scope, SearchPage, SearchQuery } from '../../core/search.ts';
import type { Status } from '../../core/status.ts';
import type { Task } from '../../core/task.ts';
import { type Clock, systemClock } from '../../core/time.ts';
import { DELIVERY_LIMITS } from '../../core/webhook.ts';
import { DeliveryLog } from './deliveries.ts';
import type { Held, Tombstone } from './held.ts';
import { checkNotDeleted, endedOf, storageOf } from './keeping.ts';
import { countMatches, histogramOf, readPage, statsOf } from './lines.ts';
import { facetsOfLines, histogramOfAll, matchingLines, patternsOfLines, searchPage } from './search.ts';
import { facetsOf, pageOf, runsOf } from './tasks.ts';

/** The reading half: what is held, and what can be asked of it. */
export class MemoryReader extends DeliveryLog {
  protected readonly clock: Clock;
  protected readonly held = new Map<string, Held>();
  protected readonly tombstones = new Map<string, Tombstone>();
  protected closed = false;

  constructor(clock: Clock = systemClock, limits = DELIVERY_LIMITS) {
    super(clock, limits);
    this.clock = clock;
  }

  async task(taskId: string): Promise<Task> {
    return this.find(taskId).task;
  }

  async tasks(query: TaskQuery): Promise<TaskPage> {
    return pageOf(this.allTasks(), query);
  }

  async runs(statuses: readonly Status[], limit: number, prefix = ''): Promise<readonly Task[]> {
    return runsOf(this.allTasks(), { statuses, limit, prefix });
  }

  async taskFacets(query: TaskQuery): Promise<TaskFacets> {
    return facetsOf(this.allTasks(), query);
  }

  async read(taskId: string, query: ReadQuery): Promise<EntryPage> {
    return readPage(this.find(taskId), query);
  }

  async count(taskId: string, filter: LogFilter, budgetMs: number): Promise<Count> {
    return countMatches(this.find(taskId), filter, budgetMs);
  }

  async stats(taskId: string): Promise<LogStats> {
    const { lines, task } = this.find(taskId);
    return statsOf(lines, task.log.lost);
  }

  async histogram(taskId: string, { filter, buckets }: { filter: LogFilter; buckets: number }): Promise<Histogram> {
    return histogramOf(this.find(taskId), filter, buckets);
  }

  async search(query: SearchQuery, signal?: AbortSignal): Promise<SearchPage> {
    signal?.throwIfAborted();
    return searchPage(matchingLines(this.all(), query), query);
  }

  async lineFacets(scope: Scope, signal?: AbortSignal): Promise<LineFacets> {
    signal?.throwIfAborted();
    return facetsOfLines(matchingLines(this.all(), scope));
  }

  async searchHistogram(query: Scope & { readonly buckets: number }, signal?: AbortSignal): Promise<Histogram> {
    signal?.throwIfAborted();
    return histogramOfAll(matchingLines(this.all(), query), query.buckets);
  }

  async patterns(query: PatternsQuery): Promise<Patterns> {
    return patternsOfLines(matchingLines(this.all(), query), query.limit);
  }

  async storage(): Promise<Storage> {
    return storageOf(this.all());
  }

  async ended(query: EndedQuery): Promise<readonly EndedTask[]> {
    return endedOf(this.all(), query);
  }

  protected find(taskId: string): Held {
    this.checkOpen();
    const held = this.held.get(taskId);
    if (held) return held;
    checkNotDeleted(taskId, this.tombstones.get(taskId), this.clock.now());
    throw new TrailError('task_not_found', `there is no task ${taskId}`);
  }

  protected allTasks(): readonly Task[] {
    return this.all().map(({ task }) => task);
  }

  protected all(): readonly Held[] {
    this.checkOpen();
    return [...this.held.values()];
  }

  protected checkOpen(): void {
    if (this.closed) throw new TrailError('store_closed', 'the store is closed; open it again to use it');
  }
}
