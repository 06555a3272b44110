import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { requiredTexts } from '../../src/core/literals.ts';

const KNOWN: [pattern: string, texts: readonly string[]][] = [
  ['connection refused', ['connection refused']],
  ['Error: .* at line \\d+', ['error: ', ' at line ']],
  ['(foo|bar) baz', [' baz']],
  ['colou?r', ['colo', 'r']],
  ['ab+c', ['ab', 'c']],
  ['ab*c', ['a', 'c']],
  ['ab{2,3}c', ['a', 'c']],
  ['(?i)Task failed', ['ta', ' failed']],
  ['\\[ERROR\\]', ['[error]']],
  ['a|b', []],
  ['[[:alpha:]]end', ['end']],
  ['[]a]end', ['end']],
  ['\\x{41}bc\\pLde\\p{Greek}f', ['bc', 'de', 'f']],
  ['\\Qa|b\\E', []],
  ['(a[)]b)c', ['c']],
  ['', []],
];

test('the texts that a pattern needs are found where they are sure', () => {
  for (const [pattern, texts] of KNOWN) assert.deepEqual(requiredTexts(pattern), texts, pattern);
});

const ATOMS = [
  ...['a', 'b', 'K', 's', 'S', '\u212a', 'ſ', '.', '\\d', '\\.', '\\n', '[abs]', '[^k]', '[]a]', '(a|b)', '(?:ks)'],
  ...['(?i:k)', '^', '$', '\\b', 'é', '{', '}', '\\x41', '\\x{4b}', '\\pL', ' ', '\\Qa*\\E', '((a)b)', '(?P<n>b)'],
];
const REPEATS = ['', '', '', '*', '+', '?', '{2}', '{0,1}', '{1,}', '*?', '+?', '{0}'];
const patterns = fc
  .tuple(
    fc.constantFrom('', '', '(?i)', '(?s)', '(?is)'),
    fc.array(fc.tuple(fc.constantFrom(...ATOMS), fc.constantFrom(...REPEATS)), { maxLength: 6 }),
    fc.constantFrom('', '', '|a'),
  )
  .map(([flags, pieces, end]) => flags + pieces.map((piece) => piece.join('')).join('') + end);
const messages = fc
  .array(
    fc.constantFrom(
      'a',
      'A',
      'b',
      'B',
      'k',
      'K',
      '\u212a',
      's',
      'S',
      'ſ',
      '1',
      '.',
      '\n',
      'é',
      'É',
      ' ',
      '{',
      '}',
      '*',
    ),
    {
      maxLength: 12,
    },
  )
  .map((pieces) => pieces.join(''));

test('every message with a match contains the texts that its pattern needs', () => {
  let matches = 0;
  const property = fc.property(patterns, fc.array(messages, { minLength: 8, maxLength: 8 }), (pattern, given) => {
    const compiled = compile(pattern);
    if (!compiled) return;
    const texts = requiredTexts(pattern);
    for (const message of given) {
      if (!compiled.matcher(message).find()) continue;
      matches += texts.length > 0 ? 1 : 0;
      for (const text of texts) {
        assert.ok(
          message.toLowerCase().includes(text),
          `${pattern} needs ${JSON.stringify(text)} in ${JSON.stringify(message)}`,
        );
      }
    }
  });
  fc.assert(property, { numRuns: 3_000 });
  assert.ok(matches > 100, `only ${matches} matches were looked at`);
});

function compile(pattern: string): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
}
