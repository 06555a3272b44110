import type { Entries } from './params-form.ts';
import { nameOfRunnable, type Runnable } from './runnable.ts';

const KEY = 'tasktrail.runs';
/** Plugins and agents whose last parameters are kept, and how much of each. */
const KEPT = 30;
const CHARS = 20_000;

/** What was entered for a plugin or an agent when it was last run in this browser. */
export function recalledRun(runnable: Runnable): Entries | undefined {
  return readAll().find(([name]) => name === nameOfRunnable(runnable))?.[1];
}

/** A browser that keeps nothing begins anew each time. */
export function rememberRun(runnable: Runnable, entries: Entries): void {
  const name = nameOfRunnable(runnable);
  const others = readAll().filter(([other]) => other !== name);
  const fits = JSON.stringify(entries).length <= CHARS;
  const all = [...(fits ? [[name, entries]] : []), ...others].slice(0, KEPT);
  try {
    window.localStorage.setItem(KEY, JSON.stringify(all));
  } catch {
    // A private window may refuse, and a full one too.
  }
}

function readAll(): readonly (readonly [string, Entries])[] {
  try {
    const held: unknown = JSON.parse(window.localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(held) ? held.filter(isRun) : [];
  } catch {
    return [];
  }
}

function isRun(held: unknown): held is readonly [string, Entries] {
  if (!Array.isArray(held) || typeof held[0] !== 'string' || typeof held[1] !== 'object' || held[1] === null)
    return false;
  return Object.values(held[1] as object).every(
    (entered) =>
      typeof entered === 'string' || (Array.isArray(entered) && entered.every((row) => typeof row === 'string')),
  );
}
