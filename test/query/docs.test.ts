import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { ENTRY_TYPES } from '../../src/core/entry.ts';
import { TrailError } from '../../src/core/error.ts';
import type { Expr } from '../../src/core/expr.ts';
import { QUERY_DEPTH, QUERY_TERMS, SEARCH_CHARS } from '../../src/core/limits.ts';
import { parseQuery, parseTaskQuery } from '../../src/query/parse.ts';
import { readQuery } from '../../src/query/parser.ts';
import { FIELDS } from '../../src/query/terms.ts';

const page = await readFile(new URL('../../docs/query.md', import.meta.url), 'utf8');

function section(title: string): string {
  const [, text] = new RegExp(`^## ${title}$([\\s\\S]*?)(?=^## |(?![\\s\\S]))`, 'm').exec(page) ?? [];
  return text ?? assert.fail(`no section ${title}`);
}

const codes = (text: string): readonly string[] => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
const read = (text: string): Expr | undefined => parseQuery(text, 0)?.expr;

/** The cells of a table's column, from the third row on. */
function cells(text: string, column: number): readonly string[] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) => row.split(/(?<!\\)\|/)[column + 1] ?? '');
}

test('every example is a query', () => {
  const blocks = [...page.matchAll(/^```query\n([\s\S]*?)^```/gm)].map(([, text = '']) => text.trim().split('\n'));
  assert.equal(blocks.length, 2);
  const [lines = [], tasks = []] = blocks;
  assert.ok(lines.length > 10 && tasks.length > 4);
  for (const text of lines) assert.ok(parseQuery(text, 0), text);
  for (const text of tasks) assert.ok(parseTaskQuery(text, 0), text);
});

test('every query of the command and of programs is one', () => {
  const said = [...page.matchAll(/(?:--query |q: )'([^']+)'/g)].map(([, text = '']) => text);
  const sent = [...page.matchAll(/\?q=([^"&`\s]+)/g)].map(([, text = '']) => decodeURIComponent(text));
  assert.ok(said.length >= 5 && sent.length >= 1);
  for (const text of [...said, ...sent]) assert.ok(read(text), text);
});

test('the table of fields has every field, with examples that ask it', () => {
  const named = cells(section('Fields'), 0).flatMap(codes);
  assert.deepEqual([...named].sort(), [...FIELDS, 'meta.key'].sort());
  for (const example of cells(section('Fields'), 2).flatMap(codes)) {
    const { op = 'nothing' } = read(example) ?? {};
    assert.notEqual(op, 'text', example);
  }
  assert.deepEqual(codes(cells(section('Fields'), 1)[3] ?? ''), [...ENTRY_TYPES]);
});

test('every time of the table is read', () => {
  for (const time of cells(section('Times'), 0).flatMap(codes)) assert.equal(read(`after:${time}`)?.op, 'time', time);
});

test('what is said to be text is text', () => {
  for (const code of codes(section('What is text').split('In quotes,')[0] ?? '')) {
    assert.equal(read(code)?.op, 'text', code);
    assert.deepEqual(readQuery(code, { nowMs: 0, of: 'lines' })?.hints, [], code);
  }
  for (const path of ['/usr/bin', '/usr/bin/', '"/usr/"', 'f(x)', 'lvl:error']) {
    assert.ok(section('What is text').includes(`\`${path}\``), path);
    assert.equal(read(path)?.op, 'text', path);
  }
  assert.equal(read('/usr/')?.op, 'regex');
});

test('the fault that is shown is the fault that comes, and the limits are those that hold', () => {
  const shown = JSON.parse(/```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '');
  assert.throws(
    () => parseQuery('level:eror', 0),
    (error) => {
      assert.ok(error instanceof TrailError);
      assert.deepEqual([error.code, error.message], [shown.code, shown.detail]);
      const [fault] = error.errors ?? [];
      assert.deepEqual([fault?.column, fault?.length], [shown.errors[0].column, shown.errors[0].length]);
      return true;
    },
  );
  const limits = `${SEARCH_CHARS.toLocaleString('en')} characters, ${QUERY_TERMS} terms and ${QUERY_DEPTH} parentheses`;
  assert.ok(page.includes(limits), limits);
});
