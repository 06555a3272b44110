import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrailError } from '../../src/core/error.ts';
import type { Expr } from '../../src/core/expr.ts';
import { QUERY_DEPTH, QUERY_TERMS, SEARCH_CHARS } from '../../src/core/limits.ts';
import { parseQuery, parseTaskQuery } from '../../src/query/parse.ts';
import { readQuery } from '../../src/query/parser.ts';

const NOW = Date.parse('2026-11-21T12:00:00.000Z');
const text = (said: string): Expr => ({ op: 'text', text: said });
const read = (said: string): Expr | undefined => parseQuery(said, NOW)?.expr;

function readsAs(cases: Readonly<Record<string, Expr>>): void {
  for (const [said, expr] of Object.entries(cases)) assert.deepEqual(read(said), expr, said);
}

/** Column, length and what was expected. */
function faultOf(said: string, of: typeof parseQuery = parseQuery): readonly [number, number, string] {
  try {
    of(said, NOW);
  } catch (error) {
    assert.ok(error instanceof TrailError, String(error));
    assert.equal(error.code, said.length > SEARCH_CHARS ? 'query_too_long' : 'invalid_query');
    const [fault] = error.errors ?? [];
    assert.equal(fault?.path, 'q');
    assert.equal(error.message, `q: ${fault.detail}`);
    const [, expected = ''] = /^column \d+: expected (.*), got /s.exec(fault.detail) ?? [];
    return [fault.column ?? 0, fault.length ?? 0, expected];
  }
  return assert.fail(`${said} is no fault`);
}

test('a query of nothing but space is none', () => {
  for (const said of ['', ' ', '\t\n']) assert.equal(parseQuery(said, NOW), undefined);
  assert.equal(parseQuery(' a ', NOW)?.text, ' a ');
});

test('words and phrases all have to be there', () => {
  readsAs({
    timeout: text('timeout'),
    'a  AND\tb': { op: 'all', parts: [text('a'), text('b')] },
    '"a b"c': { op: 'all', parts: [text('a b'), text('c')] },
    '"say \\"x\\" in C:\\new\\\\"': text('say "x" in C:\\new\\'),
    '"AND"': text('AND'),
    'or and not': { op: 'all', parts: [text('or'), text('and'), text('not')] },
    '""': { op: 'all', parts: [] },
  });
});

test('OR binds weaker than AND, parentheses stronger, and what is denied is denied whole', () => {
  const [a, b, c] = [text('a'), text('b'), text('c')];
  readsAs({
    'a OR b c': { op: 'any', parts: [a, { op: 'all', parts: [b, c] }] },
    '(a OR b) c': { op: 'all', parts: [{ op: 'any', parts: [a, b] }, c] },
    '-a': { op: 'not', part: a },
    'NOT (a b)': { op: 'not', part: { op: 'all', parts: [a, b] } },
    '-(a OR b)c': { op: 'all', parts: [{ op: 'not', part: { op: 'any', parts: [a, b] } }, c] },
    'NOT NOT -a': { op: 'not', part: a },
    'NOT -a': a,
    '((a))': a,
  });
});

test('what only looks like syntax is text', () => {
  for (const said of [
    ...['http://x/y?a=b', 'error:', '{"level":"error"}', 'f(x)', 'it"s', '--verbose', '-', 'a/b', '/usr/bin/x', '/tmp'],
    ...['/usr/bin/', '//', 'ANDROID', 'meta.json', 'levels:x', 'Level:error', 'a-b', 'level', 'lvl:error', 'x,y'],
  ]) {
    readsAs({ [said]: text(said) });
  }
  readsAs({ '(ORs(a) OR f(b))': { op: 'any', parts: [text('ORs(a)'), text('f(b)')] } });
});

test('fields of lines and of tasks', () => {
  readsAs({
    'level:error': { op: 'level', values: ['ERROR'] },
    'level:err,30': { op: 'level', values: ['INFO', 'ERROR'] },
    'level>=warning': { op: 'level', values: ['WARNING', 'ERROR'] },
    'level:<warn': { op: 'level', values: ['DEBUG', 'INFO'] },
    'level<=info': { op: 'level', values: ['DEBUG', 'INFO'] },
    'level>info': { op: 'level', values: ['WARNING', 'ERROR'] },
    'level>error': { op: 'any', parts: [] },
    'source:git,superset_api,git': { op: 'source', values: ['git', 'superset_api'] },
    'source:"my agent",b': { op: 'source', values: ['my agent', 'b'] },
    'stream:STDERR': { op: 'stream', values: ['stderr'] },
    'type:tool_call': { op: 'type', values: ['tool_call'] },
    'task:a:1,b': { op: 'task', values: ['a:1', 'b'] },
    'status:failed,running': { op: 'status', values: ['failed', 'executing'] },
    'kind:build(x)': { op: 'kind', values: ['build(x)'] },
    '(agent:claude)': { op: 'agent', values: ['claude'] },
    'model:claude-opus-4.5': { op: 'model', values: ['claude-opus-4.5'] },
    'tag:"a,b"': { op: 'tag', values: ['a,b'] },
  });
});

test('amounts, durations and times', () => {
  readsAs({
    'cost>0.5': { op: 'cost', test: '>', value: 0.5 },
    'cost:<=.5': { op: 'cost', test: '<=', value: 0.5 },
    'dur>10m': { op: 'dur', test: '>', value: 600 },
    'dur:>=1.5h': { op: 'dur', test: '>=', value: 5_400 },
    'dur<5ms': { op: 'dur', test: '<', value: 0.005 },
    'dur<=2d': { op: 'dur', test: '<=', value: 172_800 },
    'dur<30': { op: 'dur', test: '<', value: 30 },
    'after:2026-11-01': { op: 'time', from: '2026-11-01T00:00:00.000Z' },
    'after:2026-11-01T10:00Z': { op: 'time', from: '2026-11-01T10:00:00.000Z' },
    'before:"2026-11-01 10:00"': { op: 'time', to: '2026-11-01T10:00:00.000Z' },
    'before:-2h': { op: 'time', to: '2026-11-21T10:00:00.000Z' },
    'after:-1w': { op: 'time', from: '2026-11-14T12:00:00.000Z' },
    'after:-30S': { op: 'time', from: '2026-11-21T11:59:30.000Z' },
  });
});

test('metadata by dotted keys', () => {
  readsAs({
    'meta.tool.name:Bash': { op: 'meta', path: 'tool.name', test: '=', value: 'Bash' },
    'meta.key:*': { op: 'meta', path: 'key', test: '=', value: '*' },
    'meta.url:http://x:1': { op: 'meta', path: 'url', test: '=', value: 'http://x:1' },
    'meta.n>5': { op: 'meta', path: 'n', test: '>', value: '5' },
    'meta.n:<=-0.5': { op: 'meta', path: 'n', test: '<=', value: '-0.5' },
    'meta."odd \\"key\\"":""': { op: 'meta', path: 'odd "key"', test: '=', value: '' },
    'meta.k:a,"b c"': {
      op: 'any',
      parts: ['a', 'b c'].map((value) => ({ op: 'meta', path: 'k', test: '=', value }) as const),
    },
  });
});

test('a pattern stands between slashes, and ends at the first that is not escaped', () => {
  readsAs({
    '/a b|c/': { op: 'regex', pattern: 'a b|c' },
    '/^get/i': { op: 'regex', pattern: '(?i)^get' },
    '/a\\/b\\\\/': { op: 'regex', pattern: 'a/b\\\\' },
    '(/(a|b)/ OR -/c\\d/)': {
      op: 'any',
      parts: [
        { op: 'regex', pattern: '(a|b)' },
        { op: 'not', part: { op: 'regex', pattern: 'c\\d' } },
      ],
    },
    '"/a/"': text('/a/'),
  });
});

test('a fault says the column, the length and what was expected', () => {
  const cases: readonly (readonly [string, number, number, RegExp])[] = [
    ['level:eror', 7, 4, /^a level \(DEBUG, INFO, WARNING, ERROR\)$/],
    ['x level>=a,b', 12, 1, /^one level, not a list/],
    ['level>info,error', 12, 5, /^one level/],
    ['source:a,,b', 1, 9, /^a value/],
    ['source:', 1, 7, /^a value/],
    ['source:"a"b', 11, 1, /^a comma or a space/],
    [`source:${'x'.repeat(65)}`, 8, 65, /^a source of 1–64/],
    ['source>git', 1, 7, /^a colon/],
    ['stream:out', 8, 3, /^stdout or stderr$/],
    ['type:tool', 6, 4, /^a type \(log, /],
    ['status:broken', 8, 6, /^a status \(queued, /],
    ['task:-x', 6, 2, /^a task id$/],
    ['kind:""', 6, 2, /^a kind$/],
    ['cost:5', 1, 5, /^<, <=, > or >= after cost$/],
    ['cost>five', 6, 4, /^an amount in US dollars/],
    ['cost>-1', 6, 2, /^an amount in US dollars/],
    ['dur>10y', 5, 3, /^a duration/],
    [`dur>${'9'.repeat(400)}`, 5, 400, /^a duration/],
    ['after:tomorrow', 7, 8, /^a time like /],
    ['after:2026-02-30', 7, 10, /^a time like /],
    ['after>2026-02-03', 1, 6, /^a colon$/],
    [`before:-${'9'.repeat(30)}h`, 8, 32, /^a time like /],
    ['meta.n>x', 8, 1, /^a number$/],
    ['a /(/', 3, 3, /^a pattern in RE2 syntax/],
    ['/a(?=b)/', 1, 8, /^a pattern in RE2 syntax/],
    ['a "b', 3, 2, /^a closing quote/],
    ['a (b', 3, 1, /^a "\)"/],
    ['a b)', 4, 1, /^no "\)"/],
    ['a ()', 4, 1, /^something to look for$/],
    ['a OR', 3, 2, /^something to look for after this$/],
    ['AND a', 1, 3, /^something to look for; quotes/],
    ['a AND OR b', 7, 2, /^something to look for; quotes/],
    ['a NOT ', 3, 3, /^something to look for after this$/],
    ['😀 level:x', 10, 1, /^a level/],
  ];
  for (const [said, column, length, expected] of cases) {
    const fault = faultOf(said);
    assert.deepEqual(fault.slice(0, 2), [column, length], said);
    assert.match(fault[2], expected, said);
  }
});

test('length, terms and depth are bounded', () => {
  const most = 'x'.repeat(SEARCH_CHARS);
  assert.deepEqual(read(most), text(most));
  assert.deepEqual(faultOf(`${most}yz`), [SEARCH_CHARS + 1, 2, `at most ${SEARCH_CHARS} characters`]);
  const terms = (count: number) => 'x '.repeat(count);
  assert.ok(read(terms(QUERY_TERMS)));
  assert.equal(faultOf(terms(QUERY_TERMS + 1))[0], QUERY_TERMS * 2 + 1);
  assert.match(faultOf(`meta.a:${'x,'.repeat(QUERY_TERMS)}x`)[2], /^at most 100 terms/);
  const nested = (depth: number) => `${'('.repeat(depth)}x${')'.repeat(depth)}`;
  assert.ok(read(nested(QUERY_DEPTH)));
  assert.equal(faultOf(nested(QUERY_DEPTH + 1))[0], QUERY_DEPTH + 1);
  assert.ok(read('(x) '.repeat(QUERY_TERMS)), 'depth is not the number of groups');
});

test('a query of tasks takes what a task can answer, and refuses the rest by name', () => {
  const said = 'nightly -status:failed (source:ci OR tag:x) cost>1 dur>10m after:-2h task:a kind:b agent:c "a b"';
  assert.deepEqual(parseTaskQuery(said, NOW)?.expr, read(said));
  for (const term of ['level:error', 'stream:stderr', 'type:log', 'meta.a:b,c', '/re/']) {
    const [column, length, expected] = faultOf(`a (-${term} OR b)`, parseTaskQuery);
    assert.deepEqual([column, length], [5, term.length], term);
    assert.match(expected, /^what a task can answer/);
  }
});

test('a word that nearly is a field is text, with a hint', () => {
  const hints = (said: string) => readQuery(said, { nowMs: NOW, of: 'lines' })?.hints ?? [];
  const [hint] = hints('a -lvl:error');
  assert.deepEqual([hint?.column, hint?.length], [4, 4]);
  assert.match(hint?.detail ?? '', /did you mean level:\?$/);
  for (const [said, meant] of Object.entries({
    'sorce:git': 'source:',
    'Level:error': 'level:',
    'tags:x': 'tag:',
    'duration>5m': 'dur:',
    'since:-2h': 'after:',
    'metadata.x:1': undefined,
    'constructor:x': undefined,
    'http://x': undefined,
    'error:foo': undefined,
    '"lvl:x"': undefined,
  })) {
    const detail = hints(said)[0]?.detail;
    assert.equal(detail?.match(/mean (.*)\?$/)?.[1], meant, said);
  }
});
