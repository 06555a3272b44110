import { type SearchOptions, searchParams } from './found.ts';
import type { Level } from './level.ts';
import type { Pattern, Patterns } from './patterns.ts';
import type { Task } from './task.ts';
import { toCamel, toSnake, type Wired } from './wire.ts';

/** Of which lines patterns are asked: as a search, but without pages. */
export type PatternsAsked = Omit<SearchOptions, 'cursor' | 'context'>;

export interface CompareAsked extends Omit<PatternsAsked, 'tasks'> {
  /** The base, for one the last good run; left out: the newest completed task of the same work before this one. */
  readonly with?: string;
}

/** One side of a comparison. */
export interface ComparedTask extends Pick<Task, 'taskId' | 'title' | 'status' | 'createdAt'> {
  /** Lines that match the filters. */
  readonly lines: number;
}

/** A pattern on both sides. */
export interface ComparedPattern {
  readonly template: string;
  /** The gravest level that its lines have. */
  readonly level: Level;
  readonly count: number;
  readonly baseCount: number;
  /** Its share in the task / its share in the base, among the lines whose pattern both have; null where one side has none. */
  readonly ratio: number | null;
  readonly sources: readonly string[];
  /** The newest such line: of the task, or of the base when the task has none. */
  readonly sample: Pattern['sample'];
}

/** What a task's lines say that those of another do not. Of each list the gravest level comes first. */
export interface Comparison {
  readonly task: ComparedTask;
  readonly base: ComparedTask;
  /** Only in the task. */
  readonly added: readonly ComparedPattern[];
  /** Only in the base. */
  readonly gone: readonly ComparedPattern[];
  /** In both, at least twice or at most half as frequent. */
  readonly changed: readonly ComparedPattern[];
  /** How many there are of each, beyond the lists too. */
  readonly totals: { readonly added: number; readonly gone: number; readonly changed: number; readonly same: number };
  /** False: not every line was looked at, or there were too many patterns to tell apart. */
  readonly exact: boolean;
}

export type WirePattern = Wired<Omit<Pattern, 'sample'>> & { readonly sample: Wired<Pattern['sample']> };
export type WirePatterns = Omit<Wired<Patterns>, 'patterns'> & { readonly patterns: readonly WirePattern[] };
type WireCompared = Wired<Omit<ComparedPattern, 'sample'>> & { readonly sample: Wired<Pattern['sample']> };
export interface WireComparison {
  readonly task: Wired<ComparedTask>;
  readonly base: Wired<ComparedTask>;
  readonly new: readonly WireCompared[];
  readonly gone: readonly WireCompared[];
  readonly changed: readonly WireCompared[];
  readonly totals: { readonly new: number; readonly gone: number; readonly changed: number; readonly same: number };
  readonly exact: boolean;
}

export function compareParams({ with: base, ...asked }: Omit<CompareAsked, 'signal'>): Record<string, string> {
  return { ...searchParams(asked), ...(base !== undefined && { with: base }) };
}

export function patternsToWire({ patterns, ...rest }: Patterns): WirePatterns {
  return {
    ...toSnake(rest),
    patterns: patterns.map((pattern) => ({ ...toSnake(pattern), sample: toSnake(pattern.sample) })),
  };
}

export function patternsOfWire({ patterns, ...rest }: WirePatterns): Patterns {
  return {
    ...toCamel<Omit<Patterns, 'patterns'>>(rest),
    patterns: patterns.map((pattern) => ({ ...toCamel<Pattern>(pattern), sample: toCamel(pattern.sample) })),
  };
}

export function comparisonToWire({ task, base, added, gone, changed, totals, exact }: Comparison): WireComparison {
  const { added: news, ...others } = totals;
  return {
    ...{ task: toSnake(task), base: toSnake(base) },
    ...{ new: added.map(comparedToWire), gone: gone.map(comparedToWire), changed: changed.map(comparedToWire) },
    ...{ totals: { new: news, ...others }, exact },
  };
}

export function comparisonOfWire({ task, base, new: added, gone, changed, totals, exact }: WireComparison): Comparison {
  const { new: news, ...others } = totals;
  return {
    ...{ task: toCamel(task), base: toCamel(base) },
    ...{ added: added.map(comparedOfWire), gone: gone.map(comparedOfWire), changed: changed.map(comparedOfWire) },
    ...{ totals: { added: news, ...others }, exact },
  };
}

function comparedToWire(pattern: ComparedPattern): WireCompared {
  return { ...toSnake(pattern), sample: toSnake(pattern.sample) };
}

function comparedOfWire(pattern: WireCompared): ComparedPattern {
  return { ...toCamel<ComparedPattern>(pattern), sample: toCamel(pattern.sample) };
}
