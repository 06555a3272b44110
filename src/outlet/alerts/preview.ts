import type { AlertPreview } from '../../core/alert.ts';
import { taskFacts } from '../../core/expr.ts';
import type { StoreReader } from '../../core/ports.ts';
import type { SearchPlace } from '../../core/search.ts';
import type { Task } from '../../core/task.ts';
import { isoTime } from '../../core/time.ts';
import type { Rule } from './rule.ts';
import { Watch } from './watch.ts';

export interface PreviewSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly signal?: AbortSignal;
}

/** Moments at which something matched, the newest first or in no order. */
interface Found {
  readonly atMs: readonly number[];
  readonly complete: boolean;
}

const BUDGET_MS = 3_000;
const PAGE = 1_000;
/** Most matches that are looked at: the newest. */
const MATCHES = 100_000;
const FIRED = 100;

/** How often a rule would have fired, counted as it counts, by the times of lines; of tasks by their ends, else their starts. */
export async function previewOf(store: StoreReader, rule: Rule, span: PreviewSpan): Promise<AlertPreview> {
  const untilMs = performance.now() + BUDGET_MS;
  const find = rule.definition.on === 'task' ? tasksFound : linesFound;
  const { atMs, complete } = await find(store, rule, { ...span, untilMs });
  const watch = new Watch(rule);
  const fired: { at: string; count: number }[] = [];
  let firedTotal = 0;
  for (const ms of [...atMs].sort((a, b) => a - b)) {
    const firing = watch.seen(ms, '', null);
    if (!firing) continue;
    firedTotal += 1;
    if (fired.length < FIRED) fired.push({ at: isoTime(firing.atMs), count: firing.count });
  }
  const from = isoTime(span.fromMs);
  return { fired, firedTotal, matches: atMs.length, from, to: isoTime(span.toMs), complete };
}

interface Search extends PreviewSpan {
  readonly untilMs: number;
}

async function linesFound(
  store: StoreReader,
  { query }: Rule,
  { fromMs, toMs, untilMs, signal }: Search,
): Promise<Found> {
  const filter = { query, from: isoTime(fromMs), to: isoTime(toMs) };
  const atMs: number[] = [];
  for (let after: SearchPlace | undefined; ; ) {
    const budgetMs = Math.max(1, untilMs - performance.now());
    const page = await store.search({ filter, limit: PAGE, budgetMs, ...(after && { after }) }, signal);
    for (const { timestamp } of page.entries) atMs.push(Date.parse(timestamp));
    if (page.next === null) return { atMs, complete: page.complete };
    after = page.next;
    if (performance.now() >= untilMs || atMs.length >= MATCHES) return { atMs, complete: false };
  }
}

const MOMENTS = ['completed_at', 'started_at', 'created_at'] as const;
type Moment = (typeof MOMENTS)[number];

/** A task counts at its end, else at its start, else when it was made. */
async function tasksFound(store: StoreReader, rule: Rule, search: Search): Promise<Found> {
  const atMs: number[] = [];
  for (const sort of MOMENTS) {
    if (!(await tasksBy(sort, { ...search, store, rule, atMs }))) return { atMs, complete: false };
  }
  return { atMs, complete: true };
}

/** Takes those whose moment is this one, the newest first. Answers whether there was time for all. */
async function tasksBy(
  sort: Moment,
  {
    store,
    rule,
    atMs,
    ...span
  }: Search & { readonly store: StoreReader; readonly rule: Rule; readonly atMs: number[] },
): Promise<boolean> {
  const [from, to] = [isoTime(span.fromMs), isoTime(span.toMs)];
  const query = { sort, order: 'desc', limit: PAGE, ...(sort === 'created_at' && { from, to }) } as const;
  for (let cursor: string | null = null; ; ) {
    span.signal?.throwIfAborted();
    const page = await store.tasks({ ...query, ...(cursor !== null && { cursor }) });
    for (const task of page.tasks) {
      const at = timesOf(task)[sort];
      // Those that never came so far are behind all others.
      if (at === null || at < from) return true;
      if (at < to && momentOf(task) === sort && rule.matchesTask(taskFacts(task))) atMs.push(Date.parse(at));
    }
    cursor = page.nextCursor;
    if (cursor === null) return true;
    if (performance.now() >= span.untilMs || atMs.length >= MATCHES) return false;
  }
}

function momentOf(task: Task): Moment {
  const times = timesOf(task);
  return MOMENTS.find((moment) => times[moment] !== null) ?? 'created_at';
}

function timesOf({ completedAt, startedAt, createdAt }: Task): Readonly<Record<Moment, string | null>> {
  return { completed_at: completedAt, started_at: startedAt, created_at: createdAt };
}
