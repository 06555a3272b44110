import { atMost, type Row, type Section, shown } from '../section.ts';

const WAYS = { shapes: 'known shapes', 20: 'and 20 registered values', 1000: 'and 1,000 registered values' } as const;
const NOTHING = 'nothing looked for';

function more(name: string, most?: number): Row {
  return {
    what: `${name}: more CPU`,
    value: (median) => 100 * (median(name, 'cpuUs') / median(NOTHING, 'cpuUs') - 1),
    show: shown(' %', 1),
    peer: true,
    ...(most !== undefined && {
      aim: atMost(most, ' %'),
      bounds:
        'a line that holds nothing is looked at once for shapes and once for values; of all that taking a line in over HTTP costs, known shapes are about 7 %',
    }),
  };
}

export const masking: Section = {
  name: 'masking',
  title: 'Masking',
  about: `1,000,000 lines of 104 characters, NDJSON in batches of 5,000 through the intake into SQLite, in one thread without HTTP: what masking is
measured against is as small as it can be.`,
  rounds: 3,
  variants: [
    { name: NOTHING, script: 'intake.ts', args: ['ndjson', 'nothing'] },
    ...Object.entries(WAYS).map(([looking, name]) => ({ name, script: 'intake.ts', args: ['ndjson', looking] })),
  ],
  rows: [
    ...[NOTHING, ...Object.values(WAYS)].map(
      (name): Row => ({
        what: name,
        value: (median) => median(name, 'cpuUs'),
        show: shown(' µs a line', 2),
        peer: true,
      }),
    ),
    more(WAYS.shapes, 10),
    more(WAYS[20], 10),
    more(WAYS[1000]),
  ],
};
