import { type Static, Type } from 'typebox';
import { TrailError } from '../../core/error.ts';
import { isoTime, parseTime } from '../../core/time.ts';

const DAY_SECONDS = 24 * 60 * 60;
const YEARS_SECONDS = 3_650 * DAY_SECONDS;
/** Shorter is a mistake: it is over before it is used. */
const LEAST_SECONDS = 1;

/** When something ends, in whichever way a caller likes to say it: one of them. */
export const ExpiryFields = {
  expires_at: Type.Optional(
    Type.Union([Type.String(), Type.Number(), Type.Null()], { description: 'ISO 8601 or Unix ms; null for never' }),
  ),
  expires_in_days: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  expires_in_seconds: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
};
const Fields = Type.Object(ExpiryFields);

export interface ExpiryLimits {
  readonly nowMs: number;
  /** Longest, in seconds. */
  readonly mostSeconds?: number;
}

/** ISO 8601; null for never, undefined when nothing is said. Throws `invalid_token`. */
export function expiryOf(fields: Static<typeof Fields>, limits: ExpiryLimits): string | null | undefined {
  const given = (Object.keys(ExpiryFields) as (keyof typeof ExpiryFields)[]).filter((key) => fields[key] !== undefined);
  const [field, other] = given;
  if (other !== undefined) throw invalid(other, `expected one way to say when it ends, got ${field} as well`);
  if (field === undefined) return undefined;
  const value = fields[field];
  if (value === undefined || value === null) return null;
  const { nowMs, mostSeconds = YEARS_SECONDS } = limits;
  const atMs = field === 'expires_at' ? timeOf(value) : nowMs + Number(value) * SECONDS[field] * 1000;
  const seconds = (atMs - nowMs) / 1000;
  if (!(seconds >= LEAST_SECONDS && seconds <= mostSeconds)) {
    const most = mostSeconds / DAY_SECONDS;
    throw invalid(
      field,
      `expected a time from a second to ${most} days ahead, got ${JSON.stringify(value).slice(0, 100)}`,
    );
  }
  return isoTime(atMs);
}

const SECONDS = { expires_in_days: DAY_SECONDS, expires_in_seconds: 1 } as const;

function timeOf(value: string | number): number {
  const time = parseTime(value);
  if (time !== undefined) return Date.parse(time);
  throw invalid('expires_at', `expected ISO 8601 or Unix milliseconds, got ${JSON.stringify(value).slice(0, 100)}`);
}

function invalid(path: string, detail: string): TrailError {
  return new TrailError('invalid_token', `${path}: ${detail}`, { errors: [{ path, detail }] });
}
