import type { Part } from '../../core/outline-tree.ts';
import type { Run } from './runs.ts';

/** What a row is among its neighbours: what it begins, and what it stands for. */
export interface Placed {
  readonly group: Part | undefined;
  /** The group that the line ends. */
  readonly end: Part | undefined;
  readonly turn: Part | undefined;
  readonly call: Part | undefined;
  readonly run: Run | undefined;
  /** What belongs to it is folded away. */
  readonly folded: boolean;
  /** Lines of the task. */
  readonly total: number;
}
