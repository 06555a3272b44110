import { type Static, Type } from 'typebox';
import { asTrailError } from '../core/error.ts';
import { type LogFilter, parseFilter } from '../core/filter.ts';
import { LEVELS } from '../core/level.ts';
import { SEARCH_CHARS, TEXT_CHARS } from '../core/limits.ts';
import { predicate } from '../core/predicate.ts';
import { type NoticeSettings, type Rule, STALLED } from '../outlet/slack/rules.ts';

const STATUSES = ['completed', 'failed', 'timed_out', 'cancelled', 'pending_approval'] as const;
const ON: (typeof STATUSES)[number][] = ['failed', 'timed_out', 'pending_approval'];
const COOL_DOWN_SECONDS = 300;
const COOL_DOWN_SECONDS_MAX = 7 * 24 * 60 * 60;
const RULES = 50;

const channel = Type.String({
  pattern: '^[A-Za-z0-9#@._-]{1,100}$',
  description: 'The id of a channel, as `C0123456789`.',
});
const statuses = Type.Array(Type.Enum(STATUSES), { uniqueItems: true });
const word = Type.String({ minLength: 1, maxLength: TEXT_CHARS });
const search = Type.String({ minLength: 1, maxLength: SEARCH_CHARS });

const When = Type.Object(
  {
    min_level: Type.Optional(Type.Enum(LEVELS, { description: 'A line of this level or above.' })),
    text: Type.Optional({ ...search, description: 'A line that holds this text, upper and lower case alike.' }),
    regex: Type.Optional({ ...search, description: 'A line that this RE2 pattern finds.' }),
    stalled: Type.Optional(Type.Literal(true, { description: 'An agent is silent.' })),
    min_cost: Type.Optional(Type.Number({ minimum: 0, description: 'The task has cost so many US dollars.' })),
    status: Type.Optional({ ...statuses, description: 'The task has one of these statuses.' }),
    source: Type.Optional({ ...word, description: 'Only tasks of this source or provider.' }),
    agent: Type.Optional({ ...word, description: 'Only tasks of this agent.' }),
    kind: Type.Optional({ ...word, description: 'Only tasks of this kind.' }),
  },
  { additionalProperties: false, minProperties: 1, description: 'All that is named must be so.' },
);

/** What is told to Slack. */
export const SlackSection = Type.Object(
  {
    channel: Type.Optional(channel),
    on: Type.Optional({ ...statuses, default: ON, description: 'Statuses that are told of.' }),
    rules: Type.Optional(
      Type.Array(
        Type.Object(
          {
            name: Type.String({ minLength: 1, maxLength: 100, description: 'For people.' }),
            when: When,
            cool_down_seconds: Type.Optional(
              Type.Number({
                minimum: 0,
                maximum: COOL_DOWN_SECONDS_MAX,
                default: COOL_DOWN_SECONDS,
                description: 'So long it does not tell of the same task again.',
              }),
            ),
            channel: Type.Optional(channel),
          },
          { additionalProperties: false },
        ),
        { maxItems: RULES, description: 'What else is told of.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'What is told to Slack; without this section nothing is.' },
);

type Section = Static<typeof SlackSection>;
type Wrong = (place: string, what: string) => Error;

/** The section as the way out takes it. Throws with the place and what is wrong there. */
export function readSlack(section: Section, wrong: Wrong): NoticeSettings {
  const { on = ON, rules = [] } = section;
  const names = new Set<string>();
  const read = rules.map(({ name, when, cool_down_seconds: seconds = COOL_DOWN_SECONDS, channel }, index): Rule => {
    const place = `rules.${index}`;
    if (names.has(name)) throw wrong(`${place}.name`, `expected another name for each rule; got ${name} again`);
    names.add(name);
    const { status, min_cost: minCostUsd, source, agent, kind } = when;
    const lines = linesOf(when, (what) => wrong(`${place}.when`, what));
    if (lines === null && status === undefined && minCostUsd === undefined) {
      throw wrong(`${place}.when`, 'expected one of min_level, text, regex, stalled, min_cost or status');
    }
    return {
      ...{ name, lines, channel: channel ?? null, coolDownMs: seconds * 1000 },
      ...(status && { statuses: status }),
      ...(minCostUsd !== undefined && { minCostUsd }),
      ...(source !== undefined && { source }),
      ...(agent !== undefined && { agent }),
      ...(kind !== undefined && { kind }),
    };
  });
  return { channel: section.channel ?? null, on, rules: read };
}

function linesOf(
  { min_level, text, regex, stalled }: Static<typeof When>,
  wrong: (what: string) => Error,
): LogFilter | null {
  const named = [min_level, text, regex].filter((value) => value !== undefined);
  if (stalled && named.length > 0) throw wrong('expected stalled without min_level, text and regex');
  if (stalled) return STALLED;
  if (text !== undefined && regex !== undefined) throw wrong('expected text or regex, got both');
  if (named.length === 0) return null;
  try {
    const filter = parseFilter({ min_level, search: text ?? regex, regex: regex !== undefined });
    predicate(filter);
    return filter;
  } catch (error) {
    throw wrong(asTrailError(error).message);
  }
}
