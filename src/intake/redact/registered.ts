import { REDACTION_VALUE_CHARS, REDACTION_VALUES } from '../../core/limits.ts';
import type { HiddenBy, Secret } from '../../core/redaction.ts';
import { type Form, formsOf, LEAST_CHARS, linesOf } from './forms.ts';

/** Most forms that are looked for; beyond them nothing is registered. */
const FORMS = 60_000;
/** Letters of a form that are looked at first: each form has so many at least. */
const WINDOW = LEAST_CHARS;
/** How far one may go where nothing fits: a window that ends in an unknown triple begins behind its first letter. */
const STEP = WINDOW - 2;
const TABLE = 2 ** 16;
/** Comparisons that one text may take, besides four for each of its characters. */
const COMPARED = 10_000;
const FOUND = { kind: 'registered', by: 'value', rule: null } as const;
/** Shortest start of a value that is held back while its line is not ended. */
const START = 3;

/**
 * Finds thousands of values at once (Wu and Manber, 1994): by the last three letters of a window it knows how far to go on, which
 * is mostly six letters, and it compares only where the window may be the start of a form.
 */
export class Registered {
  #steps: Uint8Array | undefined;
  readonly #byWindow = new Map<string, Form[]>();
  readonly #byStart = new Map<string, Form[]>();
  readonly #values = new Set<string>();
  /** Lines too short to be looked for by themselves, by the line before them. */
  readonly #shortBehind = new Map<string, Set<string>>();
  #forms = 0;
  /** Values named from outside: they must not take the room of our own. */
  #outside = 0;

  /** False for a value that is too short, too long, or one too many. */
  add(value: string, by: HiddenBy = 'settings'): boolean {
    if (this.#values.has(value)) return true;
    const whole = value.toWellFormed();
    if (whole.trim().length < LEAST_CHARS || whole.length > REDACTION_VALUE_CHARS) return false;
    const forms = formsOf(whole);
    if (this.#forms + forms.length > FORMS) return false;
    if (by === 'outside' && ++this.#outside > REDACTION_VALUES) return false;
    this.#values.add(value);
    for (const form of forms) this.#learn(form);
    this.#learnLines(linesOf(whole));
    return true;
  }

  find(text: string, found: Secret[]): void {
    const steps = this.#steps;
    if (steps === undefined) return;
    const end = text.length;
    let compared = 0;
    // What was found last: what overlaps it makes it longer.
    let last: Range | undefined;
    for (let at = WINDOW - 1; at < end; ) {
      const step = steps[hash(text, at)] ?? STEP;
      if (step > 0) {
        at += step;
        continue;
      }
      const start = at - WINDOW + 1;
      const forms = this.#byWindow.get(text.slice(start, at + 1)) ?? [];
      compared += forms.length;
      const form = longest(forms, text, start);
      // Made to be slow: many values that begin alike, and a text of their beginnings. Nothing of the rest is shown.
      const isTooSlow = compared > 2 * end + COMPARED;
      const range = isTooSlow ? { start, end } : form && rangeOf(form, text, start);
      if (range && last && range.start <= last.end) {
        last.end = Math.max(last.end, range.end);
      } else if (range) {
        if (last) found.push({ ...last, ...FOUND });
        last = range;
      }
      if (isTooSlow) break;
      // Not behind it: another value may begin within.
      at += 1;
    }
    if (last) found.push({ ...last, ...FOUND });
  }

  /** Where the start of a value stands at the end of a text; -1 for nowhere. */
  unended(text: string): number {
    for (let start = 0; start <= text.length - START; start++) {
      const rest = text.slice(start);
      if (this.#byStart.get(rest.slice(0, START))?.some((form) => form.text.startsWith(rest))) return start;
    }
    return -1;
  }

  /** Lines, too short by themselves, that may come behind this line of a value. */
  behind(line: string): ReadonlySet<string> | undefined {
    return this.#shortBehind.get(line);
  }

  #learn(form: Form): void {
    this.#steps ??= new Uint8Array(TABLE).fill(STEP);
    for (let at = 2; at < WINDOW; at++) {
      const place = hash(form.text, at);
      this.#steps[place] = Math.min(this.#steps[place] ?? STEP, WINDOW - 1 - at);
    }
    const window = form.text.slice(0, WINDOW);
    const held = this.#byWindow.get(window);
    if (held?.some(({ text }) => text === form.text)) return;
    push(this.#byWindow, window, form);
    push(this.#byStart, form.text.slice(0, START), form);
    this.#forms += 1;
  }

  #learnLines(lines: readonly string[]): void {
    for (const [index, line] of lines.entries()) {
      const next = lines[index + 1];
      if (line === '' || next === undefined || next === '' || next.length >= LEAST_CHARS) continue;
      const held = this.#shortBehind.get(line) ?? new Set();
      this.#shortBehind.set(line, held.add(next));
    }
  }
}

function hash(text: string, last: number): number {
  const triple = (text.charCodeAt(last - 2) << 9) ^ (text.charCodeAt(last - 1) << 5) ^ text.charCodeAt(last);
  return triple & (TABLE - 1);
}

function longest(forms: readonly Form[], text: string, start: number): Form | undefined {
  let best: Form | undefined;
  for (const form of forms) {
    if (form.text.length > (best?.text.length ?? 0) && text.startsWith(form.text, start)) best = form;
  }
  return best;
}

interface Range {
  start: number;
  end: number;
}

function rangeOf({ text: form, base64 }: Form, text: string, start: number): Range {
  const end = start + form.length;
  if (!base64) return { start, end };
  const isLetter = (at: number): boolean => /[A-Za-z0-9+/_-]/.test(text.charAt(at));
  const behind = isLetter(end) ? end + 1 : end;
  const padding = text.startsWith('==', behind) ? 2 : text.startsWith('=', behind) ? 1 : 0;
  return { start: start > 0 && isLetter(start - 1) ? start - 1 : start, end: behind + padding };
}

function push(lists: Map<string, Form[]>, key: string, form: Form): void {
  const list = lists.get(key);
  if (list) list.push(form);
  else lists.set(key, [form]);
}
