import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compileTemplate } from '../../../src/inlet/webhooks/template.ts';

const PAYLOAD = {
  issue: { title: 'Checkout fails', number: 42, labels: [{ name: 'bug' }, { name: 'pay' }], open: true, who: null },
};
const text = (template: string, payload: unknown = PAYLOAD) => compileTemplate(template)(payload).text;

describe('a template', () => {
  test('becomes a text with the values of its places', () => {
    assert.equal(text('Fix {{issue.title}} (#{{ issue.number }})!'), 'Fix Checkout fails (#42)!');
    assert.equal(text('{{issue.labels[*].name}} / {{issue.labels[1].name}} / {{issue.open}}'), 'bug, pay / pay / true');
    assert.equal(text('{{issue.labels}}'), '[{"name":"bug"},{"name":"pay"}]');
    assert.equal(text('no places'), 'no places');
    assert.equal(text(''), '');
  });

  test('leaves a place empty that the payload does not have, and notes it once', () => {
    assert.deepEqual(compileTemplate('[{{a.b}}] [{{issue.who}}] [{{a.b}}]')(PAYLOAD), {
      text: '[] [] []',
      missing: ['a.b', 'issue.who'],
      cut: [],
    });
  });

  test('never looks for places in what a place became', () => {
    assert.equal(text('{{a}}{{b}}', { a: '{{b}} {', b: '{c}}', c: 'secret' }), '{{b}} {{c}}');
  });

  test('has braces of its own behind a backslash', () => {
    assert.equal(text('\\{{issue.title}} {{issue.number}} \\{{'), '{{issue.title}} 42 {{');
    assert.equal(text('{"a":{"b":1}}'), '{"a":{"b":1}}');
    assert.equal(text('\\ {{issue.number}} C:\\'), '\\ 42 C:\\');
  });

  test('that is bad is refused with line and column', () => {
    const message = (template: string) => {
      try {
        compileTemplate(template);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'invalid_webhook');
        return (error as Error).message;
      }
      return assert.fail(`${template} was taken`);
    };
    assert.match(message('one\ntwo {{issue.title'), /^line 2, column 5: expected }} after "{{issue\.title"/);
    assert.match(message('{{}}'), /^line 1, column 1: expected a path between {{ and }}, got nothing$/);
    assert.match(message('{{a..b}}'), /^line 1, column 1: the path "a\.\.b": expected names/);
    assert.match(message('{{a {{b}}'), /column 1: expected }}/);
    assert.match(message('{{a}} {{#if x}}'), /column 7: the path "#if x"/);
    assert.match(message('{{a | upper}}'), /the path/);
    assert.match(message('{{process.env["X"]}}'), /the path/);
    assert.match(message('x'.repeat(20_001)), /at most 20000 characters/);
  });

  test('is bounded, and says what it cut', () => {
    const long = compileTemplate('{{a}}')({ a: 'x'.repeat(60_000) });
    assert.equal(long.text.length, 50_000);
    assert.deepEqual(long.cut, ['a']);
    const whole = compileTemplate('{{a}}'.repeat(6))({ a: 'x'.repeat(50_000) });
    assert.equal(whole.text.length, 200_000);
    assert.deepEqual(whole.cut, ['*']);
    assert.ok(compileTemplate('{{a}}')({ a: '🚀'.repeat(40_000) }).text.isWellFormed());
  });

  test('never throws once it was taken, reads nothing but the payload, and runs nothing', () => {
    const place = fc.constantFrom(
      'a',
      'a.b',
      'a[0]',
      'a[*]',
      '__proto__',
      'constructor',
      'constructor.constructor',
      'toString',
      'a.length',
      'process.env',
    );
    fc.assert(
      fc.property(
        fc.array(place, { maxLength: 5 }),
        fc.oneof(fc.jsonValue(), fc.record({ a: fc.jsonValue() })),
        (places, json) => {
          const { text: made, missing } = compileTemplate(places.map((path) => `<{{${path}}}>`).join(''))(json);
          assert.ok(!made.includes('function') && !made.includes('[native'));
          const own = typeof json === 'object' && json !== null ? Object.keys(json) : [];
          for (const path of places) {
            if (!own.includes(path.split(/[.[]/)[0] ?? '')) assert.ok(missing.includes(path), path);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('of any text is taken or refused, and taken ones keep their own words', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('{{', '}}', '{', '}', '\\', 'a', '.', '[0]', ' ', '\n'), { maxLength: 12 }),
        (pieces) => {
          const source = pieces.join('');
          try {
            const made = compileTemplate(source)({});
            if (!source.includes('{{')) assert.equal(made.text, source);
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'invalid_webhook');
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
