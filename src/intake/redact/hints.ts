/**
 * What tokens begin with, as far as four characters go; a dot stands for any. Each token has one of these in it, and most lines have
 * none: they are done after one look that goes mostly three characters at a time (Wu and Manber, 1994).
 */
const BEGINNINGS = [
  ...['PRIV', 'AKIA', 'ASIA', 'ABIA', 'ACCA', 'AIza', 'GOCS', 'ya29', 'pypi', 'npm_', 'xapp', 'hsec', 'hub_'],
  ...['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'sk_l', 'sk_t', 'rk_l', 'rk_t', 'AWS_', 'aws_', 'awss', 'etAc'],
  ...[
    'glpa',
    'gldt',
    'glrt',
    'glpt',
    'glft',
    'glim',
    'glag',
    'glcb',
    'gloa',
    'glso',
    '.xox',
    '.sk-',
    '.eyJ',
    '.tt_',
    'tts_',
    '.://',
    '.:\\/',
  ],
];
const WINDOW = 4;
/** Of each pair of characters, how far one may go when a window ends in it; 0: the window may be a beginning. */
const STEPS = steps();
const LAST_THREE: ReadonlySet<number> = new Set(BEGINNINGS.map((text) => three(text.slice(-3), 2)));

/** Whether a text may hold a token. Rarely true where there is none; never false where there is one. */
export function hasBeginning(text: string): boolean {
  const end = text.length;
  // A beginning that only has three characters may stand at the very start.
  for (let at = 2; at < end; ) {
    const step = STEPS[pair(text, at)] ?? 0;
    if (step > 0) at += step;
    else if (LAST_THREE.has(three(text, at))) return true;
    else at += 1;
  }
  return false;
}

function steps(): Uint8Array {
  const table = new Uint8Array(2 ** 14).fill(WINDOW - 1);
  const learn = (place: number, step: number): void => {
    table[place] = Math.min(table[place] ?? 0, step);
  };
  for (const text of BEGINNINGS) {
    for (let at = 1; at < WINDOW; at++) {
      const step = WINDOW - 1 - at;
      if (at > 1 || text[0] !== '.') learn(pair(text, at), step);
      else for (let any = 0; any < 128; any++) learn(pair(String.fromCharCode(any) + text.charAt(1), 1), step);
    }
  }
  return table;
}

function pair(text: string, last: number): number {
  return ((text.charCodeAt(last - 1) << 7) | (text.charCodeAt(last) & 127)) & 16_383;
}

function three(text: string, last: number): number {
  return (text.charCodeAt(last - 2) << 14) | (text.charCodeAt(last - 1) << 7) | text.charCodeAt(last);
}
