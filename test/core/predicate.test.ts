import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogFilter } from '../../src/core/filter.ts';
import { type Filtered, predicate } from '../../src/core/predicate.ts';

const LINE: Filtered = {
  timestamp: '2026-01-24T10:00:00.000Z',
  level: 'WARNING',
  source: 'git',
  stream: 'stderr',
  type: 'output',
  message: 'fatal: İstanbul \u212a',
  metadata: null,
};

test('a line passes when every part of the filter lets it', () => {
  const passing: LogFilter[] = [
    {},
    { levels: ['INFO', 'WARNING'] },
    { sources: ['npm', 'git'] },
    { streams: ['stderr'] },
    { types: ['output'] },
    { from: LINE.timestamp },
    { to: '2026-01-24T10:00:00.001Z' },
    { search: 'FATAL' },
    {
      levels: ['WARNING'],
      sources: ['git'],
      streams: ['stderr'],
      types: ['output'],
      search: ': ',
      from: LINE.timestamp,
    },
  ];
  for (const filter of passing) assert.ok(predicate(filter)(LINE), JSON.stringify(filter));
});

test('one part that does not is enough to stop it', () => {
  const stopping: LogFilter[] = [
    { levels: ['INFO'] },
    { levels: [] },
    { sources: ['Git'] },
    { sources: [] },
    { streams: ['stdout'] },
    { streams: [] },
    { types: ['log'] },
    { types: [] },
    { from: '2026-01-24T10:00:00.001Z' },
    { to: LINE.timestamp },
    { search: 'fatal:x' },
    { levels: ['WARNING'], search: 'nowhere' },
  ];
  for (const filter of stopping) assert.ok(!predicate(filter)(LINE), JSON.stringify(filter));
  assert.ok(!predicate({ streams: ['stdout', 'stderr'] })({ ...LINE, stream: null }));
});

test('text is folded by toLowerCase on both sides', () => {
  const finds = (search: string, message: string) => predicate({ search })({ ...LINE, message });
  assert.ok(finds('İSTANBUL', 'in İstanbul'));
  assert.ok(finds('i\u0307stanbul', 'in İstanbul'), 'İ folds to i and a dot above');
  assert.ok(finds('k', '273 \u212a') && finds('\u212a', 'K'), 'the Kelvin sign folds to k');
  assert.ok(!finds('strasse', 'Straße'), 'ß is not unfolded');
  assert.ok(finds('\u0000', 'a\u0000b'));
  assert.ok(!finds('a.c', 'abc'));
});

test('a pattern is RE2, and its case counts', () => {
  const finds = (search: string, message: string) => predicate({ search, regex: true })({ ...LINE, message });
  assert.ok(finds('^a.c$', 'abc') && !finds('^a.c$', 'ABC') && finds('(?i)^a.c$', 'ABC'));
  assert.ok(finds('😀', 'x😀y'));
});

test('a pattern that is none is refused by name, and one that would hang others does not hang us', () => {
  for (const search of ['(', 'a**', '[z-a]', '(?=a)', '(a)\\1']) {
    assert.throws(
      () => predicate({ search, regex: true }),
      { code: 'invalid_filter', message: /^search: expected/ },
      search,
    );
  }
  const passes = predicate({ search: '^(a+)+$', regex: true });
  const startMs = performance.now();
  assert.ok(!passes({ ...LINE, message: `${'a'.repeat(5_000)}b` }));
  assert.ok(performance.now() - startMs < 5_000, 'a backtracking engine would need longer than the universe has');
});
