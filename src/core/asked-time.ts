import { TrailError } from './error.ts';
import { parseTime } from './time.ts';

/** A time that a caller asks for, as ISO 8601. Throws `invalid_parameter` that names the parameter. */
export function askedTime(path: string, value: string): string {
  const time = parseTime(value);
  if (time !== undefined) return time;
  throw invalidParameter(path, 'expected ISO 8601 or Unix milliseconds', value);
}

/** What is wrong with a parameter, and the start of what came instead. */
export function invalidParameter(path: string, detail: string, got: string): TrailError {
  return new TrailError('invalid_parameter', `${path}: ${detail}, got ${JSON.stringify(got.slice(0, 100))}`, {
    errors: [{ path, detail }],
  });
}
