import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AlertDefinition } from '../../../src/core/alert.ts';
import { ruleOf } from '../../../src/outlet/alerts/rule.ts';
import { Watch } from '../../../src/outlet/alerts/watch.ts';
import { parseQuery } from '../../../src/query/parse.ts';
import { definitionOf } from './support.ts';

function watchOf(given: Partial<AlertDefinition>): Watch {
  const facts = { id: 'a', fixed: false, definition: definitionOf(given), createdAt: null, updatedAt: null };
  return new Watch(ruleOf(facts, { readQuery: parseQuery, mask: (text) => text, nowMs: 0 }));
}

test('what it counts is what came within the window, up to a thirtieth more', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 1, maxLength: 200 }), (pausesMs) => {
      const watch = watchOf({ threshold: 1_000_000, windowSeconds: 30 });
      const seen: number[] = [];
      let nowMs = 1_000_000;
      for (const pauseMs of pausesMs) {
        nowMs += pauseMs;
        seen.push(nowMs);
        watch.seen(nowMs, 'task-a', seen.length);
        const { count } = watch.state(nowMs);
        const within = (ms: number) => seen.filter((atMs) => atMs > nowMs - ms).length;
        assert.ok(
          count >= within(30_000) && count <= within(31_000),
          `${within(30_000)} ≤ ${count} ≤ ${within(31_000)}`,
        );
      }
      assert.ok(JSON.stringify(watch.write()).length < 2_000);
    }),
  );
});

test('it goes on from what was written at any moment as if nothing had been', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ pauseMs: fc.integer({ min: 0, max: 9_000 }), task: fc.integer({ min: 0, max: 12 }) }), {
        maxLength: 60,
      }),
      fc.integer({ min: 0, max: 60 }),
      (events, stopAt) => {
        const given = { threshold: 4, windowSeconds: 20, coolDownSeconds: 15 };
        const whole = watchOf(given);
        let parted = watchOf(given);
        let nowMs = 1_000_000;
        events.forEach(({ pauseMs, task }, index) => {
          if (index === stopAt) {
            const saved = JSON.parse(JSON.stringify(parted.write()));
            parted = watchOf(given);
            parted.read(saved);
          }
          nowMs += pauseMs;
          assert.deepEqual(parted.seen(nowMs, `task-${task}`, index), whole.seen(nowMs, `task-${task}`, index));
          assert.deepEqual(parted.state(nowMs), whole.state(nowMs));
        });
      },
    ),
  );
});
