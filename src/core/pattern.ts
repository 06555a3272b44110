import { RE2JS } from 're2js';
import { TrailError } from './error.ts';
import { PATTERN_SIZE, PATTERN_STEPS } from './limits.ts';

/** A regular expression of a stranger, compiled: it takes linear time, and no longer than its limits allow. */
export class Pattern {
  /** How much of a message it looks at, in characters: the larger the pattern, the less. */
  readonly chars: number;
  readonly #compiled: RE2JS;

  constructor(compiled: RE2JS) {
    this.#compiled = compiled;
    this.chars = Math.floor(PATTERN_STEPS / compiled.programSize());
  }

  /** Whether it matches somewhere in what it looks at. */
  find(message: string): boolean {
    return this.matcher(message).find();
  }

  matcher(message: string): ReturnType<RE2JS['matcher']> {
    return this.#compiled.matcher(message.length > this.chars ? message.slice(0, this.chars) : message);
  }
}

/** Compiled patterns that are kept: one search asks for the same one for each task. */
const KEPT = 100;
const kept = new Map<string, Pattern>();

/**
 * Compile a pattern in RE2 syntax (https://github.com/google/re2/wiki/Syntax), whose time is linear: it cannot hang us. It grows with
 * the size of the pattern too, so that is bounded before it is compiled. Throws `invalid_filter`.
 */
export function compilePattern(pattern: string): Pattern {
  const known = kept.get(pattern);
  if (known) return known;
  const size = patternSize(pattern);
  if (size > PATTERN_SIZE) {
    throw invalidPattern(
      `a pattern of at most ${PATTERN_SIZE} pieces, each repetition counted as often as it may repeat; this one has about ${size}`,
    );
  }
  const compiled = new Pattern(compile(pattern));
  const [oldest] = kept.keys();
  if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest);
  kept.set(pattern, compiled);
  return compiled;
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw invalidPattern(`RE2 syntax: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function invalidPattern(expected: string, cause?: unknown): TrailError {
  return new TrailError('invalid_filter', `search: expected a regular expression in ${expected}`, {
    cause: cause ?? new Error(`expected ${expected}`),
    errors: [{ path: 'search', detail: expected }],
  });
}

/** Escapes that are longer than two characters; the braces of some are no repetition. */
const ESCAPE = /\\(?:[pPx]\{[^}]*\}|x[0-9A-Fa-f]{2}|.)/sy;
const REPETITION = /\{(\d+)(,(\d*))?\}/y;
const NAMED_CLASS = /\[:\^?[a-z]*:\]/y;

/**
 * About how many pieces a pattern has when every repetition is written out. A pattern that is none has some size too.
 */
export function patternSize(pattern: string): number {
  // Of each group that is open: what it holds so far. The last piece is what a repetition would repeat.
  const open: number[] = [];
  let sum = 0;
  let last = 0;
  for (let at = 0; at < pattern.length; ) {
    const char = pattern[at];
    const times = matchAt(REPETITION, pattern, at);
    if (times) {
      const most = times[2] === undefined ? Number(times[1]) : Number(times[3] || Number(times[1]) + 1);
      const repeated = last * Math.max(1, most);
      sum += repeated - last;
      last = repeated;
      at += times[0].length;
      continue;
    }
    if (char === '(') {
      open.push(sum);
      sum = 0;
      last = 0;
      at += 1;
      continue;
    }
    if (char === ')') {
      last = sum + 1;
      sum = (open.pop() ?? 0) + last;
      at += 1;
      continue;
    }
    const end = pieceEnd(pattern, at);
    // Quoted text is a row of pieces, of which a repetition takes the last.
    const pieces = pattern.startsWith('\\Q', at) ? end - at : 1;
    last = 1;
    sum += pieces;
    at = end;
  }
  return open.reduce((total, held) => total + held, sum);
}

/** Where the piece that starts at a place ends: a character, an escape, a quoted text or a class. */
function pieceEnd(pattern: string, at: number): number {
  if (pattern.startsWith('\\Q', at)) {
    const end = pattern.indexOf('\\E', at + 2);
    return end === -1 ? pattern.length : end + 2;
  }
  const escaped = matchAt(ESCAPE, pattern, at);
  if (escaped) return at + escaped[0].length;
  return pattern[at] === '[' ? classEnd(pattern, at) : at + 1;
}

function classEnd(pattern: string, start: number): number {
  let at = start + 1;
  if (pattern[at] === '^') at += 1;
  // The first bracket in a class is a letter of it.
  if (pattern[at] === ']') at += 1;
  while (at < pattern.length && pattern[at] !== ']') {
    at += (matchAt(ESCAPE, pattern, at) ?? matchAt(NAMED_CLASS, pattern, at) ?? ['x'])[0].length;
  }
  return at + 1;
}

function matchAt(shape: RegExp, text: string, at: number): RegExpExecArray | null {
  shape.lastIndex = at;
  return shape.exec(text);
}
