const COUNT = new Intl.NumberFormat('en-US');

/** `12,408`, and `12,408+` when there may be more. */
export function count(value: number, exact = true): string {
  return `${COUNT.format(value)}${exact ? '' : '+'}`;
}

/** `1 line`, `2 lines`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A size for people; `chars` are taken as bytes, which holds for what programs print. */
export function size(chars: number): string {
  if (chars < 1_000) return `${chars} B`;
  if (chars < 1_000_000) return `${Math.round(chars / 1_000)} KB`;
  if (chars < 1_000_000_000) return `${(chars / 1_000_000).toFixed(1)} MB`;
  return `${(chars / 1_000_000_000).toFixed(1)} GB`;
}

/** A hue 0–359 that stays the same for the same name. The names people use most lie far apart on the wheel. */
export function hue(name: string): number {
  let hash = 2_166_136_261;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16_777_619);
  // Steps of the golden angle: two sources get either the same hue or clearly different ones.
  return Math.floor((((hash >>> 8) % 24) * 137.508 + 200) % 360);
}

/** `metadata.progress` as 0–100, or null when the line has none. */
export function progressOf(metadata: unknown): number | null {
  if (typeof metadata !== 'object' || metadata === null || !('progress' in metadata)) return null;
  const { progress } = metadata;
  return typeof progress === 'number' && Number.isFinite(progress) ? Math.min(100, Math.max(0, progress)) : null;
}
