import { parseTime } from '../core/time.ts';

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
};
const NUMBER = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const DURATION = /^(.+?)(ms|s|m|h|d)?$/i;
const AGO = /^-(\d+(?:\.\d+)?)(s|m|h|d|w)$/i;

/** A number as people write it; undefined when it is none. */
export function readNumber(text: string): number | undefined {
  const number = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

/** A duration in seconds: `10m`, `1.5h`, `250ms`; without a unit it is seconds. */
export function readDuration(text: string): number | undefined {
  const [, number = '', unit = 's'] = DURATION.exec(text) ?? [];
  const count = readNumber(number);
  if (count === undefined || count < 0) return undefined;
  // A thousandth is not a number of its own: 5 ms are 0.005 s only by division.
  const seconds = unit.toLowerCase() === 'ms' ? count / 1000 : count * secondsOf(unit);
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** A moment as ISO 8601: a date, a time, or how long ago it was (`-2h`). */
export function readMoment(text: string, nowMs: number): string | undefined {
  const [, count, unit = 's'] = AGO.exec(text) ?? [];
  return parseTime(count === undefined ? text : Math.floor(nowMs - Number(count) * secondsOf(unit) * 1000));
}

function secondsOf(unit: string): number {
  return UNIT_SECONDS[unit.toLowerCase()] ?? 1;
}
