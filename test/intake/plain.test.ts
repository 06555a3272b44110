import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EntryInput } from '../../src/core/entry.ts';
import { LEVELS } from '../../src/core/level.ts';
import { StoreIntake } from '../../src/intake/intake.ts';
import { packedIfPlain } from '../../src/intake/plain.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';

const clock = { now: () => Date.parse('2026-01-24T10:00:00.000Z') };
const entries = fc.array(
  fc.record(
    {
      message: fc.oneof({ weight: 9, arbitrary: fc.string({ unit: 'binary' }) }, fc.constantFrom(7, null, undefined)),
      timestamp: fc.oneof(
        { weight: 9, arbitrary: fc.double({ min: 0, max: 1e14, noNaN: true }) },
        fc.constantFrom(-5, Number.NaN, '2026-01-24', 'noon', null),
      ),
      level: fc.constantFrom<unknown>(...LEVELS, 'warn', 30, 'loud', null),
      source: fc.constantFrom<unknown>('system', ' git ', 'a,b', '', 7, null, 'x\ud800'),
      stream: fc.constantFrom<unknown>('stdout', 'stderr', null, 'stdin'),
      type: fc.constantFrom<unknown>('log', 'output', 'tool_call', 'other'),
      metadata: fc.constantFrom<unknown>(null, { a: 1 }),
      extra: fc.constant(1),
    },
    { requiredKeys: ['message'] },
  ),
  { maxLength: 4 },
) as unknown as fc.Arbitrary<EntryInput[]>;

test('entries that are packed are stored as their JSON would be, and none is packed that would be refused', async (t) => {
  let packedOnes = 0;
  await fc.assert(
    fc.asyncProperty(entries, async (batch) => {
      const packed = packedIfPlain(batch);
      if (!packed) return;
      packedOnes += 1;
      const store = new MemoryStore({ clock });
      const intake = new StoreIntake(store, { clock, taskLevel: 'DEBUG' });
      // What bears no time gets that of its arrival, here or there.
      const timed = batch.map((entry) => ({ timestamp: 1_700_000_000_000, ...entry }));
      for (const taskId of ['packed', 'json']) await intake.createTask({ taskId });
      await intake.append({ taskId: 'packed', packed: packedIfPlain(timed) ?? packed });
      await intake.append({ taskId: 'json', body: JSON.stringify(timed), format: 'json' });
      const stored = async (taskId: string) =>
        (await store.read(taskId, { limit: 100 })).entries.map(({ id: _id, taskId: _task, ...line }) => line);
      assert.deepEqual(await stored('packed'), await stored('json'));
    }),
    { numRuns: 3_000 },
  );
  t.diagnostic(`${packedOnes} packed`);
  assert.ok(packedOnes > 100);
});
