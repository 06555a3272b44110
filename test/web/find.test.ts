import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { predicate } from '../../src/core/predicate.ts';
import { findFilter, findParams, literalFinder, NO_FIND, readFind } from '../../src/web/lib/find.ts';
import { foldsOf, isFolded } from '../../src/web/lib/folds.ts';
import { stretchesOutside } from '../../src/web/lib/pages.ts';
import { patternFinder } from '../../src/web/lib/pattern-finder.ts';

const line = (message: string) =>
  ({
    timestamp: '2026-01-24T10:00:00.000Z',
    level: 'INFO',
    source: 's',
    stream: null,
    type: 'log',
    message,
    metadata: null,
  }) as const;

test('what is looked for comes back from the address, whatever it is', () => {
  fc.assert(
    fc.property(
      fc.record({
        text: fc.string({ maxLength: 40 }),
        matchCase: fc.boolean(),
        wholeWord: fc.boolean(),
        regex: fc.boolean(),
        only: fc.option(fc.nat(50)),
      }),
      (find) => assert.deepEqual(readFind(new URLSearchParams(findParams(find))), { ...find }),
    ),
  );
});

test('a literal text finds the lines that hold it, whatever characters it has', () => {
  const texts = fc.string({
    minLength: 1,
    maxLength: 12,
    unit: fc.constantFrom('a', 'B', '"', '\\', '/', '(', ')', '*', ' ', '-', ':', '.'),
  });
  fc.assert(
    fc.property(texts, texts, texts, (before, text, after) => {
      fc.pre(text.trim() !== '');
      const passes = predicate(findFilter({}, { ...NO_FIND, text }));
      assert.ok(passes(line(before + text.toUpperCase() + after)), text);
      const exact = predicate(findFilter({}, { ...NO_FIND, text, matchCase: true }));
      assert.ok(exact(line(before + text + after)), text);
      assert.equal(exact(line(text.toUpperCase())), text === text.toUpperCase());
    }),
  );
});

test('a search keeps to the lines that the filter lets pass', () => {
  const filter = findFilter({ levels: ['ERROR'], search: 'one' }, { ...NO_FIND, text: 'two' });
  const passes = predicate(filter);
  assert.ok(passes({ ...line('one two'), level: 'ERROR' }));
  assert.ok(!passes(line('one two')));
  assert.ok(!passes({ ...line('two'), level: 'ERROR' }));
});

test('hits are marked where they stand, also where folding changes letters', () => {
  assert.deepEqual(literalFinder('ab')('xABab'), [
    [1, 3],
    [3, 5],
  ]);
  assert.deepEqual(literalFinder('x')('\u0130x'), []);
  assert.deepEqual(patternFinder('(?i)\\bab\\b')('ab abc AB'), [
    [0, 2],
    [7, 9],
  ]);
  assert.deepEqual(patternFinder('x*')('aa'), []);
});

test('only lines near a match are left', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 8 }), fc.nat(4), (found, around) => {
      const seqs = found.sort((a, b) => a - b);
      const folds = foldsOf(stretchesOutside(seqs, around, 60), 60);
      for (let row = 0; row < 60; row += 1) {
        const near = seqs.some((seq) => Math.abs(seq - 1 - row) <= around);
        assert.equal(isFolded(folds, row), !near, `row ${row}`);
      }
    }),
  );
});
