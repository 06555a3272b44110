/** Where something was found in a text, in UTF-16 units. */
interface Found {
  readonly start: number;
  readonly end: number;
}

export interface MarkedPart<T extends Found> {
  readonly text: string;
  /** Null: what lies between. */
  readonly found: T | null;
}

/** A text cut at what was found in it, which is in order and apart. What lies outside of the text is left out. */
export function markedParts<T extends Found>(text: string, founds: readonly T[]): readonly MarkedPart<T>[] {
  const parts: MarkedPart<T>[] = [];
  let from = 0;
  for (const found of founds) {
    if (found.start < from || found.end > text.length || found.end <= found.start) continue;
    if (found.start > from) parts.push({ text: text.slice(from, found.start), found: null });
    parts.push({ text: text.slice(found.start, found.end), found });
    from = found.end;
  }
  if (from < text.length) parts.push({ text: text.slice(from), found: null });
  return parts;
}
