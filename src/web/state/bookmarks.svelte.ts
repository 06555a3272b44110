const KEY = 'tasktrail.bookmarks';
/** Tasks that are remembered, the ones seen last, and marks of each. */
const TASKS_KEPT = 100;
const MARKS_KEPT = 500;

interface Kept {
  readonly task: string;
  /** The newest line when the reader left. */
  readonly seq: number;
  readonly marks: readonly number[];
}

/** What this browser remembers of a task: the reader's marks, and how far the lines came when they left. */
export class Bookmarks {
  /** By seq, in order. */
  marks = $state.raw<readonly number[]>([]);
  /** Lines behind this one are new to the reader; null when they were not here before. */
  readonly leftAt: number | null;
  readonly #task: string;

  constructor(task: string) {
    this.#task = task;
    const kept = recall().find((each) => each.task === task);
    this.marks = kept?.marks ?? [];
    this.leftAt = kept?.seq ?? null;
  }

  /** Mark a line, or take its mark away. */
  toggle(seq: number): void {
    const without = this.marks.filter((mark) => mark !== seq);
    const more = without.length === this.marks.length ? [...without, seq].slice(-MARKS_KEPT) : without;
    this.marks = more.sort((a, b) => a - b);
    this.#keep(this.leftAt ?? 0);
  }

  near(seq: number, order: 'next' | 'previous'): number | undefined {
    return order === 'next' ? this.marks.find((mark) => mark > seq) : this.marks.findLast((mark) => mark < seq);
  }

  /** The reader goes; the next time, lines behind this one are new. */
  leave(seq: number): void {
    this.#keep(Math.max(seq, this.leftAt ?? 0));
  }

  #keep(seq: number): void {
    const others = recall().filter(({ task }) => task !== this.#task);
    const kept: Kept[] = [{ task: this.#task, seq, marks: this.marks }, ...others];
    try {
      window.localStorage.setItem(KEY, JSON.stringify(kept.slice(0, TASKS_KEPT)));
    } catch {
      // A private window may refuse; then nothing is remembered.
    }
  }
}

function recall(): readonly Kept[] {
  try {
    const held: unknown = JSON.parse(window.localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(held) ? held.flatMap(keptOf) : [];
  } catch {
    return [];
  }
}

function keptOf(value: unknown): Kept[] {
  if (typeof value !== 'object' || value === null) return [];
  const { task, seq, marks } = value as Record<string, unknown>;
  if (typeof task !== 'string' || typeof seq !== 'number' || !Array.isArray(marks)) return [];
  return [{ task, seq, marks: marks.filter((mark) => Number.isSafeInteger(mark)) }];
}
