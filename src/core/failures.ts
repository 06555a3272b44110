import type { FailureGroup } from './analytics.ts';
import { ERROR_CHARS, TOP_TASKS } from './limits.ts';
import { template } from './template.ts';

/** The start of an error, by whole characters. */
export function errorStart(error: string): string {
  return Array.from(error.slice(0, 2 * ERROR_CHARS))
    .slice(0, ERROR_CHARS)
    .join('');
}

/** Counts failed tasks by their template; they come newest first. */
export class Failures<Id> {
  readonly #templates = new Map<string, string>();
  readonly #groups = new Map<string | null, { count: number; readonly id: Id; readonly example: string | null }>();

  add(id: Id, error: string | null): void {
    const kind = error === null ? null : this.#templateOf(error);
    const group = this.#groups.get(kind);
    if (group) group.count += 1;
    else this.#groups.set(kind, { count: 1, id, example: error });
  }

  /** The most frequent first; of equal ones the one with the newest task. */
  top(): readonly (Omit<FailureGroup, 'taskId'> & { readonly id: Id })[] {
    return [...this.#groups]
      .map(([kind, group]) => ({ template: kind, ...group }))
      .sort((a, b) => b.count - a.count)
      .slice(0, TOP_TASKS);
  }

  /** The very same error comes again and again. */
  #templateOf(error: string): string {
    const known = this.#templates.get(error);
    if (known !== undefined) return known;
    const made = template(error, ERROR_CHARS);
    this.#templates.set(error, made);
    return made;
  }
}
