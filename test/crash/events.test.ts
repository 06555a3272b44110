import { test } from 'node:test';
import { noRedis } from '../support/redis.ts';
import { dieBeforeAcknowledging, killOneOfTwo } from './event-consumers.ts';

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
