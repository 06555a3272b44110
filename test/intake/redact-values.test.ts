import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { REDACTION_VALUES } from '../../src/core/limits.ts';
import { createRedactor } from '../../src/intake/redact.ts';
import { letters } from '../support/secrets.ts';

const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (escaped) => escaped.toLowerCase());
/** As others write a value, each by a way of its own. */
const FORMS: Readonly<Record<string, (value: string) => string>> = {
  plain: (value) => value,
  JSON: (value) => JSON.stringify({ value }),
  'JSON in JSON': (value) => JSON.stringify({ inner: JSON.stringify([value]) }),
  'JSON in ASCII': (value) =>
    JSON.stringify(value).replace(
      /[\u0080-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  'a part of a URL': (value) => `?token=${encodeURIComponent(value)}&x=1`,
  'the same in small letters': (value) => lower(encodeURIComponent(value)),
  'a form': (value) => new URLSearchParams({ value }).toString(),
  base64: (value) => Buffer.from(value).toString('base64'),
  'base64 without padding': (value) => Buffer.from(value).toString('base64').replaceAll('=', ''),
  base64url: (value) => Buffer.from(value).toString('base64url'),
  'basic authorization': (value) => `Basic ${Buffer.from(`me:${value}`).toString('base64')}`,
  'base64 in the middle': (value) => Buffer.from(`{"a":"${value}","b":1}`).toString('base64'),
  'base64 elsewhere in the middle': (value) => Buffer.from(`{"ab":"${value}","b":1}`).toString('base64url'),
};

const value = fc
  .oneof(fc.string({ minLength: 8, maxLength: 40 }), fc.string({ unit: 'grapheme', minLength: 8, maxLength: 40 }))
  .filter((text) => text === text.trim() && !/[\r\n]/.test(text) && text.isWellFormed());
for (const [name, write] of Object.entries(FORMS)) {
  test(`a registered value is hidden in ${name}`, () => {
    fc.assert(
      fc.property(value, fc.string({ maxLength: 10 }), (secret, around) => {
        const { mask } = createRedactor([secret]);
        const line = `${around} ${write(secret)} ${around}`;
        const masked = mask(line);
        assert.ok(masked.includes('[redacted:registered]'), line);
        // Of base64 a letter on each side may hold bits of both neighbours; nothing more of it is left.
        const core = write(secret).length > 12 ? '' : write(secret);
        assert.ok(core === '' || !masked.includes(core));
        assert.equal(mask(masked), masked);
      }),
      { numRuns: 150 },
    );
  });
}

test('each line of a value is hidden by itself, unless it is too short or says nothing', () => {
  const [first, second] = [letters('first', 20), letters('second', 20)];
  const { mask } = createRedactor([
    `-----BEGIN CERTIFICATE-----\n${first}\r\n  ${second}\nshort\n-----END CERTIFICATE-----\n`,
  ]);
  assert.equal(mask(`it is ${second}`), 'it is [redacted:registered]');
  assert.equal(mask(Buffer.from(first).toString('base64')), '[redacted:registered]');
  for (const line of ['short', '-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'])
    assert.equal(mask(line), line);
});

test('values that overlap are hidden together; a long one also where a part of it stands', () => {
  const { mask } = createRedactor(['abcdefgh-ijkl', 'ijkl-mnopqrst']);
  assert.equal(mask('x abcdefgh-ijkl-mnopqrst y'), 'x [redacted:registered] y');
  const long = letters('long', 10_000);
  const long2 = createRedactor([long]);
  assert.equal(long2.mask(`x ${long} y ${long}`), 'x [redacted:registered] y [redacted:registered]');
  assert.equal(long2.count, 2);
  assert.ok(long2.mask(long.slice(0, 640)).startsWith('[redacted:registered]'));
});

test('of a thousand values each is found, and nothing else', () => {
  const values = Array.from({ length: 1_000 }, (_, index) => letters(`value ${index}`, 8 + (index % 40)));
  const { mask } = createRedactor(values);
  for (const one of values) assert.equal(mask(`a ${one} b`), 'a [redacted:registered] b');
  for (let index = 0; index < 1_000; index++) {
    const other = `line ${index} ${letters(`other ${index}`, 60)}`;
    assert.equal(mask(other), other);
  }
});

test('short, endless and too many values are refused; those from outside leave room for our own', () => {
  const redactor = createRedactor();
  assert.equal(redactor.register('1234567'), false);
  assert.equal(redactor.register('  1234567  '), false);
  assert.equal(redactor.register('x'.repeat(64 * 1024 + 1)), false);
  for (let index = 0; index < REDACTION_VALUES; index++)
    assert.equal(redactor.register(letters(`${index}`, 12), 'outside'), true);
  assert.equal(redactor.register(letters('one more', 12), 'outside'), false);
  // What is known needs no room.
  assert.equal(redactor.register(letters('0', 12), 'outside'), true);
  assert.equal(redactor.register(letters('our own', 12)), true);
  assert.equal(redactor.mask(letters('our own', 12)), '[redacted:registered]');
});

test('values and lines made to be slow are not', () => {
  const alike = createRedactor(Array.from({ length: 500 }, (_, index) => `${'a'.repeat(100)}${index}`));
  const start = performance.now();
  assert.equal(alike.mask('a'.repeat(2 ** 20)), '[redacted:registered]');
  assert.equal(createRedactor(['a'.repeat(60_000)]).mask('a'.repeat(2 ** 20)), '[redacted:registered]');
  // A colour makes it look for those that are written as text, each of which may have any number of backslashes.
  const slashes = `\u001b[31m${'\\'.repeat(2 ** 18)}`;
  assert.equal(alike.mask(slashes), slashes);
  assert.ok(slashes.startsWith(alike.maskUnended(slashes)));
  assert.ok(performance.now() - start < 10_000);
});

test('what is left of a secret whose end was cut off is masked as well', () => {
  const secret = letters('cut', 30);
  const { mask } = createRedactor([secret]);
  assert.equal(mask(`a ${secret.slice(0, 12)}…`), 'a [redacted:registered]…');
  assert.equal(mask('a ghp_abcdefgh…'), 'a [redacted:cut]…');
  for (const line of ['ghp_…', 'compiling…', 'see https://example.org…', 'see https://example.org:8080/x…'])
    assert.equal(mask(line), line);
});

test('of an unended line nothing is shown that may be the start of a secret', () => {
  const secret = letters('unended', 30);
  const redactor = createRedactor([secret], [{ name: 'employee', pattern: 'EMP-[0-9]{6}' }]);
  for (let count = 3; count <= secret.length; count++) {
    const shown = redactor.maskUnended(`it is ${secret.slice(0, count)}`);
    assert.ok(shown === 'it is ' || shown === 'it is [redacted:registered]', shown);
  }
  for (const [line, shown] of [
    ['token ghp_abc', 'token '],
    ['token \u001b[31mghp_a\u001b[0mbc', 'token \u001b[31m'],
    ['see https://me:hun', 'see https://me:'],
    ['eyJhbGciOi', ''],
    ['by EMP-12', 'by '],
    [letters('a line of a key', 40), ''],
    ['a'.repeat(5_000), ''],
    ['Continue? [y/N] ', 'Continue? [y/N] '],
    ['compiling 45 % (12 of 30)', 'compiling 45 % (12 of 30)'],
    ['', ''],
  ] as const) {
    assert.equal(redactor.maskUnended(line), shown);
  }
  assert.equal(redactor.count, 0);
});
