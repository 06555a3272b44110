import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actsOf, questionOf } from '../../src/web/lib/acts.ts';
import { faultsByField, fieldsOf, paramsOf } from '../../src/web/lib/form.ts';

const SCHEMA = {
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', description: 'whom to greet' },
    notes: { type: 'string', maxLength: 10_000 },
    times: { type: 'integer', minimum: 1, maximum: 5, default: 2, title: 'How often' },
    mode: { enum: ['fast', 3, null], default: 'fast' },
    loud: { type: 'boolean', default: true },
    list: { type: 'array', default: [1] },
  },
};

test('a schema becomes fields in its order, with what is known of each', () => {
  const fields = fieldsOf(SCHEMA);
  assert.deepEqual(
    fields.map(({ name, kind, label, required, initial }) => [name, kind, label, required, initial]),
    [
      ['name', 'text', 'name', true, ''],
      ['notes', 'longtext', 'notes', false, ''],
      ['times', 'number', 'How often', false, '2'],
      ['mode', 'choice', 'mode', false, '"fast"'],
      ['loud', 'boolean', 'loud', false, 'true'],
      ['list', 'json', 'list', false, '[1]'],
    ],
  );
  assert.deepEqual([fields[2]?.min, fields[2]?.max, fields[2]?.whole], [1, 5, true]);
  assert.deepEqual(fieldsOf({ type: 'object' }), []);
  assert.deepEqual(fieldsOf({ type: 'object', properties: { odd: true } } as never)[0]?.kind, 'json');
});

test('what is typed becomes parameters of the right types, and what is empty is left out', () => {
  const fields = fieldsOf(SCHEMA);
  const typed = { name: 'Ada', notes: '', times: '3', mode: '3', loud: '', list: '["a"]' };
  assert.deepEqual(paramsOf(fields, typed), { name: 'Ada', times: 3, mode: 3, loud: false, list: ['a'] });
  assert.throws(() => paramsOf(fields, { ...typed, times: 'many' }), { field: 'times' });
  assert.throws(() => paramsOf(fields, { ...typed, list: '[' }), { field: 'list' });
});

test('faults of the server stand by their fields, others above the form', () => {
  const faults = [
    { path: 'params.name', detail: 'is required' },
    { path: 'params.times', detail: 'must be >= 1' },
    { path: 'params.more', detail: 'is not known' },
  ];
  assert.deepEqual(faultsByField(faults, fieldsOf(SCHEMA)), {
    name: 'is required',
    times: 'must be >= 1',
    '': 'params.more: is not known',
  });
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
