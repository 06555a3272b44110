import { atMost, type Row, type Section, shown } from '../section.ts';

const VARIANT = 'ten million lines, fifty readers';
const MB = shown(' MB');

export const memory: Section = {
  name: 'memory',
  title: 'Memory of the server',
  about: `
The server's resident memory while it takes ten million lines of 104 characters into one task over HTTP NDJSON, two requests of 5,000 lines
under way, and serves fifty readers of that task: 30 followers with a filter, half of them by SSE, 10 that read all of it slowly over a
WebSocket, and 10 that page through it from its start, 1,000 lines a page.
`,
  rounds: 1,
  variants: [{ name: VARIANT, script: 'memory.ts', directories: true }],
  rows: [
    {
      ...row('most memory', 'mostRssMb', MB),
      aim: atMost(250, ' MB'),
      bounds:
        'it starts with 180 MB: 70 MB are Node itself, the rest the modules and heaps of three threads. Taking lines alone stays near 260 MB, where the writer holds what it parses; the readers’ pages on their way make up the rest, most of it garbage that V8 has no need to collect yet.',
    },
    row('median', 'medianRssMb', MB),
    row('when it has started', 'startRssMb', MB),
    row('lines/s meanwhile', 'linesPerS', shown('')),
    row('CPU of the server per line', 'serverCpuUs', shown(' µs', 2)),
  ],
};

function row(what: string, figure: string, show: Row['show']): Row {
  return { what, show, value: (median) => median(VARIANT, figure) };
}
