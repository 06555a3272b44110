import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type CapturedLine, LineCutter } from '../../src/capture/lines.ts';

function cut(chunks: readonly Uint8Array[], maxBytes?: number): CapturedLine[] {
  const cutter = new LineCutter(maxBytes);
  return [...chunks.flatMap((chunk) => cutter.push(chunk)), ...cutter.end()];
}

function cutText(text: string, maxBytes?: number): CapturedLine[] {
  return cut([Buffer.from(text)], maxBytes);
}

const plain = (...messages: string[]): CapturedLine[] => messages.map((message) => ({ message, metadata: null }));

test('LF and CR LF end a line, an empty line is a line, and so is an unended last one', () => {
  assert.deepEqual(cutText('one\n\ntwo\r\nthree'), plain('one', '', 'two', 'three'));
  assert.deepEqual(cutText('one\n'), plain('one'));
  assert.deepEqual(cutText('\n'), plain(''));
  assert.deepEqual(cutText(''), []);
  assert.deepEqual(cutText('a\0b\n\0'), plain('a\0b', '\0'));
});

test('characters and line breaks split over chunks stay whole', () => {
  const bytes = Buffer.from('naïve 😀 日本\r\nend');
  for (let at = 0; at <= bytes.length; at++) {
    assert.deepEqual(cut([bytes.subarray(0, at), bytes.subarray(at)]), plain('naïve 😀 日本', 'end'));
  }
});

test('bytes that are no UTF-8 become U+FFFD and are counted; a printed U+FFFD is no damage', () => {
  const bytes = Buffer.concat([Buffer.from('a'), Buffer.from([0xff, 0xfe]), Buffer.from('b\ufffd\nfine \ufffd\n')]);
  assert.deepEqual(cut([bytes]), [
    { message: 'a\ufffd\ufffdb\ufffd', metadata: { invalid_utf8: 2 } },
    { message: 'fine \ufffd', metadata: null },
  ]);
  assert.deepEqual(cut([Buffer.from([0xe2, 0x82])]), [{ message: '\ufffd', metadata: { invalid_utf8: 1 } }]);
});

test('a line over the limit goes on in following lines, cut between characters', () => {
  const lines = cutText(`${'é'.repeat(10)}\nshort\n`, 7);
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['ééé', 'ééé', 'ééé', 'é', 'short'],
  );
  assert.deepEqual(
    lines.map(({ metadata }) => metadata),
    [null, { continued: true }, { continued: true }, { continued: true }, null],
  );
});

test('no line is over the limit, also where bad bytes grow', () => {
  for (const chunk of [1, 1_000, 65_536]) {
    const bytes = Buffer.concat([Buffer.alloc(30_000, 0xff), Buffer.from('\nfine\nab\rc'), Buffer.alloc(5_000, 0xfe)]);
    const chunks = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, at) =>
      bytes.subarray(at * chunk, (at + 1) * chunk),
    );
    const lines = cut(chunks, 10_000);
    assert.ok(lines.every(({ message }) => Buffer.byteLength(message) <= 10_000));
    const text = lines.map(({ message }) => message).join('');
    assert.equal(text.split('\ufffd').length - 1, 35_000);
    assert.ok(lines.some(({ message }) => message === 'fine'));
  }
});

test('a sequence that moves far right prints no thousands of spaces', () => {
  const lines = cutText('\ra\u001b[9999CX\n\ra\u001b[9999GX\n'.repeat(200));
  assert.ok(lines.every(({ message }) => message.length <= 600 && /^a +X$/.test(message)));
});

test('a line without end takes no memory without end, and loses nothing', () => {
  const cutter = new LineCutter(1_000);
  const lines: CapturedLine[] = [];
  for (let index = 0; index < 1_000; index++) {
    lines.push(...cutter.push(Buffer.alloc(700, 'x')));
    assert.ok(cutter.partial.length <= 1_000);
  }
  lines.push(...cutter.end());
  assert.equal(lines.map(({ message }) => message).join(''), 'x'.repeat(700_000));
  assert.ok(lines.every(({ message }) => message.length <= 1_000));
});

test('a progress bar is folded to its last state, with a note of how often it was drawn', () => {
  assert.deepEqual(cutText('10%\r 55%\r100%\nnext\n'), [
    { message: '100%', metadata: { redraws: 2 } },
    { message: 'next', metadata: null },
  ]);
  // A shorter text covers only what it reaches, as on a terminal; erasing takes the rest away.
  assert.deepEqual(cutText('Downloading\rDone\n')[0]?.message, 'Doneloading');
  assert.deepEqual(cutText('Downloading\r\u001b[KDone\n')[0]?.message, 'Done');
  assert.deepEqual(cutText('Downloading\u001b[2K\rDone\n')[0]?.message, 'Done');
  assert.deepEqual(cutText('abc\r\r\n'), [{ message: 'abc', metadata: { redraws: 1 } }]);
});

test('a wide line that is drawn over keeps what no terminal could show', () => {
  const wide = '0123456789'.repeat(5_000);
  assert.equal(cutText(`working\r${wide}\n`)[0]?.message, wide);
  assert.equal(cutText(`${wide}\rdone\u001b[K\n`)[0]?.message, 'done');
});

test('colours stay with what was printed in them', () => {
  assert.equal(cutText('\u001b[31mred\u001b[0m plain\rR\n')[0]?.message, 'R\u001b[31med\u001b[0m plain');
  assert.equal(cutText('\u001b[32mok\u001b[0m\n')[0]?.message, '\u001b[32mok\u001b[0m');
});

test('a spinner that never ends its line takes no memory without end', () => {
  const cutter = new LineCutter();
  const frame = Buffer.from(`\r⠋ reticulating splines ${'.'.repeat(40)}`);
  for (let index = 0; index < 20_000; index++) assert.deepEqual(cutter.push(frame), []);
  assert.match(cutter.partial, /^⠋ reticulating splines/);
  const [line] = cutter.end();
  assert.match(line?.message ?? '', /^⠋ reticulating splines \.{40}$/);
  assert.equal(line?.metadata?.redraws, 19_999);
});

test('the unended line is shown as it looks, without half characters', () => {
  const cutter = new LineCutter();
  cutter.push(Buffer.from('one\ntwo '));
  assert.equal(cutter.partial, 'two ');
  cutter.push(Buffer.from([0xf0, 0x9f]));
  assert.equal(cutter.partial, 'two ');
  cutter.push(Buffer.from([0x98, 0x80]));
  assert.equal(cutter.partial, 'two 😀');
  cutter.push(Buffer.from('\r1'));
  assert.equal(cutter.partial, '1wo 😀');
  cutter.push(Buffer.from('\n'));
  assert.equal(cutter.partial, '');
});

test('npm, pip and docker progress look at the end as they did on the terminal', () => {
  const npm =
    '\u001b[?25l⠙\u001b[1G\u001b[0K⠹\u001b[1G\u001b[0K⠸\u001b[1G\u001b[0Kadded 12 packages in 2s\n\u001b[?25h';
  assert.equal(
    cutText(npm)[0]?.message,
    '\u001b[?25l⠙\u001b[1G\u001b[0K⠹\u001b[1G\u001b[0K⠸\u001b[1G\u001b[0Kadded 12 packages in 2s',
  );
  const pip = '   ━━━━━━━━ 1.0/4.0 MB\r\u001b[2K   ━━━━━━━━ 4.0/4.0 MB\r\u001b[2K   ━━━━━━━━ 4.0/4.0 MB 9 MB/s\r\n';
  assert.deepEqual(cutText(pip), [{ message: '   ━━━━━━━━ 4.0/4.0 MB 9 MB/s', metadata: { redraws: 2 } }]);
});

test('the same bytes give the same lines wherever they are cut', () => {
  const piece = fc.oneof(
    fc.constantFrom('\n', '\r\n', '\r', '\u001b[K', '\u001b[31m', '\u001b[0m', '\0', 'é', '😀', '\ufffd'),
    fc.string({ maxLength: 12 }),
  );
  const bytes = fc.oneof(
    fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join(''))),
    fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 8 }), fc.constantFrom(undefined, 16), (all, places, max) => {
      const cuts = [0, ...places.map((place) => place % (all.length + 1)).sort((a, b) => a - b), all.length];
      const chunks = cuts.slice(1).map((end, index) => all.subarray(cuts[index], end));
      // Where a line is both drawn over and over the limit, it is memory that decides where it is cut.
      const bytes = max === undefined ? all : all.filter((byte) => byte !== 0x0d);
      const parts = max === undefined ? chunks : chunks.map((chunk) => chunk.filter((byte) => byte !== 0x0d));
      assert.deepEqual(cut(parts, max), cut([bytes], max));
    }),
    { numRuns: 2_000 },
  );
});

test('without CR, lines joined by LF are what was printed', () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''));
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), (lines) => {
      const text = `${lines.join('\n')}\n`;
      assert.equal(
        `${cutText(text)
          .map(({ message }) => message)
          .join('\n')}\n`,
        text.toWellFormed(),
      );
    }),
  );
});
