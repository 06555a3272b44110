import { ENTRY_TYPES, type EntryType, isEntryType, isSource, isStream, STREAMS, type Stream } from './entry.ts';
import { TrailError } from './error.ts';
import { type Expr, hasTerm, type Term } from './expr.ts';
import { LEVELS, type Level, levelRank, parseLevel } from './level.ts';
import { SEARCH_CHARS } from './limits.ts';
import { parseTime } from './time.ts';

/**
 * Which lines a reader wants: the one value that REST, WebSocket, SSE, search, command line and page share.
 * A part that is left out lets everything pass; an empty list lets nothing pass.
 */
export interface LogFilter {
  readonly levels?: readonly Level[];
  readonly sources?: readonly string[];
  readonly streams?: readonly Stream[];
  readonly types?: readonly EntryType[];
  /** Text that the message contains, both folded by `toLowerCase`; or, with `regex`, a pattern in RE2 syntax. */
  readonly search?: string;
  readonly regex?: boolean;
  /** ISO 8601: the first moment that counts, and the first that counts no more. */
  readonly from?: string;
  readonly to?: string;
  readonly query?: Query;
}

/** The same as a program asks it: `q` is a query as text, and takes the place of `query`. */
export interface AskedFilter extends LogFilter {
  readonly q?: string;
}

/** A query in the language of `docs/query.md`: as it was written, and what it said at that moment. */
export interface Query {
  readonly text: string;
  readonly expr: Expr;
}

/** A filter as it comes from a query string or a frame: every value text, or several. */
export type RawFilter = { readonly [K in FilterKey]?: unknown };
export const FILTER_KEYS = [
  'level',
  'min_level',
  'source',
  'stream',
  'type',
  'search',
  'regex',
  'from',
  'to',
  'q',
] as const;
export type FilterKey = (typeof FILTER_KEYS)[number];

/**
 * Read a filter, all of it but `q`: `readFilter` reads that too. Lists may repeat or use commas. Throws `invalid_filter` that names
 * the parameter.
 */
export function parseFilter(raw: RawFilter): LogFilter {
  const levels = levelsOf(list(raw.level), raw.min_level);
  const sources = checked(
    'source',
    list(raw.source),
    isSource,
    'a source of 1–64 characters without control characters',
  );
  const streams = checked('stream', list(raw.stream), isStream, STREAMS.join(' or '));
  const types = checked('type', list(raw.type), isEntryType, ENTRY_TYPES.join(', '));
  const search = text('search', raw.search);
  const from = time('from', raw.from);
  const to = time('to', raw.to);
  const regex = flag('regex', raw.regex);
  return {
    ...(levels && { levels }),
    ...(sources && { sources }),
    ...(streams && { streams: streams as Stream[] }),
    ...(types && { types: types as EntryType[] }),
    ...(search && { search, ...(regex && { regex }) }),
    ...(from && { from }),
    ...(to && { to }),
  };
}

/** True when a filter asks for the message itself, so that counters cannot answer it. */
export function readsMessages(filter: LogFilter): boolean {
  return filter.search !== undefined || (filter.query !== undefined && hasTerm(filter.query.expr, readsMessage));
}

function readsMessage({ op }: Term): boolean {
  return op === 'text' || op === 'regex' || op === 'meta';
}

/** True when every line passes. */
export function isOpenFilter(filter: LogFilter): boolean {
  return Object.keys(filter).length === 0;
}

/** The same text for equal filters, so that readers who want the same lines can share the work. */
export function filterKey(filter: LogFilter): string {
  const { levels, sources, streams, types, search, regex, from, to, query } = filter;
  const sorted = (values: readonly string[] | undefined) => values && [...values].sort();
  const lists = [levels, sources, streams, types].map(sorted);
  return JSON.stringify([...lists, search, regex, from, to, query?.expr]);
}

/**
 * The filter as query parameters: what `readFilter` reads back to an equal filter. An empty list lets nothing pass, and no
 * parameter says that, so it becomes a level that contradicts its minimum.
 */
export function filterParams(filter: AskedFilter): Record<string, string> {
  const { levels, sources, streams, types, q = filter.query?.text } = filter;
  const params: Record<string, string> = {};
  if (levels) params.level = levels.join(',');
  if (sources?.length) params.source = sources.join(',');
  if (streams?.length) params.stream = streams.join(',');
  if (types?.length) params.type = types.join(',');
  if ([levels, sources, streams, types].some((list) => list?.length === 0)) {
    params.level = 'DEBUG';
    params.min_level = 'ERROR';
  }
  if (filter.search !== undefined) params.search = filter.search;
  if (filter.regex) params.regex = 'true';
  if (filter.from) params.from = filter.from;
  if (filter.to) params.to = filter.to;
  if (q) params.q = q;
  return params;
}

function levelsOf(names: readonly string[] | undefined, minimum: unknown): readonly Level[] | undefined {
  const exact = names?.map((name) => levelNamed('level', name));
  if (minimum === undefined || minimum === null || minimum === '')
    return exact && LEVELS.filter((level) => exact.includes(level));
  const rank = levelRank(levelNamed('min_level', minimum));
  return LEVELS.filter((level) => levelRank(level) >= rank && (exact === undefined || exact.includes(level)));
}

function levelNamed(name: string, value: unknown): Level {
  const level = parseLevel(typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value);
  if (level === undefined) throw invalid(name, LEVELS.join(', '), value);
  return level;
}

function checked(
  name: string,
  values: readonly string[] | undefined,
  fits: (value: string) => boolean,
  expected: string,
): readonly string[] | undefined {
  const bad = values?.find((value) => !fits(value));
  if (bad !== undefined) throw invalid(name, expected, bad);
  return values && [...new Set(values)];
}

function list(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const parts = (Array.isArray(value) ? value : [value]).flatMap((part) => String(part).split(','));
  const named = parts.map((part) => part.trim()).filter((part) => part !== '');
  return named.length === 0 ? undefined : named;
}

function text(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw invalid(name, 'one text', value);
  if (value.length > SEARCH_CHARS)
    throw new TrailError(
      'query_too_long',
      `${name}: expected at most ${SEARCH_CHARS} characters, got ${value.length}`,
      { errors: [{ path: name, detail: `expected at most ${SEARCH_CHARS} characters` }] },
    );
  return value;
}

function time(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const iso = parseTime(value);
  if (iso === undefined) throw invalid(name, 'ISO 8601 or Unix milliseconds', value);
  return iso;
}

function flag(name: string, value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 'false') return false;
  if (value === true || value === 'true') return true;
  throw invalid(name, 'true or false', value);
}

function invalid(name: string, expected: string, got: unknown): TrailError {
  return new TrailError('invalid_filter', `${name}: expected ${expected}, got ${JSON.stringify(got)?.slice(0, 100)}`, {
    errors: [{ path: name, detail: `expected ${expected}` }],
  });
}
