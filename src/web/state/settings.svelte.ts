import { keep, recall } from '../lib/keep.ts';
import { SPOKEN, type Spoken } from '../lib/spoken.ts';
import { TIME_MODES, type TimeMode } from '../lib/time.ts';

export const THEMES = ['system', 'light', 'dark', 'contrast'] as const;
export type Theme = (typeof THEMES)[number];

const THEME_KEY = 'tasktrail.theme';
const TIME_KEY = 'tasktrail.time';
const PLAIN_KEY = 'tasktrail.plain';
const REPEATS_KEY = 'tasktrail.repeats';
const SPOKEN_KEY = 'tasktrail.spoken';

/** What the reader chose for all screens. Kept in the browser; a browser that keeps nothing gets the defaults. */
export class Settings {
  theme = $state<Theme>(oneOf(THEMES, recall(THEME_KEY)));
  timeMode = $state<TimeMode>(oneOf(TIME_MODES, recall(TIME_KEY)));
  /** Lines without colours, and JSON as it was written. */
  plain = $state(recall(PLAIN_KEY) === 'on');
  /** Lines that repeat are told once. */
  repeats = $state(recall(REPEATS_KEY) !== 'off');

  /** What is said aloud of new lines, to those who hear the page. */
  spoken = $state<Spoken>(oneOf(SPOKEN, recall(SPOKEN_KEY)));

  constructor() {
    this.#paint();
  }

  nextTheme(): void {
    this.setTheme(after(THEMES, this.theme));
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    keep(THEME_KEY, this.theme);
    this.#paint();
  }

  nextTimeMode(): void {
    this.setTimeMode(after(TIME_MODES, this.timeMode));
  }

  setTimeMode(mode: TimeMode): void {
    this.timeMode = mode;
    keep(TIME_KEY, mode);
  }

  togglePlain(): void {
    this.plain = !this.plain;
    keep(PLAIN_KEY, this.plain ? 'on' : 'off');
  }

  toggleRepeats(): void {
    this.repeats = !this.repeats;
    keep(REPEATS_KEY, this.repeats ? 'on' : 'off');
  }

  setSpoken(spoken: Spoken): void {
    this.spoken = spoken;
    keep(SPOKEN_KEY, spoken);
  }

  #paint(): void {
    document.documentElement.dataset.theme = this.theme;
  }
}

function oneOf<T extends string>(values: readonly [T, ...T[]], value: string | null): T {
  return values.find((known) => known === value) ?? values[0];
}

function after<T>(values: readonly T[], value: T): T {
  return values[(values.indexOf(value) + 1) % values.length] ?? value;
}
