import { type Order, TASK_SORTS, type TaskSort } from '../../core/query.ts';
import { parseStatus, type Status } from '../../core/status.ts';

/** What tasks are told apart by, beside their list; the names are those of the API and of the query language. */
export const FACETS = ['status', 'source', 'kind', 'agent', 'tag'] as const;
export type Facet = (typeof FACETS)[number];

/** What of the list of tasks stands in the address. */
export interface ListView {
  /** The values that are chosen of each facet; none: everything passes. */
  readonly chosen: Readonly<Partial<Record<Facet, readonly string[]>>>;
  readonly q: string;
  readonly sort: TaskSort;
  readonly order: Order;
}

export const PLAIN_VIEW: ListView = { chosen: {}, q: '', sort: 'created_at', order: 'desc' };

/** What is not valid in the address is left out. */
export function readListView(params: URLSearchParams): ListView {
  const chosen: Partial<Record<Facet, readonly string[]>> = {};
  for (const facet of FACETS) {
    const named = params.getAll(facet).flatMap((part) => part.split(','));
    const values = named.map((part) => part.trim()).filter((part) => part !== '');
    const known = facet === 'status' ? values.flatMap(statusOf) : values;
    if (known.length > 0) chosen[facet] = [...new Set(known)];
  }
  const sort = TASK_SORTS.find((name) => name === params.get('sort')) ?? PLAIN_VIEW.sort;
  return { chosen, q: params.get('q') ?? '', sort, order: params.get('order') === 'asc' ? 'asc' : 'desc' };
}

/** The parameters of the address, which are those of the API too. */
export function listViewParams({ chosen, q, sort, order }: ListView): URLSearchParams {
  const params = new URLSearchParams();
  for (const facet of FACETS) if (chosen[facet]?.length) params.set(facet, chosen[facet].join(','));
  if (q !== '') params.set('q', q);
  if (sort !== PLAIN_VIEW.sort) params.set('sort', sort);
  if (order !== PLAIN_VIEW.order) params.set('order', order);
  return params;
}

export function isFiltered({ chosen, q }: ListView): boolean {
  return q.trim() !== '' || FACETS.some((facet) => chosen[facet]?.length);
}

/** The view with other values of one facet chosen. */
export function withChosen(view: ListView, facet: Facet, values: readonly string[]): ListView {
  const { [facet]: _, ...rest } = view.chosen;
  return { ...view, chosen: values.length > 0 ? { ...rest, [facet]: values } : rest };
}

/** Only this value; everything again when it was chosen alone. */
export function withOnly(view: ListView, facet: Facet, value: string): ListView {
  const held = view.chosen[facet] ?? [];
  return withChosen(view, facet, held.length === 1 && held[0] === value ? [] : [value]);
}

function statusOf(name: string): Status[] {
  try {
    return [parseStatus(name)];
  } catch {
    return [];
  }
}
