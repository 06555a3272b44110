import type { FailureGroup } from './analytics.ts';
import { ERROR_CHARS, TOP_TASKS } from './limits.ts';

/** What differs from one failure to the next of the same kind. Larger shapes come first: a path has numbers in it. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'<>()[\]]+/gi, '<url>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b(?:task-)?[0-9A-HJKMNP-TV-Z]{26}\b/g, '<id>'],
  [/(?:\b[a-z]:|~)?[\w.@+-]*(?:[\\/][\w.@+-]+)+[\\/]?/gi, '<path>'],
  [/\b(?:0x)?(?=[a-f]*\d)[0-9a-f]{7,}\b/gi, '<id>'],
  [/\d+(?:[.,:]\d+)*/g, '<n>'],
];

/** The reason of a failure without its numbers, ids and paths. */
export function failureTemplate(error: string): string {
  const line = error.replace(/\s+/g, ' ').trim();
  return SHAPES.reduce((text, [shape, name]) => text.replace(shape, name), line);
}

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
    const template = error === null ? null : this.#templateOf(error);
    const group = this.#groups.get(template);
    if (group) group.count += 1;
    else this.#groups.set(template, { count: 1, id, example: error });
  }

  /** The most frequent first; of equal ones the one with the newest task. */
  top(): readonly (Omit<FailureGroup, 'taskId'> & { readonly id: Id })[] {
    return [...this.#groups]
      .map(([template, group]) => ({ template, ...group }))
      .sort((a, b) => b.count - a.count)
      .slice(0, TOP_TASKS);
  }

  /** The very same error comes again and again. */
  #templateOf(error: string): string {
    const known = this.#templates.get(error);
    if (known !== undefined) return known;
    const template = failureTemplate(error);
    this.#templates.set(error, template);
    return template;
  }
}
