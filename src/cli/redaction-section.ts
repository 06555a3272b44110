import { type Static, Type } from 'typebox';
import { asTrailError } from '../core/error.ts';
import { REDACTION_PATTERN_CHARS, REDACTION_RULES } from '../core/limits.ts';
import type { RedactionRule } from '../core/redaction.ts';
import { createRedactor } from '../intake/redact.ts';

const name = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,63}$', description: '1–64 of a-z 0-9 -.' });

/** What is masked besides what is known. */
export const RedactionSection = Type.Object(
  {
    rules: Type.Array(
      Type.Object(
        {
          name,
          pattern: Type.String({
            minLength: 1,
            maxLength: REDACTION_PATTERN_CHARS,
            description: 'RE2 syntax. All that it finds is masked, or its first group.',
          }),
          kind: Type.Optional({ ...name, description: 'Shown instead, as [redacted:kind] (default: the name).' }),
        },
        { additionalProperties: false },
      ),
      { maxItems: REDACTION_RULES },
    ),
  },
  { additionalProperties: false, description: 'What is masked besides known tokens, see docs/redaction.md.' },
);

export type RedactionSection = Static<typeof RedactionSection>;

/** The rules, each tried. Throws with the place and what is wrong there. */
export function readRules(
  { rules }: RedactionSection,
  wrong: (place: string, what: string) => Error,
): readonly RedactionRule[] {
  try {
    createRedactor([], rules);
    return rules;
  } catch (error) {
    const [fault] = asTrailError(error).errors ?? [];
    throw fault ? wrong(fault.path, fault.detail) : error;
  }
}
