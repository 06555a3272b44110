/** The start of a text; a character of two code units at the edge stays whole or stays out. */
export function cutText(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const start = text.slice(0, chars);
  return start.isWellFormed() || !text.isWellFormed() ? start : start.slice(0, -1);
}
