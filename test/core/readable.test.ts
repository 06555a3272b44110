import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { readable, readableObject } from '../../src/core/readable.ts';

test('what JSON can say is said as JSON says it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      assert.equal(JSON.stringify(readable(value)), JSON.stringify(value));
    }),
  );
});

test('a circle is named where it closes, and the same object twice is no circle', () => {
  const shared = { n: 1 };
  const value: Record<string, unknown> = { a: shared, b: [shared] };
  value.self = { up: value };
  assert.deepEqual(readable(value), { a: { n: 1 }, b: [{ n: 1 }], self: { up: '[Circular]' } });
});

test('big integers, symbols, functions, errors, maps, sets and dates are readable', () => {
  const date = new Date(0);
  const value = {
    big: 2n ** 70n,
    symbol: Symbol('s'),
    named: function work() {},
    set: new Set([1]),
    date,
    nan: Number.NaN,
  };
  assert.deepEqual(readable(value), {
    big: '1180591620717411303424',
    symbol: 'Symbol(s)',
    named: '[Function work]',
    set: [1],
    date: '1970-01-01T00:00:00.000Z',
    nan: 'NaN',
  });
  const error = readable(Object.assign(new TypeError('no', { cause: new Error('why') }), { code: 'E1' }));
  const { name, message, code, cause } = error as Record<string, { message: string }>;
  assert.deepEqual([name, message, code, cause?.message], ['TypeError', 'no', 'E1', 'why']);
});

test('a property, a toJSON or a proxy that throws costs only itself', () => {
  const value = {
    fine: 1,
    get bad() {
      throw new Error('locked');
    },
    json: {
      toJSON() {
        throw new Error('no json');
      },
    },
    proxy: new Proxy(
      {},
      {
        ownKeys() {
          throw new Error('closed');
        },
      },
    ),
  };
  assert.deepEqual(readable(value), {
    fine: 1,
    bad: '[Throws: locked]',
    json: '[Unreadable: no json]',
    proxy: '[Unreadable: closed]',
  });
});

test('nesting without end stops', () => {
  let deep: unknown = 'bottom';
  for (let level = 0; level < 10_000; level++) deep = { deep };
  assert.match(JSON.stringify(readable(deep)), /\[Deeper\]/);
});

test('metadata that is no object is kept as its value', () => {
  assert.equal(readableObject([1, 2]), '{"value":[1,2]}');
  assert.equal(readableObject(7n), '{"value":"7"}');
  assert.equal(readableObject({ lone: '\ud800' }), '{"lone":"\ufffd"}');
  assert.equal(readableObject(JSON.parse('{"__proto__":1}')), '{"__proto__":1}');
});
