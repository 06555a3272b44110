import { parseTime } from '../../core/time.ts';

/** Where the reader wants to go: a line, or a moment. */
export type Place = { readonly seq: number } | { readonly atMs: number };

/** What a place is told against. */
export interface PlaceFacts {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly nowMs: number;
  /** What the reader's zone adds to UTC, as the times of lines are shown. */
  readonly offsetMinutes: number;
}

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DAY_MS = UNITS.d;

/**
 * Read `12000`, `14:02`, `14:02:11.5`, `-5m`, `2026-11-21T14:02Z`; undefined when it is none. A time of day is that of the newest day
 * on which it lies within the lines, else of the day of the first line.
 */
export function readPlace(written: string, facts: PlaceFacts): Place | undefined {
  const text = written.trim().replace(/^:/, '');
  if (/^\d{1,15}$/.test(text)) return Number(text) > 0 ? { seq: Number(text) } : undefined;
  const ago = /^-(\d{1,6}(?:\.\d{1,3})?)([smhd])$/.exec(text);
  if (ago) return { atMs: facts.nowMs - Number(ago[1]) * UNITS[ago[2] as keyof typeof UNITS] };
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,3})?)?$/.exec(text);
  if (clock === null) {
    const iso = parseTime(text);
    return iso === undefined ? undefined : { atMs: Date.parse(iso) };
  }
  const [hours, minutes, seconds] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0)];
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  const ofDayMs = hours * UNITS.h + minutes * UNITS.m + seconds * UNITS.s + Math.round(Number(clock[4] ?? 0) * 1_000);
  return { atMs: clockTime(ofDayMs, facts) };
}

function clockTime(ofDayMs: number, { firstMs, lastMs, offsetMinutes }: PlaceFacts): number {
  const shiftMs = offsetMinutes * UNITS.m;
  const onDayOf = (ms: number): number => Math.floor((ms + shiftMs) / DAY_MS) * DAY_MS + ofDayMs - shiftMs;
  const last = onDayOf(lastMs);
  const newest = last <= lastMs ? last : last - DAY_MS;
  return newest >= firstMs ? newest : onDayOf(firstMs);
}
