import type { Part } from '../../core/outline-tree.ts';
import type { Stretch } from './pages.ts';

/** What the reader chose of a task's groups: by the first line of each, whether it is folded. */
export type FoldChoice = ReadonlyMap<number, boolean>;

const KEY = 'tasktrail.folds';
/** Tasks that are remembered, the ones chosen in last, and choices of each. */
const TASKS_KEPT = 50;
const CHOICES_KEPT = 500;

/** All groups, those within others too, in order of their first line. */
export function groupsIn(parts: readonly Part[]): readonly Part[] {
  return parts.flatMap((part) => [...(part.kind === 'group' ? [part] : []), ...groupsIn(part.parts)]);
}

/** What went well and is over is folded, unless the reader chose otherwise; what failed or goes on is open. */
export function isGroupFolded(part: Part, choice: FoldChoice): boolean {
  if (part.to !== null && part.to <= part.from) return false;
  return choice.get(part.from) ?? (!part.open && part.errors === 0 && !part.failed);
}

/** The rows behind the first line of each folded group; without a filter a row is its line's number less one. */
export function groupFolds(groups: readonly Part[], choice: FoldChoice, total: number): readonly Stretch[] {
  return groups.flatMap((part) => {
    if (!isGroupFolded(part, choice)) return [];
    return [{ start: part.from, count: Math.max(0, Math.min(part.to ?? total, total) - part.from) }];
  });
}

/** The groups that a line lies in, without the one that it begins. */
export function groupsAround(groups: readonly Part[], seq: number): readonly Part[] {
  return groups.filter(({ from, to }) => from < seq && (to === null || seq <= to));
}

/** The first line of the next group, or of the one before. */
export function groupNear(groups: readonly Part[], seq: number, order: 'next' | 'previous'): number | undefined {
  if (order === 'next') return groups.find(({ from }) => from > seq)?.from;
  return groups.findLast(({ from }) => from < seq)?.from;
}

export function recallFolds(task: string): FoldChoice {
  const kept = recall().find((each) => each.task === task);
  return new Map(kept?.folds);
}

export function keepFolds(task: string, choice: FoldChoice): void {
  const others = recall().filter((each) => each.task !== task);
  const folds = [...choice].slice(-CHOICES_KEPT);
  try {
    window.localStorage.setItem(KEY, JSON.stringify([{ task, folds }, ...others].slice(0, TASKS_KEPT)));
  } catch {
    // A private window may refuse; then nothing is remembered.
  }
}

interface Kept {
  readonly task: string;
  readonly folds: readonly (readonly [seq: number, folded: boolean])[];
}

function recall(): readonly Kept[] {
  try {
    const held: unknown = JSON.parse(window.localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(held) ? held.filter(isKept) : [];
  } catch {
    return [];
  }
}

function isKept(value: unknown): value is Kept {
  const { task, folds } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Kept>;
  return typeof task === 'string' && Array.isArray(folds) && folds.every(isChoice);
}

function isChoice(value: unknown): boolean {
  return Array.isArray(value) && Number.isSafeInteger(value[0]) && typeof value[1] === 'boolean';
}
