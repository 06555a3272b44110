import type { Part } from '../../core/outline-tree.ts';

/** A part as a row of the outline. */
export interface OutlineRow {
  readonly part: Part;
  readonly depth: number;
  /** It holds parts; null when it holds none. */
  readonly open: boolean | null;
}

/** In a larger outline only the outermost parts stand open until the reader opens more. */
const OPEN_ROWS = 400;

/** The parts to list, those within open ones too. `chosen` is what the reader opened or closed, by first line. */
export function outlineRows(
  parts: readonly Part[],
  chosen: ReadonlyMap<number, boolean>,
  count: number,
): readonly OutlineRow[] {
  const rows: OutlineRow[] = [];
  const add = (list: readonly Part[], depth: number): void => {
    for (const part of list) {
      const open = part.parts.length === 0 ? null : (chosen.get(part.from) ?? count <= OPEN_ROWS);
      rows.push({ part, depth, open });
      if (open) add(part.parts, depth + 1);
    }
  };
  add(parts, 0);
  return rows;
}

/** The row whose part the reader is in, the innermost; between parts that before; -1 before the first. */
export function currentRow(rows: readonly OutlineRow[], seq: number): number {
  const within = rows.findLastIndex(({ part }) => part.from <= seq && (part.to === null || seq <= part.to));
  return within === -1 ? rows.findLastIndex(({ part }) => part.from <= seq) : within;
}

/** How much of the longest part's time a part took, 0–1. */
export function shareOf(part: Part, longestMs: number): number {
  return part.durationMs === null || longestMs <= 0 ? 0 : Math.min(1, part.durationMs / longestMs);
}
