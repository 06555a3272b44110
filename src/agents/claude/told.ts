import type { EntryInput } from '../../core/entry.ts';
import { entriesOf, type Made } from '../made.ts';

/** What one printed line brings, while it is put together. */
export class Told {
  readonly line: EntryInput;
  readonly entries: EntryInput[] = [];
  plan: string | undefined;
  partial: string | undefined;

  constructor(line: EntryInput) {
    this.line = line;
  }

  add(made: Made): void {
    this.entries.push(...entriesOf(this.line, made));
  }
}
