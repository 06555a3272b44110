import type { Json } from '../core/entry.ts';
import type { HiddenBy, RedactionRule, Secret } from '../core/redaction.ts';
import { isColoured, placesIn, uncoloured } from './redact/colours.ts';
import { Registered } from './redact/registered.ts';
import { Rules } from './redact/rules.ts';
import { merged, replaced } from './redact/secrets.ts';
import { Shapes, unendedToken } from './redact/shapes.ts';

/**
 * Secrets leave a text before it is stored, shown or spooled: known token shapes (by prefix, alphabet and least length, so that
 * ordinary words and hashes stay), values that were registered, and what rules of one's own find. Each becomes `[redacted:<kind>]`.
 */
export interface Redactor {
  mask(text: string): string;
  /** The same for JSON text, which stays JSON: the texts inside are masked, keys too. */
  maskJson(json: string): string;
  /** The same for a line that is not ended: what may be the start of a secret is held back. */
  maskUnended(text: string): string;
  /** Hide this value wherever it stands. False for one under 8 characters, which would hide ordinary words, and for one too many. */
  register(value: string, by?: HiddenBy): boolean;
  /** What would be masked, in order. */
  find(text: string): readonly Secret[];
  /** Lines, too short to be looked for by themselves, that may come behind this line of a registered value. */
  linesBehind(line: string): ReadonlySet<string> | undefined;
  /** Count one that was masked elsewhere. */
  tell(kind: string): void;
  /** How many secrets were replaced so far, and by kind. */
  readonly count: number;
  readonly counts: Readonly<Record<string, number>>;
}

const NOTHING: readonly Secret[] = [];
/** How much of the end of an unended line is looked at; a longer word than this is held back whole. */
const TAIL_CHARS = 4_096;
/** Longest start of a registered value that is looked for. */
const VALUE_CHARS = 64;
/** Shortest start of a secret that is masked where the rest was cut off. */
const LEAST_CUT_CHARS = 6;
/** One line of a key, as far as it came. */
const KEY_LINE = /^\s*[A-Za-z0-9+/]{16,}={0,2}\s*$/;

/** A redactor of its own: what is registered in one is not known to another. Throws `invalid_setting` for a wrong rule. */
export function createRedactor(values: readonly string[] = [], ownRules: readonly RedactionRule[] = []): Redactor {
  const shapes = new Shapes();
  const registered = new Registered();
  const rules = new Rules(ownRules);
  const counts = new Map<string, number>();
  const tell = (kind: string): void => void counts.set(kind, (counts.get(kind) ?? 0) + 1);

  function findPlain(text: string, found: Secret[]): void {
    shapes.find(text, found);
    registered.find(text, found);
    rules.find(text, found);
  }

  function find(text: string): readonly Secret[] {
    const found: Secret[] = [];
    findPlain(text, found);
    if (isColoured(text)) findColoured(text, found);
    if (text.endsWith('…')) findCut(text, found);
    return found.length === 0 ? NOTHING : merged(found);
  }

  /** Sequences may stand within a secret, which does not hide it. */
  function findColoured(text: string, found: Secret[]): void {
    const inPlain: Secret[] = [];
    findPlain(uncoloured(text), inPlain);
    if (inPlain.length === 0) return;
    const placeOf = placesIn(text);
    for (const span of inPlain) {
      found.push({ ...span, start: placeOf(span.start), end: placeOf(span.end - 1) + 1 });
    }
  }

  /** The start of a secret whose end was cut off, as texts are that were too long. */
  function findCut(text: string, found: Secret[]): void {
    const end = text.length - 1;
    const tailFrom = Math.max(0, end - TAIL_CHARS);
    const valueFrom = Math.max(0, end - VALUE_CHARS);
    const token = unendedToken(text.slice(tailFrom, end));
    const value = registered.unended(text.slice(valueFrom, end));
    if (token >= 0 && end - token - tailFrom >= LEAST_CUT_CHARS) {
      found.push({ start: token + tailFrom, end, kind: 'cut', by: 'shape', rule: null });
    }
    if (value >= 0 && end - value - valueFrom >= LEAST_CUT_CHARS) {
      found.push({ start: value + valueFrom, end, kind: 'registered', by: 'value', rule: null });
    }
  }

  function maskFound(text: string, spans: readonly Secret[]): string {
    if (spans.length === 0) return text;
    for (const { kind } of spans) tell(kind);
    return replaced(text, spans);
  }

  const redactor: Redactor = {
    get count() {
      return [...counts.values()].reduce((sum, count) => sum + count, 0);
    },
    get counts() {
      return Object.fromEntries(counts);
    },
    mask: (text) => maskFound(text, find(text)),
    maskJson(json) {
      // Mostly there is nothing to hide, and a look at the whole is enough, unless escapes make texts look different from what
      // they are. A replacement in the JSON itself could tear an escape or take a quote along.
      if (!json.includes('\\') && find(json).length === 0) return json;
      return maskedJson(json, redactor.mask);
    },
    maskUnended(text) {
      const from = unendedFrom(uncoloured(text));
      const shown = from < 0 ? text : text.slice(0, placesIn(text)(from));
      // Not counted: the line itself is still to come.
      return replaced(shown, find(shown));
    },
    register: (value, by) => registered.add(value, by),
    find,
    linesBehind: (line) => registered.behind(line),
    tell,
  };

  /** From where on a line must not be shown while it is not ended; -1 when all of it may. */
  function unendedFrom(text: string): number {
    if (KEY_LINE.test(text)) return 0;
    const tailFrom = Math.max(0, text.length - TAIL_CHARS);
    const tail = text.slice(tailFrom);
    if (tailFrom > 0 && !/[\s"']/.test(tail)) return Math.max(0, text.search(/\S+$/));
    const valueFrom = Math.max(0, text.length - VALUE_CHARS);
    const starts = [
      [unendedToken(tail), tailFrom],
      [rules.unended(tail), tailFrom],
      [registered.unended(text.slice(valueFrom)), valueFrom],
    ] as const;
    const found = starts.flatMap(([at, before]) => (at < 0 ? [] : [at + before]));
    return found.length === 0 ? -1 : Math.min(...found);
  }

  for (const value of values) redactor.register(value);
  return redactor;
}

/** JSON text with every text in it masked; the same text when nothing was. */
export function maskedJson(json: string, mask: (text: string) => string): string {
  let changed = false;
  const value = maskedValue(JSON.parse(json) as Json, {
    mask: (text) => {
      const shown = mask(text);
      changed ||= shown !== text;
      return shown;
    },
  });
  return changed ? JSON.stringify(value) : json;
}

/** A JSON value with every text in it masked, however deep, keys too. */
export function maskedValue<T extends Json>(value: T, redactor: Pick<Redactor, 'mask'>): T {
  return masked(value, redactor) as T;
}

function masked(value: Json, redactor: Pick<Redactor, 'mask'>): Json {
  if (typeof value === 'string') return redactor.mask(value.toWellFormed());
  if (Array.isArray(value)) return value.map((held: Json) => masked(held, redactor));
  if (typeof value !== 'object' || value === null) return value;
  // Entries, so that a key `__proto__` stays a key.
  const entries: [string, Json][] = [];
  // Two secrets of a kind as keys would fall together, and one value with them. Where to go on counting is remembered: a search
  // from 2 for each of many like names would take quadratic time.
  const lastNumber = new Map<string, number>();
  for (const [key, held] of Object.entries(value)) {
    const name = redactor.mask(key.toWellFormed());
    let unique = name;
    let number = lastNumber.get(name) ?? 0;
    while (lastNumber.has(unique)) unique = `${name} ${++number + 1}`;
    lastNumber.set(name, number);
    if (unique !== name) lastNumber.set(unique, 0);
    entries.push([unique, masked(held, redactor)]);
  }
  return Object.fromEntries(entries);
}
