import { TrailError } from '../../core/error.ts';
import { WEBHOOK_VALUES, WEBHOOK_WORD_CHARS } from '../../core/limits.ts';

/** A place in a payload: `issue.labels[0].name`, or with `[*]` all places of a list. */
export interface Path {
  readonly text: string;
  readonly steps: readonly (string | number | typeof EACH)[];
}

const EACH = Symbol('each');
const STEPS_MAX = 20;
const STEP = /(?:^|(?<!^)\.)([^.[\]{}\s"'`\\]+)|\[(\d{1,6}|\*)\]/y;

/** Read a path. Throws `invalid_webhook` that says where it goes wrong. */
export function parsePath(text: string): Path {
  if (text.length > WEBHOOK_WORD_CHARS) throw bad(text, `at most ${WEBHOOK_WORD_CHARS} characters, got ${text.length}`);
  const steps: (string | number | typeof EACH)[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < text.length || steps.length === 0) {
    const from = STEP.lastIndex;
    const [, name, index] = STEP.exec(text) ?? [];
    if (name === undefined && index === undefined) {
      throw bad(
        text,
        `names with dots, [0] and [*] between them, got ${JSON.stringify(text.slice(from, from + 20))} at character ${from + 1}`,
      );
    }
    steps.push(name ?? (index === '*' ? EACH : Number(index)));
  }
  if (steps.length > STEPS_MAX) throw bad(text, `at most ${STEPS_MAX} steps, got ${steps.length}`);
  return { text, steps };
}

/** What lies there. Only own fields of objects and places of lists are followed, so nothing but the payload's own data comes out. */
export function valuesAt(payload: unknown, path: Path): { readonly values: readonly unknown[]; readonly cut: boolean } {
  let values: readonly unknown[] = [payload];
  let cut = false;
  for (const step of path.steps) {
    const next: unknown[] = [];
    for (const value of values) {
      const room = WEBHOOK_VALUES - next.length;
      const found = stepped(value, step);
      cut ||= found.length > room;
      next.push(...found.slice(0, room));
    }
    values = next;
  }
  return { values, cut };
}

function stepped(value: unknown, step: string | number | typeof EACH): readonly unknown[] {
  if (Array.isArray(value)) {
    if (step === EACH) return value.slice(0, WEBHOOK_VALUES + 1);
    return typeof step === 'number' && step < value.length ? [value[step]] : [];
  }
  if (typeof step !== 'string' || typeof value !== 'object' || value === null) return [];
  return Object.hasOwn(value, step) ? [(value as Record<string, unknown>)[step]] : [];
}

function bad(path: string, expected: string): TrailError {
  const shown = path.length > 60 ? `${path.slice(0, 60)}…` : path;
  return new TrailError('invalid_webhook', `the path ${JSON.stringify(shown)}: expected ${expected}`);
}
