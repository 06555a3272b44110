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

test('addresses, places in files and masked secrets are told apart, and only safe addresses lead anywhere', () => {
  const parts = (message: string) =>
    drawLine(message, { places: true })
      .pieces.filter(({ kind, href }) => kind !== 'text' || href !== undefined)
      .map(({ text, kind, href }) => [href === undefined ? kind : 'link', text]);
  assert.deepEqual(parts('see https://example.org/a?b=(c), (https://x.example/y). Fine.'), [
    ['link', 'https://example.org/a?b=(c)'],
    ['link', 'https://x.example/y'],
  ]);
  assert.deepEqual(parts('at run (src/core/a.ts:12:3) and ./b.py:7, C:\\x\\y.cs:9'), [
    ['file', 'src/core/a.ts:12:3'],
    ['file', './b.py:7'],
    ['file', 'C:\\x\\y.cs:9'],
  ]);
  assert.deepEqual(parts('token [redacted:github-token] used'), [['redacted', '[redacted:github-token]']]);
  assert.deepEqual(parts('javascript:alert(1) data:text/html,x 10:20:30 a.b:c 1.2.3.4:80'), []);
});

test('a link of the terminal leads to http, https and mailto only, and a look of its own stays', () => {
  const link = (uri: string) =>
    drawLine(`\u001b]8;;${uri}\u001b\\here\u001b]8;;\u001b\\ there`, { places: true }).pieces;
  assert.deepEqual(
    link('https://example.org/').map(({ text, href }) => [text, href]),
    [
      ['here', 'https://example.org/'],
      [' there', undefined],
    ],
  );
  assert.equal(link('mailto:a@example.org')[0]?.href, 'mailto:a@example.org');
  for (const uri of [
    'javascript:alert(1)',
    'file:///etc/passwd',
    'data:text/html,x',
    'https://a b',
    'https://x/\u202e',
  ]) {
    assert.equal(link(uri)[0]?.href, undefined, uri);
  }
});

test('a hit within an address is marked and still leads there', () => {
  const { pieces } = drawLine('go https://example.org/deep now', { places: true, searched: ['deep'] });
  assert.deepEqual(
    pieces.map(({ text, kind, href }) => [text, kind, href !== undefined]),
    [
      ['go ', 'text', false],
      ['https://example.org/', 'text', true],
      ['deep', 'hit', true],
      [' now', 'text', false],
    ],
  );
});

test('of a long line that is drawn over, the row shows what it came to', () => {
  const { pieces } = drawLine(`${Array.from({ length: 2_000 }, (_, n) => `${n} %`).join('\r')}\r`);
  assert.equal(pieces[0]?.text, '1999 %');
});

test('a line of hostile length is looked at in reasonable time', () => {
  for (const unit of ['a.', '/', 'a/', 'http://', 'x:1', '[redacted:']) {
    const startMs = performance.now();
    drawLine(unit.repeat(20_000), { places: true, maxChars: 20_000 });
    assert.ok(performance.now() - startMs < 10_000, unit);
  }
});
