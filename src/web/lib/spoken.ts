import { plural } from './text.ts';

/** What a reader wants to hear of new lines; `errors at once` interrupts what is being said. */
export const SPOKEN = ['lines', 'errors', 'errors at once', 'nothing'] as const;
export type Spoken = (typeof SPOKEN)[number];

/** What came since the last beat, as it is said; empty when there is nothing to say. */
export function summaryOf({ added, bad }: { added: number; bad: number }, spoken: Spoken): string {
  if (added <= 0 || spoken === 'nothing') return '';
  if (spoken !== 'lines') return bad > 0 ? plural(bad, 'new error') : '';
  return `${plural(added, 'new line')}${bad > 0 ? `, ${plural(bad, 'error')}` : ''}`;
}
