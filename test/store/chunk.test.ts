import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isoTime } from '../../src/core/time.ts';
import { Chunk, compressLines, type StoredLine } from '../../src/store/sqlite/chunk.ts';

const pieces = fc.constantFrom(
  '\n',
  '\r\n',
  '',
  ' ',
  '\u0000',
  'a',
  'İ',
  'Σ',
  'σ',
  'é',
  '😀',
  '\ufeff',
  '\u2028',
  '"',
  '\\n',
  '\ufffd',
);
const texts = fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join(''));
const lines = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 2 ** 40 }),
      timestamp: fc.oneof(
        fc
          .integer({ min: Date.parse('0000-01-01T00:00:00.000Z'), max: Date.parse('9999-12-31T23:59:59.999Z') })
          .map(isoTime),
        fc.constantFrom('', 'yesterday', '2026-01-24T10:00:00Z', '2026-01-24'),
      ),
      facet_no: fc.nat(70_000),
      message: texts,
      metadata_json: fc.oneof(
        fc.constant(null),
        texts.map((text) => `{"a":${text}}`),
      ),
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((drafts) => {
    let id = 0;
    return drafts.map(({ gap, ...rest }, index): StoredLine => {
      id += gap;
      return { seq: 501 + index, id, ...rest };
    });
  });

test('whatever lines are compressed come back as they were', () => {
  fc.assert(
    fc.property(lines, (given) => {
      const chunk = new Chunk(501, compressLines(given));
      assert.deepEqual(chunk.lines, given);
      assert.deepEqual([chunk.firstSeq, chunk.lastSeq], [501, 500 + given.length]);
    }),
  );
});

test('a text that a message holds is never overlooked, however letters fold', () => {
  fc.assert(
    fc.property(lines, texts, (given, text) => {
      const folded = text.toLowerCase();
      const chunk = new Chunk(501, compressLines(given));
      if (given.some(({ message }) => message.toLowerCase().includes(folded))) assert.ok(chunk.mayHold([folded]));
    }),
  );
});

test('a bit that turned on the disk is an error, not another line', () => {
  const line = { id: 1, timestamp: isoTime(0), facet_no: 1, metadata_json: null };
  const given = Array.from({ length: 100 }, (_, index) => ({
    ...line,
    seq: index + 1,
    message: `line ${index * 7919}`,
  }));
  const data = compressLines(given);
  for (let at = 0; at < data.length; at++) {
    const turned = Uint8Array.from(data);
    turned[at] = (turned[at] ?? 0) ^ 1;
    let read: readonly StoredLine[] | undefined;
    try {
      read = new Chunk(1, turned).lines;
    } catch {
      continue;
    }
    assert.deepEqual(read, given, `byte ${at}`);
  }
});

test('a chunk of the first version is read for ever', () => {
  const data = 'KLUv/SSt1QEA4DcsMjkyNDg4MjUyOF1dfQoKfQp0d28KbGluZXMKALmGM2qDC8jL4tGsAcrrw2MJ0xsMb2LSP6+xAjw6nw8=';
  assert.deepEqual(new Chunk(1, Buffer.from(data, 'base64')).lines, [
    {
      seq: 1,
      id: 7,
      timestamp: '2026-01-24T10:00:00.000Z',
      facet_no: 1,
      message: '{"type":"system","subtype":"init"}',
      metadata_json: '{"a":1}',
    },
    { seq: 2, id: 9, timestamp: '2026-01-24T10:00:00.250Z', facet_no: 2, message: 'two\nlines', metadata_json: null },
  ]);
});
