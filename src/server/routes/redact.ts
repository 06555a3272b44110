import { Type } from 'typebox';
import { asTrailError, TrailError } from '../../core/error.ts';
import {
  REDACTION_PATTERN_CHARS,
  REDACTION_TEST_CHARS,
  REDACTION_TEST_RULES,
  REDACTION_VALUE_CHARS,
  REDACTION_VALUES_AT_ONCE,
} from '../../core/limits.ts';
import { KINDS } from '../../intake/redact/shapes.ts';
import { trial } from '../../intake/redact/trial.ts';
import type { Routes } from '../context.ts';
import { answers } from '../schemas.ts';

const tags = ['redaction'];
const closed = { additionalProperties: false } as const;
const name = Type.String({ maxLength: 64, description: '1–64 of a-z 0-9 -' });
const Rule = Type.Object(
  {
    name,
    pattern: Type.String({ minLength: 1, maxLength: REDACTION_PATTERN_CHARS, description: 'RE2 syntax' }),
    kind: Type.Optional({ ...name, description: 'Shown instead (default: the name)' }),
  },
  closed,
);
const TestBody = Type.Object(
  {
    text: Type.String({ maxLength: REDACTION_TEST_CHARS }),
    rules: Type.Optional(
      Type.Array(Rule, { maxItems: REDACTION_TEST_RULES, description: 'Rules to try beside those that are set' }),
    ),
  },
  closed,
);
const TestAnswer = Type.Object({
  masked: Type.String({ description: 'The text as it would be stored' }),
  matches: Type.Array(
    Type.Object({
      kind: Type.String({ description: 'Shown as [redacted:kind]' }),
      by: Type.Enum(['shape', 'value', 'rule'], { description: 'A known token, a registered value or a rule' }),
      rule: Type.Union([Type.String(), Type.Null()], { description: 'Name of the rule' }),
      start: Type.Integer({ minimum: 0, description: 'Where it begins in the text that was sent, in UTF-16 units' }),
      end: Type.Integer({ minimum: 0, description: 'Behind its last unit' }),
    }),
  ),
});
const ValuesBody = Type.Object(
  {
    values: Type.Array(Type.String({ maxLength: REDACTION_VALUE_CHARS }), {
      minItems: 1,
      maxItems: REDACTION_VALUES_AT_ONCE,
    }),
  },
  closed,
);
const ValuesAnswer = Type.Object({
  registered: Type.Integer({ minimum: 0 }),
  refused: Type.Array(Type.Integer({ minimum: 0 }), {
    description: 'Places in the list of those that are not hidden: under 8 characters, or one too many',
  }),
});
const Facts = Type.Object({
  kinds: Type.Array(Type.String(), { description: 'Kinds of tokens that are known by their shape' }),
  rules: Type.Array(Rule),
  counts: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), { description: 'Masked since the start, by kind' }),
});

/**
 * What is masked, tried and extended. To try and to register takes a writer: whoever writes lines learns from them what is masked, and
 * a job that makes a token must be able to hide it. The rules themselves tell how secrets look here, and are an admin's.
 */
export const redactRoutes: Routes = (scope, { intake, settings }) => {
  scope.get(
    '/api/redact',
    { config: { role: 'admin' }, schema: { tags, summary: 'Read what is masked', response: answers({ 200: Facts }) } },
    async (_request, reply) => {
      const rules = settings.redactionRules ?? [];
      const counts = { ...(await intake.redactions()) };
      return reply.header('cache-control', 'no-store').send({ kinds: [...KINDS], rules: [...rules], counts });
    },
  );
  scope.post(
    '/api/redact/test',
    {
      config: { role: 'writer', audit: { none: 'it changes nothing' } },
      schema: { tags, summary: 'Try what would be masked', body: TestBody, response: answers({ 200: TestAnswer }) },
    },
    async ({ body: { text, rules = [] } }, reply) => {
      const whole = text.toWellFormed();
      try {
        const { masked, secrets } = trial(whole, { known: intake.secretsIn(whole), rules });
        return reply.header('cache-control', 'no-store').send({ masked, matches: [...secrets] });
      } catch (error) {
        const { message, errors } = asTrailError(error);
        throw new TrailError('invalid_request', message, { errors, cause: error });
      }
    },
  );
  scope.post(
    '/api/redact/values',
    {
      config: { role: 'writer', audit: { none: 'what is hidden is no setting, and forgotten with the server' } },
      schema: {
        tags,
        summary: 'Hide values from now on',
        description: 'Until this server stops: they are kept nowhere.',
        body: ValuesBody,
        response: answers({ 200: ValuesAnswer }),
      },
    },
    async ({ body: { values } }, reply) => {
      const taken = await intake.hide(values, 'outside');
      const refused = taken.flatMap((isTaken, index) => (isTaken ? [] : [index]));
      return reply.send({ registered: taken.length - refused.length, refused });
    },
  );
};
