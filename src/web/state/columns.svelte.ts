import { COLUMNS, type Column, type ColumnId, readColumns, widthOf } from '../lib/columns.ts';
import { keep, recall } from '../lib/keep.ts';

const KEY = 'tasktrail.columns';

/** Which columns the list of tasks has, and how wide. Kept in the browser. */
export class Columns {
  #choice = $state.raw(readColumns(recall(KEY)));

  get shown(): readonly Column[] {
    return COLUMNS.filter(({ id }) => !this.#choice.hidden.includes(id));
  }

  get isPlain(): boolean {
    return this.#choice.hidden.length === 0 && Object.keys(this.#choice.widths).length === 0;
  }

  shows(id: ColumnId): boolean {
    return !this.#choice.hidden.includes(id);
  }

  /** Undefined: what the others leave. */
  widthPx(column: Column): number | undefined {
    return this.#choice.widths[column.id as ColumnId] ?? column.widthPx;
  }

  toggle(id: ColumnId): void {
    const { hidden } = this.#choice;
    const next = hidden.includes(id) ? hidden.filter((held) => held !== id) : [...hidden, id];
    this.#choose({ ...this.#choice, hidden: next });
  }

  resize(column: Column, widthPx: number): void {
    this.#choose({ ...this.#choice, widths: { ...this.#choice.widths, [column.id]: widthOf(widthPx) } });
  }

  /** As wide as it is by itself. */
  release(column: Column): void {
    const { [column.id as ColumnId]: _, ...widths } = this.#choice.widths;
    this.#choose({ ...this.#choice, widths });
  }

  readonly reset = (): void => this.#choose({ hidden: [], widths: {} });

  #choose(choice: ReturnType<typeof readColumns>): void {
    this.#choice = choice;
    keep(KEY, JSON.stringify(choice));
  }
}
