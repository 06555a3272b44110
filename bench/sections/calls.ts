import { atMost, type Section, shown } from '../section.ts';

export const calls: Section = {
  name: 'calls',
  title: 'Logging a line, for who calls',
  about: `\`logger.info(message, { user, attempt })\` with a message of 104 characters, 250 bursts of 1,000 calls after 50 to warm up; between bursts
all is written. Beside it pino 10 with its asynchronous destination, a file that nobody can query. “On”: a server beside the program writes the
task directory.`,
  rounds: 5,
  variants: [
    { name: 'logger', script: 'calls.ts', args: ['ours'], directories: true },
    { name: 'pino', script: 'calls.ts', args: ['pino'] },
  ],
  rows: [
    { what: 'a call', value: (median) => median('logger', 'callNs'), show: shown(' ns') },
    {
      what: 'a call in the slowest burst of a hundred',
      value: (median) => median('logger', 'slowBurstCallNs'),
      show: shown(' ns'),
    },
    { what: 'a call of pino', value: (median) => median('pino', 'callNs'), show: shown(' ns'), peer: true },
    {
      what: 'ours to pino’s',
      value: (median) => median('logger', 'callNs') / median('pino', 'callNs'),
      show: shown(' ×', 2),
      aim: atMost(0.3, ' ×'),
    },
  ],
};
