/** Codes of `ESC[…m` that switch something on: first, last, and the code that switches it off. */
const ATTRIBUTES: readonly (readonly [first: number, last: number, off: number])[] = [
  [1, 2, 22],
  [3, 3, 23],
  [4, 4, 24],
  [5, 6, 25],
  [7, 7, 27],
  [8, 8, 28],
  [9, 9, 29],
  [21, 21, 24],
  [30, 38, 39],
  [40, 48, 49],
  [53, 53, 55],
  [58, 58, 59],
  [90, 97, 39],
  [100, 107, 49],
];
/** Bold and faint are switched off together, but each can be on beside the other. */
const WEIGHT_OFF = 22;
/** 38, 48 and 58 are followed by a colour: `5;n` or `2;r;g;b`, or all of it with colons. */
const CODE = /[345]8;(?:5;\d+|2;\d+;\d+;\d+)|[\d:]+/g;
/** Longer than any code that means something; it would be repeated wherever the style changes. */
const CODE_CHARS = 24;

/**
 * The style that holds after `ESC[…m`, as the shortest parameters that switch it on; empty for none. So a bar that switches its
 * colours on and off for hours has, at any time, the few attributes that hold.
 */
export function changedStyle(style: string, parameters: string): string {
  let held: { readonly code: string; readonly off: number }[] = [];
  for (const [code] of `${style};${parameters || '0'}`.matchAll(CODE)) {
    // `4:0` is an underline of no kind.
    const number = code === '4:0' ? 24 : Number.parseInt(code, 10);
    const off = offCode(number);
    if (number === 0) held = [];
    else if (off === undefined) held = held.filter((attribute) => attribute.off !== number);
    else if (code.length <= CODE_CHARS) {
      held = held.filter((attribute) => (off === WEIGHT_OFF ? attribute.code !== code : attribute.off !== off));
      held.push({ code, off });
    }
  }
  return held.map(({ code }) => code).join(';');
}

function offCode(number: number): number | undefined {
  return ATTRIBUTES.find(([first, last]) => number >= first && number <= last)?.[2];
}
