import { atLeast, type Section, shown } from '../section.ts';
import { besides, cpuGrowthRow } from '../support/sizes.ts';

const BARE = 'bare insert';

export const http: Section = {
  name: 'http',
  title: 'Lines over HTTP',
  about: `1,000,000 lines of 104 characters as NDJSON, 5,000 a request, from one client in another process that keeps two requests under way; each is
answered after its fsync, masked and indexed for searching. The client's work shares the two cores.`,
  rounds: 3,
  variants: [
    { name: BARE, script: 'bare.ts', args: ['clustered'] },
    { name: 'NDJSON', script: 'http.ts', directories: true },
    ...besides('NDJSON', { script: 'http.ts' }),
  ],
  rows: [
    { what: 'NDJSON', value: (median) => median('NDJSON', 'linesPerS'), show: shown(' lines/s') },
    { what: 'CPU of the server', value: (median) => median('NDJSON', 'cpuUs'), show: shown(' µs a line', 2) },
    { what: BARE, value: (median) => median(BARE, 'linesPerS'), show: shown(' lines/s'), peer: true },
    {
      what: 'NDJSON to the bare insert',
      value: (median) => median('NDJSON', 'linesPerS') / median(BARE, 'linesPerS'),
      show: shown(' ×', 2),
      aim: atLeast(0.5, ' ×'),
      bounds: `the thread that stores takes 3 µs a line: 0.9 to read its JSON, the rest as in [decision 15](decisions/0015-what-a-line-costs.md);
with directories a third thread shares the two cores with it and with the client`,
    },
    cpuGrowthRow('CPU', 'NDJSON'),
    { what: 'the server’s memory at most', value: (median) => median('NDJSON', 'rssMb'), show: shown(' MB') },
  ],
};
