/**
 * Escape sequences of terminals (ECMA-48: CSI, OSC and other strings, and short ones), and colours as JSON and programs' sources
 * write them.
 */
const SEQUENCE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[PX^_][^\u001b]*\u001b\\|[ -/]*[0-~])|\\{1,16}(?:u001[bB]|x1[bB]|033|e)\[[0-9;:]*m/g;
/** Those that set a colour. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the same
const COLOUR = /\u001b\[[0-9;:]*m/g;

/** True when a text may hold an escape sequence: two quick looks, as nearly every line holds none. */
export function isColoured(text: string): boolean {
  return text.includes('\u001b') || (text.includes('\\') && /\\(?:u001[bB]|x1[bB]|033|e)\[/.test(text));
}

/** The text without its sequences. */
export function uncoloured(text: string): string {
  return text.replace(SEQUENCE, '');
}

/** Where in the whole text a character stands, by its place in the text without sequences. */
export function placesIn(whole: string): (at: number) => number {
  // Each sequence: where it stood in what is left, and how much was gone with it.
  const ends: { readonly at: number; readonly gone: number }[] = [];
  let gone = 0;
  for (const { index, 0: sequence } of whole.matchAll(SEQUENCE)) {
    ends.push({ at: index - gone, gone: gone + sequence.length });
    gone += sequence.length;
  }
  return (at) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return at + (ends[low - 1]?.gone ?? 0);
  };
}

/** What sets colours in a text, and nothing else of it. */
export function coloursOf(text: string): string {
  return text.match(COLOUR)?.join('') ?? '';
}
