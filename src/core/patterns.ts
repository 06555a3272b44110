import type { LogEntry } from './entry.ts';
import type { Level } from './level.ts';
import { PATTERN_SOURCES, PATTERN_TASKS, SAMPLE_CHARS, TEMPLATES_KEPT } from './limits.ts';
import { isNewer, type Scope, type SearchPlace } from './search.ts';
import { template } from './template.ts';
import { cutText } from './text.ts';

export interface PatternsQuery extends Scope {
  /** 1–`TEMPLATES_KEPT`. */
  readonly limit: number;
}

/** Lines of one template. */
export interface Pattern {
  readonly template: string;
  readonly count: number;
  readonly byLevel: Readonly<Record<Level, number>>;
  /** The sources of its lines, at most `PATTERN_SOURCES`, sorted. */
  readonly sources: readonly string[];
  readonly firstAt: string;
  readonly lastAt: string;
  /** How many tasks have such a line; at least so many beyond `PATTERN_TASKS` of all patterns together. */
  readonly tasks: number;
  /** The newest such line; of a long message the start. */
  readonly sample: { readonly taskId: string; readonly seq: number; readonly message: string };
}

export interface Patterns {
  /** The most frequent first; of equal ones by their template. */
  readonly patterns: readonly Pattern[];
  /** Lines that match. */
  readonly total: number;
  /** Those of them whose pattern is not among `patterns`. */
  readonly other: number;
  /** False: the time was up; there are at least so many. */
  readonly exact: boolean;
  /** Every line from this moment on was looked at; null: all were. */
  readonly scannedFrom: string | null;
}

/** What is looked at in a line. */
export type PatternLine = Pick<LogEntry, 'taskId' | 'seq' | 'timestamp' | 'level' | 'source' | 'message'>;

interface Counted {
  count: number;
  readonly byLevel: Record<Level, number>;
  readonly sources: Set<string>;
  firstAt: string;
  lastAt: string;
  tasks: number;
  /** The task of the last line: lines of one task come together. */
  taskId: string;
  seen: Set<string> | undefined;
  newest: SearchPlace & { readonly message: string };
}

/** Counts lines by template, in any order. What it holds is bounded: lines of templates beyond `TEMPLATES_KEPT` are only counted. */
export class PatternCount {
  readonly #counted = new Map<string, Counted>();
  readonly #maxTemplates: number;
  #total = 0;
  #tasksLeft = PATTERN_TASKS;

  constructor(maxTemplates: number = TEMPLATES_KEPT) {
    this.#maxTemplates = maxTemplates;
  }

  add(line: PatternLine): void {
    this.#total += 1;
    const name = template(line.message);
    const counted = this.#counted.get(name);
    if (counted) this.#count(counted, line);
    else if (this.#counted.size < this.#maxTemplates) this.#counted.set(name, first(line));
  }

  answer(limit: number, scannedFrom: string | null = null): Patterns {
    const patterns = [...this.#counted]
      .sort(([a, x], [b, y]) => y.count - x.count || (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([name, counted]) => patternOf(name, counted));
    const listed = patterns.reduce((sum, { count }) => sum + count, 0);
    return { patterns, total: this.#total, other: this.#total - listed, exact: scannedFrom === null, scannedFrom };
  }

  #count(counted: Counted, line: PatternLine): void {
    const { taskId, seq, timestamp, level, source, message } = line;
    counted.count += 1;
    counted.byLevel[level] += 1;
    if (counted.sources.size < PATTERN_SOURCES) counted.sources.add(source);
    if (timestamp < counted.firstAt) counted.firstAt = timestamp;
    if (timestamp > counted.lastAt) counted.lastAt = timestamp;
    if (taskId !== counted.taskId) this.#countTask(counted, taskId);
    if (isNewer(line, counted.newest)) counted.newest = { taskId, seq, timestamp, message: start(message) };
  }

  #countTask(counted: Counted, taskId: string): void {
    counted.seen ??= new Set([counted.taskId]);
    counted.taskId = taskId;
    if (counted.seen.has(taskId) || this.#tasksLeft === 0) return;
    this.#tasksLeft -= 1;
    counted.seen.add(taskId);
    counted.tasks += 1;
  }
}

function first({ taskId, seq, timestamp, level, source, message }: PatternLine): Counted {
  return {
    count: 1,
    byLevel: { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0, [level]: 1 },
    sources: new Set([source]),
    firstAt: timestamp,
    lastAt: timestamp,
    tasks: 1,
    taskId,
    seen: undefined,
    newest: { taskId, seq, timestamp, message: start(message) },
  };
}

function patternOf(name: string, { newest, sources, ...counted }: Counted): Pattern {
  const { count, byLevel, firstAt, lastAt, tasks } = counted;
  const { taskId, seq, message } = newest;
  return {
    ...{ template: name, count, byLevel, sources: [...sources].sort(), firstAt, lastAt, tasks },
    sample: { taskId, seq, message },
  };
}

function start(message: string): string {
  return cutText(message, SAMPLE_CHARS);
}
