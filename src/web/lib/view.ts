import { filterParams, type LogFilter, parseFilter } from '../../core/filter.ts';
import { parseStatus, type Status } from '../../core/status.ts';
import { readText } from './query.ts';

/** What of the log panel stands in the address, so that a link, a reload and "back" show the same lines. */
export interface LogView {
  readonly filter: LogFilter;
  /** The line that is marked and shown in the middle. */
  readonly seq: number | null;
}

export interface ListView {
  readonly status: readonly Status[];
  readonly q: string;
}

/** Read the address. What is not valid in it is left out: a page must open whatever someone pasted. */
export function readLogView(params: URLSearchParams): LogView {
  return { filter: readFilter(params), seq: readSeq(params.get('seq')) };
}

export function logViewParams(view: LogView): URLSearchParams {
  const params = new URLSearchParams(filterParams(view.filter));
  if (view.seq !== null) params.set('seq', String(view.seq));
  return params;
}

export function readListView(params: URLSearchParams): ListView {
  const names = params.getAll('status').flatMap((part) => part.split(','));
  return { status: [...new Set(names.flatMap(statusOf))], q: params.get('q') ?? '' };
}

export function listViewParams(view: ListView): URLSearchParams {
  const params = new URLSearchParams();
  if (view.status.length > 0) params.set('status', view.status.join(','));
  if (view.q !== '') params.set('q', view.q);
  return params;
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

function statusOf(name: string): Status[] {
  try {
    return [parseStatus(name)];
  } catch {
    return [];
  }
}
