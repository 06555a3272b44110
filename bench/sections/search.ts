import { type Row, type Section, shown } from '../section.ts';
import { SEARCHES } from '../support/searches.ts';
import { bySize, growthRow, named } from '../support/sizes.ts';
import { SIZES } from '../support/stores.ts';

const LINES = 'lines';
const FILES = 'lines, ripgrep';
const LARGE = SIZES[2];
const WHAT: Readonly<Record<(typeof SEARCHES)[number]['name'], string>> = {
  common: 'a common word',
  rare: 'a rare word (5 lines)',
  part: 'a part of a word (5 lines)',
  absent: 'an absent word',
  pattern: 'a pattern with a text in it',
  bare: 'a pattern without one',
};

function rows(name: keyof typeof WHAT): Row[] {
  const what = WHAT[name];
  const row = (place: string, figure: string): Row[] => [
    { what: `${what}, ${place}`, value: (median) => median(named(LARGE, LINES), figure), show: shown(' ms', 1) },
    {
      what: `${what}, ${place}: ripgrep`,
      value: (median) => median(named(LARGE, FILES), figure),
      show: shown(' ms', 1),
      peer: true,
    },
  ];
  return [...row('all tasks', `${name}Ms`), ...row('one task', `${name}TaskMs`)];
}

export const search: Section = {
  name: 'search',
  title: 'Searching lines',
  about: `The first page of 100 lines, newest first, over HTTP (\`GET /api/logs/search?search=…&limit=100\`), across ${LARGE.toLocaleString('en-US')} lines in 2,000
tasks and within the task of a million (\`task=\`), beside ripgrep, which counts matches in the same lines as files, a file for each task, in any
case too. “Page 100” is the hundredth of the common word by its cursor. See [decision 9](decisions/0009-search-index.md).

Growth over the stores of ${SIZES.map((size) => size.toLocaleString('en-US')).join(', ')} lines: what is rare or absent asks the filter of each block, so it grows with the number of
blocks, a thousandth of the lines; a pattern without a text reads all lines, with RE2 in JavaScript.`,
  rounds: 3,
  variants: [
    ...bySize(SIZES, LINES, { script: 'search.ts', directories: true }),
    { name: named(LARGE, FILES), script: 'ripgrep.ts', args: [String(LARGE)] },
  ],
  rows: [
    ...SEARCHES.flatMap(({ name }) => rows(name)),
    { what: 'a common word, page 100', value: (median) => median(named(LARGE, LINES), 'farMs'), show: shown(' ms', 1) },
    ...SEARCHES.map(({ name }) => growthRow({ what: WHAT[name] }, `${name}Ms`, { of: SIZES, what: LINES })),
  ],
};
