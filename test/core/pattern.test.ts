import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PATTERN_SIZE } from '../../src/core/limits.ts';
import { compilePattern, patternSize } from '../../src/core/pattern.ts';

test('the size of a pattern counts what its repetitions may become', () => {
  const sizes: readonly (readonly [string, number])[] = [
    ['abc', 3],
    ['a{3}b', 4],
    ['.{0,999}', 999],
    ['a{5,}', 6],
    ['(ab){10}', 30],
    ['(?:a{10}){10}', 130],
    ['[)(]{9}', 9],
    ['[]{3}]{9}', 9],
    ['[^]x]{4}', 4],
    ['[[:alpha:]]{7}', 7],
    ['[\\]]{7}', 7],
    ['\\p{Greek}{6}', 6],
    ['\\x{10FFFF}{2}', 2],
    ['\\(a{2}\\)', 4],
  ];
  for (const [pattern, size] of sizes) assert.equal(patternSize(pattern), size, pattern);
  assert.ok(patternSize('\\Qabc{9}\\E{4}') >= 8);
});

test('a pattern that would take long to compile or to match is refused before it is compiled', () => {
  const huge = [
    '.{0,999}',
    '(.{0,30}){0,30}',
    '((a{9}){9}){9}',
    '.{0,999}'.repeat(110),
    '(x{500}[)]){500}',
    '(x{500}[[:^alpha:]]){9}',
  ];
  for (const pattern of huge) {
    assert.throws(() => compilePattern(pattern), { code: 'invalid_filter', message: /at most 500 pieces/ }, pattern);
  }
  for (const pattern of ['[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '^.{0,200}$', '(?i)error: .*'])
    compilePattern(pattern);
});

test('however a pattern is written, what passes compiles to a program of a bounded size', () => {
  const pieces = [
    'a',
    '.',
    '[',
    ']',
    '^',
    '(',
    ')',
    '|',
    '\\',
    '\\Q',
    '\\E',
    '\\p{L}',
    '[:alpha:]',
    '{9}',
    '{0,99}',
    '{7,}',
    '*',
    '?',
    '(?:',
    '{',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 24 }), (chosen) => {
      const pattern = chosen.join('');
      if (patternSize(pattern) > PATTERN_SIZE) return;
      try {
        assert.ok(compilePattern(pattern).chars >= 2_000, pattern);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'invalid_filter', pattern);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('of a long message a large pattern looks at the start', () => {
  const pattern = compilePattern('x{0,400}y');
  assert.ok(pattern.chars > 5_000 && pattern.chars < 20_000);
  assert.ok(pattern.find(`${'-'.repeat(1_000)}y`));
  assert.ok(!pattern.find(`${'-'.repeat(1_000_000)}y`));
  assert.ok(compilePattern('needle').find(`${'-'.repeat(500_000)}needle`));
});

test('a pattern is compiled once', () => {
  assert.equal(compilePattern('once (upon|in)'), compilePattern('once (upon|in)'));
});
