/** First, and then again and again, it is looked for lines that no filter knows. */
const FIRST_MS = 5_000;
const EVERY_MS = 30_000;
/** A step takes about as long: those who append meanwhile get at least half of the time. */
const PAUSE_MS = 2;

/** A store that does this in steps, and says whether more is left to do. */
interface Fillable {
  fillFilters(): boolean;
}

/** Make the filters that the search lacks: of lines that came before an unexpected end, or by several processes at once. */
export function keepFiltered(store: Fillable): { close(): void } {
  let timer = setTimeout(step, FIRST_MS);
  function step(): void {
    let more = false;
    try {
      more = store.fillFilters();
    } catch {
      // Lines without a filter are looked at; what could not be done now is tried again.
    }
    timer = setTimeout(step, more ? PAUSE_MS : EVERY_MS);
  }
  return { close: () => clearTimeout(timer) };
}
