/** An escape that stands for one character of its own: punctuation. */
const ESCAPED = /^\\[^A-Za-z0-9\u0080-\uffff]/;
/** Escapes of other things, as long as they are; none of `\Q`, in which other rules hold. */
const OTHER_ESCAPE = /^\\(?:[pP](?:\{[^}]*\}|.)|x(?:\{[^}]*\}|[0-9A-Fa-f]{2})|[0-7]{1,3}|[dDsSwWbBAzaftnrvC])/;
const REPEAT = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/;
const FLAGS = /^\(\?[a-zA-Z-]*\)/;

/**
 * Texts that every message with a match of the pattern (RE2 syntax) contains, both folded by `toLowerCase`. There may be more
 * such texts than it finds: it looks only at plain ASCII characters that follow one another outside of groups.
 */
export function requiredTexts(pattern: string): readonly string[] {
  const texts: string[] = [];
  let text = '';
  const end = (): void => {
    if (text !== '') texts.push(text.toLowerCase());
    text = '';
  };
  // In any case of letters, k is also the Kelvin sign and s the long s, which fold otherwise.
  const anyCase = /\(\?[a-zA-Z]*i/.test(pattern);
  for (let at = 0; at < pattern.length; ) {
    const rest = pattern.slice(at, at + 64);
    const { length, char } = pieceOf(pattern, at, rest);
    if (length === 0) return [];
    at += length;
    const repeat = REPEAT.exec(pattern.slice(at, at + 64))?.[0] ?? '';
    at += repeat.length;
    const plain = char !== undefined && !(anyCase && /[ks]/i.test(char));
    if (plain && (repeat === '' || repeat.startsWith('+'))) text += char;
    if (!plain || repeat !== '') end();
    // A repeat of a repeat: what this pattern means is not for us to say.
    if (repeat !== '' && REPEAT.test(pattern.slice(at, at + 64))) return [];
  }
  end();
  return texts;
}

/** What stands at a place: how long it is, and the character that it is when it is one. A length of 0: this cannot be told. */
function pieceOf(pattern: string, at: number, rest: string): { length: number; char?: string } {
  const char = rest.charAt(0);
  if (char === '|' || char === ')') return { length: 0 };
  if (char === '\\') {
    if (ESCAPED.test(rest)) return { length: 2, char: rest.charAt(1) };
    return { length: OTHER_ESCAPE.exec(rest)?.[0].length ?? 0 };
  }
  if (char === '(') return { length: FLAGS.exec(rest)?.[0].length ?? groupLength(pattern, at) };
  if (char === '[') return { length: classLength(pattern, at) };
  if ('.^$*+?{}'.includes(char) || char > '\u007f') return { length: 1 };
  return { length: 1, char };
}

/** 0 when its end is not found. */
function groupLength(pattern: string, start: number): number {
  let depth = 0;
  for (let at = start; at < pattern.length; ) {
    const char = pattern.charAt(at);
    if (char === '\\') {
      const next = pattern.charAt(at + 1);
      if (next === 'Q') return 0;
      at += 2;
      continue;
    }
    if (char === '[') {
      const length = classLength(pattern, at);
      if (length === 0) return 0;
      at += length;
      continue;
    }
    if (char === '(') depth += 1;
    if (char === ')') depth -= 1;
    at += 1;
    if (depth === 0) return at - start;
  }
  return 0;
}

/** 0 when its end is not found. */
function classLength(pattern: string, start: number): number {
  // A bracket that comes first is one of the class.
  let at = start + 1;
  if (pattern.charAt(at) === '^') at += 1;
  if (pattern.charAt(at) === ']') at += 1;
  for (; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    if (char === ']') return at + 1 - start;
    if (char === '\\') at += 1;
    else if (pattern.startsWith('[:', at)) {
      const end = pattern.indexOf(':]', at + 2);
      if (end > 0) at = end + 1;
    }
  }
  return 0;
}
