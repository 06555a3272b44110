import type { EntryType, Json, JsonObject, Stream } from './entry.ts';
import type { Level } from './level.ts';
import type { Status } from './status.ts';
import type { Task } from './task.ts';

/** What a query asks, as a tree. `all` of nothing is true, `any` of nothing is false. */
export type Expr =
  | { readonly op: 'all'; readonly parts: readonly Expr[] }
  | { readonly op: 'any'; readonly parts: readonly Expr[] }
  | { readonly op: 'not'; readonly part: Expr }
  | Term;

/** One thing that is asked of a line, or of the task that it belongs to. */
export type Term = LineTerm | TaskTerm;

export type LineTerm =
  /** The message contains it, both folded by `toLowerCase`. */
  | { readonly op: 'text'; readonly text: string }
  /** The message holds a match; RE2 syntax. */
  | { readonly op: 'regex'; readonly pattern: string }
  | { readonly op: 'level'; readonly values: readonly Level[] }
  | { readonly op: 'source'; readonly values: readonly string[] }
  | { readonly op: 'stream'; readonly values: readonly Stream[] }
  | { readonly op: 'type'; readonly values: readonly EntryType[] }
  /** ISO 8601: the first moment that counts, and the first that counts no more. */
  | { readonly op: 'time'; readonly from?: string; readonly to?: string }
  /** See `matchesMetadata`. */
  | { readonly op: 'meta'; readonly path: string; readonly test: Comparison | '='; readonly value: string };

export type TaskTerm =
  | { readonly op: 'task'; readonly values: readonly string[] }
  | { readonly op: 'status'; readonly values: readonly Status[] }
  | { readonly op: 'kind'; readonly values: readonly string[] }
  /** `assignedAgent`. */
  | { readonly op: 'agent'; readonly values: readonly string[] }
  | { readonly op: 'model'; readonly values: readonly string[] }
  | { readonly op: 'tag'; readonly values: readonly string[] }
  /** US dollars; seconds. A task without the figure does not match. */
  | { readonly op: 'cost' | 'dur'; readonly test: Comparison; readonly value: number };

export type Comparison = '<' | '<=' | '>' | '>=';

/** What task terms look at. */
export type TaskFacts = Pick<Task, 'taskId' | 'status' | 'kind' | 'assignedAgent' | 'model' | 'tags'> & {
  readonly costUsd: number | null;
  readonly durationSeconds: number | null;
};

export const TRUE: Expr = { op: 'all', parts: [] };
export const FALSE: Expr = { op: 'any', parts: [] };

/** Answers a term where that is possible without a look at the line; undefined where it is not. */
export type Knows = (term: Term) => boolean | undefined;

/** The expression with every known term answered and nothing left that no longer matters: `TRUE`, `FALSE`, or what is still open. */
export function settle(expr: Expr, knows: Knows): Expr {
  if (expr.op === 'not') {
    const part = settle(expr.part, knows);
    if (isTrue(part)) return FALSE;
    if (isFalse(part)) return TRUE;
    return part.op === 'not' ? part.part : { op: 'not', part };
  }
  if (expr.op !== 'all' && expr.op !== 'any') {
    const known = knows(expr);
    return known === undefined ? expr : known ? TRUE : FALSE;
  }
  const { op } = expr;
  const parts: Expr[] = [];
  for (const each of expr.parts) {
    const part = settle(each, knows);
    if (op === 'all' ? isFalse(part) : isTrue(part)) return part;
    if (op === 'all' ? isTrue(part) : isFalse(part)) continue;
    if (part.op === op) parts.push(...part.parts);
    else parts.push(part);
  }
  const [only, more] = parts;
  return only && !more ? only : { op, parts };
}

export function isTrue(expr: Expr): boolean {
  return expr.op === 'all' && expr.parts.length === 0;
}

export function isFalse(expr: Expr): boolean {
  return expr.op === 'any' && expr.parts.length === 0;
}

/** True, false, or undefined when it depends on terms that are not known. The same as `settle`, without making anything. */
export function judge(expr: Expr, knows: Knows): boolean | undefined {
  if (expr.op === 'not') {
    const part = judge(expr.part, knows);
    return part === undefined ? undefined : !part;
  }
  if (expr.op !== 'all' && expr.op !== 'any') return knows(expr);
  // What decides: a false one among all, a true one among any.
  const decisive = expr.op === 'any';
  let open = false;
  for (const each of expr.parts) {
    const part = judge(each, knows);
    if (part === decisive) return decisive;
    if (part === undefined) open = true;
  }
  return open ? undefined : !decisive;
}

/** Whether some term of the expression is like this. */
export function hasTerm(expr: Expr, like: (term: Term) => boolean): boolean {
  if (expr.op === 'not') return hasTerm(expr.part, like);
  if (expr.op === 'all' || expr.op === 'any') return expr.parts.some((part) => hasTerm(part, like));
  return like(expr);
}

/** Whether the task decides the term. */
export function isTaskTerm(term: Term): term is TaskTerm {
  return TASK_OPS.has(term.op);
}

const TASK_OPS: ReadonlySet<string> = new Set<TaskTerm['op']>([
  'task',
  'status',
  'kind',
  'agent',
  'model',
  'tag',
  'cost',
  'dur',
]);

/** Answers the terms that a task decides. */
export function knowsTask(task: TaskFacts): Knows {
  return (term) => (isTaskTerm(term) ? matchesTask(term, task) : undefined);
}

function matchesTask(term: TaskTerm, task: TaskFacts): boolean {
  switch (term.op) {
    case 'task':
      return term.values.includes(task.taskId);
    case 'status':
      return term.values.includes(task.status);
    case 'kind':
      return task.kind !== null && term.values.includes(task.kind);
    case 'agent':
      return task.assignedAgent !== null && term.values.includes(task.assignedAgent);
    case 'model':
      return task.model !== null && term.values.includes(task.model);
    case 'tag':
      return task.tags.some((tag) => term.values.includes(tag));
    case 'cost':
      return compares(task.costUsd, term);
    case 'dur':
      return compares(task.durationSeconds, term);
  }
}

/** What of a task makes its facts. */
export interface TaskSaid extends Pick<Task, 'taskId' | 'status' | 'kind' | 'assignedAgent' | 'model' | 'tags'> {
  readonly metrics: Pick<Task['metrics'], 'costUsd' | 'durationSeconds'>;
}

/** The facts of a task. */
export function taskFacts(task: TaskSaid): TaskFacts {
  const { taskId, status, kind, assignedAgent, model, tags, metrics } = task;
  const { costUsd, durationSeconds } = metrics;
  return { taskId, status, kind, assignedAgent, model, tags, costUsd, durationSeconds };
}

/**
 * Whether a line's metadata has the value at a dotted path. A key may itself contain dots. Texts are equal whatever their case, numbers
 * and booleans by what JSON writes; of a list one element is enough. `*` asks only whether anything but null is there. The
 * comparisons take numbers, and texts that are numbers.
 */
export function matchesMetadata(metadata: JsonObject | null, { path, test, value }: MetaTerm): boolean {
  if (metadata === null) return false;
  return valuesAt(metadata, path).some((found) => {
    if (test !== '=') return compares(numberOf(found), { test, value: Number(value) });
    if (value === '*') return found !== null;
    return textOf(found).toLowerCase() === value.toLowerCase();
  });
}

type MetaTerm = Extract<LineTerm, { op: 'meta' }>;

function valuesAt(at: Json, path: string): readonly Json[] {
  if (path === '') return Array.isArray(at) ? at : [at];
  if (Array.isArray(at)) return at.flatMap((each: Json) => valuesAt(each, path));
  if (typeof at !== 'object' || at === null) return [];
  const found: Json[] = [];
  for (const [key, value] of Object.entries(at)) {
    if (key === path) found.push(...valuesAt(value, ''));
    else if (path.startsWith(`${key}.`)) found.push(...valuesAt(value, path.slice(key.length + 1)));
  }
  return found;
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function numberOf(value: Json): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : null;
}

function compares(found: number | null, { test, value }: { test: Comparison; value: number }): boolean {
  if (found === null) return false;
  switch (test) {
    case '<':
      return found < value;
    case '<=':
      return found <= value;
    case '>':
      return found > value;
    case '>=':
      return found >= value;
  }
}
