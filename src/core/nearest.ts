/** The known word that a mistyped one most likely means; undefined when none is at most so many edits away. */
export function nearest(
  word: string,
  known: readonly string[],
  edits = Math.max(2, Math.floor(word.length / 2)),
): string | undefined {
  const typed = word.slice(0, 40).toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.min(edits, 20) + 1;
  for (const candidate of known) {
    const distance = editDistance(typed, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance: how many letters to add, drop or change. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const changed = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, changed));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
