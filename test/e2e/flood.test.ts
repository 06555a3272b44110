import test from 'node:test';
import { floods } from './flood.ts';

test('a hundred floods with a server: every line, every time', (t) => floods(t, { runs: 100, server: true }));

test('a hundred floods without a server: every line, every time', (t) => floods(t, { runs: 100, server: false }));
