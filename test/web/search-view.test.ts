import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasTermIn, nearerQueries, withTerm } from '../../src/web/lib/nearer.ts';
import { readRoute } from '../../src/web/lib/route.ts';
import { drawFound, isIdle, readSearchView, searchViewParams } from '../../src/web/lib/search-view.ts';

test('the view of a search comes back from its address', () => {
  const view = {
    q: 'a "b c" level:error',
    filter: { levels: ['ERROR'], from: '2026-01-24T10:00:00.000Z' },
    tasks: ['x', 'y'],
  } as const;
  assert.deepEqual(readSearchView(searchViewParams(view)), view);
  assert.deepEqual(readSearchView(new URLSearchParams('level=LOUD&task=,a,a')), { q: '', filter: {}, tasks: ['a'] });
  assert.ok(isIdle(readSearchView(new URLSearchParams('q=%20'))));
  assert.deepEqual(readRoute('/search', '/'), { screen: 'search' });
  assert.equal(readRoute('/search/more', '/').screen, 'missing');
});

test('a found line is drawn with its marks, and around the first one when that stands far on', () => {
  const drawn = (message: string, marks: readonly (readonly [number, number])[]) =>
    drawFound(message, marks)
      .map(({ text, kind }) => (kind === 'hit' ? `[${text}]` : text))
      .join('');
  assert.equal(drawn('a timeout b', [[2, 9]]), 'a [timeout] b');
  assert.equal(
    drawn('aXbX', [
      [1, 2],
      [3, 4],
    ]),
    'a[X]b[X]',
  );
  const far = drawn(`${'-'.repeat(5_000)}needle${'-'.repeat(5_000)}`, [[5_000, 5_006]]);
  assert.match(far, /^… -{60}\[needle\]-+ …$/);
});

test('no mark makes a control character of a line reach the page', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(60), fc.nat(60), (message, a, b) => {
      const marks = [[Math.min(a, b, message.length), Math.min(Math.max(a, b), message.length)]] as const;
      const text = drawFound(message, marks)
        .map((piece) => piece.text)
        .join('');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      assert.doesNotMatch(text, /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }),
  );
});

test('queries that ask for less leave one part out, and a scope is a word of the query', () => {
  assert.deepEqual(nearerQueries('timeout level:error -retry'), [
    'level:ERROR -retry',
    'timeout -retry',
    'timeout level:ERROR',
  ]);
  assert.deepEqual(nearerQueries('timeout'), []);
  assert.deepEqual(nearerQueries('a OR b'), []);
  assert.deepEqual(nearerQueries('level:loud x'), []);
  assert.equal(withTerm('a b', 'tag:ci'), 'a b tag:ci');
  assert.equal(withTerm('a tag:ci b', 'tag:ci'), 'a b');
  assert.ok(hasTermIn('a tag:ci', 'tag:ci') && !hasTermIn('-tag:ci', 'tag:ci'));
});
