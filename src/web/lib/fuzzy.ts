/** Letters that are worth less on average lie about by chance. */
const STREWN = 4;

/**
 * How well a text answers what was typed: every letter in order, in any case. What stands together and beginnings of words count
 * more; null when a letter is missing, or they are strewn about.
 */
export function fuzzyScore(typed: string, text: string): number | null {
  const wanted = typed.trim().toLowerCase();
  const held = text.toLowerCase();
  if (wanted === '') return 0;
  const whole = held.indexOf(wanted);
  if (whole !== -1)
    return 1_000 - Math.min(whole, 100) + (isStart(held, whole) ? 200 : 0) - Math.min(held.length, 200) / 100;
  const letters = wanted.replaceAll(/\s+/g, '');
  let score = 0;
  let at = -1;
  for (const char of letters) {
    const next = held.indexOf(char, at + 1);
    if (next === -1) return null;
    score += next === at + 1 ? 8 : isStart(held, next) ? 6 : 1;
    at = next;
  }
  return score < letters.length * STREWN ? null : score - Math.min(held.length, 200) / 100;
}

/** The best first, at most `most`; equal ones stay in their order. */
export function fuzzyFind<T>(
  typed: string,
  items: readonly T[],
  { text, most }: { text: (item: T) => string; most: number },
): readonly T[] {
  return items
    .flatMap((item) => {
      const score = fuzzyScore(typed, text(item));
      return score === null ? [] : [{ item, score }];
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ item }) => item);
}

/** The first letter of a word. */
function isStart(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? '');
}
