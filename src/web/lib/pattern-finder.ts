import type { Span } from '../../core/found.ts';
import { compilePattern } from '../../core/pattern.ts';
import type { Finder } from './line.ts';

/** How far into a text a pattern looks, and how many places it finds there. */
const LOOK_CHARS = 8_192;
const PLACES = 200;

/** Finds a pattern as the server does. Its engine is large: import this file when a pattern is asked for. Throws `invalid_filter`. */
export function patternFinder(pattern: string): Finder {
  const compiled = compilePattern(pattern);
  return (text) => {
    const matcher = compiled.matcher(text.slice(0, LOOK_CHARS));
    const spans: Span[] = [];
    while (spans.length < PLACES && matcher.find()) {
      if (matcher.end() > matcher.start()) spans.push([matcher.start(), matcher.end()]);
    }
    return spans;
  };
}
