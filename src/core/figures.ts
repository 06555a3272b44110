import {
  type Analytics,
  type AnalyticsGroup,
  type AnalyticsQuery,
  type CostlyTask,
  dayOf,
  type FigurePart,
  type Figures,
} from './analytics.ts';
import { type Buckets, bucketsOf, Durations } from './durations.ts';
import { ANALYTICS_GROUPS_MAX, ANALYTICS_PARTS, ANALYTICS_PARTS_READ, TOP_TASKS } from './limits.ts';
import { isEnded, type Status } from './status.ts';
import type { Task } from './task.ts';

/** What tells the tasks of one row of figures from those of others. */
export interface FigureKey {
  readonly day: string;
  readonly source: string;
  readonly agent: string | null;
  readonly model: string | null;
  readonly status: Status;
}

interface Sums {
  readonly runs: number;
  readonly costUsd: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheCreationTokens: number | null;
  readonly lines: number;
  readonly errors: number;
}

/** Tasks with the same key, summed up. */
export interface FigureRow extends FigureKey, Sums {
  /** Durations as they are, and those of deleted tasks. */
  readonly durations: ArrayLike<number>;
  readonly buckets: Buckets;
}

export function rowOfTask({ source, assignedAgent, model, status, createdAt, metrics, log }: Task): FigureRow {
  const { durationSeconds, numTurns: _, ...sums } = metrics;
  return {
    ...{ day: dayOf(createdAt), source, agent: assignedAgent, model, status },
    ...{ runs: 1, ...sums, lines: log.total, errors: log.byLevel.ERROR },
    durations: durationSeconds === null ? [] : [durationSeconds],
    buckets: {},
  };
}

/** A row of deleted tasks with one more that is deleted now. */
export function withDeleted(row: FigureRow | undefined, task: FigureRow): FigureRow {
  const buckets = bucketsOf(Array.from(task.durations), row?.buckets);
  return { ...task, ...row, ...(row ? added(row, task) : {}), durations: [], buckets };
}

/** The key that stands for all that are too many to be told apart. */
export function otherKey({ day, status }: FigureKey): FigureKey {
  return { day, source: OTHER, agent: OTHER, model: OTHER, status };
}

export function sameKey(a: FigureKey, b: FigureKey): boolean {
  return (
    a.day === b.day && a.source === b.source && a.agent === b.agent && a.model === b.model && a.status === b.status
  );
}

const OTHER = 'other';

/** Sums up rows as a whole and by one of their words; each of these groups by another word. */
export class Summing {
  readonly #by: AnalyticsGroup;
  readonly #splitBy: AnalyticsGroup | undefined;
  readonly #total = new Tally();
  readonly #groups = new Map<string | null, Tally>();
  /** What the words of parts came to in all groups. */
  readonly #parts: Parts = new Map();

  constructor({ groupBy, splitBy }: Pick<AnalyticsQuery, 'groupBy' | 'splitBy'>) {
    this.#by = groupBy;
    this.#splitBy = splitBy;
  }

  add(row: FigureRow): void {
    const part = this.#splitBy && this.#partOf(row[this.#splitBy]);
    if (part !== undefined) addPart(this.#parts, part, row);
    this.#total.add(row);
    this.#group(row[this.#by]).add(row, part);
    // Words are strangers' words: there may be as many as there are tasks.
    if (this.#groups.size > 2 * ANALYTICS_GROUPS_MAX) this.#fold();
  }

  figures(): Pick<Analytics, 'total' | 'groups'> {
    this.#fold();
    const told = new Set(dearestParts(this.#parts));
    return {
      total: this.#total.figures(),
      groups: this.#sorted().map(([key, tally]) => ({
        key,
        ...tally.figures(),
        ...(this.#splitBy && { parts: tally.parts(told) }),
      })),
    };
  }

  /** Words are strangers' words here too. */
  #partOf(word: string | null): string | null {
    return this.#parts.has(word) || this.#parts.size < ANALYTICS_PARTS_READ ? word : OTHER;
  }

  #group(key: string | null): Tally {
    const known = this.#groups.get(key);
    if (known) return known;
    const made = new Tally();
    this.#groups.set(key, made);
    return made;
  }

  /** What is beyond the limit becomes one: the oldest days, the words with the fewest runs. */
  #fold(): void {
    if (this.#groups.size <= ANALYTICS_GROUPS_MAX) return;
    const sorted = this.#sorted().filter(([key]) => key !== OTHER);
    const keep = ANALYTICS_GROUPS_MAX - 1;
    const folded = this.#by === 'day' ? sorted.slice(0, -keep) : sorted.slice(keep);
    const other = this.#group(OTHER);
    for (const [key, tally] of folded) {
      this.#groups.delete(key);
      other.addAll(tally);
    }
  }

  #sorted(): readonly (readonly [string | null, Tally])[] {
    const byKey = (a: string | null, b: string | null): number => ((a ?? '') < (b ?? '') ? -1 : 1);
    const groups = [...this.#groups];
    if (this.#by === 'day') return groups.sort(([a], [b]) => byKey(a, b));
    return groups.sort(([a, one], [b, two]) => two.runs - one.runs || byKey(a, b));
  }
}

class Tally {
  #sums: Sums = NO_SUMS;
  readonly #byStatus = new Map<Status, number>();
  readonly #durations = new Durations();
  readonly #parts: Parts = new Map();

  get runs(): number {
    return this.#sums.runs;
  }

  /** @param part the word that it is a part by */
  add(row: FigureRow, part?: string | null): void {
    if (part !== undefined) addPart(this.#parts, part, row);
    this.#sums = added(this.#sums, row);
    this.#count(row.status, row.runs);
    this.#durations.add(row.durations);
    this.#durations.addBuckets(row.buckets);
  }

  addAll(other: Tally): void {
    this.#sums = added(this.#sums, other.#sums);
    for (const [status, runs] of other.#byStatus) this.#count(status, runs);
    this.#durations.addAll(other.#durations);
    for (const [word, sums] of other.#parts) addPart(this.#parts, word, sums);
  }

  /** Those of the words that are told, in their order; the rest as one. */
  parts(told: ReadonlySet<string | null>): readonly FigurePart[] {
    const parts: Parts = new Map();
    for (const [word, sums] of this.#parts) addPart(parts, told.has(word) ? word : OTHER, sums);
    return [...told, ...(told.has(OTHER) ? [] : [OTHER])].flatMap((key) => {
      const sums = parts.get(key);
      if (sums === undefined) return [];
      const { lines: _, errors: __, ...told } = sums;
      return [{ key, ...told }];
    });
  }

  figures(): Figures {
    const { runs, lines, errors, ...reported } = this.#sums;
    const ended = [...this.#byStatus].reduce((sum, [status, count]) => sum + (isEnded(status) ? count : 0), 0);
    const [durationP50Seconds = null, durationP95Seconds = null] = this.#durations.percentiles([50, 95]);
    return {
      runs,
      byStatus: Object.fromEntries(this.#byStatus),
      ended,
      successRate: ended === 0 ? null : (this.#byStatus.get('completed') ?? 0) / ended,
      ...reported,
      ...{ durationP50Seconds, durationP95Seconds, durationExact: this.#durations.exact },
      ...{ lines, errors },
    };
  }

  #count(status: Status, runs: number): void {
    this.#byStatus.set(status, (this.#byStatus.get(status) ?? 0) + runs);
  }
}

/** Sums by word. */
type Parts = Map<string | null, Sums>;

function addPart(parts: Parts, word: string | null, sums: Sums): void {
  parts.set(word, added(parts.get(word) ?? NO_SUMS, sums));
}

/** The dearest words first, of equal ones those with more runs; `other` is none of them. */
function dearestParts(parts: Parts): readonly (string | null)[] {
  return [...parts]
    .filter(([word]) => word !== OTHER)
    .sort(([, a], [, b]) => (b.costUsd ?? 0) - (a.costUsd ?? 0) || b.runs - a.runs)
    .slice(0, ANALYTICS_PARTS)
    .map(([word]) => word);
}

const NO_SUMS: Sums = {
  runs: 0,
  costUsd: null,
  inputTokens: null,
  outputTokens: null,
  cacheReadTokens: null,
  cacheCreationTokens: null,
  lines: 0,
  errors: 0,
};

function added(a: Sums, b: Sums): Sums {
  return {
    runs: a.runs + b.runs,
    costUsd: plus(a.costUsd, b.costUsd),
    inputTokens: plus(a.inputTokens, b.inputTokens),
    outputTokens: plus(a.outputTokens, b.outputTokens),
    cacheReadTokens: plus(a.cacheReadTokens, b.cacheReadTokens),
    cacheCreationTokens: plus(a.cacheCreationTokens, b.cacheCreationTokens),
    lines: a.lines + b.lines,
    errors: a.errors + b.errors,
  };
}

/** What nobody reported stays unknown. */
function plus(a: number | null, b: number | null): number | null {
  return a === null ? b : a + (b ?? 0);
}

/** The dearest first; of equal ones the newest. */
export function dearest(tasks: readonly (CostlyTask & { readonly createdAt: string })[]): readonly CostlyTask[] {
  return [...tasks]
    .filter(({ costUsd }) => costUsd > 0)
    .sort((a, b) => b.costUsd - a.costUsd || (a.createdAt > b.createdAt ? -1 : 1))
    .slice(0, TOP_TASKS)
    .map(({ taskId, title, status, assignedAgent, costUsd }) => ({ taskId, title, status, assignedAgent, costUsd }));
}
