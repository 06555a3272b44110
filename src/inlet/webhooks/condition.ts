import { type Static, Type } from 'typebox';
import { asTrailError, TrailError } from '../../core/error.ts';
import { SEARCH_CHARS, WEBHOOK_CONDITIONS, WEBHOOK_TEXT_CHARS, WEBHOOK_WORD_CHARS } from '../../core/limits.ts';
import { compilePattern, type Pattern } from '../../core/pattern.ts';
import { parsePath, valuesAt } from './path.ts';

const Scalar = Type.Union([Type.String({ maxLength: WEBHOOK_TEXT_CHARS }), Type.Number(), Type.Boolean(), Type.Null()]);
const tests = {
  exists: Type.Optional(Type.Boolean({ description: 'Whether there is a value that is not null' })),
  equals: Type.Optional(Scalar),
  contains: Type.Optional(
    Type.Union([Type.String(), Type.Number(), Type.Boolean()], {
      description: 'A text has this part, or a list has this value',
    }),
  ),
  in: Type.Optional(Type.Array(Scalar, { minItems: 1, maxItems: 1_000, description: 'One of these' })),
  matches: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: SEARCH_CHARS,
      description: 'A pattern in RE2 syntax, found anywhere in a text',
    }),
  ),
};

const Tests = Type.Object(tests, { additionalProperties: false, minProperties: 1 });

/** Something that must hold of the payload. Of several tests all must hold; with `[*]`, each of them of some value. */
export const Condition = Type.Object(
  {
    path: Type.String({ minLength: 1, maxLength: WEBHOOK_WORD_CHARS, description: '`issue.labels[*].name`' }),
    ...tests,
    not: Type.Optional(Tests),
  },
  { additionalProperties: false, minProperties: 2 },
);
export type Condition = Static<typeof Condition>;

export const Conditions = Type.Array(Condition, { maxItems: WEBHOOK_CONDITIONS });

/** A condition that is ready: what about a payload does not fit it, or null. Never throws. */
export type Check = (payload: unknown) => string | null;

/** All of them must hold. Throws `invalid_webhook` for a bad path or pattern. */
export function compileCondition(condition: Condition): Check {
  const { path: text, not, ...own } = condition;
  const path = parsePath(text);
  const holds = compileTests(own);
  const mustNot = not === undefined ? [] : compileTests(not);
  return (payload) => {
    const { values, cut } = valuesAt(payload, path);
    const failed = holds.find((test) => test.holds(values) !== 'yes');
    if (failed !== undefined) return `${text}: expected ${failed.name}, ${found(values, cut)}`;
    // What was not looked at could be what must not be there.
    const refuted = mustNot.some((test) => test.holds(values) === 'no' && !cut);
    if (mustNot.length === 0 || refuted) return null;
    return `${text}: expected not ${mustNot.map((test) => test.name).join(' and ')}, ${found(values, cut)}`;
  };
}

/** `unsure` when a bound left something out that could have been it. */
type Held = 'yes' | 'no' | 'unsure';

interface Test {
  readonly name: string;
  holds(values: readonly unknown[]): Held;
}

function compileTests(tests: Static<typeof Tests>): readonly Test[] {
  const { exists, equals, contains, in: list, matches } = tests;
  const compiled: Test[] = [];
  const add = (name: string, wanted: unknown, holds: Test['holds']) =>
    compiled.push({ name: `${name} ${shown(wanted)}`, holds });
  if (exists !== undefined)
    add('exists', exists, (values) => yes(values.some((held) => (held ?? null) !== null) === exists));
  if (equals !== undefined) add('equals', equals, (values) => yes(values.some((held) => held === equals)));
  if (contains !== undefined)
    add('contains', contains, (values) => yes(values.some((held) => holdsPart(held, contains))));
  if (list !== undefined)
    add('in', list, (values) => yes(values.some((held) => (list as readonly unknown[]).includes(held))));
  if (matches !== undefined) {
    const pattern = patternOf(matches);
    add('matches', matches, (values) => matchesSome(pattern, values));
  }
  return compiled;
}

function yes(holds: boolean): Held {
  return holds ? 'yes' : 'no';
}

function holdsPart(held: unknown, part: string | number | boolean): boolean {
  if (Array.isArray(held)) return held.includes(part);
  return typeof held === 'string' && typeof part === 'string' && held.includes(part);
}

/** A condition has an eighth of the time that a search may take in one message: deliveries are judged where people are answered. */
const PATTERN_SHARE = 8;

/** Linear in the text, and the text of all values together is bounded: the larger the pattern, the less of it is looked at. */
function matchesSome(pattern: Pattern, values: readonly unknown[]): Held {
  const texts = values.filter((held) => typeof held === 'string' || typeof held === 'number').map(String);
  let left = Math.min(WEBHOOK_TEXT_CHARS, Math.floor(pattern.chars / PATTERN_SHARE));
  for (const text of texts) {
    if (pattern.find(text.slice(0, left))) return 'yes';
    if (text.length > left) return 'unsure';
    left -= text.length;
  }
  return 'no';
}

/** Bounded in size before it is compiled. */
function patternOf(text: string): Pattern {
  try {
    return compilePattern(text);
  } catch (error) {
    const reason = asTrailError(error).message.replace(/^search: /, '');
    throw new TrailError('invalid_webhook', `matches: ${reason}`, { cause: error });
  }
}

function found(values: readonly unknown[], cut: boolean): string {
  if (values.length === 0) return 'there is nothing';
  return values.length === 1
    ? `got ${shown(values[0])}`
    : `got ${values.length} values${cut ? ', and there are more' : ''}`;
}

/** A value for people: short, and of lists and objects only the kind. */
function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return (JSON.stringify(value) ?? 'nothing').slice(0, 60);
  return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
}
