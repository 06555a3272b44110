import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/core/entry.ts';
import type { WireTask } from '../../src/core/wire.ts';
import { actsOf, questionOf } from '../../src/web/lib/acts.ts';
import { readForm } from '../../src/web/lib/form-values.ts';
import {
  type Entries,
  entriesFrom,
  faultsByField,
  fieldsOf,
  heldFields,
  initialEntries,
} from '../../src/web/lib/params-form.ts';
import { harmless, tagsOf, unmasked } from '../../src/web/lib/start-run.ts';

const SCHEMA: JsonObject = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', description: 'whom to greet', examples: ['Ada'] },
    notes: { type: 'string', maxLength: 10_000 },
    times: { type: 'integer', minimum: 1, maximum: 5, default: 2, title: 'How often' },
    mode: { enum: ['fast', 3, null], default: 'fast' },
    loud: { type: 'boolean', default: true },
    any: { type: 'array', default: [1] },
    day: { type: 'string', format: 'date' },
    at: { type: ['string', 'null'], format: 'date-time' },
    site: { type: 'string', format: 'uri' },
    key: { type: 'string', format: 'password', maxLength: 5_000 },
    pin: { type: 'string', 'x-secret': true },
    words: { type: 'array', items: { type: 'string', minLength: 2 }, minItems: 1, maxItems: 3, uniqueItems: true },
    speed: { $ref: '#/$defs/Speed', description: 'how fast' },
    place: {
      type: 'object',
      required: ['city'],
      properties: {
        city: { type: 'string', pattern: '^[A-Z]' },
        sizes: { type: 'array', items: { type: 'number' } },
        deep: { type: 'object', properties: {} },
      },
    },
  },
  $defs: {
    Speed: {
      oneOf: [
        { const: 1, title: 'slow' },
        { const: 2, title: 'quick' },
      ],
      default: 1,
    },
  },
};

test('a schema becomes fields in its order, with what is known of each', () => {
  const fields = fieldsOf(SCHEMA);
  const shapes = heldFields(fields).map(({ path, kind, label, required, initial }) => [
    path.join('.'),
    kind,
    label,
    required,
    initial,
  ]);
  assert.deepEqual(shapes, [
    ['name', 'text', 'name', true, ''],
    ['notes', 'longtext', 'notes', false, ''],
    ['times', 'number', 'How often', false, '2'],
    ['mode', 'choice', 'mode', false, '"fast"'],
    ['loud', 'boolean', 'loud', false, 'true'],
    ['any', 'json', 'any', false, '[\n  1\n]'],
    ['day', 'text', 'day', false, ''],
    ['at', 'text', 'at', false, ''],
    ['site', 'text', 'site', false, ''],
    ['key', 'text', 'key', false, ''],
    ['pin', 'text', 'pin', false, ''],
    ['words', 'list', 'words', false, []],
    ['speed', 'choice', 'speed', false, '1'],
    ['place.city', 'text', 'city', true, ''],
    ['place.sizes', 'list', 'sizes', false, []],
    ['place.deep', 'json', 'deep', false, ''],
  ]);
  const inputs = heldFields(fields).flatMap((field) =>
    'input' in field && field.input !== 'text' ? [[field.name, field.input]] : [],
  );
  assert.deepEqual(inputs, [
    ['day', 'date'],
    ['at', 'datetime-local'],
    ['site', 'url'],
    ['key', 'password'],
    ['pin', 'password'],
  ]);
  const [name, , times] = heldFields(fields);
  assert.ok(name && 'example' in name && times && 'min' in times);
  assert.deepEqual([name.help, name.example, times.min, times.max, times.whole], ['whom to greet', 'Ada', 1, 5, true]);
});

test('a schema that names no parameters gets one field for all of them, and one that takes none gets none', () => {
  assert.deepEqual(fieldsOf({ type: 'object', additionalProperties: false }), []);
  const [all, ...others] = fieldsOf({ type: 'object' });
  assert.deepEqual([all?.kind, others.length], ['json', 0]);
  const read = (text: string) => readForm(fieldsOf({ type: 'object' }), { '': text });
  assert.deepEqual(read(''), { params: {}, faults: {} });
  assert.deepEqual(read('{"a":[1]}').params, { a: [1] });
  assert.match(read('[1]').faults[''] ?? '', /expected an object/);
  const odd = fieldsOf({ type: 'object', properties: { odd: true, round: { $ref: '#/properties/round' } } } as never);
  assert.deepEqual(
    odd.map(({ kind }) => kind),
    ['json', 'json'],
  );
});

test('what is typed becomes parameters of the right types, and what is empty is left out', () => {
  const fields = fieldsOf(SCHEMA);
  const typed: Entries = {
    ...initialEntries(fields),
    ...{
      name: 'Ada',
      times: '3',
      mode: '3',
      loud: '',
      any: '["a"]',
      day: '2026-11-21',
      words: ['ab', 'cd'],
      speed: '2',
    },
    at: '2026-11-21T10:00:00',
  };
  const { params, faults } = readForm(fields, typed);
  assert.deepEqual(faults, {});
  const at = new Date('2026-11-21T10:00:00').toISOString();
  const plain = {
    name: 'Ada',
    times: 3,
    mode: 3,
    loud: false,
    any: ['a'],
    day: '2026-11-21',
    at,
    words: ['ab', 'cd'],
    speed: 2,
  };
  assert.deepEqual(params, plain);
  // An object is there as soon as somebody says something of it.
  const placed = readForm(fields, { ...typed, 'place\u001fcity': 'Rome', 'place\u001fsizes': ['1', '2.5'] });
  assert.deepEqual(placed, { params: { ...plain, place: { city: 'Rome', sizes: [1, 2.5] } }, faults: {} });
  assert.deepEqual(entriesFrom(fields, placed.params)['place\u001fsizes'], ['1', '2.5']);
  const again = readForm(fields, { ...initialEntries(fields), ...entriesFrom(fields, placed.params) });
  assert.deepEqual(again, placed, 'and what was entered comes back from the parameters');
  const own = readForm(
    fieldsOf(JSON.parse('{"properties":{"__proto__":{"type":"string"}}}')),
    JSON.parse('{"__proto__":"x"}'),
  );
  assert.equal(JSON.stringify(own.params), '{"__proto__":"x"}');
});

test('what does not fit the schema is said at its field, before anything is sent', () => {
  const fields = fieldsOf(SCHEMA);
  const wrong = (entries: Entries) => readForm(fields, { ...initialEntries(fields), name: 'Ada', ...entries }).faults;
  const cases: readonly (readonly [string, Entries[string], RegExp])[] = [
    ['name', '', /is required/],
    ['times', 'many', /expected a number/],
    ['times', '2.5', /whole number/],
    ['times', '0', /must be >= 1/],
    ['times', '6', /must be <= 5/],
    ['any', '[', /expected JSON/],
    ['any', '{}', /expected a list/],
    ['mode', '"slow"', /one of the choices/],
    ['site', 'nowhere', /expected an address/],
    ['words', ['a'], /row 1: expected 2 characters/],
    ['words', ['ab', ''], /row 2: is empty/],
    ['words', ['ab', 'ab'], /no value twice/],
    ['words', ['ab', 'cd', 'ef', 'gh'], /3 at most/],
    ['place\u001fcity', 'rome', /must match/],
    ['place\u001fsizes', ['x'], /row 1: expected a number/],
  ];
  for (const [key, entered, words] of cases)
    assert.match(wrong({ [key]: entered })[key] ?? '', words, `${key} ${entered}`);
  assert.deepEqual(wrong({ 'place\u001fsizes': ['1'] }), { 'place\u001fcity': 'is required' });
});

test('faults of the server stand by their fields, others above the form', () => {
  const faults = [
    { path: 'params.name', detail: 'is required' },
    { path: 'params.times', detail: 'must be >= 1' },
    { path: 'params.words.1', detail: 'must be string' },
    { path: 'params.place.city', detail: 'is too far' },
    { path: 'params.place.deep.x', detail: 'is odd' },
    { path: 'params.more', detail: 'is not known' },
  ];
  assert.deepEqual(faultsByField(faults, fieldsOf(SCHEMA)), {
    name: 'is required',
    times: 'must be >= 1',
    words: 'row 2: must be string',
    'place\u001fcity': 'is too far',
    'place\u001fdeep': 'x: is odd',
    '': 'params.more: is not known',
  });
});

test('what is secret, and what the server masked, is not remembered nor taken from a task', () => {
  const fields = fieldsOf(SCHEMA);
  const entries = { ...initialEntries(fields), name: 'Ada', notes: 'ghp_secret', key: 'open sesame', words: ['ab'] };
  const { params } = readForm(fields, entries);
  const stored = { words: ['ab'], ...params, notes: '[redacted:github-token]' } as JsonObject;
  const kept = harmless(fields, entries, {
    sent: params,
    task: { params: stored, input: null } as unknown as WireTask,
  });
  assert.deepEqual([kept.name, kept.words, kept.times], ['Ada', ['ab'], '2']);
  assert.deepEqual([kept.notes, kept.key, kept.pin], [undefined, undefined, undefined]);
  const taken = entriesFrom(fields, unmasked(stored));
  assert.deepEqual([taken.name, taken.notes, 'key' in taken], ['Ada', '', false]);
  assert.deepEqual(tagsOf(' a, b,,a '), ['a', 'b']);
});

test('what may be done follows the table of moves and who runs the task', () => {
  const acts = (status: string, runner: string | null = 'plugin:a', startedAt: string | null = 'x', ended = false) =>
    actsOf({ status, runner, started_at: startedAt, ended } as never, (name) => name === 'plugin:pausable').join();
  assert.equal(acts('executing'), 'cancel');
  assert.equal(acts('executing', 'plugin:pausable'), 'pause,cancel');
  assert.equal(acts('executing', null), 'pause,cancel');
  assert.equal(acts('queued', 'plugin:a', null), 'pause,cancel');
  assert.equal(acts('paused'), 'resume,cancel');
  assert.equal(acts('failed', 'plugin:a', 'x', true), 'rerun');
  assert.equal(acts('failed', null, 'x', true), '');
  assert.equal(acts('pending_approval'), 'cancel');
});

test('a question is told with its text, and no task that asks nothing has one', () => {
  const question = { question: 'Why?', question_type: 'reason', asked_at: 'x' };
  assert.deepEqual(questionOf({ status: 'awaiting_input', metadata: { question } }), {
    kind: 'input',
    text: 'Why?',
    type: 'reason',
  });
  assert.deepEqual(questionOf({ status: 'pending_approval', metadata: { plan: 'do it' } }), {
    kind: 'approval',
    text: 'do it',
  });
  assert.deepEqual(questionOf({ status: 'awaiting_input', metadata: null }), { kind: 'input', text: '', type: null });
  assert.equal(questionOf({ status: 'executing', metadata: { question } }), null);
  const takes = { takes_input: true };
  assert.deepEqual(questionOf({ status: 'executing', metadata: takes }), { kind: 'say', text: '' });
  assert.equal(questionOf({ status: 'completed', metadata: takes }), null);
});
