/** What the browser keeps for the reader; null where it has nothing, or keeps nothing. */
export function recall(key: string): string | null {
  try {
    return window.localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function keep(key: string, value: string): void {
  try {
    window.localStorage.setItem(key, value);
  } catch {
    // A private window may refuse; the choice then lasts as long as the page.
  }
}
