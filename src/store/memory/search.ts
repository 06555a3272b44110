import type { Draft, JsonObject, LogEntry } from '../../core/entry.ts';
import { entryId } from '../../core/entry.ts';
import { taskFacts } from '../../core/expr.ts';
import { FACET_TASKS } from '../../core/limits.ts';
import { PatternCount, type Patterns } from '../../core/patterns.ts';
import { predicate } from '../../core/predicate.ts';
import type { Histogram } from '../../core/query.ts';
import {
  isNewer,
  type LineFacets,
  type Scope,
  type SearchPage,
  type SearchPlace,
  type SearchQuery,
} from '../../core/search.ts';
import type { Held } from './held.ts';
import { histogramOfLines, noLevels, tally } from './lines.ts';

/** A line with its place. */
export interface Found extends SearchPlace {
  readonly draft: Draft;
}

/** Every line that matches, newest first. */
export function matchingLines(held: readonly Held[], { filter, tasks }: Scope): readonly Found[] {
  const found: Found[] = [];
  for (const { task, lines } of held) {
    const { taskId } = task;
    if (tasks && !tasks.includes(taskId)) continue;
    const passes = predicate(filter, taskFacts(task));
    for (const [index, draft] of lines.entries()) {
      if (passes(draft)) found.push({ timestamp: draft.timestamp, taskId, seq: index + 1, draft });
    }
  }
  return found.sort((a, b) => (isNewer(a, b) ? -1 : 1));
}

export function searchPage(found: readonly Found[], { after, limit }: SearchQuery): SearchPage {
  const behind = after ? found.filter((line) => isNewer(after, line)) : found;
  const page = behind.slice(0, limit);
  const last = behind.length > limit ? page.at(-1) : undefined;
  return {
    entries: page.map(entryOf),
    next: last ? { timestamp: last.timestamp, taskId: last.taskId, seq: last.seq } : null,
    scannedFrom: last?.timestamp ?? null,
    complete: true,
  };
}

export function facetsOfLines(found: readonly Found[]): LineFacets {
  const drafts = found.map((line) => line.draft);
  const byTask = Object.entries(tally(found.map((line) => line.taskId)));
  return {
    total: found.length,
    exact: true,
    level: { ...noLevels(), ...tally(drafts.map((draft) => draft.level)) },
    source: tally(drafts.map((draft) => draft.source)),
    stream: tally(drafts.map((draft) => draft.stream ?? 'none')),
    type: tally(drafts.map((draft) => draft.type)),
    tasks: byTask
      .map(([taskId, lines]) => ({ taskId, lines }))
      .sort((a, b) => b.lines - a.lines || (a.taskId < b.taskId ? -1 : 1))
      .slice(0, FACET_TASKS),
  };
}

export function histogramOfAll(found: readonly Found[], buckets: number): Histogram {
  return histogramOfLines(
    found.map((line) => line.draft),
    buckets,
  );
}

export function patternsOfLines(found: readonly Found[], limit: number): Patterns {
  const count = new PatternCount();
  for (const { taskId, seq, draft } of found) count.add({ ...draft, taskId, seq });
  return count.answer(limit);
}

function entryOf({ taskId, seq, draft }: Found): LogEntry {
  const { metadataJson, ...line } = draft;
  const metadata = metadataJson === null ? null : (JSON.parse(metadataJson) as JsonObject);
  return { id: entryId(taskId, seq), seq, taskId, ...line, metadata };
}
