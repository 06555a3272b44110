import { atLeast, atMost, type Row, type Section, shown } from '../section.ts';

const LINES_PER_S = shown('');
const PERCENT = shown(' %', 1);
const US = shown(' µs', 2);

const SERVED = 'run, with a server';
const ALONE = 'run, without a server';
const WORKING = 'a working command';

export const capture: Section = {
  name: 'capture',
  title: 'A command under `tasktrail run`',
  about: `
A million lines of 104 characters from \`cat\`, as fast as they are taken, from the start of \`tasktrail run\` to its end, when all lines are
stored, masked and can be searched; what it passes on is read from a pipe and dropped. CPU is that of the command, of \`run\` and of the
server. Beside it \`cat\` alone, and \`tee\`, which writes the bytes to a file without an fsync.

Then a command that works for 10 ms before each of its 500 lines, in pairs with and without us: its own time from its first line to its last,
and the whole, in which our start and the last commit are.
`,
  rounds: 3,
  variants: [
    { name: SERVED, script: 'capture.ts', args: ['served'], directories: true },
    { name: ALONE, script: 'capture.ts', args: ['alone'] },
    { name: 'cat', script: 'capture.ts', args: ['cat'] },
    { name: 'tee', script: 'capture.ts', args: ['tee'] },
    { name: WORKING, script: 'working.ts', directories: true, rounds: 2 },
  ],
  rows: [
    {
      ...row('`run` with a server, lines/s', SERVED, 'linesPerS', LINES_PER_S),
      aim: atLeast(150_000),
      bounds:
        'capture, parsing and storing share two cores with each other and the command: the CPU time of a line, below, times 150,000 is what a second has to hold.',
    },
    row('CPU per line, all processes', SERVED, 'cpuUs', US),
    row('… of it `run` and the command', SERVED, 'runCpuUs', US),
    ...[
      row('`run` without a server, lines/s', ALONE, 'linesPerS', LINES_PER_S),
      row('… its most memory', ALONE, 'mostRssMb', shown(' MB')),
      row('`cat`, lines/s', 'cat', 'linesPerS', LINES_PER_S),
      row('`cat | tee`, lines/s', 'tee', 'linesPerS', LINES_PER_S),
    ].map((each) => ({ ...each, peer: true as const })),
    {
      ...row('a command that prints 100 lines/s: slower by', WORKING, 'slowerPercent', PERCENT),
      aim: atMost(2, ' %'),
      bounds: 'two cores serve the command, `run`, the server and whatever else the machine does.',
    },
    row('… the whole, with our start and end', WORKING, 'wholeSlowerPercent', PERCENT),
    row('… CPU of `run` and the server meanwhile, of one core', WORKING, 'addedCpuPercent', PERCENT),
    row('… our start and end', WORKING, 'addedMs', shown(' ms')),
  ],
};

function row(what: string, variant: string, figure: string, show: Row['show']): Row {
  return { what, value: (median) => median(variant, figure), show };
}
