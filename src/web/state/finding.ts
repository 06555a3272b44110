import { isOpenFilter } from '../../core/filter.ts';
import { type FindText, NO_FIND } from '../lib/find.ts';
import { stretchesOutside } from '../lib/pages.ts';
import type { LogPanel } from './panel.svelte.ts';

/** Open the search with a text, or with the one that it has; the address says so, and `followFind` does it. */
export function openFind(panel: LogPanel, text: FindText = panel.address.view.find ?? NO_FIND): void {
  panel.view.stop();
  panel.findFocus += 1;
  panel.address.change({ find: text });
}

export function closeFind(panel: LogPanel): void {
  panel.address.change({ find: null });
}

/** Look for what the address says. */
export function followFind({ find }: LogPanel, wanted: FindText | null): void {
  if (wanted === null) find.end();
  else if (JSON.stringify(wanted) !== JSON.stringify(find.text)) void find.begin(wanted);
}

/** While only matches are shown, fold away what is not near one. */
export function foldUnmatched(panel: LogPanel): void {
  const { log, view, find } = panel;
  const only = find.text === null || find.text.text === '' || !isOpenFilter(log.filter) ? null : find.text.only;
  const unmatched = only === null ? [] : stretchesOutside(find.hits, only, log.total);
  if (unmatched.length === 0 && panel.unmatched.length === 0) return;
  view.refold(() => {
    panel.unmatched = unmatched;
  });
}
