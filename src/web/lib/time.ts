/** How the times of lines are shown; a click on the mode goes to the next. */
export const TIME_MODES = ['local', 'utc', 'since start', 'relative'] as const;
export type TimeMode = (typeof TIME_MODES)[number];

const MINUTE_MS = 60_000;

/** What a line's time may be told against. */
export interface TimeFrame {
  readonly startIso: string | null;
  readonly nowMs: number;
  /** What the reader's zone adds to UTC. */
  readonly offsetMinutes: number;
}

/** A line's time for its column: `14:02:11.042`, `+00:04.120` since the start, or `4m ago`. */
export function lineTime(iso: string, mode: TimeMode, { startIso, nowMs, offsetMinutes }: TimeFrame): string {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return iso.slice(0, 12);
  if (mode === 'relative') return ago(iso, nowMs);
  if (mode === 'since start' && startIso !== null) return sinceStart(ms - Date.parse(startIso));
  const shift = mode === 'local' ? offsetMinutes : 0;
  return new Date(ms + shift * MINUTE_MS).toISOString().slice(11, 23);
}

/** A moment with its day: `2026-01-24 14:02:11`. */
export function dateTime(iso: string, offsetMinutes: number): string {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return iso.slice(0, 19);
  return new Date(ms + offsetMinutes * MINUTE_MS).toISOString().slice(0, 19).replace('T', ' ');
}

/** The zone as text: `UTC`, `UTC+05:30`. */
export function zoneName(mode: TimeMode, offsetMinutes: number): string {
  if (mode === 'since start' || mode === 'relative') return mode;
  if (mode === 'utc' || offsetMinutes === 0) return 'UTC';
  const abs = Math.abs(offsetMinutes);
  return `UTC${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(abs / 60))}:${two(abs % 60)}`;
}

/** What the reader's zone adds to UTC at a moment, in minutes. */
export function offsetAt(iso: string): number {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? 0 : -new Date(ms).getTimezoneOffset();
}

/** A span for people: `420 ms`, `4.2 s`, `3m 07s`, `2h 14m`, `3d 02h`. */
export function duration(ms: number): string {
  if (ms < 0) return '0 s';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h ${two(Math.floor(seconds / 60) % 60)}m`;
  return `${Math.floor(seconds / 86_400)}d ${two(Math.floor(seconds / 3_600) % 24)}h`;
}

/** How long ago: `just now`, `4m ago`, `3h ago`, else the date. */
export function ago(iso: string, nowMs: number): string {
  const seconds = Math.floor((nowMs - Date.parse(iso)) / 1_000);
  if (seconds < 10) return 'just now';
  if (seconds < 60) return `${seconds}s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h ago`;
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)}d ago`;
  return iso.slice(0, 10);
}

function sinceStart(ms: number): string {
  const abs = Math.abs(ms);
  const hours = Math.floor(abs / 3_600_000);
  const clock = new Date(abs % 86_400_000).toISOString();
  return `${ms < 0 ? '-' : '+'}${hours > 0 ? `${hours}:` : ''}${clock.slice(14, 23)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
