import type { Expr } from '../core/expr.ts';
import type { LogFilter } from '../core/filter.ts';
import type { Span } from '../core/found.ts';
import { HIGHLIGHT_CHARS, HIGHLIGHT_MS, HIGHLIGHTS } from '../core/limits.ts';
import { compilePattern, type Pattern } from '../core/pattern.ts';

/** Where in a message the texts and patterns stand that a filter asks for. */
export type Highlighter = (message: string) => readonly Span[];

/**
 * The highlighter of a filter. What must not be in the message is not marked. Patterns may be slow: they look at the start of a message
 * only, and when they have taken `HIGHLIGHT_MS` in all, further messages get the marks of texts alone.
 */
export function highlighter(filter: LogFilter): Highlighter {
  const wanted = wantedOf(filter);
  const texts = [...new Set(wanted.flatMap((term) => (term.op === 'text' ? [term.text.toLowerCase()] : [])))];
  const patterns = wanted.flatMap((term) => (term.op === 'regex' ? [compilePattern(term.pattern)] : []));
  let leftMs = HIGHLIGHT_MS;
  return (message) => {
    const spans = textSpans(message, texts);
    if (patterns.length > 0 && leftMs > 0) {
      const startMs = performance.now();
      for (const pattern of patterns) spans.push(...patternSpans(message.slice(0, HIGHLIGHT_CHARS), pattern));
      leftMs -= performance.now() - startMs;
    }
    return merged(spans).slice(0, HIGHLIGHTS);
  };
}

type Wanted = Extract<Expr, { op: 'text' | 'regex' }>;

function wantedOf({ search, regex, query }: LogFilter): readonly Wanted[] {
  const plain: Wanted[] =
    search === undefined ? [] : [regex ? { op: 'regex', pattern: search } : { op: 'text', text: search }];
  return [...plain, ...(query ? wantedIn(query.expr) : [])];
}

function wantedIn(expr: Expr, negated = false): readonly Wanted[] {
  if (expr.op === 'not') return wantedIn(expr.part, !negated);
  if (expr.op === 'all' || expr.op === 'any') return expr.parts.flatMap((part) => wantedIn(part, negated));
  return !negated && (expr.op === 'text' || expr.op === 'regex') ? [expr] : [];
}

function textSpans(message: string, texts: readonly string[]): Span[] {
  if (texts.length === 0) return [];
  const folded = message.toLowerCase();
  // Folding makes few letters longer (İ becomes two units) and none shorter: of equal length, the places are the same.
  const places = folded.length === message.length ? undefined : placesOf(message);
  const spans: Span[] = [];
  for (const text of texts) {
    if (text === '') continue;
    let at = folded.indexOf(text);
    for (let count = 0; at !== -1 && count < HIGHLIGHTS; count++) {
      const end = at + text.length;
      spans.push(places ? [places.start[at] ?? 0, places.end[end - 1] ?? message.length] : [at, end]);
      at = folded.indexOf(text, end);
    }
  }
  return spans;
}

/** For each unit of the folded message, where the letter that it comes of starts and ends. */
function placesOf(message: string): { start: readonly number[]; end: readonly number[] } {
  const start: number[] = [];
  const end: number[] = [];
  let at = 0;
  for (const letter of message) {
    for (let unit = 0; unit < letter.toLowerCase().length; unit++) {
      start.push(at);
      end.push(at + letter.length);
    }
    at += letter.length;
  }
  return { start, end };
}

function patternSpans(text: string, pattern: Pattern): readonly Span[] {
  const spans: Span[] = [];
  const matcher = pattern.matcher(text);
  while (spans.length < HIGHLIGHTS && matcher.find()) {
    if (matcher.end() > matcher.start()) spans.push([matcher.start(), matcher.end()]);
  }
  return spans;
}

/** In order, with those that touch or overlap as one. */
function merged(spans: readonly Span[]): readonly Span[] {
  const all: [number, number][] = [];
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else all.push([start, end]);
  }
  return all;
}
