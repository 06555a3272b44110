/** Longer lines are no progress display. */
const LINE_CHARS = 300;
// biome-ignore lint/suspicious/noControlCharactersInRegex: ESC begins the sequences that are taken out
const COLOUR = /\u001b\[[0-9;]*m/g;
/** Every progress display holds one of these; most lines are done after this one look. */
const HINT = /%|\d\/\d|[[|(][=#█▓]|\d of \d/;

const PERCENT = String.raw`(\d{1,3}(?:\.\d{1,4})?) ?%`;
/** Things whose share done is what a percentage after them means. */
const ACTS = [
  ...['progress', 'receiving', 'resolving', 'compressing', 'counting', 'writing', 'downloading', 'uploading'],
  ...['extracting', 'unpacking', 'installing', 'building', 'compiling', 'processing', 'loading', 'fetching', 'copying'],
  ...['syncing', 'updating', 'checking out', 'transferring', 'converting', 'rendering', 'training', 'indexing'],
  ...['scanning', 'encoding', 'completed?', 'linking', 'importing', 'exporting', 'migrating'],
].join('|');
const AFTER = String.raw`(?=$|[,|(]| \(| \[| \||\s+(?:done|complete|completed|finished)\b)`;
const STEPS = 'step|stage|part|task|item|batch|epoch|chunk|file|layer|test|page|frame|package';

const SHARES: readonly RegExp[] = [
  // The whole line.
  new RegExp(String.raw`^\(?${PERCENT}\)?$`),
  // CMake: `[ 42%] Building …`; apt: `Progress: [ 42%]`.
  new RegExp(String.raw`^(?:progress: ?)?\[ {0,2}${PERCENT}\](?=\s|$)`, 'i'),
  // pytest: `tests/test_a.py ..F.  [ 42%]`
  new RegExp(String.raw`(?:[.FEsxX]|PASSED|FAILED|SKIPPED|XFAIL|XPASS|ERROR) +\[ {0,2}${PERCENT}\]$`),
  // `Receiving objects:  42% (420/1000)`, `Downloading foo.zip... 42%`, `Progress 42%`
  new RegExp(String.raw`^(?:remote: )?(?:${ACTS})(?: [^%:]{1,80})?(?::|\.{2,3}|…) {0,4}${PERCENT}${AFTER}`, 'i'),
  new RegExp(`^(?:remote: )?(?:${ACTS}) {1,4}${PERCENT}${AFTER}`, 'i'),
  // `42% done`
  new RegExp(`^${PERCENT} (?:done|complete|completed|finished)[.!]?$`, 'i'),
];

const COUNTS: readonly RegExp[] = [
  // The whole line, or in front of what is being done: `[3/10] Linking …`.
  /^\(?(\d{1,7})\/(\d{1,7})\)?$/,
  /^\[ {0,6}(\d{1,7})\/(\d{1,7})\](?=\s|$)/,
  new RegExp(String.raw`^(?:${STEPS})s? {1,2}(\d{1,7}) ?(?:\/|of) ?(\d{1,7})(?=$|[\s:.,)])`, 'i'),
];

/** A bar: what is done, perhaps a head, and room that is left. A full one has no room and needs its percentage to be known as one. */
const BAR = /(?:^|[\s%:])[[|(]([=#█▓]{1,200})[>▉▊▋▌▍▎▏╸]?([ .\-_░▒]{0,200})[\]|)](?=\s|$)/;
const NEAR_PERCENT = new RegExp(String.raw`(?:^|[\s|[(:])${PERCENT}(?=$|[\s|\])(,])`);
/** Shorter bars are as likely a list in brackets or a table. */
const BAR_CHARS = 5;

/**
 * How much is done, 0–100, when a line is a display of progress; undefined for any other line. Better to miss a display than to
 * take a sentence with a number in it for one.
 */
export function progressOf(message: string): number | undefined {
  if (message.length > LINE_CHARS || !HINT.test(message)) return undefined;
  const text = message.replace(COLOUR, '').trim();
  for (const share of SHARES) {
    const percent = share.exec(text)?.[1];
    if (percent !== undefined) return within(Number(percent));
  }
  for (const count of COUNTS) {
    const [, done, all] = count.exec(text) ?? [];
    if (done !== undefined && Number(all) > 1) return within((100 * Number(done)) / Number(all));
  }
  return ofBar(text);
}

function ofBar(text: string): number | undefined {
  const bar = BAR.exec(text);
  const drawn = bar?.[0].trim().replace(/^[%:]/, '') ?? '';
  const width = drawn.length - 2;
  if (!bar || width < BAR_CHARS) return undefined;
  const percent = NEAR_PERCENT.exec(text)?.[1];
  if (percent !== undefined) return within(Number(percent));
  const [, done = '', left = ''] = bar;
  // Without room, `[=====]` may be a ruler or a heading; amid a text, a drawing that it speaks of.
  if (left === '' || !(text.startsWith(drawn) || text.endsWith(drawn))) return undefined;
  return within((100 * done.length) / width);
}

function within(percent: number): number | undefined {
  return percent <= 100 ? Math.round(percent * 10) / 10 : undefined;
}
