export const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const;
export type Level = (typeof LEVELS)[number];

const NAMES: ReadonlyMap<string, Level> = new Map([
  ...LEVELS.map((level) => [level, level] as const),
  ['TRACE', 'DEBUG'],
  ['VERBOSE', 'DEBUG'],
  ['NOTICE', 'INFO'],
  ['WARN', 'WARNING'],
  ['ERR', 'ERROR'],
  ['FATAL', 'ERROR'],
  ['CRITICAL', 'ERROR'],
]);
/** Numbers of pino (https://github.com/pinojs/pino, lib/constants.js). */
const PINO: ReadonlyMap<number, Level> = new Map([
  [10, 'DEBUG'],
  [20, 'DEBUG'],
  [30, 'INFO'],
  [40, 'WARNING'],
  [50, 'ERROR'],
  [60, 'ERROR'],
]);

/** Place of a level in the order DEBUG 0 … ERROR 3. */
export function levelRank(level: Level): number {
  return LEVELS.indexOf(level);
}

/** OpenTelemetry's severity number (1–24) as a level. */
export function levelOfSeverity(severity: number): Level | undefined {
  if (!Number.isInteger(severity) || severity < 1 || severity > 24) return undefined;
  if (severity >= 17) return 'ERROR';
  if (severity >= 13) return 'WARNING';
  return severity >= 9 ? 'INFO' : 'DEBUG';
}

/** Read a level as people write it: a name in any case, a pino number (10, 20 … 60) or an OpenTelemetry one (other 1–24). */
export function parseLevel(value: unknown): Level | undefined {
  if (typeof value === 'string') return NAMES.get(value) ?? NAMES.get(value.trim().toUpperCase());
  if (typeof value !== 'number') return undefined;
  return PINO.get(value) ?? levelOfSeverity(value);
}
