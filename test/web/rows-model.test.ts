import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffCounts, lineDiff } from '../../src/web/lib/diff.ts';
import { PINS_MAX, pinCells, readPath, readPins } from '../../src/web/lib/pins.ts';
import { type RunLine, runsIn, stackInMessage } from '../../src/web/lib/runs.ts';
import { editsOf, shapeOf, shortCount } from '../../src/web/lib/shape.ts';
import { pathText, structuredOf, summaryOf, valueExpr, withExpr } from '../../src/web/lib/structured.ts';
import { recorded } from '../support/recorded.ts';

function runs(messages: readonly string[]) {
  const lines = messages.map(
    (message): RunLine => ({
      ...{ message, level: 'INFO', source: 'app', stream: null, type: 'log', metadata: null },
    }),
  );
  return runsIn((row) => lines[row], { start: 0, count: lines.length, end: lines.length });
}

test('lines that follow one another and are equal are one with a count', () => {
  assert.deepEqual(runs(['a', 'b', 'b', 'b', 'b', 'c', 'c']), [{ head: 1, count: 3, kind: 'repeat' }]);
  assert.deepEqual(runs([]), []);
  assert.deepEqual(runs(['', '', '', '']), []);
});

test('what differs in source, level or metadata is no repeat', () => {
  const line = { message: 'x', level: 'INFO', source: 'a', stream: null, type: 'log', metadata: null };
  const lines: RunLine[] = [line, line, { ...line, source: 'b' }, line, line, line, { ...line, metadata: { n: 1 } }];
  assert.deepEqual(
    runsIn((row) => lines[row], { start: 0, count: 7, end: 7 }),
    [{ head: 3, count: 2, kind: 'repeat' }],
  );
});

test('a run ends where rows are not here', () => {
  const line = { message: 'x', level: 'INFO', source: 'a', stream: null, type: 'log', metadata: null };
  const at = (row: number): RunLine | undefined => (row < 10 ? line : undefined);
  assert.deepEqual(runsIn(at, { start: 0, count: 20, end: 20 }), [{ head: 0, count: 9, kind: 'repeat' }]);
  assert.deepEqual(runsIn(at, { start: 0, count: 5, end: 6 }), [{ head: 0, count: 5, kind: 'repeat' }]);
});

const TRACES: Readonly<Record<string, readonly string[]>> = {
  node: [
    'TypeError: x is not a function',
    '    at run (/app/a.js:1:2)',
    '    at async main (file:///app/b.js:3:4)',
    '    at node:internal/main/run_main:1:1',
    '    at Object.<anonymous> (/app/c.js:5:6)',
  ],
  java: [
    'java.lang.IllegalStateException: no',
    '\tat org.example.A.run(A.java:12)',
    '\tat org.example.B.main(B.java:3)',
    'Caused by: java.io.IOException: disk',
    '\tat org.example.C.read(C.java:9)',
    '\t... 12 more',
  ],
  python: [
    'Traceback (most recent call last):',
    '  File "/app/a.py", line 3, in <module>',
    '    run()',
    '  File "/app/a.py", line 1, in run',
    '    raise ValueError("no")',
  ],
  go: [
    'goroutine 1 [running]:',
    'main.run(0x0, 0x1)',
    '\t/app/main.go:12 +0x1d',
    'main.main()',
    '\t/app/main.go:5 +0x20',
  ],
  rust: [
    'stack backtrace:',
    '   0: rust_begin_unwind',
    '             at /rustc/1/library/std/src/panicking.rs:1:5',
    '   1: demo::main',
    '             at ./src/main.rs:2:5',
  ],
};

for (const [language, trace] of Object.entries(TRACES)) {
  test(`a stack trace of ${language} is its first line and frames`, () => {
    assert.deepEqual(runs(['before', ...trace, 'after it']), [{ head: 1, count: trace.length - 1, kind: 'stack' }]);
    assert.equal(stackInMessage(trace.join('\n')), trace.length - 1);
  });
}

test('indented lines are no stack trace', () => {
  assert.deepEqual(runs(['list:', '  one', '  two', '  three', '  four']), []);
  assert.equal(stackInMessage('list:\n  one\n  two'), 0);
});

test('a diff keeps what both sides share, and its sides can be read from it', () => {
  const texts = fc
    .array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 })
    .map((lines) => lines.map((line) => `${line}\n`).join(''));
  fc.assert(
    fc.property(texts, texts, (before, after) => {
      const lines = lineDiff(before, after);
      const side = (other: 'gone' | 'new'): string =>
        lines
          .filter(({ kind }) => kind !== other)
          .map(({ text }) => `${text}\n`)
          .join('');
      assert.equal(side('new'), before);
      assert.equal(side('gone'), after);
    }),
  );
  assert.deepEqual(diffCounts(lineDiff('a\nb\nc', 'a\nx\nc\nd')), { gone: 1, added: 2 });
});

test('rows of a recorded run say who speaks', async () => {
  const entries = (await recorded('success')).map(({ type = 'log', metadata = null }) => ({ type, metadata }));
  const words = entries.map((entry) => shapeOf(entry).badge?.kind ?? null);
  for (const kind of ['assistant', 'call', 'answer', 'result']) assert.ok(words.includes(kind as never), kind);
  const result = entries.map(shapeOf).find(({ badge }) => badge?.kind === 'result');
  assert.ok(result?.facts.some((fact) => /in, .* out/.test(fact)));
  assert.ok(result?.facts.some((fact) => fact.startsWith('$')));
  assert.equal(shapeOf({ type: 'log', metadata: { tool: 'x' } }).badge, null);
});

test('the changes that tools make to files are read from their arguments', () => {
  assert.deepEqual(editsOf({ args: { file_path: 'a.ts', old_string: 'x', new_string: 'y' } }), [
    { file: 'a.ts', before: 'x', after: 'y' },
  ]);
  assert.deepEqual(editsOf({ args: { file_path: 'a.ts', content: 'z' } }), [{ file: 'a.ts', before: '', after: 'z' }]);
  assert.equal(
    editsOf({
      args: {
        file_path: 'a',
        edits: [
          { old_string: '1', new_string: '2' },
          { old_string: '3', new_string: '' },
        ],
      },
    }).length,
    2,
  );
  assert.deepEqual(editsOf({ args: { command: 'ls' } }), []);
  assert.deepEqual(editsOf({ args: 'odd' }), []);
  assert.deepEqual(
    [shortCount(999), shortCount(1_250), shortCount(12_500), shortCount(2_500_000)],
    ['999', '1.3k', '13k', '2.5M'],
  );
});

test('a structured line says its text and its fields in one line', () => {
  const value =
    structuredOf('{"level":"info","time":1,"msg":"started","port":8000,"tags":["a"],"user":{"id":1}}') ?? {};
  assert.deepEqual(summaryOf(value), {
    text: 'started',
    fields: [
      { path: 'port', value: '8000' },
      { path: 'tags', value: '["a"]' },
      { path: 'user', value: '{"id":1}' },
    ],
    more: 0,
  });
  for (const text of ['[1]', '{broken', 'x {"a":1}', '"a"', '{"a":1} x'])
    assert.equal(structuredOf(text), undefined, text);
});

test('a value becomes a filter by its path in metadata, and by its text in a message', () => {
  assert.equal(pathText(['user', 'roles', 0, 'odd key']), 'user.roles[0]["odd key"]');
  assert.deepEqual(valueExpr(['user', 'id'], 7, null), { op: 'meta', path: 'user.id', test: '=', value: '7' });
  assert.deepEqual(valueExpr(['id'], 'a b', '{"id": "a b"}'), { op: 'text', text: '"id": "a b"' });
  assert.equal(valueExpr(['id'], { a: 1 }, null), undefined);
  const expr = valueExpr(['id'], 'a"b', '{"id":"a\\"b"}');
  assert.ok(expr);
  const once = withExpr({}, expr, false);
  assert.deepEqual(once.query?.expr, expr);
  assert.deepEqual(withExpr(once, { op: 'meta', path: 'x', test: '=', value: '1' }, true).query?.expr, {
    op: 'all',
    parts: [expr, { op: 'not', part: { op: 'meta', path: 'x', test: '=', value: '1' } }],
  });
});

test('a path is read back as it was written, and nothing else is one', () => {
  const part = fc.oneof(fc.string(), fc.nat(999_999_999), fc.stringMatching(/^[a-z_$][\w$-]{0,9}$/));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (path) => {
      const text = pathText(path);
      if (text.length <= 200) assert.deepEqual(readPath(text), path);
    }),
  );
  for (const text of ['', '.', 'a..b', 'a b', '[x]', '["a]', '[01]', 'x'.repeat(201)])
    assert.equal(readPath(text), null);
  assert.deepEqual(readPins(['a', 'a', '!', 'b']), ['a', 'b']);
  assert.equal(readPins(['a', 'b', 'c', 'd', 'e', 'f']).length, PINS_MAX);
});

test('a column shows the field of the message, else of the metadata, and nothing where there is none', () => {
  const message = '{"user":{"id":7,"roles":["admin"]},"ok":false}';
  const texts = (paths: readonly string[]) =>
    pinCells({ message, metadata: { host: 'a', user: 1 } }, paths).map(({ text }) => text);
  assert.deepEqual(texts(['user.id', 'user.roles[0]', 'ok', 'host', 'user']).slice(0, 4), ['7', 'admin', 'false', 'a']);
  assert.deepEqual(texts(['user.name', 'constructor', 'user.roles.length', 'toString']), ['', '', '', '']);
  assert.deepEqual(pinCells({ message: 'plain', metadata: null }, ['a']), [{ path: 'a', text: '' }]);
});
