import { atMost, type Row, type Section, shown } from '../section.ts';

const MILLION = '1 million lines';
const TEN = '10 million lines';
const NAMES = [MILLION, TEN] as const;

function rows(
  what: string,
  figure: string,
  { unit = ' ms', digits = 0, aim }: { unit?: string; digits?: number; aim?: Row['aim'] } = {},
): Row[] {
  return NAMES.map((name) => ({
    what: `${what}, ${name}`,
    value: (median) => median(name, figure),
    show: shown(unit, digits),
    peer: true,
    ...(aim && { aim }),
  }));
}

export const viewer: Section = {
  name: 'viewer',
  title: 'The page',
  about: `One task in headless Chromium at 1280 × 800, which shares the two cores with server and store; 20 jumps, 60 s of scrolling, 50 notches of the
wheel while 1,000 lines come every tenth of a second. What is counted on the page while lines pour in was right, or there would be no figures.`,
  rounds: 1,
  variants: [
    { name: MILLION, script: 'viewer.ts', args: ['1000000'] },
    { name: TEN, script: 'viewer.ts', args: ['10000000'] },
  ],
  rows: [
    ...rows('open the page at a line', 'openMs'),
    ...rows('jump until the line stands in the middle', 'jumpMs'),
    ...rows('jump, p95', 'jumpP95Ms', { aim: atMost(300, ' ms') }),
    ...rows('find a word of three lines, all looked through', 'findMs'),
    ...rows('from hit to hit', 'hitMs'),
    ...rows('a frame while scrolling, p95', 'frameP95Ms'),
    ...rows('rows in the document', 'rows', { unit: '' }),
    ...rows('heap', 'heapMb', { unit: ' MB' }),
    ...rows('lines that came while the wheel was turned', 'linesPerS', { unit: '/s' }),
    ...rows('notches of 50 that stopped following in the next frame', 'stopped', {
      unit: '',
      aim: { text: '50', met: (value) => value === 50 },
    }),
    ...rows('a line moved after a notch', 'movedPx', { unit: ' px', aim: atMost(0, ' px') }),
  ],
};
