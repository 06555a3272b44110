/** Where "now" comes from, so that tests can turn the clock. Unix milliseconds. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');
/** Our own form with a day that every month has: the common case, valid without a look at the calendar. */
const ISO_SAFE = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const LOOSE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i;

/** How a time ends, by its milliseconds. */
const ENDINGS = Array.from({ length: 1_000 }, (_, ms) => `${String(ms).padStart(3, '0')}Z`);

let lastSecond = Number.NaN;
let lastPrefix = '';

/** Unix milliseconds as ISO 8601 UTC with milliseconds: 24 characters, so that text order is time order. */
export function isoTime(ms: number): string {
  // Lines come in bursts: the second is mostly the one just formatted, and formatting a date costs more than storing a line.
  const whole = Math.floor(ms);
  const second = Math.floor(whole / 1000);
  if (second !== lastSecond) {
    lastPrefix = new Date(second * 1000).toISOString().slice(0, 20);
    lastSecond = second;
  }
  return lastPrefix + (ENDINGS[whole - second * 1000] ?? '');
}

/**
 * Read a time as the contract allows it: ISO 8601 (without a zone it is UTC, a bare date is its midnight), or Unix
 * milliseconds as a number or digits.
 * @returns ISO 8601 UTC with milliseconds, or undefined when it is no time of the years 0–9999
 */
export function parseTime(value: unknown): string | undefined {
  if (typeof value === 'number') return fromMs(value);
  if (typeof value !== 'string') return undefined;
  if (ISO_SAFE.test(value)) return value;
  const text = value.trim();
  if (/^-?\d{5,16}$/.test(text)) return fromMs(Number(text));
  const match = LOOSE.exec(text);
  if (match === null) return undefined;
  const [, date, time = '00:00', zone = 'Z'] = match;
  const clock = time.length === 5 ? `${time}:00` : time.replace(',', '.');
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  if (!realDate(String(date))) return undefined;
  return fromMs(Date.parse(`${date}T${clock}${offset}`));
}

/** The earlier of two times (ISO 8601), of which the first may be missing. */
export function earlier(a: string | null, b: string): string {
  return a !== null && a < b ? a : b;
}

/** The later of two times (ISO 8601), of which the first may be missing. */
export function later(a: string | null, b: string): string {
  return a !== null && a > b ? a : b;
}

function fromMs(ms: number): string | undefined {
  if (!Number.isFinite(ms) || ms < FIRST_MS || ms > LAST_MS) return undefined;
  return isoTime(ms);
}

/** `Date.parse` takes 31 February; a date that is not in the calendar is a mistake to name, not to mend. */
function realDate(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}
