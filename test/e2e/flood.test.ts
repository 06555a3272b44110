import test from 'node:test';
import { floods } from './flood.ts';

// A hundred runs each are in flood.long.test.ts.
test('a program that prints 10,000 lines on both streams and exits at once loses none, with a server', (t) =>
  floods(t, { runs: 10, server: true }));

test('a program that prints 10,000 lines on both streams and exits at once loses none, without a server', (t) =>
  floods(t, { runs: 10, server: false }));
