/**
 * A row that is scrolled out of the window is taken away, and the focus with it: the panel holds it then, and gives it back when the
 * row is there again, so that the keyboard stays where it was.
 */
export function keepFocus(rows: HTMLElement): () => void {
  const log = rows.closest<HTMLElement>('[role=log]');
  let held: { readonly seq: string; readonly place: number } | null = null;

  function rowOf(seq: string): HTMLElement | null {
    return rows.querySelector<HTMLElement>(`[data-seq="${CSS.escape(seq)}"]`);
  }
  function onFocusIn({ target }: FocusEvent): void {
    const row = target instanceof Element ? target.closest<HTMLElement>('[data-seq]') : null;
    if (row) held = { seq: row.dataset.seq ?? '', place: focusable(row).indexOf(target as HTMLElement) };
  }
  function onFocusOut({ relatedTarget }: FocusEvent): void {
    if (relatedTarget !== null && relatedTarget !== log) held = null;
  }
  function onChange(): void {
    if (held === null) return;
    const row = rowOf(held.seq);
    const { activeElement } = document;
    if (row === null && activeElement === document.body) log?.focus({ preventScroll: true });
    else if (row !== null && activeElement === log) focusable(row)[held.place]?.focus({ preventScroll: true });
  }

  const watch = new MutationObserver(onChange);
  watch.observe(rows, { childList: true });
  rows.addEventListener('focusin', onFocusIn);
  rows.addEventListener('focusout', onFocusOut);
  return () => {
    watch.disconnect();
    rows.removeEventListener('focusin', onFocusIn);
    rows.removeEventListener('focusout', onFocusOut);
  };
}

function focusable(row: HTMLElement): readonly HTMLElement[] {
  return [...row.querySelectorAll<HTMLElement>('a[href], button')];
}
