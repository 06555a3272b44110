import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AlertDraft, alertFaults, draftOfAlert, previewWords, ruleOfDraft } from '../../src/web/lib/alert-form.ts';

test('a draft becomes the rule that it came from, without secrets', () => {
  const rule = {
    name: 'Errors',
    query: 'level:error',
    on: 'task',
    severity: 'critical',
    enabled: false,
    threshold: 3,
    window_seconds: 60,
    cool_down_seconds: 0,
    to: [{ slack: '#ops' }, { slack: 'webhook' }, { webhook: 'https://a.example/x' }, { webhook: 'https://b.example' }],
  } as const;
  const times = { created_at: null, updated_at: null };
  const state = { last_fired_at: null, fired: 0, count: 0, cool_down_until: null, last_fault: null, dropped: 0 };
  const to = rule.to.map((target) => ('slack' in target ? target : { ...target, secret_set: true }));
  const draft = draftOfAlert({ id: 'a', fixed: false, ...rule, to, ...times, state });
  assert.deepEqual(ruleOfDraft(draft, false), rule);
});

test('what is typed is trimmed, empty targets are none, and a secret goes with each address', () => {
  const typed: AlertDraft = {
    ...draftOfAlert(null),
    ...{ name: ' x ', query: 'q', slack: ' #a,, ', webhooks: '\n https://a.example \n\n', secret: 'long enough' },
    ...{ threshold: 'two', window: ' 60 ' },
  };
  const rule = ruleOfDraft(typed, true);
  assert.deepEqual([rule.name, rule.threshold, rule.window_seconds], ['x', 'two', 60]);
  assert.deepEqual(rule.to, [{ slack: '#a' }, { webhook: 'https://a.example', secret: 'long enough' }]);
});

test('faults go to their fields, others are told whole', () => {
  const faults = [
    { path: 'rule.query', detail: 'column 1: x' },
    { path: 'to[0].webhook', detail: 'bad' },
    { path: 'to.1.slack', detail: 'worse' },
    { path: 'odd', detail: 'y' },
  ];
  assert.deepEqual(alertFaults(faults), { query: 'column 1: x', to: 'bad; worse', '': 'odd: y' });
});

test('a preview is told in words, and that it is not whole', () => {
  const found = { fired: [], fired_total: 1, matches: 1, from: '', to: '', complete: true };
  assert.equal(previewWords(found), 'In the last 7 days it would have fired once: 1 match.');
  const part = { ...found, fired_total: 2, matches: 5, complete: false };
  assert.match(previewWords(part), /fired 2 times: 5 matches\. There was no time/);
});
