import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { hasBeginning } from '../../src/intake/redact/hints.ts';
import { createRedactor } from '../../src/intake/redact.ts';
import { letters, privateKey, tokens } from '../support/secrets.ts';

const LETTERS = letters('hints', 80);
/** Each beginning that a shape may have, with enough behind it. */
const SHAPES = [
  ...Object.values(tokens('hints')),
  ...['ASIA', 'ABIA', 'ACCA'].map((prefix) => `${prefix}ABCDEFGHIJKLMNOP`),
  ...['gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_', 'whsec_', 'sk_test_', 'rk_live_', 'rk_test_', 'xapp-1-'].map(
    (p) => p + LETTERS,
  ),
  ...['gldt-', 'glrt-', 'glptt-', 'glft-', 'glimt-', 'glagent-', 'glcbt-', 'gloas-', 'glsoat-'].map((p) => p + LETTERS),
  ...['xoxa-', 'xoxe-', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-', 'sk-', 'sk-svcacct-', 'sk-admin-', 'GOCSPX-', 'ya29.'].map(
    (p) => p + LETTERS,
  ),
  ...['AWS_SECRET_ACCESS_KEY', 'aws_secret_access_key', 'awssecretkey', 'SecretAccessKey'].map(
    (p) => `${p}=${LETTERS.slice(0, 40)}`,
  ),
  ...['://me:hunter2@h', ':\\/\\/me:hunter2@h', privateKey('hints').text, '-----BEGIN PGP PRIVATE KEY BLOCK-----'],
];

test('the first look misses no shape, wherever it stands', () => {
  const { mask } = createRedactor();
  for (const shape of SHAPES) {
    for (let before = 0; before < 12; before++) {
      const line = `${'. '.repeat(6).slice(0, before)}${shape}`;
      assert.ok(hasBeginning(line), line);
      assert.ok(mask(line).includes('[redacted:'), line);
    }
  }
});

test('it misses none in any text', () => {
  const around = fc.oneof(fc.string({ unit: 'binary' }), fc.string());
  fc.assert(
    fc.property(around, fc.constantFrom(...SHAPES), around, (before, shape, after) => {
      assert.ok(hasBeginning(`${before}${shape}${after}`));
    }),
    { numRuns: 2_000 },
  );
});

test('most ordinary lines are done with it', () => {
  for (const line of [
    'compiled src/components/widget-12.ts in 45 ms with --fast',
    'ok',
    '',
    'a',
    'ab',
    'Übersetzung fertig',
  ]) {
    assert.equal(hasBeginning(line), false, line);
  }
});
