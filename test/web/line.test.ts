import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { drawLine, plainLine, ROW_CHARS, visible } from '../../src/web/lib/line.ts';

const shown = (message: string): string =>
  drawLine(message)
    .pieces.map((piece) => (piece.kind === 'token' ? `<${piece.text}>` : piece.text))
    .join('');

test('characters that cannot be seen are shown as tokens', () => {
  assert.equal(shown('a\u0000b\u0007c\u007f'), 'a<NUL>b<BEL>c<DEL>');
  assert.equal(shown('safe\u202etxt.exe\u2066'), 'safe<RLO>txt.exe<LRI>');
  assert.equal(shown('zero\u200bwidth\ufeff'), 'zero<ZWSP>width<BOM>');
  assert.equal(shown('hidden\u{e0041}'), 'hidden<E0041>');
});

test('where only text can stand, what cannot be seen is named in the text', () => {
  assert.equal(visible('safe\u202etxt.exe \u001b[31mred\nnext'), 'safe‹RLO›txt.exe red‹↵›next');
  assert.equal(visible('one\ntwo', { breaks: true }), 'one\ntwo');
  assert.equal(visible(`a${'\u0301'.repeat(5_000)}`), 'a‹+5000 marks›');
});

test('a token says which character it stands for', () => {
  assert.equal(drawLine('\u202e').pieces[0]?.title, 'U+202E');
});

test('tab, joined emoji and accents stay as they are', () => {
  const message = 'a\tb é e\u0301 👩‍💻 नमस्ते';
  assert.equal(shown(message), message);
});

test('ten thousand combining marks become one token', () => {
  assert.equal(shown(`a${'\u0301'.repeat(10_000)}`.slice(0, 1_500)), 'a<+1499 marks>');
});

test('a line break is a token in a row and a break where there is room', () => {
  assert.equal(shown('one\ntwo'), 'one<↵>two');
  assert.deepEqual(
    drawLine('one\ntwo', { breaks: true }).pieces.map((piece) => piece.text),
    ['one\ntwo'],
  );
});

test('a long line is cut, never inside a pair, and says how much is hidden', () => {
  const line = drawLine(`${'x'.repeat(ROW_CHARS - 1)}😀tail`);
  assert.equal(line.pieces[0]?.text, 'x'.repeat(ROW_CHARS - 1));
  assert.equal(line.hiddenChars, '😀tail'.length);
});

test('search text is marked in any case', () => {
  const { pieces } = drawLine('Error and ERROR', { searched: ['error'] });
  assert.deepEqual(
    pieces.map(({ text, kind }) => [text, kind]),
    [
      ['Error', 'hit'],
      [' and ', 'text'],
      ['ERROR', 'hit'],
    ],
  );
});

test('of several texts each is marked, and of those that overlap the one that begins first', () => {
  const { pieces } = drawLine('abcd xabc', { searched: ['bc', 'ABC', 'cd', '', 'x'] });
  const hits = pieces.filter(({ kind }) => kind === 'hit').map(({ text }) => text);
  assert.deepEqual(hits, ['abc', 'x', 'abc']);
});

test('marks never change the text, for any message and search', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ maxLength: 3 })), (message, searched) => {
      const joined = (options: { searched?: readonly string[] }): string =>
        drawLine(message, options)
          .pieces.map((piece) => piece.text)
          .join('');
      assert.equal(joined({ searched }), joined({}));
    }),
  );
});

test('copied text has no colours', () => {
  assert.equal(plainLine('\u001b[32mok\u001b[0m done'), 'ok done');
});
