import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createRedactor } from '../../src/intake/redact.ts';
import { letters, privateKey, settings, tokens } from '../support/secrets.ts';

const SECRETS: Readonly<Record<string, string>> = { ...tokens('redact'), 'private-key': privateKey('redact').text };

for (const [kind, secret] of Object.entries(SECRETS)) {
  test(`a ${kind} is replaced by its kind, wherever it stands`, () => {
    const redactor = createRedactor();
    assert.equal(redactor.mask(`before ${secret} after`), `before [redacted:${kind}] after`);
    assert.equal(redactor.mask(`key="${secret}"`), `key="[redacted:${kind}]"`);
    assert.equal(redactor.count, 2);
    const masked = redactor.maskJson(JSON.stringify({ nested: [{ [secret]: secret }], other: 'stays' }));
    assert.deepEqual(JSON.parse(masked), {
      nested: [{ [`[redacted:${kind}]`]: `[redacted:${kind}]` }],
      other: 'stays',
    });
  });
}

for (const [kind, token] of Object.entries(tokens('settings'))) {
  test(`a ${kind} is found in JSON, in JSON within JSON, in a URL, and between and under colours`, () => {
    for (const line of settings(token)) {
      const redactor = createRedactor();
      const masked = redactor.mask(line);
      assert.ok(masked.includes(`[redacted:${kind}]`), line);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal takes out
      const plain = masked.replace(/(?:\u001b|\\+u001b)\[[0-9;]*[mK]/g, '');
      for (const part of [masked, plain]) assert.ok(!part.includes(token.slice(-9)), masked);
      assert.equal(redactor.mask(masked), masked);
    }
  });
}

test('an AWS secret key is known by its name, a password in a URL also with slashes escaped, and by what it holds', () => {
  const { mask } = createRedactor();
  const key = `${letters('aws', 39)}/`;
  for (const line of [
    `AWS_SECRET_ACCESS_KEY=${key}`,
    `aws_secret_access_key = ${key}`,
    `{"SecretAccessKey": "${key}"}`,
  ]) {
    assert.equal(mask(line), line.replace(key, '[redacted:aws-secret]'));
  }
  assert.equal(mask(`digest ${key}`), `digest ${key}`);
  assert.equal(mask('{"u":"https:\\/\\/a:hunter2@h\\/x"}'), '{"u":"https:\\/\\/a:[redacted:url-password]@h\\/x"}');
  assert.equal(mask('amqp://u:p:w@rd@h:1/v'), 'amqp://u:[redacted:url-password]@h:1/v');
});

test('a link to a task is masked like the token that it is', () => {
  const link = `tts_shr_${letters('link', 12)}.${letters('signature', 43)}`;
  const { mask, maskUnended } = createRedactor();
  assert.equal(
    mask(`https://example.org/share/${link} sent`),
    'https://example.org/share/[redacted:tasktrail-token] sent',
  );
  assert.equal(maskUnended(`see ${link.slice(0, -9)}`), 'see ');
});

test('colours stay as they were around what is masked', () => {
  const token = tokens('colours')['github-token'] ?? '';
  const line = `\u001b[31mred ${token.slice(0, 9)}\u001b[1m${token.slice(9)} bold\u001b[0m`;
  assert.equal(createRedactor().mask(line), '\u001b[31mred [redacted:github-token]\u001b[1m bold\u001b[0m');
});

test('the password of a URL goes, the rest of it stays', () => {
  const { mask } = createRedactor();
  assert.equal(
    mask('postgres://app:hunter2@db:5432/x and redis://:pass@r'),
    'postgres://app:[redacted:url-password]@db:5432/x and redis://:[redacted:url-password]@r',
  );
  assert.equal(mask('see https://example.org:8080/a@b'), 'see https://example.org:8080/a@b');
});

test('a registered value is hidden, the longest first; a short one would hide ordinary words', () => {
  const redactor = createRedactor(['correct horse', 'correct horse battery']);
  assert.equal(redactor.mask('it is correct horse battery!'), 'it is [redacted:registered]!');
  assert.equal(redactor.register('short'), false);
  assert.equal(redactor.register('with (special) chars.*'), true);
  assert.equal(redactor.mask('with (special) chars.*'), '[redacted:registered]');
});

test('ordinary lines stay as they are', () => {
  const redactor = createRedactor();
  for (const line of [
    'commit 3f786850e387550fdab836ed7e6dc881de23001b',
    'task-sk-something and risk-free-trial, ask_live_demo',
    'sha512-Z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==',
    'npm_config_registry is set, npm_lifecycle_event too',
    'pypi-server 1.2.3, eyJustKidding',
    'GET https://registry.example.org/@scope/name 200',
  ]) {
    assert.equal(redactor.mask(line), line);
  }
  assert.equal(redactor.count, 0);
});

test('escapes in JSON hide no secret, and two masked keys keep both their values', () => {
  const token = SECRETS['github-token'] ?? '';
  const redactor = createRedactor(['say "friend" and enter']);
  const metadata = { log: `first\n${token}\tend`, told: 'say "friend" and enter', plain: 'a\nb' };
  assert.deepEqual(JSON.parse(redactor.maskJson(JSON.stringify(metadata))), {
    log: 'first\n[redacted:github-token]\tend',
    told: '[redacted:registered]',
    plain: 'a\nb',
  });
  const untouched = '{"text": "a\\nb"}';
  assert.equal(redactor.maskJson(untouched), untouched);
  const other = token.replace('a', 'z');
  assert.deepEqual(JSON.parse(redactor.maskJson(JSON.stringify({ [token]: 1, [other]: 2 }))), {
    '[redacted:github-token]': 1,
    '[redacted:github-token] 2': 2,
  });
});

test('JSON stays JSON, whatever is masked in it', () => {
  const redactor = createRedactor(['nsecret12', '"},{"a":"']);
  const texts = fc.oneof(
    fc.string(),
    fc.constantFrom(
      ...Object.values(SECRETS),
      '-----BEGIN PRIVATE KEY-----',
      '\nsecret12',
      'http://a:"b@c',
      'x://u\\:p"@',
    ),
  );
  const value = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, texts, fc.array(tie('value')), fc.dictionary(texts, tie('value'))),
  })).value;
  fc.assert(
    fc.property(fc.dictionary(texts, value), (metadata) => {
      const masked = redactor.maskJson(JSON.stringify(metadata));
      assert.equal(typeof JSON.parse(masked), 'object');
      for (const secret of Object.values(SECRETS)) assert.ok(!masked.includes(secret));
    }),
    { numRuns: 500 },
  );
});

test('many keys that mask alike keep their values, each under a name of its own, in linear time', () => {
  const redactor = createRedactor();
  const keys = Array.from({ length: 40_000 }, (_, index) => `://:${index}@`);
  const start = performance.now();
  const masked = JSON.parse(redactor.maskJson(JSON.stringify(Object.fromEntries(keys.map((key, at) => [key, at])))));
  assert.ok(performance.now() - start < 2_000);
  assert.deepEqual(Object.values(masked), [...keys.keys()]);
  assert.equal(redactor.count, keys.length);
  // A key that already looks like a numbered one is not overwritten either.
  const clash = { '://:a@': 1, '://:[redacted:url-password]@ 2': 2, '://:b@': 3 };
  assert.deepEqual(Object.values(JSON.parse(redactor.maskJson(JSON.stringify(clash)))).sort(), [1, 2, 3]);
});

const HOSTILE = [
  ...['://', '://a', '://a:', '://a:b@', `://${'a'.repeat(255)}`, `://:${'a'.repeat(255)}`],
  ...['-----BEGIN ', '-----BEGIN A A A A', '-----BEGIN PRIVATE KEY-----', 'PRIVATE KEY', '-'],
  ...['eyJ', 'eyJ-', '-eyJ', 'eyJaaaaaaaa.', '.eyJaaaaaaaa', `eyJ${'a'.repeat(4_096)} `, `eyJ${'a'.repeat(9_000)}.`],
  ...['sk-', 'sk-ant-', 'sk-proj-', 'sk_live_', 'whsec_', 'xoxb-', 'xapp-1-', 'glpat-', 'pypi-', 'pypi-AgE'],
  ...['AKIA', 'AIza', 'npm_', 'ghp_', `ghp_${'a'.repeat(35)} `, 'github_pat_', 'A'],
];
for (const unit of HOSTILE) {
  test(`a mebibyte of ${JSON.stringify(unit.slice(0, 30))} (${unit.length} characters) holds nothing up`, () => {
    const text = unit.repeat(Math.ceil(2 ** 20 / unit.length));
    // The best of three: another program on the machine is no fault of ours.
    const tookMs = [1, 2, 3].map(() => {
      const start = performance.now();
      createRedactor().mask(text);
      return performance.now() - start;
    });
    assert.ok(Math.min(...tookMs) < 300, `${tookMs} ms`);
  });
}
