/** Classes of blocks by how long a time they cover: one of class n at most 4^n ms. */
export const SPANS = 26;

/** Where a block stands in the index by time: its class, and its end, rounded up to a quarter of the length of its class. */
export function reachOf(firstAt: string, lastAt: string): { span: number; until: number } {
  const lastMs = Date.parse(lastAt);
  const lengthMs = lastMs - Date.parse(firstAt);
  let span = 0;
  while (4 ** span < lengthMs) span++;
  const stepMs = stepOf(span);
  return { span, until: Math.ceil(lastMs / stepMs) * stepMs };
}

/** The latest `until` of a block of the class that has a line at this moment or before. */
export function latestUntil(span: number, ms: number): number {
  return ms + 4 ** span + stepOf(span);
}

function stepOf(span: number): number {
  return Math.max(1, 4 ** span / 4);
}
