import { ENTRY_TYPES, isSource, STREAMS } from '../core/entry.ts';
import type { Comparison, Expr, Term } from '../core/expr.ts';
import { checkTaskId } from '../core/id.ts';
import { LEVELS, type Level, levelRank, parseLevel } from '../core/level.ts';
import { SOURCE_CHARS } from '../core/limits.ts';
import { parseStatus, STATUSES } from '../core/status.ts';
import { readDuration, readMoment, readNumber } from './quantity.ts';
import type { Scanner, Span, Value } from './scanner.ts';

export const FIELDS = [
  ...['level', 'source', 'stream', 'type', 'after', 'before'],
  ...['task', 'status', 'kind', 'agent', 'model', 'tag', 'cost', 'dur'],
] as const;

const TEST = '(:(?:[<>]=?)?|[<>]=?)';
const FIELD = new RegExp(`(${FIELDS.join('|')})${TEST}`, 'y');
const META = new RegExp(`meta\\.(?:"((?:[^"\\\\]|\\\\[\\s\\S])*)"|([^\\s"():<>]+))${TEST}`, 'y');

/** A field, how it is asked, and the values behind it. */
interface Asked {
  readonly scanner: Scanner;
  /** The field with its test, `level>=`. */
  readonly head: Span;
  readonly test: Comparison | ':';
  readonly values: readonly [Value, ...Value[]];
  readonly nowMs: number;
}

type Read = (asked: Asked) => Expr;

const READERS: Readonly<Record<string, Read>> = {
  level,
  source: listOf('source', `a source of 1–${SOURCE_CHARS} characters without comma`, (text) =>
    isSource(text) ? text : undefined,
  ),
  stream: listOf('stream', STREAMS.join(' or '), (text) => STREAMS.find((stream) => stream === text.toLowerCase())),
  type: listOf('type', `a type (${ENTRY_TYPES.join(', ')})`, (text) =>
    ENTRY_TYPES.find((type) => type === text.toLowerCase()),
  ),
  after: moment('from'),
  before: moment('to'),
  task: listOf('task', 'a task id', attempt(checkTaskId)),
  status: listOf('status', `a status (${STATUSES.join(', ')})`, attempt(parseStatus)),
  kind: listOf('kind', 'a kind', some),
  agent: listOf('agent', "an agent's name", some),
  model: listOf('model', "a model's name", some),
  tag: listOf('tag', 'a tag', some),
  cost: amount('cost', 'an amount in US dollars, 0.5', (text) => {
    const dollars = readNumber(text);
    return dollars !== undefined && dollars >= 0 ? dollars : undefined;
  }),
  dur: amount('dur', 'a duration with ms, s, m, h or d, 10m', readDuration),
};

/** A term that names a field, when one stands here. */
export function fieldTerm(scanner: Scanner, nowMs: number): Expr | undefined {
  const from = scanner.at;
  const meta = scanner.take(META);
  const match = meta ?? scanner.take(FIELD);
  if (match === null) return undefined;
  const head = { from, to: scanner.at };
  const test = (match[3] ?? match[2] ?? ':').replace(/^:(?=.)/, '') as Asked['test'];
  const asked = { scanner, head, test, nowMs, values: valuesOf(scanner, head) };
  if (meta) return metaTerm(asked, meta[2] ?? String(meta[1]).replaceAll(/\\(["\\])/g, '$1'));
  return READERS[String(match[1])]?.(asked);
}

/** One value or several with commas between them. */
function valuesOf(scanner: Scanner, head: Span): Asked['values'] {
  const value = (): Value => {
    const found = scanner.next === '"' ? scanner.quoted() : scanner.bare(true);
    if (found.from === found.to) {
      throw scanner.fault({ from: head.from, to: found.to }, 'a value without a space before it');
    }
    if (scanner.next !== ',' && !scanner.atBoundary()) {
      throw scanner.fault({ from: scanner.at, to: scanner.bare().to }, 'a comma or a space after the value');
    }
    return found;
  };
  const values: [Value, ...Value[]] = [value()];
  while (scanner.next === ',') {
    scanner.at += 1;
    values.push(value());
  }
  return values;
}

function level({ scanner, test, values }: Asked): Expr {
  const read = (value: Value): Level => {
    const found = parseLevel(/^\d+$/.test(value.value) ? Number(value.value) : value.value);
    if (found === undefined) throw scanner.fault(value, `a level (${LEVELS.join(', ')})`);
    return found;
  };
  if (test === ':') {
    const named = values.map(read);
    return { op: 'level', values: LEVELS.filter((name) => named.includes(name)) };
  }
  const rank = levelRank(read(only(scanner, values, 'one level')));
  const passes = (name: Level) =>
    test === '>' || test === '>='
      ? levelRank(name) > rank || (test === '>=' && levelRank(name) === rank)
      : levelRank(name) < rank || (test === '<=' && levelRank(name) === rank);
  return { op: 'level', values: LEVELS.filter(passes) };
}

type ListOp = Extract<Term, { values: readonly string[] }>['op'];

function listOf(op: ListOp, expected: string, read: (text: string) => string | undefined): Read {
  return ({ scanner, head, test, values }) => {
    if (test !== ':') throw scanner.fault(head, `a colon, as ${op} has no order`);
    const known = values.map((value) => {
      const found = read(value.value);
      if (found === undefined) throw scanner.fault(value, expected);
      return found;
    });
    return { op, values: [...new Set(known)] } as Term;
  };
}

function moment(bound: 'from' | 'to'): Read {
  return ({ scanner, head, test, values, nowMs }) => {
    if (test !== ':') throw scanner.fault(head, 'a colon');
    const value = only(scanner, values, 'one time');
    const iso = readMoment(value.value, nowMs);
    if (iso === undefined) {
      throw scanner.fault(value, 'a time like 2026-11-01, 2026-11-01T10:00Z or -2h (s, m, h, d, w)');
    }
    return bound === 'from' ? { op: 'time', from: iso } : { op: 'time', to: iso };
  };
}

function amount(op: 'cost' | 'dur', expected: string, read: (text: string) => number | undefined): Read {
  return ({ scanner, head, test, values }) => {
    if (test === ':') throw scanner.fault(head, `<, <=, > or >= after ${op}`);
    const written = only(scanner, values, expected);
    const value = read(written.value);
    if (value === undefined) throw scanner.fault(written, expected);
    return { op, test, value };
  };
}

function metaTerm({ scanner, test, values }: Asked, path: string): Expr {
  if (test === ':') return { op: 'any', parts: values.map(({ value }) => ({ op: 'meta', path, test: '=', value })) };
  const written = only(scanner, values, 'one number');
  if (readNumber(written.value) === undefined) throw scanner.fault(written, 'a number');
  return { op: 'meta', path, test, value: written.value };
}

function only(scanner: Scanner, [first, second]: Asked['values'], expected: string): Value {
  if (second) throw scanner.fault(second, `${expected}, not a list`);
  return first;
}

function some(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** What a function of core reads; undefined where it throws. */
function attempt(read: (text: string) => string): (text: string) => string | undefined {
  return (text) => {
    try {
      return read(text);
    } catch {
      return undefined;
    }
  };
}
