import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ansiSpans } from '../../src/web/lib/ansi.ts';

const ESC = '\u001b';
const text = (line: string): string =>
  ansiSpans(line)
    .map((span) => span.text)
    .join('');

test('colours and weights become looks, and a reset ends them', () => {
  assert.deepEqual(ansiSpans(`a${ESC}[1;31mb${ESC}[0mc`), [
    { text: 'a', look: {} },
    { text: 'b', look: { bold: true, fg: 'rgb(205 49 49)' } },
    { text: 'c', look: {} },
  ]);
});

test('256 colours and true colour are read with semicolons and colons', () => {
  const looks = [`${ESC}[38;5;196mx`, `${ESC}[38;2;1;2;3mx`, `${ESC}[48:5:232mx`, `${ESC}[38;5;9mx`].map(
    (line) => ansiSpans(line)[0]?.look,
  );
  assert.deepEqual(looks, [
    { fg: 'rgb(255 0 0)' },
    { fg: 'rgb(1 2 3)' },
    { bg: 'rgb(8 8 8)' },
    { fg: 'rgb(241 76 76)' },
  ]);
});

test('an empty SGR resets, and single ends leave the rest as it is', () => {
  const spans = ansiSpans(`${ESC}[1;4;32mx${ESC}[24my${ESC}[39mz${ESC}[mw`);
  assert.deepEqual(
    spans.map(({ look }) => [look.bold === true, look.underline === true, look.fg]),
    [
      [true, true, 'rgb(13 188 121)'],
      [true, false, 'rgb(13 188 121)'],
      [true, false, undefined],
      [false, false, undefined],
    ],
  );
});

test('sequences that are not colours leave their text only', () => {
  assert.equal(text(`${ESC}[2K${ESC}[1Ga${ESC}[?25lb`), 'ab');
  assert.equal(text(`${ESC}]8;;https://example.org${ESC}\\link${ESC}]8;;${ESC}\\`), 'link');
  assert.equal(text(`${ESC}]0;title\u0007rest`), 'rest');
  assert.equal(text(`${ESC}(Bplain`), 'plain');
});

test('an unfinished sequence at the end is not shown', () => {
  for (const end of ['', '[', '[31', '[38;5', ']8;;http', 'P1$r']) assert.equal(text(`ok${ESC}${end}`), 'ok');
});

test('no text whatever leaves an escape character, and text that nothing draws over is unchanged', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      ESC,
      `${ESC}[`,
      `${ESC}]`,
      '31m',
      ';',
      '\u0007',
      `${ESC}\\`,
      '\r',
      '\b',
      '\n',
      `${ESC}[2K`,
      `${ESC}[9A`,
      `${ESC}7`,
    ),
  );
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const line = parts.join('');
      assert.ok(!text(line).includes(ESC));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these move the cursor
      if (!/[\u001b\r\b]/.test(line)) assert.equal(text(line), line);
    }),
  );
});

test('colours are made of numbers only, whatever the log says', () => {
  const [span] = ansiSpans(`${ESC}[38;2;999;-1;${'9'.repeat(400)}mx`);
  assert.match(span?.look.fg ?? 'rgb(0 0 0)', /^rgb\(\d{1,3} \d{1,3} \d{1,3}\)$/);
});
