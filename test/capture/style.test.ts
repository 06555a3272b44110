import assert from 'node:assert/strict';
import test from 'node:test';
import { changedStyle } from '../../src/capture/style.ts';

const after = (...codes: string[]) => codes.reduce(changedStyle, '');

test('a style is the attributes that hold, each once, however often they were switched', () => {
  assert.equal(after('1', '31', '32'), '1;32');
  assert.equal(after('1;4', '24'), '1');
  assert.equal(after('38;5;196', '48;2;1;2;3', '39'), '48;2;1;2;3');
  assert.equal(after('1', '2', '22'), '');
  assert.equal(after(...Array(1_000).fill('31'), ...Array(1_000).fill('1')), '31;1');
});

test('0 and no parameter switch everything off, what follows holds', () => {
  assert.equal(after('1;31', ''), '');
  assert.equal(after('1;31', '0;4'), '4');
  assert.equal(after('4', '4:0'), '');
});
