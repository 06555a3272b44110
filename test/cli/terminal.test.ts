import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonText, safeText } from '../../src/cli/terminal.ts';

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const COLOUR = /\u001b\[[0-9;:]*m/g;
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: control characters are what is looked for

test('colours stay where they are wanted, and end with the line', () => {
  assert.equal(safeText('\u001b[31mred', { colour: true }), '\u001b[31mred\u001b[0m');
  assert.equal(safeText('\u001b[31mred\u001b[0m', { colour: false }), 'red');
});

test('what moves the cursor, names the window or writes the clipboard becomes visible', () => {
  assert.equal(safeText('\u001b[2Ja\u001b]0;title\u0007', { colour: true }), '␛[2Ja␛]0;title␇');
  assert.equal(safeText('\u001b]52;c;aGk=\u001b\\', { colour: true }), '␛]52;c;aGk=␛\\');
  assert.equal(safeText('a\rb\bc\u007f\u009b2J', { colour: true }), 'a␍b␈c␡<U+009B>2J');
});

test('text that turns or hides text becomes visible', () => {
  assert.equal(safeText('a\u202eb\u200bc\ufeff', { colour: true }), 'a<U+202E>b<U+200B>c<U+FEFF>');
});

test('text that is made invisible by its colour, and piles of marks, become visible', () => {
  assert.equal(
    safeText('\u001b[1;8mgone\u001b[38;5;8m grey', { colour: true }),
    '␛[1;8mgone\u001b[38;5;8m grey\u001b[0m',
  );
  assert.equal(safeText(`a${'\u0301'.repeat(500)}`, { colour: true }), 'a<+500 marks>');
  assert.equal(safeText('a\u{e0041}', { colour: true }), 'a<U+E0041>');
});

test('JSON escapes what a terminal would obey, and means the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const json = jsonText({ text });
      assert.doesNotMatch(json, UNSAFE);
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify({ text })));
    }),
  );
});

test('ordinary text of any language is left alone', () => {
  for (const text of ['plain', 'tab\there', 'two\nlines', 'žluťoučký 日本語 עברית 🎉']) {
    assert.equal(safeText(text, { colour: true }), text);
  }
});

test('no text brings a control character to the terminal but colour, tab and newline', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.boolean(), (text, colour) => {
      const rest = safeText(text, { colour }).replace(COLOUR, '');
      assert.doesNotMatch(rest, UNSAFE);
    }),
  );
});
