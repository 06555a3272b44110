import { atMost, type Row, type Section, shown } from '../section.ts';
import { bySize, growthRow, named } from '../support/sizes.ts';
import { SIZES } from '../support/stores.ts';

const OUTPUT = 'output of builds';
const RUN = 'an agent run';
const LARGE = named(SIZES[2], 'lines');

function ratio(what: string, variant: string, figure: string, most: number): Row {
  return {
    what,
    value: (median) => median(variant, figure) / median(variant, 'jsonlBytes'),
    show: shown(' ×', 2),
    aim: atMost(most, ' ×'),
    peer: true,
  };
}

export const size: Section = {
  name: 'size',
  title: 'Size on disk',
  about: `The database after a checkpoint, without what is kept free for new lines, beside the same lines as JSON Lines
(\`{"timestamp","level","source","stream","message"}\`): the mixed output of the stores that are read above, and 500,000 lines as builds print
them, as they come in and after the step that compresses old tasks. Filters for searching are in it. The run of an agent is a recorded session
of which the turns are played six times (36 KB as the agent prints it), started over HTTP, with the stages of a webhook and a message of a
person; its files are all six of its directory.`,
  rounds: 1,
  variants: [
    ...bySize(SIZES, 'lines', { script: 'size-store.ts' }),
    { name: OUTPUT, script: 'size-output.ts' },
    { name: RUN, script: 'size-run.ts' },
  ],
  rows: [
    ratio('mixed output, hot', LARGE, 'databaseBytes', 1.3),
    ratio('output of builds, hot', OUTPUT, 'hotBytes', 1.3),
    ratio('output of builds, compressed', OUTPUT, 'compressedBytes', 0.15),
    {
      what: 'files of an agent run, all six',
      value: (median) => median(RUN, 'runBytes') / 1_000,
      show: shown(' kB', 1),
      peer: true,
      aim: { text: '10–100 kB', met: (kilobytes) => kilobytes >= 10 && kilobytes <= 100 },
    },
    growthRow({ what: 'mixed output, hot', peer: true }, 'databaseBytes', { of: SIZES, what: 'lines' }),
  ],
};
