import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { WireCondition, WireWebhook } from '../../src/core/wire-webhook.ts';
import type { WebhookDefinition } from '../../src/inlet/webhooks/definition.ts';
import { compileWebhook } from '../../src/inlet/webhooks/webhook.ts';
import { conditionOf, draftOfCondition } from '../../src/web/lib/webhook-condition.ts';
import {
  definitionOf,
  draftOf,
  faultsByPlace,
  missingIn,
  newCommand,
  newDraft,
  placesOf,
} from '../../src/web/lib/webhook-form.ts';
import { reasonText, secretLook, signatureHint, whyText } from '../../src/web/lib/webhook-words.ts';

const FACTS = {
  ...{
    webhook_id: 'wh-1',
    origin: 'api',
    enabled: true,
    configured: true,
    secret_set: true,
    url: '/webhooks/pager/wh-1',
  },
  ...{ created_at: null, updated_at: null, last_delivery: null },
} as const;

const scalar = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('3', 'true', '"x"', ' a, b ', 'null', '[]'),
);
const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constantFrom('3', 'false', '', '"'));
const someTest = fc.oneof(
  fc.record({ exists: fc.boolean() }),
  fc.record({ equals: scalar }),
  fc.record({ contains: value }),
  fc.record({ in: fc.array(scalar, { minLength: 1, maxLength: 4 }) }),
  fc.record({ matches: fc.string({ minLength: 1 }) }),
  fc.record({ equals: scalar, exists: fc.boolean() }),
);
const path = fc.constantFrom('issue.title', 'issue.labels[*].name', 'action');
const condition: fc.Arbitrary<WireCondition> = fc.oneof(
  fc.tuple(path, someTest).map(([place, tests]) => ({ path: place, ...tests })),
  fc.tuple(path, someTest).map(([place, tests]) => ({ path: place, not: tests })),
  fc.tuple(path, someTest, someTest).map(([place, tests, not]) => ({ path: place, ...tests, not })),
);

test('every condition comes back from its row as it was', () => {
  fc.assert(
    fc.property(condition, (one) => assert.deepEqual(conditionOf(draftOfCondition(one)), structuredClone(one))),
  );
});

test('conditions with one test are rows that people read', () => {
  assert.deepEqual(draftOfCondition({ path: 'a', in: ['bug', 3] }), { path: 'a', test: 'in', value: 'bug, 3' });
  assert.deepEqual(draftOfCondition({ path: 'a', not: { equals: '3' } }), {
    path: 'a',
    test: 'not equals',
    value: '"3"',
  });
  assert.deepEqual(conditionOf({ path: ' a ', test: 'exists', value: '' }), { path: 'a', exists: true });
  assert.deepEqual(conditionOf({ path: 'a', test: 'equals', value: 'open' }), { path: 'a', equals: 'open' });
  assert.equal(draftOfCondition({ path: 'a', exists: true, contains: 'x' }).test, 'json');
});

test('a webhook comes back from its form as it was, with what the form does not show', () => {
  const definition: WebhookDefinition = {
    name: 'Pager',
    provider: 'pager',
    signature: { type: 'hmac-sha256', header: 'X-Sign', prefix: 'v1=', encoding: 'base64' },
    trigger: ['alarm.*', 'page'],
    conditions: [{ path: 'level', in: ['high', 'critical'] }],
    commands: [
      {
        name: 'look',
        trigger: '/look',
        prompt: ' Look at {{title}}\n',
        agent: 'planner',
        approval: true,
        priority: 5,
        retries: 2,
      },
      { name: 'rest', prompt: 'x', conditions: [{ path: 'a', not: { exists: true } }] },
    ],
  };
  compileWebhook(definition);
  const webhook = { ...FACTS, ...definition, users: [], signature: definition.signature } as unknown as WireWebhook;
  assert.deepEqual(definitionOf(draftOf(webhook)), definition);
  for (const signature of [
    { type: 'bearer' },
    { type: 'header-token', header: 'X' },
    { type: 'none', allow_unsigned: true },
  ] as const) {
    assert.deepEqual(definitionOf(draftOf({ ...webhook, signature })).signature, signature);
  }
  assert.equal(definitionOf(draftOf({ ...webhook, signature: null })).signature, undefined);
});

test('what is not typed is said before the server is asked', () => {
  const draft = newDraft();
  assert.deepEqual(Object.keys(missingIn(draft)).toSorted(), ['commands[0].name', 'commands[0].prompt', 'name']);
  draft.name = 'a';
  draft.commands = [{ ...newCommand(), name: 'b', prompt: 'c' }];
  assert.deepEqual(missingIn(draft), {});
  assert.deepEqual(Object.keys(missingIn({ ...draft, provider: 'pager' })), ['signature']);
  assert.deepEqual(Object.keys(missingIn({ ...draft, signature: 'header-token' })), ['signature.header']);
  assert.deepEqual(Object.keys(missingIn({ ...draft, signature: 'none' })), ['signature.allow_unsigned']);
});

test('faults of the server stand at their fields in either spelling, others above the form', () => {
  const draft = newDraft();
  draft.commands[0]?.conditions.push({ path: 'a', test: 'matches', value: '(' });
  const faults = [
    { path: 'commands[0].prompt', detail: 'expected }}' },
    { path: 'commands.0.trigger', detail: 'must match the pattern' },
    { path: 'commands[0].conditions[0]', detail: 'no pattern' },
    { path: 'commands.0.name', detail: 'too long' },
    { path: 'commands.0.retries', detail: 'must be <= 10' },
  ];
  assert.deepEqual(faultsByPlace(faults, placesOf(draft)), {
    'commands[0].prompt': 'expected }}',
    'commands[0].trigger': 'must match the pattern',
    'commands[0].conditions[0]': 'no pattern',
    'commands[0].name': 'too long',
    '': 'commands[0].retries: must be <= 10',
  });
});

test('a reason is a sentence, with what the server said of this delivery', () => {
  assert.equal(
    whyText({ reason: 'not_allowed', detail: 'ada is a bot' }),
    'Its sender may not start an agent. ada is a bot',
  );
  assert.equal(whyText({ reason: null, detail: null }), '');
  assert.equal(reasonText('some_new_word'), 'some new word.');
});

test('whether deliveries can be checked is said with what to do', () => {
  const look = (change: object) =>
    secretLook({ ...FACTS, provider: 'github', signature: null, ...change } as WireWebhook);
  assert.deepEqual([look({}).word, look({}).tone], ['configured', 'good']);
  const bare = look({ secret_set: false, configured: false, origin: 'builtin' });
  assert.deepEqual([bare.word, bare.tone], ['not configured', 'bad']);
  assert.match(bare.help, /GITHUB_WEBHOOK_SECRET/);
  assert.match(look({ secret_set: false, origin: 'builtin' }).help, /from this machine alone/);
  assert.equal(look({ secret_set: false, signature: { type: 'none', allow_unsigned: true } }).word, 'unsigned');
  const last = { n: 1, received_at: 'x', outcome: 'refused', reason: 'wrong_signature', task_id: null } as const;
  assert.match(signatureHint(last), /Compare both secrets/);
  assert.equal(signatureHint({ ...last, outcome: 'ignored', reason: 'no_command' }), '');
});
