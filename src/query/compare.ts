import type { ComparedPattern, ComparedTask, Comparison } from '../core/comparison.ts';
import { TrailError } from '../core/error.ts';
import type { LogFilter } from '../core/filter.ts';
import { LEVELS, type Level, levelRank } from '../core/level.ts';
import { TEMPLATES_KEPT } from '../core/limits.ts';
import type { Pattern, Patterns } from '../core/patterns.ts';
import type { StoreReader } from '../core/ports.ts';
import type { Task } from '../core/task.ts';
import { template } from '../core/template.ts';

export interface CompareRequest {
  /** Left out: the newest completed task of the same work before it. */
  readonly baseId?: string;
  readonly filter: LogFilter;
  /** Most patterns of each list. */
  readonly limit: number;
  /** For both tasks together. */
  readonly budgetMs: number;
}

/** A share that changed less than this, or by fewer lines, did not change. */
const CHANGED_RATIO = 2;
const CHANGED_LINES = 5;
/** Completed tasks of the same kind and agent among which a base is looked for, the newest first. */
const BASE_TASKS = 1_000;
const BASE_PAGE = 200;

/** What the lines of a task say that those of its base do not. Throws `not_found` when there is no base. */
export async function compareTasks(
  store: StoreReader,
  taskId: string,
  { baseId, filter, limit, budgetMs }: CompareRequest,
  signal?: AbortSignal,
): Promise<Comparison> {
  const task = await store.task(taskId);
  const base = baseId === undefined ? await baseOf(store, task, signal) : await store.task(baseId);
  const query = { filter, budgetMs: budgetMs / 2, limit: TEMPLATES_KEPT };
  const found = await store.patterns({ ...query, tasks: [task.taskId] }, signal);
  const before = await store.patterns({ ...query, tasks: [base.taskId] }, signal);
  return {
    task: side(task, found),
    base: side(base, before),
    ...comparePatterns(before, found, limit),
  };
}

/** Patterns that are new, gone or of another share, from base to task. */
export function comparePatterns(base: Patterns, task: Patterns, limit: number): Omit<Comparison, 'task' | 'base'> {
  const ofBase = new Map(base.patterns.map((pattern) => [pattern.template, pattern]));
  const ofTask = new Map(task.patterns.map((pattern) => [pattern.template, pattern]));
  // Shares of what both say: a flood of something new makes nothing else rarer.
  const total = sharedLines(task.patterns, ofBase);
  const baseTotal = sharedLines(base.patterns, ofTask);
  const added: ComparedPattern[] = [];
  const changed: ComparedPattern[] = [];
  let same = 0;
  for (const pattern of task.patterns) {
    const before = ofBase.get(pattern.template);
    if (!before) {
      added.push(compared(pattern, { count: pattern.count, baseCount: 0, ratio: null }));
      continue;
    }
    const expected = (before.count / baseTotal) * total;
    const ratio = pattern.count / expected;
    const isChanged =
      Math.abs(pattern.count - expected) >= CHANGED_LINES && (ratio >= CHANGED_RATIO || ratio <= 1 / CHANGED_RATIO);
    if (isChanged) changed.push(compared(pattern, { count: pattern.count, baseCount: before.count, ratio }));
    else same += 1;
  }
  const gone = base.patterns
    .filter((pattern) => !ofTask.has(pattern.template))
    .map((pattern) => compared(pattern, { count: 0, baseCount: pattern.count, ratio: null }));
  return {
    added: added.sort(byLevel((pattern) => pattern.count)).slice(0, limit),
    gone: gone.sort(byLevel((pattern) => pattern.baseCount)).slice(0, limit),
    changed: changed.sort(byLevel(({ ratio }) => Math.abs(Math.log(ratio ?? 1)))).slice(0, limit),
    totals: { added: added.length, gone: gone.length, changed: changed.length, same },
    exact: [base, task].every(({ exact, other }) => exact && other === 0),
  };
}

/** The newest completed task of the same work that was made before this one. */
async function baseOf(store: StoreReader, task: Task, signal?: AbortSignal): Promise<Task> {
  const { taskId, kind, assignedAgent, title, createdAt } = task;
  const name = nameOf(title);
  const query = {
    ...({ status: ['completed'], to: createdAt, sort: 'created_at', order: 'desc', limit: BASE_PAGE } as const),
    ...(kind !== null && { kind: [kind] }),
    ...(assignedAgent !== null && { agent: [assignedAgent] }),
  };
  const told = task.runner !== null || kind !== null || assignedAgent !== null;
  let akin: Task | undefined;
  for (let looked = 0, cursor: string | null = ''; looked < BASE_TASKS && cursor !== null; looked += BASE_PAGE) {
    signal?.throwIfAborted();
    const page = await store.tasks({ ...query, ...(cursor !== '' && { cursor }) });
    for (const other of page.tasks) {
      const alike = other.kind === kind && other.runner === task.runner && other.assignedAgent === assignedAgent;
      if (!alike || other.taskId === taskId) continue;
      if (name !== undefined && nameOf(other.title) === name) return other;
      // What a runner, a kind or an agent does is the same work under any title.
      if (told) akin ??= other;
    }
    cursor = page.nextCursor;
  }
  if (akin) return akin;
  throw new TrailError(
    'not_found',
    `no completed task before ${taskId} has its kind, runner, agent and title, among the newest ${BASE_TASKS.toLocaleString('en')} of its kind and agent; name the one to compare with: with=TASK_ID`,
  );
}

/** Titles that differ only in their numbers are one. */
function nameOf(title: string | null): string | undefined {
  return title === null || title === '' ? undefined : template(title);
}

function sharedLines(patterns: readonly Pattern[], others: ReadonlyMap<string, Pattern>): number {
  return patterns.reduce((sum, pattern) => sum + (others.has(pattern.template) ? pattern.count : 0), 0);
}

function side({ taskId, title, status, createdAt }: Task, { total }: Patterns): ComparedTask {
  return { taskId, title, status, createdAt, lines: total };
}

function compared(
  { template: name, byLevel: counts, sources, sample }: Pattern,
  { count, baseCount, ratio }: { count: number; baseCount: number; ratio: number | null },
): ComparedPattern {
  return { template: name, level: gravest(counts), count, baseCount, ratio: rounded(ratio), sources, sample };
}

function gravest(counts: Readonly<Record<Level, number>>): Level {
  return LEVELS.findLast((level) => counts[level] > 0) ?? 'DEBUG';
}

function rounded(ratio: number | null): number | null {
  return ratio === null ? null : Number(ratio.toPrecision(4));
}

/** The gravest first, then by weight, then by template, so that the order never varies. */
function byLevel(weight: (pattern: ComparedPattern) => number): (a: ComparedPattern, b: ComparedPattern) => number {
  return (a, b) =>
    levelRank(b.level) - levelRank(a.level) || weight(b) - weight(a) || (a.template < b.template ? -1 : 1);
}
