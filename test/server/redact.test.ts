import assert from 'node:assert/strict';
import test from 'node:test';
import { tokens } from '../support/secrets.ts';
import { served } from '../support/served.ts';

const TOKEN = tokens('server')['gitlab-token'] ?? '';

test('the tester answers the masked text and where what was found', async (t) => {
  const api = await served(t, { settings: { redactionRules: [{ name: 'known', pattern: 'k' }] } });
  await api.intake.hide(['a registered value']);
  const text = `x ${TOKEN} a registered value EMP-42`;
  const rules = [{ name: 'employee', pattern: 'EMP-([0-9]+)', kind: 'person' }];
  const { status, body } = await api.json('POST', '/api/redact/test', { text, rules });
  assert.equal(status, 200);
  assert.equal(body.masked, 'x [redacted:gitlab-token] [redacted:registered] EMP-[redacted:person]');
  assert.deepEqual(
    body.matches.map(({ start, end, ...match }: { start: number; end: number }) => ({
      ...match,
      text: text.slice(start, end),
    })),
    [
      { kind: 'gitlab-token', by: 'shape', rule: null, text: TOKEN },
      { kind: 'registered', by: 'value', rule: null, text: 'a registered value' },
      { kind: 'person', by: 'rule', rule: 'employee', text: '42' },
    ],
  );
  assert.deepEqual((await api.json('POST', '/api/redact/test', { text: 'hello' })).body, {
    masked: 'hello',
    matches: [],
  });
  // Trying is not masking.
  assert.deepEqual(await api.intake.redactions(), {});
  const facts = (await api.json('GET', '/api/redact')).body;
  assert.deepEqual(facts.rules, [{ name: 'known', pattern: 'k' }]);
  assert.ok(facts.kinds.includes('private-key') && facts.kinds.includes('url-password'));
});

test('what the tester cannot do it refuses, with the place of what is wrong', async (t) => {
  const api = await served(t);
  for (const [body, path] of [
    [{ text: 'x', rules: [{ name: 'a', pattern: '(' }] }, 'rules.0.pattern'],
    [{ text: 'x', rules: [{ name: 'a', pattern: 'x*' }] }, 'rules.0.pattern'],
    [{ text: 'x', rules: [{ name: 'A', pattern: 'x' }] }, 'rules.0.name'],
    [{ text: 'x'.repeat(64 * 1024 + 1) }, 'text'],
    [{ text: 'x', rules: Array.from({ length: 11 }, (_, n) => ({ name: `r${n}`, pattern: 'x' })) }, 'rules'],
    [{}, 'text'],
  ] as const) {
    const answer = await api.json('POST', '/api/redact/test', body);
    assert.deepEqual([answer.status, answer.body.errors?.[0]?.path], [400, path]);
  }
});

test('values registered over HTTP are hidden from then on; those that cannot be are named by their place', async (t) => {
  const api = await served(t);
  const values = ['first registered', 'short', 'second registered'];
  assert.deepEqual((await api.json('POST', '/api/redact/values', { values })).body, { registered: 2, refused: [1] });
  await api.taskWith('task-1', 1, () => ({
    message: `a first registered b ${Buffer.from('second registered').toString('base64')}`,
  }));
  const { body } = await api.json('GET', '/api/tasks/task-1/logs');
  assert.equal(body.logs[0].message, 'a [redacted:registered] b [redacted:registered]');
  for (const wrong of [
    { values: [] },
    { values: Array.from({ length: 101 }, () => 'too many of them') },
    { values: [7] },
  ]) {
    assert.equal((await api.json('POST', '/api/redact/values', wrong)).status, 400);
  }
  const metrics = await (await api.call('GET', '/metrics')).text();
  assert.match(metrics, /^tasktrail_redactions_total\{kind="registered"\} 2$/m);
  assert.deepEqual(
    (await api.json('GET', '/metrics', undefined, { accept: 'application/json' })).body.redactions_total,
    {
      registered: 2,
    },
  );
});

test('an unended line shows no start of a secret to those who follow', async (t) => {
  const api = await served(t);
  await api.taskWith('task-1', 0);
  const shown: string[] = [];
  api.live.partial = (_taskId, _stream, text) => void shown.push(text);
  for (const text of [`got ${TOKEN.slice(0, 12)}`, `got ${TOKEN}`, 'got it']) {
    await api.call('POST', '/api/tasks/task-1/partial', { stream: 'stdout', text });
  }
  assert.deepEqual(shown, ['got ', 'got ', 'got it']);
});
