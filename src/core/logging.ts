import { type Fault, TrailError } from './error.ts';
import { LEVELS, type Level, parseLevel } from './level.ts';

/** What is written and kept: the server's own lines, tasks' lines of type `log`, and the lines of `beliefScope`. */
export interface Logging {
  /** Lowest level of the server's own lines. */
  readonly level: Level;
  /** Lowest level that is kept of tasks' lines of type `log`. */
  readonly taskLogLevel: Level;
  readonly enableBeliefState: boolean;
}

/** Null returns to what the environment says; what is left out stays. */
export type LoggingChange = { readonly [K in keyof Logging]?: Logging[K] | null };

/** Changes logging while the server runs. */
export interface LoggingControl {
  readonly current: Logging;
  /** Keep the change durably, then apply it at once. */
  change(change: LoggingChange): Promise<Logging>;
}

/** A change as callers give it, in the names of the wire. Throws `invalid_parameter` that names every fault. */
export function parseLoggingChange(given: Readonly<Record<string, unknown>>): LoggingChange {
  const faults: Fault[] = [];
  const levelOf = (path: string): Level | null | undefined => {
    const value = given[path];
    if (value === undefined || value === null) return value;
    const level = typeof value === 'string' ? parseLevel(value) : undefined;
    if (level === undefined) faults.push({ path, detail: `expected ${LEVELS.join(', ')} or null` });
    return level;
  };
  const [level, taskLogLevel] = [levelOf('level'), levelOf('task_log_level')];
  const beliefs = given.enable_belief_state;
  if (beliefs !== undefined && beliefs !== null && typeof beliefs !== 'boolean') {
    faults.push({ path: 'enable_belief_state', detail: 'expected true, false or null' });
  }
  if (faults.length > 0) {
    const named = faults.map(({ path, detail }) => `${path}: ${detail}`).join('; ');
    throw new TrailError('invalid_parameter', named, { errors: faults });
  }
  return {
    ...(level !== undefined && { level }),
    ...(taskLogLevel !== undefined && { taskLogLevel }),
    ...(beliefs !== undefined && { enableBeliefState: beliefs as boolean | null }),
  };
}
