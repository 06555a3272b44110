import { atLeast, atMost, type Section, shown } from '../section.ts';

const LINES_PER_S = shown('');
const PERCENT = shown(' %', 1);
const US = shown(' µs', 2);

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
    { name: 'run, with a server', script: 'capture.ts', args: ['served'], directories: true },
    { name: 'run, without a server', script: 'capture.ts', args: ['alone'] },
    { name: 'cat', script: 'capture.ts', args: ['cat'] },
    { name: 'tee', script: 'capture.ts', args: ['tee'] },
    { name: 'a working command', script: 'working.ts', directories: true, rounds: 2 },
  ],
  rows: [
    {
      what: '`run` with a server, lines/s',
      value: (median) => median('run, with a server', 'linesPerS'),
      show: LINES_PER_S,
      aim: atLeast(150_000),
      bounds:
        'capture, parsing and storing share two cores with each other and the command: the CPU time of a line, below, times 150,000 is what a second has to hold.',
    },
    {
      what: 'CPU per line, all processes',
      value: (median) => median('run, with a server', 'cpuUs'),
      show: US,
    },
    {
      what: '… of it `run` and the command',
      value: (median) => median('run, with a server', 'runCpuUs'),
      show: US,
    },
    {
      what: '`run` without a server, lines/s',
      value: (median) => median('run, without a server', 'linesPerS'),
      show: LINES_PER_S,
      peer: true,
    },
    {
      what: '… its most memory',
      value: (median) => median('run, without a server', 'mostRssMb'),
      show: shown(' MB'),
      peer: true,
    },
    { what: '`cat`, lines/s', value: (median) => median('cat', 'linesPerS'), show: LINES_PER_S, peer: true },
    { what: '`cat | tee`, lines/s', value: (median) => median('tee', 'linesPerS'), show: LINES_PER_S, peer: true },
    {
      what: 'a command that prints 100 lines/s: slower by',
      value: (median) => median('a working command', 'slowerPercent'),
      show: PERCENT,
      aim: atMost(2, ' %'),
      bounds: 'two cores serve the command, `run`, the server and whatever else the machine does.',
    },
    {
      what: '… the whole, with our start and end',
      value: (median) => median('a working command', 'wholeSlowerPercent'),
      show: PERCENT,
    },
    {
      what: '… CPU of `run` and the server meanwhile, of one core',
      value: (median) => median('a working command', 'addedCpuPercent'),
      show: PERCENT,
    },
    {
      what: '… our start and end',
      value: (median) => median('a working command', 'addedMs'),
      show: shown(' ms'),
    },
  ],
};
