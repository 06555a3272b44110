import { test } from 'node:test';
import { noRedis } from '../support/redis.ts';
import { dieBeforeAcknowledging, dieBeforeBurying, killOneOfTwo } from './event-consumers.ts';

test(
  'R13: a consumer killed 20 times between commit and acknowledgement stores every event once, in order',
  {
    skip: noRedis,
  },
  (t) => dieBeforeAcknowledging(t, 20),
);

test(
  '20,000 events of 1,000 tasks, two consumers, one killed again and again: every line once, in order',
  {
    skip: noRedis,
  },
  (t) => killOneOfTwo(t, 20_000),
);

test(
  'events that the store refuses are dead, each once, when their consumer is killed before it buried them',
  { skip: noRedis },
  (t) => dieBeforeBurying(t),
);
