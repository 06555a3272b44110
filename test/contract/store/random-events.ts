import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../../../src/core/entry.ts';
import type { EventCommitStep, Store } from '../../../src/core/ports.ts';
import { STATUSES } from '../../../src/core/status.ts';
import type { Metrics, TaskChange, TaskDraft } from '../../../src/core/task.ts';
import { isoTime } from '../../../src/core/time.ts';
import { MemoryStore } from '../../../src/store/memory/store.ts';
import { apply } from './events.ts';
import { allEntries, DAY_MS, line, type OpenStore, opened, plain, taskOf } from './support.ts';

const TASK_IDS = ['a', 'b', 'c', 'gone'];

const fields = {
  title: fc.constantFrom('one', 'two', null),
  model: fc.constantFrom('m', 'n'),
  metadata: fc.constantFrom<JsonObject | null>({ a: 1 }, { b: [2] }, null),
  metrics: fc.constantFrom<Partial<Metrics>>({ costUsd: 1 }, { inputTokens: 5 }),
  status: fc.constantFrom(...STATUSES),
};
const drafts: fc.Arbitrary<TaskDraft> = fc.record(
  { ...fields, source: fc.constantFrom('github', 'cli'), createdAt: fc.constant('2026-01-20T00:00:00.000Z') },
  { requiredKeys: [] },
);
const changes: fc.Arbitrary<TaskChange> = fc.record({ ...fields, error: fc.constant('broken') }, { requiredKeys: [] });
const steps: fc.Arbitrary<EventCommitStep> = fc.record(
  {
    taskId: fc.constantFrom(null, ...TASK_IDS),
    webhookEventId: fc.constantFrom(null, null, 'v', 'w'),
    draft: drafts,
    change: changes,
    batch: fc.record({
      drafts: fc.array(
        fc.constantFrom('x', 'y', 'z').map((text) => line(text)),
        { maxLength: 3 },
      ),
      filtered: fc.constantFrom(0, 0, 1),
      lost: fc.constantFrom(0, 0, 0, 2),
    }),
  },
  { requiredKeys: ['taskId', 'webhookEventId', 'batch'] },
);
/**
 * Steps that come together, and how long nothing comes then: nothing at all, or longer than the minute to which a store may know
 * when it last heard of a task.
 */
const batches = fc.tuple(fc.array(steps, { maxLength: 12 }), fc.constantFrom(0, 61_000, 0.6 * DAY_MS));

/** Whatever comes, many steps together do what each does by itself in memory. */
export function randomEventsContract(open: OpenStore): void {
  test('events stored together are what they are one by one in memory', async (t) => {
    const property = fc.asyncProperty(fc.array(batches, { maxLength: 8 }), async (coming) => {
      const { store, clock } = await opened(t, open);
      const memory = new MemoryStore({ clock });
      for (const one of [store, memory]) {
        await one.createTask(taskOf('gone'));
        await one.deleteTask('gone', 'ada');
      }
      for (const [together, turnMs] of coming) {
        const fates = await apply(store, together);
        const alone: (string | null)[] = [];
        for (const step of together) alone.push(...(await apply(memory, [step])));
        assert.deepEqual(fates, alone);
        assert.deepEqual(await keptIn(store), await keptIn(memory));
        clock.turn(turnMs);
        if (turnMs > DAY_MS / 2) {
          const silent = await Promise.all([store, memory].map((one) => one.failVanished(isoTime(clock.now()), 10)));
          assert.deepEqual([...(silent[0] ?? [])].sort(), [...(silent[1] ?? [])].sort());
        }
      }
    });
    await fc.assert(property, { numRuns: 60 });
  });
}

async function keptIn(store: Store): Promise<unknown> {
  const { tasks } = await store.tasks({ sort: 'title', limit: 10 });
  const lines = await Promise.all(tasks.map(({ taskId }) => allEntries(store, taskId)));
  return plain({ tasks, lines, totals: await store.totals() });
}
