import { type Row, type Section, shown } from '../section.ts';

const ONE = 'database in the same thread';
const THREADS = 'database in threads of its own';

function row(name: string, what: string, figure: string): Row {
  return { what: `${name}: ${what}`, value: (median) => median(name, figure), show: shown(' ms', 1), peer: true };
}

export const eventLoop: Section = {
  name: 'event-loop',
  title: 'What a request waits for while lines are written',
  about: `Delay of the event loop of the thread that answers people while 500,000 lines come in, and while a pattern is looked for in all of them:
why the database has [threads of its own](decisions/0001-database-in-threads.md).`,
  rounds: 3,
  variants: [
    { name: THREADS, script: 'event-loop.ts', args: ['threads'] },
    { name: ONE, script: 'event-loop.ts', args: ['one'] },
  ],
  rows: [THREADS, ONE].flatMap((name) => [
    row(name, 'writing, p99', 'writingP99Ms'),
    row(name, 'writing, longest', 'writingMostMs'),
    row(name, 'searching, p99', 'searchingP99Ms'),
    row(name, 'searching, longest', 'searchingMostMs'),
  ]),
};
