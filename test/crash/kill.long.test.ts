import test from 'node:test';
import { killCycles } from './kill.ts';

test('R1: 200 of 200 cycles of kill -9 keep what was acknowledged', (t) => killCycles(t, 200));
