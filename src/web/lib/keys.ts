/** True while single letters belong to a field that the reader types in. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  const isField = target.matches('input:not([type=checkbox]), textarea, select');
  return target.isContentEditable || isField || target.closest('dialog') !== null;
}

/** True when Enter or Space would press something already. */
export function isPressing(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest('a, button, summary') !== null;
}
