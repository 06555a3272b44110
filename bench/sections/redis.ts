import { atLeast, type Section, shown } from '../section.ts';

const BARE = 'bare XREADGROUP and XACK';
const OURS = 'read, stored, acknowledged';
const STEADY = '5,000 events a second';

export const redis: Section = {
  name: 'redis',
  title: 'Events of a Redis stream',
  about: `200,000 events of 1,000 tasks, one line of 104 characters each, from a backlog; and from XADD to the commit at a steady 5,000 events a
second for 10 s. Redis, program and threads share the two cores. See [events in Redis](redis.md).`,
  rounds: 3,
  variants: [
    { name: BARE, script: 'redis.ts', args: ['bare'] },
    { name: OURS, script: 'redis.ts', args: ['consume'] },
    { name: STEADY, script: 'redis.ts', args: ['steady'], rounds: 1 },
  ],
  rows: [
    { what: OURS, value: (median) => median(OURS, 'eventsPerS'), show: shown(' events/s'), peer: true },
    { what: BARE, value: (median) => median(BARE, 'eventsPerS'), show: shown(' events/s'), peer: true },
    {
      what: 'ours to bare',
      value: (median) => median(OURS, 'eventsPerS') / median(BARE, 'eventsPerS'),
      show: shown(' ×', 2),
      peer: true,
      aim: atLeast(0.5, ' ×'),
      bounds: `an event costs the writer thread what a line costs, and one of 1,000 tasks in a batch has its own counters, which a batch of one task
shares`,
    },
    {
      what: `${STEADY}: XADD to commit`,
      value: (median) => median(STEADY, 'lagMs'),
      show: shown(' ms', 1),
      peer: true,
    },
    { what: `${STEADY}: p99`, value: (median) => median(STEADY, 'lagP99Ms'), show: shown(' ms', 1), peer: true },
  ],
};
