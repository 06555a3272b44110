import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/core/nearest.ts';

test('the nearest known word is named only when one is near', () => {
  assert.equal(nearest('lvel', ['level', 'limit']), 'level');
  assert.equal(nearest('SOURCES', ['source', 'stream']), 'source');
  assert.equal(nearest('min-level', ['level', 'min_level']), 'min_level');
  assert.equal(nearest('zzzzzzzz', ['level', 'limit']), undefined);
  assert.equal(nearest('', []), undefined);
  assert.equal(nearest('lvvl', ['level', 'limit'], 1), undefined);
  assert.equal(nearest('tags', ['tag', 'task'], 1), 'tag');
});
