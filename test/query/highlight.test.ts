import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Expr } from '../../src/core/expr.ts';
import { HIGHLIGHT_CHARS, HIGHLIGHTS } from '../../src/core/limits.ts';
import { highlighter } from '../../src/query/highlight.ts';

const text = (words: string): Expr => ({ op: 'text', text: words });
const regex = (pattern: string): Expr => ({ op: 'regex', pattern });

function spans(expr: Expr, message: string) {
  return highlighter({ query: { text: '', expr } })(message);
}

test('texts and patterns are marked wherever they stand, in order, and what overlaps is one mark', () => {
  assert.deepEqual(spans(text('err'), 'Error, no ERR'), [
    [0, 3],
    [10, 13],
  ]);
  assert.deepEqual(spans(regex('[0-9]+'), 'took 12 of 345'), [
    [5, 7],
    [11, 14],
  ]);
  assert.deepEqual(spans({ op: 'any', parts: [text('time'), text('meou'), regex('t$')] }, 'timeout'), [[0, 7]]);
  assert.deepEqual(spans({ op: 'all', parts: [text('b'), text('a')] }, 'a-b'), [
    [0, 1],
    [2, 3],
  ]);
  assert.deepEqual(highlighter({ search: 'A' })('banana'), [
    [1, 2],
    [3, 4],
    [5, 6],
  ]);
  assert.deepEqual(highlighter({ search: 'n.', regex: true })('banana'), [[2, 6]]);
});

test('what must not be there is not marked, and what is no text neither', () => {
  const not: Expr = { op: 'not', part: text('debug') };
  assert.deepEqual(spans({ op: 'all', parts: [text('x'), not] }, 'x debug'), [[0, 1]]);
  assert.deepEqual(spans({ op: 'not', part: not }, 'x debug'), [[2, 7]]);
  const task: Expr = { op: 'task', values: ['t'] };
  assert.deepEqual(spans({ op: 'all', parts: [task, text('x')] }, 'x'), [[0, 1]]);
  assert.deepEqual(highlighter({ levels: ['ERROR'] })('ERROR'), []);
  assert.deepEqual(spans(regex('y*'), 'xx'), []);
});

test('letters that grow when they are folded do not move the marks', () => {
  assert.deepEqual(spans(text('stanbul'), 'İstanbul, İSTANBUL'), [
    [1, 8],
    [11, 18],
  ]);
  assert.deepEqual(spans(text('i'), 'İ'), [[0, 1]]);
  assert.deepEqual(spans(text('\u0307s'), 'İs'), [[0, 2]]);
  assert.deepEqual(spans(text('x'), '😀İ😀x'), [[5, 6]]);
});

test('every mark of a text holds the text, in any script', () => {
  const letters = fc.constantFrom('a', 'B', 'İ', 'i', 'ß', 'Σ', 'ς', '😀', '\u0307', 'é', ' ');
  const words = fc.array(letters, { maxLength: 12 }).map((all) => all.join(''));
  fc.assert(
    fc.property(
      words,
      words.filter((word) => word !== ''),
      (message, wanted) => {
        const found = spans(text(wanted), message);
        const isThere = message.toLowerCase().includes(wanted.toLowerCase());
        assert.equal(found.length > 0, isThere);
        for (const [start, end] of found) {
          assert.ok(message.slice(start, end).isWellFormed());
          // Folded alone, a final Σ may look otherwise than in its word.
          const fold = (word: string) => word.toLowerCase().replaceAll('ς', 'σ');
          assert.ok(fold(message.slice(start, end)).includes(fold(wanted)));
        }
      },
    ),
  );
});

test('a line has at most so many marks, and a pattern is looked for in the start of a long one', () => {
  assert.equal(spans(text('a'), 'a '.repeat(1_000)).length, HIGHLIGHTS);
  assert.equal(spans(regex('a'), 'a '.repeat(1_000)).length, HIGHLIGHTS);
  const long = `${'-'.repeat(HIGHLIGHT_CHARS)}needle`;
  assert.deepEqual(spans(regex('needle'), long), []);
  assert.deepEqual(spans(text('needle'), long), [[HIGHLIGHT_CHARS, HIGHLIGHT_CHARS + 6]]);
});
