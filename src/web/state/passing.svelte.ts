/** A value that goes away by itself. */
export class Passing<T> {
  value = $state.raw<T | null>(null);
  readonly #shownMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(shownMs: number) {
    this.#shownMs = shownMs;
  }

  show(value: T): void {
    this.value = value;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.value = null;
    }, this.#shownMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
