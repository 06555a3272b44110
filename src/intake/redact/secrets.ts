import type { Secret } from '../../core/redaction.ts';
import { coloursOf } from './colours.ts';

/** In order and apart: what overlaps becomes one, of the kind of the longest; so do values that touch. */
export function merged(spans: readonly Secret[]): readonly Secret[] {
  if (spans.length < 2) return spans;
  // Mostly they were found one after the other, and nothing is to be done.
  if (spans.every((span, index) => index === 0 || span.start > (spans[index - 1]?.end ?? 0))) return spans;
  const inOrder = spans.toSorted((a, b) => a.start - b.start || b.end - a.end);
  const apart: Secret[] = [];
  let widest = 0;
  for (const span of inOrder) {
    const last = apart.at(-1);
    const touching = last !== undefined && span.start === last.end && last.by === 'value' && span.by === 'value';
    if (last === undefined || (span.start >= last.end && !touching)) {
      apart.push(span);
      widest = span.end - span.start;
      continue;
    }
    const named = span.end - span.start > widest ? span : last;
    widest = Math.max(widest, span.end - span.start);
    const { kind, by, rule } = named;
    apart[apart.length - 1] = { start: last.start, end: Math.max(last.end, span.end), kind, by, rule };
  }
  return apart;
}

/** The text with a mark for each of these spans, which are in order and apart. */
export function replaced(text: string, spans: readonly Secret[]): string {
  const isColoured = text.includes('\u001b');
  let masked = '';
  let at = 0;
  for (const { start, end, kind } of spans) {
    // Letters stay coloured as they were: what sets a colour inside of a secret stands behind its mark.
    masked += `${text.slice(at, start)}[redacted:${kind}]`;
    if (isColoured) masked += coloursOf(text.slice(start, end));
    at = end;
  }
  return masked + text.slice(at);
}
