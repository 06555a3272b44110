import { plural } from './text.ts';

/** A return of the link: behind which line, and how many lines came at once then. */
export interface Return {
  readonly after: number;
  readonly lines: number;
}

/** What happened behind a line: the reader left, or the connection came back. */
export interface Breaks {
  /** The newest line when the reader left; null when they were not here before. */
  readonly leftAt: number | null;
  readonly returns: readonly Return[];
}

/** What is to be said between two lines that follow each other in the view; null for nothing. `before` is 0 at the beginning. */
export function dividerBetween(before: number, seq: number, { leftAt, returns }: Breaks): string | null {
  const back = returns.findLast(({ after, lines }) => lines > 0 && before <= after && after < seq);
  if (back !== undefined) return `reconnected, ${plural(back.lines, 'line')} caught up`;
  return leftAt !== null && leftAt > 0 && before <= leftAt && leftAt < seq ? 'new since you left' : null;
}
