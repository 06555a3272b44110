import { atLeast, type Medians, type Row, type Section, shown } from '../section.ts';
import { besides, cpuGrowthRow } from '../support/sizes.ts';

const BARE = 'bare insert, clustered table';
const INDEXED = 'bare insert, id and two indexes';
const COSTS = `the bare insert has no index by time (0.4–0.7 µs a line, promised to SQL clients), no masking and no filters for searching (0.25 µs
each), and no second thread (0.6 µs); see [decision 15](decisions/0015-what-a-line-costs.md)`;

/** Lines of a CPU second, as a part of those of the bare insert. */
function share(name: string, what: string, least: number, bounds = COSTS): Row {
  return {
    what,
    value: (median: Medians) => median(BARE, 'cpuUs') / median(name, 'cpuUs'),
    show: shown(' ×', 2),
    aim: atLeast(least, ' ×'),
    bounds,
  };
}

function rate(name: string, peer?: true): Row {
  return {
    what: name,
    value: (median) => median(name, 'linesPerS'),
    show: shown(' lines/s'),
    ...(peer && { peer }),
  };
}

export const embedded: Section = {
  name: 'embedded',
  title: 'Durable lines of a program',
  about: `1,000,000 lines of 104 characters into one task, each batch fsynced, masked and indexed for searching; 5,000 lines a batch. CPU is that of
all threads and, where directories are written, of the server that writes them, until the last line stands in them. The bare insert is
what somebody writes by hand: one table, one prepared INSERT, 5,000 rows a transaction, fsynced. BullMQ: 500,000 lines by \`job.log\`, 5,000 under way
at once (50,000 where each is awaited), on a Redis that fsyncs each second, and once with each command.`,
  rounds: 3,
  variants: [
    { name: BARE, script: 'bare.ts', args: ['clustered'] },
    { name: INDEXED, script: 'bare.ts', args: ['mission'] },
    { name: 'logger in a tight loop', script: 'embedded.ts', args: ['logger'], directories: true },
    ...besides('logger', { script: 'embedded.ts', args: ['logger'] }),
    { name: 'append of awaited batches', script: 'embedded.ts', args: ['append'], directories: true },
    { name: 'intake and store in one thread', script: 'intake.ts', args: ['packed', 'shapes'] },
    {
      name: 'intake and store without masking and index',
      script: 'intake.ts',
      args: ['packed', 'unindexed'],
    },
    { name: 'BullMQ job.log, pipelined', script: 'bullmq.ts', args: ['pipelined'] },
    { name: 'BullMQ job.log, pipelined, each fsynced', script: 'bullmq.ts', args: ['pipelined', 'always'], rounds: 2 },
    { name: 'BullMQ job.log, awaited', script: 'bullmq.ts', args: ['awaited'], rounds: 2 },
  ],
  rows: [
    rate('logger in a tight loop'),
    rate('append of awaited batches'),
    rate('intake and store in one thread', true),
    rate('intake and store without masking and index', true),
    rate(BARE, true),
    rate(INDEXED, true),
    rate('BullMQ job.log, pipelined', true),
    rate('BullMQ job.log, pipelined, each fsynced', true),
    rate('BullMQ job.log, awaited', true),
    share('logger in a tight loop', 'logger: lines of a CPU second, to the bare insert’s', 0.7),
    {
      what: 'the same, to the bare insert with id and two indexes',
      value: (median) => median(INDEXED, 'cpuUs') / median('logger in a tight loop', 'cpuUs'),
      show: shown(' ×', 2),
    },
    share('append of awaited batches', 'append: lines of a CPU second, to the bare insert’s', 0.7),
    {
      ...share('intake and store in one thread', 'one thread, to the bare insert’s', 0.7),
      peer: true,
    },
    {
      ...share(
        'intake and store without masking and index',
        'one thread, without masking and index, to the bare insert’s',
        0.85,
      ),
      peer: true,
    },
    {
      what: 'logger: lines of a CPU second, to BullMQ’s, pipelined',
      value: (median) => median('BullMQ job.log, pipelined', 'cpuUs') / median('logger in a tight loop', 'cpuUs'),
      show: shown(' ×', 1),
      aim: atLeast(1.5, ' ×'),
    },
    cpuGrowthRow('logger: CPU', 'logger in a tight loop', 'logger'),
  ],
};
