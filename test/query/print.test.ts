import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ENTRY_TYPES, isSource, STREAMS } from '../../src/core/entry.ts';
import { TrailError } from '../../src/core/error.ts';
import { type Expr, settle, type Term } from '../../src/core/expr.ts';
import { LEVELS } from '../../src/core/level.ts';
import { SEARCH_CHARS } from '../../src/core/limits.ts';
import { STATUSES } from '../../src/core/status.ts';
import { isoTime } from '../../src/core/time.ts';
import { parseQuery } from '../../src/query/parse.ts';
import { selfEvident } from '../../src/query/parser.ts';
import { printExpr } from '../../src/query/print.ts';

/** What a grammar may trip over, and what it is made of. */
const PIECES = [
  ...[
    'a',
    'B',
    ' ',
    '\n',
    '"',
    '\\',
    '/',
    '(',
    ')',
    ':',
    ',',
    '-',
    '<',
    '>',
    '=',
    '*',
    '.',
    '😀',
    'İ',
    '\ud800',
    '\u0000',
  ],
  ...['AND', 'OR', 'NOT', ' OR ', 'level:error', 'meta.k:', 'cost>', '/a/', '-2h', '--', "'", '\u00a0', '{"a":1}'],
];
const odd = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''));
const names = fc.uniqueArray(odd, { minLength: 1, maxLength: 3 });
const sources = fc.uniqueArray(
  odd.map((name) => [...name].filter(isSource).join('').slice(0, 64) || '_'),
  { minLength: 1, maxLength: 3 },
);
const taskIds = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,5}$/), { minLength: 1, maxLength: 3 });
const figures = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
const moments = fc.integer({ min: 0, max: 4e12 }).map(isoTime);
const comparisons = fc.constantFrom('<', '<=', '>', '>=');
const metaValues = fc.oneof(odd, fc.constantFrom('', '*'));
const patterns = fc.constantFrom(
  'a',
  'a/b',
  '(?i)x y',
  '\\d+\\\\/',
  '[/"(]',
  '^$|)?'.slice(0, 2),
  'a)?b'.replace(')', '\\)'),
);

const term: fc.Arbitrary<Term> = fc.oneof(
  { weight: 3, arbitrary: odd.map((text) => ({ op: 'text', text }) as const) },
  patterns.map((pattern) => ({ op: 'regex', pattern }) as const),
  fc.subarray([...LEVELS]).map((values) => ({ op: 'level', values }) as const),
  sources.map((values) => ({ op: 'source', values }) as const),
  fc.subarray([...STREAMS]).map((values) => ({ op: 'stream', values }) as const),
  fc.subarray([...ENTRY_TYPES]).map((values) => ({ op: 'type', values }) as const),
  taskIds.map((values) => ({ op: 'task', values }) as const),
  fc.subarray([...STATUSES]).map((values) => ({ op: 'status', values }) as const),
  fc.tuple(fc.constantFrom('kind', 'agent', 'model', 'tag'), names).map(([op, values]) => ({ op, values }) as const),
  fc
    .tuple(fc.constantFrom('cost', 'dur'), comparisons, figures)
    .map(([op, test, value]) => ({ op, test, value: value || 0 }) as const),
  fc.record({ from: moments, to: moments }, { requiredKeys: [] }).map((bounds) => ({ op: 'time', ...bounds }) as const),
  fc
    .tuple(fc.oneof(odd, fc.constant('')), metaValues)
    .map(([path, value]) => ({ op: 'meta', path, test: '=', value }) as const),
  fc
    .tuple(odd, comparisons, fc.double({ noNaN: true, noDefaultInfinity: true }))
    .map(([path, test, value]) => ({ op: 'meta', path, test, value: String(value) }) as const),
);
const { expr: exprs } = fc.letrec<{ expr: Expr }>((tie) => {
  const parts = fc.array(tie('expr'), { maxLength: 3 });
  return {
    expr: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      term,
      parts.map((parts) => ({ op: 'all', parts }) as const),
      parts.map((parts) => ({ op: 'any', parts }) as const),
      tie('expr').map((part) => ({ op: 'not', part }) as const),
    ),
  };
});

/** The one form of what can be said in several: settled, and each bound of a time by itself. */
function plainForm(expr: Expr): Expr {
  return settle(parted(expr), selfEvident);
}

function parted(expr: Expr): Expr {
  if (expr.op === 'not') return { op: 'not', part: parted(expr.part) };
  if (expr.op === 'all' || expr.op === 'any') return { op: expr.op, parts: expr.parts.map(parted) };
  if (expr.op !== 'time' || expr.from === undefined || expr.to === undefined) return expr;
  return {
    op: 'all',
    parts: [
      { op: 'time', from: expr.from },
      { op: 'time', to: expr.to },
    ],
  };
}

test('a printed expression is read back to an equal one', () => {
  fc.assert(
    fc.property(exprs, (expr) => {
      const text = printExpr(expr);
      fc.pre(text.length <= SEARCH_CHARS);
      assert.deepEqual(parseQuery(text, 0)?.expr ?? { op: 'all', parts: [] }, plainForm(expr), text);
    }),
    { numRuns: 1_000 },
  );
});

test('any text is a query, or is refused at a column within it', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc
      .array(fc.constantFrom(...PIECES, '(', 'level', 'after:', 'meta.'), { maxLength: 30 })
      .map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const query = parseQuery(text, 0);
        if (query) assert.deepEqual(parseQuery(printExpr(query.expr), 0)?.expr ?? { op: 'all', parts: [] }, query.expr);
      } catch (error) {
        if (!(error instanceof TrailError)) throw error;
        assert.equal(error.code, 'invalid_query');
        const { column = 0, length = 0 } = error.errors?.[0] ?? {};
        assert.ok(
          column >= 1 && length >= 1 && column - 1 + length <= text.length,
          `${column}+${length} of ${text.length}`,
        );
      }
    }),
    { numRuns: 2_000 },
  );
});

test('the longest text is read in linear time, whatever is in it', () => {
  const startMs = performance.now();
  for (const piece of [...PIECES, 'meta."', '/\\', '"\\', 'a,', '/a ', 'source:(', 'NOT ', '-(']) {
    const text = piece.repeat(SEARCH_CHARS).slice(0, SEARCH_CHARS);
    try {
      parseQuery(text, 0);
    } catch (error) {
      assert.ok(error instanceof TrailError);
    }
  }
  assert.ok(performance.now() - startMs < 5_000);
});

test('a query is printed as short as it can be said', () => {
  for (const [said, printed] of Object.entries({
    ' a AND  b ': 'a b',
    'level>=warning': 'level:WARNING,ERROR',
    'NOT (a OR (b c))': '-(a OR (b c))',
    'level>error x': 'level>error',
    '"a b" "c"': '"a b" c',
    'after:2026-11-01': 'after:2026-11-01T00:00:00.000Z',
    'dur>10m cost>0.5': 'dur>600s cost>0.5',
    'meta.a.b:"x y"': 'meta.a.b:"x y"',
    '""': '',
  })) {
    const query = parseQuery(said, 0);
    assert.equal(query && printExpr(query.expr), printed, said);
  }
});
