/*
 * The thread that reads: pages, counts and histograms run here, beside the thread that answers people and beside the writer.
 * A page crosses over as the bytes of its JSON, which are not copied.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { AnalyticsQuery } from '../core/analytics.ts';
import type { AuditQuery } from '../core/audit.ts';
import type { LogFilter } from '../core/filter.ts';
import type { PageFacts } from '../core/page.ts';
import type { PatternsQuery } from '../core/patterns.ts';
import type { EndedQuery, ReadQuery, TaskQuery } from '../core/query.ts';
import type { Scope, SearchQuery } from '../core/search.ts';
import type { Status } from '../core/status.ts';
import type { DeliveryQuery } from '../core/webhook.ts';
import { SqliteReader } from '../store/sqlite/reader.ts';
import { type Methods, Moved, serveThread } from './serve-thread.ts';

if (parentPort) serveThread(parentPort, () => open((workerData as { dataDir: string }).dataDir));

function open(dataDir: string): Methods {
  const reader = SqliteReader.open(dataDir);
  return {
    task: (taskId: string) => reader.task(taskId),
    tasks: (query: TaskQuery) => reader.tasks(query),
    runs: (statuses: readonly Status[], limit: number, prefix?: string) => reader.runs(statuses, limit, prefix),
    taskFacets: (query: TaskQuery) => reader.taskFacets(query),
    read: async (taskId: string, query: ReadQuery) => {
      const page = await reader.read(taskId, query);
      const { bytes: json, count, firstSeq, lastSeq, skipped, scannedTo, done } = page;
      return new Moved({ json, count, firstSeq, lastSeq, skipped, scannedTo, done } satisfies PageFacts, [json.buffer]);
    },
    count: (taskId: string, filter: LogFilter, budgetMs: number) => reader.count(taskId, filter, budgetMs),
    stats: (taskId: string) => reader.stats(taskId),
    histogram: (taskId: string, query: { filter: LogFilter; buckets: number }) => reader.histogram(taskId, query),
    analytics: (query: AnalyticsQuery) => reader.analytics(query),
    deletedSpending: (day: string) => reader.deletedSpending(day),
    search: (query: SearchQuery, signal?: AbortSignal) => reader.search(query, signal),
    lineFacets: (scope: Scope, signal?: AbortSignal) => reader.lineFacets(scope, signal),
    searchHistogram: (query: Scope & { buckets: number }, signal?: AbortSignal) =>
      reader.searchHistogram(query, signal),
    patterns: (query: PatternsQuery, signal?: AbortSignal) => reader.patterns(query, signal),
    totals: () => reader.totals(),
    changes: (after: number, limit: number) => reader.changes(after, limit),
    taskNumber: (taskId?: string) => reader.taskNumber(taskId),
    storage: () => reader.storage(),
    ended: (query: EndedQuery) => reader.ended(query),
    deliveries: (query: DeliveryQuery) => reader.deliveries(query),
    delivery: (n: number) => reader.delivery(n),
    deliveryOfKey: (webhookId: string, key: string) => reader.deliveryOfKey(webhookId, key),
    webhooks: () => reader.webhooks(),
    eventPlace: (stream: string) => reader.eventPlace(stream),
    eventRefusals: (stream: string) => reader.eventRefusals(stream),
    credentials: (known?: number) => reader.credentials(known),
    audit: (query: AuditQuery) => reader.audit(query),
    close: () => reader.close(),
  };
}
