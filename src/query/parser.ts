import { type Fault, TrailError } from '../core/error.ts';
import { type Expr, hasTerm, settle, type Term } from '../core/expr.ts';
import { QUERY_DEPTH, QUERY_TERMS, SEARCH_CHARS } from '../core/limits.ts';
import { meantField } from './meant.ts';
import { Scanner, type Span } from './scanner.ts';
import { fieldTerm } from './terms.ts';

/** What a query is asked of, and when. */
export interface Reading {
  readonly nowMs: number;
  /** `tasks`: what only a line can answer is refused. */
  readonly of: 'lines' | 'tasks';
  /** Says what is wrong with a pattern. Without it patterns are taken as they are. */
  readonly faultOf?: (pattern: string) => string | undefined;
}

export interface Understood {
  readonly expr: Expr;
  /** Words that look like a field but are none, so that they are searched as text. */
  readonly hints: readonly Fault[];
}

/** Read a query, settled as far as it settles itself. Throws `invalid_query`, `query_too_long`. Undefined for a text of nothing but space. */
export function readQuery(text: string, reading: Reading): Understood | undefined {
  if (text.length > SEARCH_CHARS) {
    const { message, errors } = new Scanner(text).fault(
      { from: SEARCH_CHARS, to: text.length },
      `at most ${SEARCH_CHARS} characters`,
    );
    throw new TrailError('query_too_long', message, { errors });
  }
  return text.trim() === '' ? undefined : new Parser(text, reading).read();
}

/** Truth that no line decides: a list of nothing has no member, every text holds the empty one, and every time is within no bounds. */
export function selfEvident(term: Term): boolean | undefined {
  if ('values' in term) return term.values.length === 0 ? false : undefined;
  if (term.op === 'text') return term.text === '' ? true : undefined;
  if (term.op === 'regex') return term.pattern === '' ? true : undefined;
  return term.op === 'time' && term.from === undefined && term.to === undefined ? true : undefined;
}

const WORD_ENDS = '(?=[\\s()"]|$)';
const AND = new RegExp(`AND${WORD_ENDS}`, 'y');
const OR = new RegExp(`OR${WORD_ENDS}`, 'y');
const NOT = new RegExp(`NOT${WORD_ENDS}`, 'y');
const KEYWORD = new RegExp(`(?:AND|OR|NOT)${WORD_ENDS}`, 'y');
/** Two hyphens, or one alone, are text: `--verbose`, `a - b`. */
const MINUS = /-(?=[^\s)-])/y;
/** It ends at the first slash that is not escaped, and only there: `/usr/bin` is a word. */
const PATTERN = /\/((?:[^/\\]|\\[\s\S])+)\/(i?)(?=[\s)]|$)/y;

const LINE_OPS: ReadonlySet<Term['op']> = new Set(['level', 'stream', 'type', 'meta', 'regex']);

/**
 * query = all { "OR" all } ;  all = part { ["AND"] part } ;  part = { "NOT" | "-" } one ;
 * one = "(" query ")" | '"…"' | /…/ | field | word
 */
class Parser {
  readonly #scanner: Scanner;
  readonly #reading: Reading;
  readonly #hints: Fault[] = [];
  #terms = 0;
  #depth = 0;
  /** What was taken last: where a query that breaks off is wrong. */
  #last: Span = { from: 0, to: 0 };

  constructor(text: string, reading: Reading) {
    this.#scanner = new Scanner(text);
    this.#reading = reading;
  }

  read(): Understood {
    const expr = this.#any();
    if (this.#scanner.next === ')') {
      throw this.#faultHere(1, 'no ")" where no "(" is open; quotes make it text');
    }
    return { expr: settle(expr, selfEvident), hints: this.#hints };
  }

  #any(): Expr {
    const parts = [this.#all()];
    while (this.#take(OR)) parts.push(this.#all());
    return { op: 'any', parts };
  }

  #all(): Expr {
    const parts = [this.#part()];
    while (this.#take(AND) || this.#goesOn()) parts.push(this.#part());
    return { op: 'all', parts };
  }

  #goesOn(): boolean {
    this.#scanner.skipSpace();
    return this.#scanner.next !== '' && this.#scanner.next !== ')' && !this.#scanner.looksAt(OR);
  }

  #part(): Expr {
    let negated = false;
    while (this.#take(NOT)) negated = !negated;
    if (this.#take(MINUS)) negated = !negated;
    const part = this.#one();
    return negated ? { op: 'not', part } : part;
  }

  #one(): Expr {
    const scanner = this.#scanner;
    if (scanner.next === '') throw scanner.fault(this.#last, 'something to look for after this');
    if (scanner.looksAt(KEYWORD)) {
      throw this.#faultHere(scanner.next === 'O' ? 2 : 3, 'something to look for; quotes make this text');
    }
    if (scanner.next === ')') throw this.#faultHere(1, 'something to look for');
    if (scanner.next === '(') return this.#group();
    const { at: from } = scanner;
    const term = this.#term();
    const span = { from, to: scanner.at };
    this.#last = span;
    this.#terms += term.op === 'any' ? term.parts.length : 1;
    if (this.#terms > QUERY_TERMS) throw scanner.fault(span, `at most ${QUERY_TERMS} terms`);
    if (this.#reading.of === 'tasks' && hasTerm(term, ({ op }) => LINE_OPS.has(op))) {
      throw scanner.fault(span, 'what a task can answer; levels, streams, types, patterns and metadata are of lines');
    }
    return term;
  }

  #group(): Expr {
    const scanner = this.#scanner;
    const open = { from: scanner.at, to: scanner.at + 1 };
    if (++this.#depth > QUERY_DEPTH) throw scanner.fault(open, `at most ${QUERY_DEPTH} parentheses within each other`);
    scanner.at += 1;
    this.#last = open;
    const inner = this.#any();
    if (scanner.next !== ')') throw scanner.fault(open, 'a ")" for this parenthesis');
    this.#last = { from: scanner.at, to: scanner.at + 1 };
    scanner.at += 1;
    this.#depth -= 1;
    return inner;
  }

  #term(): Expr {
    const scanner = this.#scanner;
    if (scanner.next === '"') return { op: 'text', text: scanner.quoted().value };
    const { at: from } = scanner;
    const pattern = scanner.take(PATTERN);
    if (pattern) return this.#pattern({ from, to: scanner.at }, pattern);
    const field = fieldTerm(scanner, this.#reading.nowMs);
    if (field) return field;
    const word = scanner.bare();
    const hint = meantField(word.value);
    if (hint) {
      const { name, meant } = hint;
      const detail = `${name} is no field and is searched as text; did you mean ${meant}?`;
      this.#hints.push({ path: 'q', detail, column: from + 1, length: name.length });
    }
    return { op: 'text', text: word.value };
  }

  #pattern(span: Span, [, written = '', fold]: RegExpExecArray): Expr {
    const plain = written.replaceAll(/\\([\s\S])/g, (pair, char) => (char === '/' ? '/' : pair));
    const pattern = fold ? `(?i)${plain}` : plain;
    const wrong = this.#reading.faultOf?.(pattern);
    if (wrong !== undefined) throw this.#scanner.fault(span, `a pattern in RE2 syntax (${wrong})`);
    return { op: 'regex', pattern };
  }

  #take(pattern: RegExp): boolean {
    this.#scanner.skipSpace();
    const { at: from } = this.#scanner;
    const taken = this.#scanner.take(pattern) !== null;
    if (taken) this.#last = { from, to: this.#scanner.at };
    return taken;
  }

  #faultHere(chars: number, expected: string): Error {
    const { at: from } = this.#scanner;
    return this.#scanner.fault({ from, to: from + chars }, expected);
  }
}
