import { atMost, type Row, type Section, shown } from '../section.ts';
import { bySize, growthRow, named } from '../support/sizes.ts';
import { SIZES } from '../support/stores.ts';

const SMALL = named(SIZES[0], 'lines');
const LARGE = named(SIZES[2], 'lines');
const AWAITED = 'one line at a time';
const MS = shown(' ms', 1);

function row(what: string, figure: string, limitMs?: number): Row {
  return { what, value: (median) => median(LARGE, figure), show: MS, ...(limitMs && { aim: atMost(limitMs, ' ms') }) };
}

/** By text no summary can know how many lines pass. */
const TEXT =
  'to skip lines by a text each of those before has to be looked at once; what was counted is kept for the next page';

function offsetRows(kind: string, what: string, bounds?: string): Row[] {
  return [
    row(`first page by ${what}`, `first${kind}Ms`),
    {
      ...row(`offset at 90 % by ${what}, asked for the first time`, `offsetNew${kind}Ms`, 50),
      ...(bounds && { bounds }),
    },
    row(`offset at 90 % by ${what}, again`, `offset${kind}Ms`, 50),
  ];
}

function grows(what: string, figure: string): Row {
  return growthRow({ what }, figure, { of: SIZES, what: 'lines' });
}

export const reading: Section = {
  name: 'reading',
  title: 'Reading',
  about: `Stores of ${SIZES.map((size) => size.toLocaleString('en-US')).join(', ')} lines of mixed output in up to 2,000 tasks, of which one has a tenth: the
million lines that the rows below read in the largest. A server is started over each, and asked over HTTP by one client on one kept-alive
connection: \`GET /ready\`; \`GET /api/tasks/{id}/logs?limit=100\` with \`after\` at random places, with \`offset\`, and with \`level=ERROR\` (every
50th line), \`source=server\` (every third) or \`search=request\` (every fourth); \`/logs/stats\`, \`/logs/sources\`, \`/logs/histogram?buckets=60\`. Times
are seen by the client and include its reading of the JSON. Where directories are on, they were written when the store was made.
“One line at a time” is \`POST /api/tasks/{id}/logs\` on an empty store, in turns with \`GET /health\` and an fsync of 4 KiB on the same disk.

Growth is the slope of log cost against log size over the three stores: 0 is flat, 1 is linear. A page by a text, and what is counted for
an offset by one, grow with the lines that are looked at.`,
  rounds: 3,
  variants: [
    ...bySize(SIZES, 'lines', { script: 'reading.ts', directories: true }),
    { name: AWAITED, script: 'awaited.ts', directories: true },
  ],
  rows: [
    {
      ...row('from start to ready', 'readyMs', 500),
      bounds: 'an empty store takes as long: some hundred modules are loaded, and as many routes described',
    },
    row('any page by seq, p50', 'pageP50Ms'),
    row('any page by seq, p99', 'pageP99Ms', 5),
    {
      what: 'any page by seq, p99, beside the small store',
      value: (median) => median(LARGE, 'pageP99Ms') / median(SMALL, 'pageP99Ms'),
      show: shown(' ×', 2),
      aim: atMost(1.5, ' ×'),
    },
    row('first page', 'firstPageMs'),
    {
      what: 'offset at 90 %, beside the first page',
      value: (median) => median(LARGE, 'offsetMs') / median(LARGE, 'firstPageMs'),
      show: shown(' ×', 2),
      aim: atMost(3, ' ×'),
    },
    ...offsetRows('Level', 'level'),
    ...offsetRows('Source', 'source'),
    ...offsetRows('Text', 'text', TEXT),
    row('stats', 'statsMs', 10),
    row('sources', 'sourcesMs', 10),
    row('histogram', 'histogramMs', 10),
    { what: '`GET /health`', value: (median) => median(AWAITED, 'healthMs'), show: shown(' ms', 2) },
    { what: 'fsync of 4 KiB', value: (median) => median(AWAITED, 'fsyncMs'), show: shown(' ms', 2) },
    { what: 'one awaited line', value: (median) => median(AWAITED, 'awaitedMs'), show: shown(' ms', 2) },
    {
      what: 'one awaited line, beside `GET /health` and an fsync together',
      value: (median) => median(AWAITED, 'awaitedMs') / (median(AWAITED, 'healthMs') + median(AWAITED, 'fsyncMs')),
      show: shown(' ×', 2),
      aim: atMost(2, ' ×'),
      bounds:
        'its commit writes about ten pages of the log where the fsync beside it writes one, and the thread of the store is woken for it',
    },
    grows('start', 'readyMs'),
    grows('any page by seq', 'pageP50Ms'),
    grows('offset', 'offsetMs'),
    grows('offset by level', 'offsetLevelMs'),
    grows('offset by text, for the first time', 'offsetNewTextMs'),
    grows('stats', 'statsMs'),
    grows('histogram', 'histogramMs'),
  ],
};
