import assert from 'node:assert/strict';
import test from 'node:test';
import type { EventStep } from '../../src/core/event.ts';
import { openTrail } from '../../src/trail/open.ts';
import { rejectsWith } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';

function stepOf(taskId: string, message: string): EventStep {
  return { taskId, webhookEventId: null, entries: [{ message }] };
}

test('events cross to the thread that stores them, and their faults back', async (t) => {
  const dataDir = await scratch(t);
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  const { intake, store } = trail.parts;
  assert.equal(await store.eventPlace('s'), null);
  const refused = { ...stepOf('/', 'two'), id: '0-2' };
  const started: EventStep = { ...stepOf('a', 'one'), draft: { source: 'jira' }, change: { status: 'executing' } };
  const steps = [started, refused, { ...stepOf('a', 'three'), change: { title: 't' }, draft: {} }];
  const applied = await intake.applyEvents({ stream: 's', from: null, to: '1-0', steps });
  assert.deepEqual(
    applied.map(({ error }) => error?.code),
    [undefined, 'invalid_task_id', undefined],
  );
  const { source, title, log } = await store.task('a');
  assert.deepEqual([source, title, log.total], ['jira', 't', 2]);
  await rejectsWith('event_conflict', () => intake.applyEvents({ stream: 's', from: null, to: '1-0', steps }));
  await trail.close();

  const again = await openTrail({ dataDir });
  t.after(() => again.close());
  assert.equal(await again.parts.store.eventPlace('s'), '1-0');
  assert.deepEqual(
    (await again.parts.store.eventRefusals('s')).map(({ id }) => id),
    ['0-2'],
  );
  await again.parts.intake.setEventPlace('s', null);
  assert.equal(await again.parts.store.eventPlace('s'), null);
});

test('two processes that read one stream store each event once', async (t) => {
  const dataDir = await scratch(t);
  const trails = await Promise.all([openTrail({ dataDir }), openTrail({ dataDir })]);
  for (const trail of trails) t.after(() => trail.close());
  // Each takes the next ten events as it sees the place, whatever the other does.
  await Promise.all(
    trails.map(async ({ parts: { intake, store } }) => {
      for (;;) {
        const from = await store.eventPlace('s');
        const next = Number(from ?? 0);
        if (next >= 300) return;
        const steps = Array.from({ length: 10 }, (_, n) => stepOf(`t${(next + n) % 3}`, `event ${next + n}`));
        try {
          await intake.applyEvents({ stream: 's', from, to: String(next + 10), steps });
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'event_conflict');
        }
      }
    }),
  );
  for (const n of [0, 1, 2]) {
    const { logs } = await (trails[0] as (typeof trails)[number]).logs(`t${n}`, { limit: 1_000 });
    const expected = Array.from({ length: 100 }, (_, at) => `event ${at * 3 + n}`);
    assert.deepEqual(
      logs.map(({ message }) => message),
      expected,
    );
  }
});
