import type { TaskSort } from '../../core/query.ts';

export interface Column {
  readonly id: string;
  readonly title: string;
  /** What the server sorts by; undefined: it does not. */
  readonly sort?: TaskSort;
  /** Width as long as nobody drags it; undefined: what the others leave. */
  readonly widthPx?: number;
  readonly right?: true;
  /** It stays. */
  readonly fixed?: true;
}

export const COLUMNS = [
  { id: 'status', title: 'Status', sort: 'status', widthPx: 130 },
  { id: 'task', title: 'Task', sort: 'title', fixed: true },
  { id: 'activity', title: 'Activity', widthPx: 84 },
  { id: 'source', title: 'Source', sort: 'source', widthPx: 72 },
  { id: 'started', title: 'Started', sort: 'started_at', widthPx: 90 },
  { id: 'duration', title: 'Duration', sort: 'duration', widthPx: 78, right: true },
  { id: 'lines', title: 'Lines', sort: 'lines', widthPx: 58, right: true },
  { id: 'errors', title: 'Errors', sort: 'errors', widthPx: 58, right: true },
  { id: 'cost', title: 'Cost', sort: 'cost', widthPx: 66, right: true },
  { id: 'tags', title: 'Owner, tags', widthPx: 104 },
] as const satisfies readonly Column[];
export type ColumnId = (typeof COLUMNS)[number]['id'];

/** What the reader changed. */
export interface ColumnChoice {
  readonly hidden: readonly ColumnId[];
  readonly widths: Readonly<Partial<Record<ColumnId, number>>>;
}

export const WIDTH_PX = { least: 48, most: 900 } as const;
/** Sorts without a column of their own. */
export const MORE_SORTS: readonly { readonly sort: TaskSort; readonly title: string }[] = [
  { sort: 'created_at', title: 'Made' },
  { sort: 'updated_at', title: 'Changed' },
  { sort: 'completed_at', title: 'Ended' },
];

const NO_CHOICE: ColumnChoice = { hidden: [], widths: {} };

/** What was kept, as far as it still makes sense. */
export function readColumns(kept: string | null): ColumnChoice {
  try {
    const { hidden, widths } = JSON.parse(kept ?? '') as { hidden?: unknown; widths?: unknown };
    const known = (id: string) => COLUMNS.find((column) => column.id === id);
    const isHidden = (column: Column): boolean => Array.isArray(hidden) && hidden.includes(column.id) && !column.fixed;
    const numbers = Object.entries(typeof widths === 'object' && widths !== null ? widths : {});
    return {
      hidden: COLUMNS.filter(isHidden).map(({ id }) => id),
      widths: Object.fromEntries(
        numbers.filter(([id, px]) => known(id) && Number.isFinite(px)).map(([id, px]) => [id, widthOf(Number(px))]),
      ),
    };
  } catch {
    return NO_CHOICE;
  }
}

export function widthOf(px: number): number {
  return Math.round(Math.min(WIDTH_PX.most, Math.max(WIDTH_PX.least, px)));
}

/** In which order a column is first sorted: texts from A, figures and times from the greatest. */
export function firstOrder(sort: TaskSort): 'asc' | 'desc' {
  return sort === 'title' || sort === 'status' || sort === 'source' ? 'asc' : 'desc';
}

/** The sort that comes after this one when they are gone through by key. */
export function nextSort(sort: TaskSort): TaskSort {
  const sorts: readonly TaskSort[] = ['created_at', ...COLUMNS.flatMap((column: Column) => column.sort ?? [])];
  return sorts[(sorts.indexOf(sort) + 1) % sorts.length] ?? 'created_at';
}
