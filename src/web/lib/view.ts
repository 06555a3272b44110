import { filterParams, type LogFilter, parseFilter } from '../../core/filter.ts';
import { type FindText, findParams, readFind } from './find.ts';
import { readPins } from './pins.ts';
import { readText } from './query.ts';
import { TIME_MODES, type TimeMode } from './time.ts';

/** What of the log panel stands in the address, so that a link, a reload and "back" show the same lines. */
export interface LogView {
  readonly filter: LogFilter;
  /** The lines that are marked; the first is shown in the middle. */
  readonly lines: LineRange | null;
  /** The line on top, where the reader stands; null at the place where the panel opens by itself. */
  readonly at: number | null;
  readonly find: FindText | null;
  /** Fields that have a column, by their paths. */
  readonly pins: readonly string[];
  readonly wrap: boolean;
  /** The panel alone, over the whole window. */
  readonly full: boolean;
  /** Null: as wide as the window is. */
  readonly histogram: boolean | null;
  /** Null: shown where there is room, and parts. */
  readonly outline: boolean | null;
  /** Null: what the reader chose for all screens. */
  readonly time: TimeMode | null;
}

/** Lines by their seq, the last included. */
export interface LineRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Read the address. What is not valid in it is left out: a page must open whatever someone pasted. `seq=120-140` is a range; so is
 * `from=120&to=140`, because a number that small is no time.
 */
export function readLogView(params: URLSearchParams): LogView {
  const range = plainRange(params);
  const rest = new URLSearchParams(params);
  if (range !== null) for (const name of ['from', 'to']) rest.delete(name);
  return {
    filter: readFilter(rest),
    lines: readLines(params.get('seq')) ?? range,
    at: readSeq(params.get('at')),
    find: readFind(params),
    pins: readPins(params.getAll('pin')),
    wrap: params.get('wrap') === '1',
    full: params.get('full') === '1',
    histogram: params.has('histogram') ? params.get('histogram') === '1' : null,
    outline: params.has('outline') ? params.get('outline') === '1' : null,
    time: TIME_MODES.find((mode) => timeName(mode) === params.get('time')) ?? null,
  };
}

export function logViewParams(view: Partial<LogView> & Pick<LogView, 'filter'>): URLSearchParams {
  const { filter, lines, at, find, pins, wrap, full, histogram, outline, time } = view;
  const params = new URLSearchParams(filterParams(filter));
  if (lines) params.set('seq', rangeText(lines));
  if (at) params.set('at', String(at));
  if (find) for (const [name, value] of Object.entries(findParams(find))) params.set(name, value);
  for (const path of pins ?? []) params.append('pin', path);
  if (wrap) params.set('wrap', '1');
  if (full) params.set('full', '1');
  if (histogram !== null && histogram !== undefined) params.set('histogram', histogram ? '1' : '0');
  if (outline !== null && outline !== undefined) params.set('outline', outline ? '1' : '0');
  if (time) params.set('time', timeName(time));
  return params;
}

/** `120`, or `120-140`. */
export function rangeText({ from, to }: LineRange): string {
  return from === to ? String(from) : `${from}-${to}`;
}

/** The list with the value added, or without it when it was there; undefined when nothing is chosen, so everything passes. */
export function toggled<T>(values: readonly T[] | undefined, value: T): readonly T[] | undefined {
  const rest = (values ?? []).filter((held) => held !== value);
  const next = rest.length === (values ?? []).length ? [...rest, value] : rest;
  return next.length === 0 ? undefined : next;
}

/** The filter with one part replaced; an undefined part is left out. */
export function withPart<K extends keyof LogFilter>(filter: LogFilter, part: K, value: LogFilter[K]): LogFilter {
  const { [part]: _, ...rest } = filter;
  return value === undefined || value === '' ? rest : { ...rest, [part]: value };
}

function readFilter(params: URLSearchParams): LogFilter {
  const { query } = readText(params.get('q') ?? '', 'lines');
  return { ...readPlainFilter(params), ...(query && { query }) };
}

/** What stands in the address beside the query. */
export function readPlainFilter(params: URLSearchParams): LogFilter {
  try {
    return parseFilter({
      level: params.getAll('level'),
      min_level: params.get('min_level') ?? undefined,
      source: params.getAll('source'),
      stream: params.getAll('stream'),
      type: params.getAll('type'),
      search: params.get('search') ?? undefined,
      regex: params.get('regex') ?? undefined,
      from: params.get('from') ?? undefined,
      to: params.get('to') ?? undefined,
    });
  } catch {
    return {};
  }
}

function readSeq(text: string | null): number | null {
  const seq = text !== null && /^\d{1,15}$/.test(text) ? Number(text) : 0;
  return seq > 0 ? seq : null;
}

function readLines(text: string | null): LineRange | null {
  const [first, last = first, more] = text?.split('-') ?? [];
  const [a, b] = [readSeq(first ?? null), readSeq(last ?? null)];
  return a === null || b === null || more !== undefined ? null : { from: Math.min(a, b), to: Math.max(a, b) };
}

function plainRange(params: URLSearchParams): LineRange | null {
  const [from, to] = [params.get('from') ?? '', params.get('to') ?? ''];
  return SEQ.test(from) && SEQ.test(to) ? readLines(`${from}-${to}`) : null;
}

/** As a time it would be within the first four months of 1970. */
const SEQ = /^\d{1,10}$/;

function timeName(mode: TimeMode): string {
  return mode.replace(' ', '-');
}
