import { setImmediate as nextTurn } from 'node:timers/promises';
import { entryId, type JsonObject, type LogEntry } from '../../core/entry.ts';
import { FACET_TASKS } from '../../core/limits.ts';
import type { Histogram } from '../../core/query.ts';
import {
  isNewer,
  type LineFacets,
  type Scope,
  type SearchPage,
  type SearchPlace,
  type SearchQuery,
} from '../../core/search.ts';
import { isoTime } from '../../core/time.ts';
import type { LineRow } from './chunk.ts';
import { Scan, type Tables } from './scan.ts';
import { scanned, TASK_SELECT, type TaskRow } from './task-row.ts';

interface Found extends SearchPlace {
  readonly row: LineRow;
}

export async function searchLines(tables: Tables, query: SearchQuery, signal?: AbortSignal): Promise<SearchPage> {
  const { after, limit } = query;
  const found = await matchingLines(tables, query, signal);
  const behind = after ? found.filter((line) => isNewer(after, line)) : found;
  const page = behind.slice(0, limit);
  const last = behind.length > limit ? page.at(-1) : undefined;
  return {
    entries: page.map((line) => entryOf(tables, line)),
    next: last ? { timestamp: last.timestamp, taskId: last.taskId, seq: last.seq } : null,
    scannedFrom: last?.timestamp ?? null,
    complete: true,
  };
}

export async function facetsOfLines(tables: Tables, scope: Scope, signal?: AbortSignal): Promise<LineFacets> {
  const found = await matchingLines(tables, scope, signal);
  const facets = found.map(({ row }) => tables.facets.facet(row.facet_no));
  return {
    total: found.length,
    exact: true,
    level: { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0, ...tally(facets.map(({ level }) => level)) },
    source: tally(facets.map(({ source }) => source)),
    stream: tally(facets.map(({ stream }) => stream ?? 'none')),
    type: tally(facets.map(({ type }) => type)),
    tasks: Object.entries(tally(found.map(({ taskId }) => taskId)))
      .map(([taskId, lines]) => ({ taskId, lines }))
      .sort((a, b) => b.lines - a.lines || (a.taskId < b.taskId ? -1 : 1))
      .slice(0, FACET_TASKS),
  };
}

export async function histogramOfSearch(
  tables: Tables,
  query: Scope & { readonly buckets: number },
  signal?: AbortSignal,
): Promise<Histogram> {
  const found = await matchingLines(tables, query, signal);
  const newest = found[0];
  const oldest = found.at(-1);
  if (!newest || !oldest) return { from: null, to: null, widthMs: 1, exact: true, buckets: [] };
  const fromMs = Date.parse(oldest.timestamp);
  const spanMs = Date.parse(newest.timestamp) - fromMs;
  const widthMs = Math.max(1, Math.ceil(spanMs / query.buckets));
  const last = Math.min(query.buckets - 1, Math.floor(spanMs / widthMs));
  const buckets = Array.from({ length: last + 1 }, (_, place) => ({
    timestamp: isoTime(fromMs + place * widthMs),
    total: 0,
    byLevel: { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 },
  }));
  for (const { timestamp, row } of found) {
    const bucket = buckets[Math.min(last, Math.floor((Date.parse(timestamp) - fromMs) / widthMs))];
    if (!bucket) continue;
    bucket.total += 1;
    bucket.byLevel[tables.facets.facet(row.facet_no).level] += 1;
  }
  return { from: oldest.timestamp, to: newest.timestamp, widthMs, exact: true, buckets };
}

async function matchingLines(tables: Tables, { filter, tasks }: Scope, signal?: AbortSignal): Promise<Found[]> {
  const found: Found[] = [];
  for (const task of tables.db.all<TaskRow>(TASK_SELECT)) {
    if (tasks && !tasks.includes(task.task_id)) continue;
    const scan = new Scan(tables, scanned(task), filter);
    for (const { firstSeq, lastSeq, atMost } of scan.blocks(1, task.last_seq, 'asc')) {
      if (atMost === 0) continue;
      for (let from = firstSeq; from <= lastSeq; from = (scan.stoppedAt ?? lastSeq) + 1) {
        signal?.throwIfAborted();
        for (const row of scan.lines(from, lastSeq, 'asc')) {
          found.push({ timestamp: row.timestamp, taskId: task.task_id, seq: row.seq, row });
        }
        await nextTurn();
      }
    }
  }
  return found.sort((a, b) => (isNewer(a, b) ? -1 : 1));
}

function entryOf({ facets }: Tables, { taskId, seq, row }: Found): LogEntry {
  const { level, source, stream, type } = facets.facet(row.facet_no);
  const metadata = row.metadata_json === null ? null : (JSON.parse(row.metadata_json) as JsonObject);
  return {
    ...{ id: entryId(taskId, seq), seq, taskId, timestamp: row.timestamp, level, source, stream, type },
    ...{ message: row.message, metadata },
  };
}

function tally(values: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Object.fromEntries(counts);
}
