/**
 * Control characters, line breaks, direction marks, invisible and tag characters; and piles of combining marks, which would paint over
 * other rows. Tab stays, and so do the joiners that emoji and many scripts need.
 */
export const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /\p{M}{9,}|[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

/** Longest run of marks on one letter; real scripts need fewer. */
const MARKS = 8;
/** Names of the control characters 0–31, in order. */
const CONTROLS =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS HT ↵ VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(
    ' ',
  );
const NAMES: Readonly<Record<string, string>> = {
  '\u007f': 'DEL',
  '\u061c': 'ALM',
  '\u200b': 'ZWSP',
  '\u200e': 'LRM',
  '\u200f': 'RLM',
  '\u202a': 'LRE',
  '\u202b': 'RLE',
  '\u202c': 'PDF',
  '\u202d': 'LRO',
  '\u202e': 'RLO',
  '\u2066': 'LRI',
  '\u2067': 'RLI',
  '\u2068': 'FSI',
  '\u2069': 'PDI',
  '\ufeff': 'BOM',
};

/** What to show for a match of `UNSAFE`, and what it stands for. */
export function unsafeName(unsafe: string): { readonly text: string; readonly title: string } {
  if (unsafe.length > MARKS) return { text: `+${unsafe.length} marks`, title: `${unsafe.length} combining marks` };
  const code = unsafe.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase().padStart(4, '0');
  return { text: NAMES[unsafe] ?? CONTROLS[code] ?? hex, title: `U+${hex}` };
}
