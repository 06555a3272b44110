import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import {
  type Condition,
  Condition as ConditionShape,
  compileCondition,
} from '../../../src/inlet/webhooks/condition.ts';
import { parsePath, valuesAt } from '../../../src/inlet/webhooks/path.ts';

const PAYLOAD = {
  action: 'opened',
  issue: {
    number: 42,
    assignee: null,
    locked: false,
    title: 'Checkout fails',
    labels: [{ name: 'bug' }, { name: 'payments' }],
    'x-y': { é: 1 },
  },
  tags: ['a', 'b'],
};
const holds = (condition: Condition) => compileCondition(condition)(PAYLOAD) === null;

describe('a condition', () => {
  test('exists: there is a value, and it is not null', () => {
    assert.ok(holds({ path: 'issue.number', exists: true }));
    assert.ok(holds({ path: 'issue.locked', exists: true }));
    assert.ok(holds({ path: 'issue.assignee', exists: false }));
    assert.ok(holds({ path: 'issue.milestone', exists: false }));
    assert.ok(!holds({ path: 'issue.milestone', exists: true }));
  });

  test('equals: the very value, of the same kind', () => {
    assert.ok(holds({ path: 'action', equals: 'opened' }));
    assert.ok(holds({ path: 'issue.number', equals: 42 }));
    assert.ok(holds({ path: 'issue.locked', equals: false }));
    assert.ok(holds({ path: 'issue.assignee', equals: null }));
    assert.ok(!holds({ path: 'issue.number', equals: '42' }));
    assert.ok(!holds({ path: 'issue.milestone', equals: null }));
  });

  test('contains: part of a text, or a value of a list', () => {
    assert.ok(holds({ path: 'issue.title', contains: 'out' }));
    assert.ok(holds({ path: 'tags', contains: 'b' }));
    assert.ok(!holds({ path: 'issue.title', contains: 'Out' }));
    assert.ok(!holds({ path: 'issue.number', contains: 4 }));
  });

  test('in: one of several', () => {
    assert.ok(holds({ path: 'action', in: ['opened', 'reopened'] }));
    assert.ok(!holds({ path: 'action', in: ['closed'] }));
    assert.ok(!holds({ path: 'nothing', in: ['closed', null] }));
  });

  test('matches: a pattern, anywhere in a text or a number', () => {
    assert.ok(holds({ path: 'issue.title', matches: '(?i)^checkout\\b' }));
    assert.ok(holds({ path: 'issue.number', matches: '^4' }));
    assert.ok(!holds({ path: 'issue.labels', matches: '.' }));
  });

  test('not: what must not hold', () => {
    assert.ok(holds({ path: 'action', not: { equals: 'closed' } }));
    assert.ok(!holds({ path: 'action', not: { equals: 'opened' } }));
    assert.ok(holds({ path: 'issue.labels[*].name', not: { in: ['wontfix'] } }));
    assert.ok(!holds({ path: 'issue.labels[*].name', not: { in: ['wontfix', 'bug'] } }));
    assert.ok(holds({ path: 'missing', not: { equals: 'x' } }));
    assert.ok(holds({ path: 'issue.title', contains: 'Check', not: { contains: 'works' } }));
  });

  test('looks at lists by index and at all of their places', () => {
    assert.ok(holds({ path: 'issue.labels[0].name', equals: 'bug' }));
    assert.ok(holds({ path: 'issue.labels[*].name', equals: 'payments' }));
    assert.ok(!holds({ path: 'issue.labels[2].name', exists: true }));
    assert.ok(!holds({ path: 'issue.labels.name', exists: true }));
    assert.ok(holds({ path: 'issue.x-y.é', equals: 1 }));
  });

  test('that does not hold says what was expected and what is there', () => {
    const why = (condition: Condition) => compileCondition(condition)(PAYLOAD);
    assert.equal(why({ path: 'action', equals: 'closed' }), 'action: expected equals "closed", got "opened"');
    assert.equal(why({ path: 'nope', exists: true }), 'nope: expected exists true, there is nothing');
    assert.equal(
      why({ path: 'issue.labels[*].name', equals: 'x' }),
      'issue.labels[*].name: expected equals "x", got 2 values',
    );
    assert.equal(why({ path: 'action', not: { in: ['opened'] } }), 'action: expected not in a list of 1, got "opened"');
  });

  test('with a bad pattern or path is refused', () => {
    const bad: Condition[] = [
      { path: 'a', matches: '(' },
      { path: 'a', matches: '(?=x)' },
      { path: 'a', matches: '(a)\\1' },
      { path: 'a', matches: '((a{0,99}){99}){99}' },
      { path: 'a', not: { matches: '[' } },
      { path: 'a..b', exists: true },
      { path: 'a[', exists: true },
      { path: 'a[-1]', exists: true },
      { path: 'a[x]', exists: true },
      { path: '.a', exists: true },
      { path: 'a.', exists: true },
      { path: 'a b', exists: true },
      { path: 'a]', exists: true },
      { path: '', exists: true },
      { path: `${'a.'.repeat(30)}a`, exists: true },
      { path: 'x'.repeat(201), exists: true },
    ];
    for (const condition of bad)
      assert.throws(() => compileCondition(condition), { code: 'invalid_webhook' }, condition.path);
  });

  test('has a path, at least one test, and nothing else', () => {
    const shape = Compile(ConditionShape);
    assert.ok(shape.Check({ path: 'a', equals: 1 }));
    assert.ok(shape.Check({ path: 'a', not: { exists: true } }));
    for (const bad of [
      {},
      { path: 'a' },
      { equals: 1 },
      { path: 'a', like: 'x' },
      { path: 'a', not: {} },
      { path: 'a', in: [] },
      { path: 1, exists: true },
    ]) {
      assert.ok(!shape.Check(bad), JSON.stringify(bad));
    }
  });

  test('that cannot be looked at whole neither holds nor is refuted', () => {
    const long = `${'x'.repeat(150_000)}needle`;
    assert.notEqual(compileCondition({ path: 'a', matches: 'needle' })({ a: long }), null);
    assert.notEqual(compileCondition({ path: 'a', not: { matches: 'needle' } })({ a: long }), null);
    const many = { a: [...new Array(2_000).fill('x'), 'needle'] };
    assert.notEqual(compileCondition({ path: 'a[*]', not: { equals: 'needle' } })(many), null);
    assert.notEqual(compileCondition({ path: 'a[*]', equals: 'needle' })(many), null);
  });

  test('takes no more than a moment, whatever pattern meets whatever text', () => {
    for (const matches of ['(a+)+$', '(a|b|ab){0,20}.{0,100}z$', '[\\p{L}\\p{N}]{0,400}\\p{Lu}$']) {
      const check = compileCondition({ path: 'a', matches });
      const startMs = performance.now();
      assert.notEqual(check({ a: `${'a'.repeat(99_999)}!` }), null);
      assert.ok(performance.now() - startMs < 1_000, matches);
    }
  });
});

describe('a path', () => {
  test('never reads what a payload does not own', () => {
    const payload = JSON.parse('{"a":{"b":1},"list":[1],"text":"abc"}');
    for (const path of [
      'constructor',
      'a.constructor.name',
      '__proto__',
      'a.__proto__',
      'toString',
      'list.length',
      'text.length',
      'text[0]',
      'list.map',
      'a[0]',
      'a[*]',
      'hasOwnProperty',
    ]) {
      assert.deepEqual(valuesAt(payload, parsePath(path)).values, [], path);
    }
  });

  test('reads a key that is called like something of the language when it is data', () => {
    const payload = JSON.parse('{"__proto__":{"polluted":1},"constructor":"x"}');
    assert.deepEqual(valuesAt(payload, parsePath('__proto__.polluted')).values, [1]);
    assert.deepEqual(valuesAt(payload, parsePath('constructor')).values, ['x']);
    assert.equal(({} as { polluted?: number }).polluted, undefined);
  });

  test('finds what plain code finds, in any JSON', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.array(fc.oneof(fc.constantFrom('a', 'b', 'toString', '__proto__'), fc.nat(3)), {
          minLength: 1,
          maxLength: 4,
        }),
        (json, steps) => {
          const payload: unknown = JSON.parse(JSON.stringify(json));
          const text = steps
            .map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`))
            .join('');
          let held: unknown = payload;
          for (const step of steps) {
            const fits = typeof step === 'number' ? Array.isArray(held) : !Array.isArray(held);
            held =
              fits && typeof held === 'object' && held !== null && Object.hasOwn(held, step)
                ? (held as Record<string, unknown>)[step]
                : undefined;
          }
          assert.deepEqual(valuesAt(payload, parsePath(text)).values, held === undefined ? [] : [held]);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('names a bounded number of values, however the lists multiply', () => {
    const row = new Array(1_000).fill({ c: 1 });
    const { values, cut } = valuesAt({ a: new Array(1_000).fill({ b: row }) }, parsePath('a[*].b[*].c'));
    assert.equal(values.length, 1_000);
    assert.ok(cut);
  });
});

test('no condition throws once it was taken, whatever the payload', () => {
  const path = fc.constantFrom('a', 'a.b', 'a[*]', 'a[*].b', 'a[0]', '__proto__', 'constructor.prototype');
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
  const tests = fc.record(
    {
      exists: fc.boolean(),
      equals: scalar,
      in: fc.array(scalar, { minLength: 1 }),
      contains: fc.string(),
      matches: fc.constantFrom('a', '.', '^$'),
    },
    { requiredKeys: [] },
  );
  const payload = fc.oneof(fc.jsonValue(), fc.record({ a: fc.jsonValue() }));
  fc.assert(
    fc.property(path, tests, tests, payload, (place, own, not, json) => {
      const check = compileCondition({ path: place, ...own, not } as Condition);
      assert.ok(['string', 'object'].includes(typeof check(json)));
    }),
    { numRuns: 500 },
  );
});
