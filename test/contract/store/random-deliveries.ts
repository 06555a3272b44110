import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DeliveryCommit, Store } from '../../../src/core/ports.ts';
import { isoTime } from '../../../src/core/time.ts';
import { DELIVERY_OUTCOMES } from '../../../src/core/webhook.ts';
import { MemoryStore } from '../../../src/store/memory/store.ts';
import { noted, starting } from './deliveries.ts';
import { DAY_MS, type OpenStore, opened, plain } from './support.ts';

const LIMITS = { idle: 3, bodies: 2 };
const WEBHOOK_IDS = ['github', 'other'];
const KEYS = ['k', 'l'];

/** One thing that happens; `nowMs` is its time. */
type Step = (store: Store, nowMs: number) => Promise<unknown>;

const webhookIds = fc.constantFrom(...WEBHOOK_IDS);
const facts = fc.record({
  webhookId: webhookIds,
  outcome: fc.constantFrom(...DELIVERY_OUTCOMES),
  body: fc.constantFrom(null, 'plain', '{"a":1}'),
});
const delivering = fc
  .record({
    facts,
    taskId: fc.constantFrom(null, 'a', 'b', 'c', 'd'),
    key: fc.constantFrom(null, ...KEYS),
    aliveMs: fc.constantFrom(null, 1_000, 40 * DAY_MS),
  })
  .map(({ facts, taskId, key, aliveMs }): Step => {
    const made: DeliveryCommit = taskId === null ? noted(facts) : starting(taskId, { ...facts, lines: 1 });
    return (store, nowMs) => {
      const untilMs = aliveMs === null ? null : nowMs + aliveMs;
      const delivery = { ...made.delivery, receivedAt: isoTime(nowMs) };
      return store.deliver({ ...made, delivery, key: key === null ? null : { value: key, untilMs } });
    };
  });
const steps = fc.oneof(
  { weight: 8, arbitrary: delivering },
  {
    weight: 1,
    arbitrary: webhookIds.map(
      (id): Step =>
        (store) =>
          store.deleteWebhook(id),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant<Step>(async (store) => {
      while (await store.tidy());
    }),
  },
);
const turns = fc.constantFrom(0, 500, 1_000, 8 * DAY_MS);

/** What becomes of deliveries, whatever happens to them: the same as in memory. */
export function randomDeliveriesContract(open: OpenStore): void {
  test('whatever comes by webhooks, the store answers and keeps what the one in memory does', async (t) => {
    const property = fc.asyncProperty(fc.array(fc.tuple(steps, turns), { maxLength: 30 }), async (happening) => {
      const { store, clock } = await opened(t, open, { deliveryLimits: LIMITS });
      const memory = new MemoryStore({ clock, deliveryLimits: LIMITS });
      for (const [step, turnMs] of happening) {
        const [here, there] = [await fateOf(step(store, clock.now())), await fateOf(step(memory, clock.now()))];
        assert.deepEqual(here, there);
        clock.turn(turnMs);
        assert.deepEqual(await keptIn(store), await keptIn(memory));
      }
    });
    await fc.assert(property, { numRuns: 25 });
  });
}

async function fateOf(doing: Promise<unknown>): Promise<unknown> {
  try {
    return plain((await doing) ?? null);
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

/** All that a reader may learn of deliveries. */
async function keptIn(store: Store): Promise<unknown> {
  const listed = await store.deliveries({ limit: 100 });
  const bodies = await Promise.all(listed.map(async ({ n }) => (await store.delivery(n)).body));
  const pages = await Promise.all(
    WEBHOOK_IDS.map((webhookId) => store.deliveries({ webhookId, outcomes: ['ignored', 'accepted'], limit: 3 })),
  );
  const keys = WEBHOOK_IDS.flatMap((webhookId) => KEYS.map((key) => store.deliveryOfKey(webhookId, key)));
  return plain({ listed, bodies, pages, keys: await Promise.all(keys) });
}
