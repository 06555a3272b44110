import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DELIVERY_DAYS } from '../../../src/core/limits.ts';
import type { DeliveryCommit, Store } from '../../../src/core/ports.ts';
import {
  DELIVERY_OUTCOMES,
  type Delivered,
  type DeliveryDraft,
  type DeliveryQuery,
} from '../../../src/core/webhook.ts';
import {
  allMessages,
  batch,
  DAY_MS,
  deliveryOf,
  numbered,
  type OpenStore,
  opened,
  plain,
  rejectsWith,
  taskOf,
} from './support.ts';

/** Deliveries with what they start. */
export function deliveriesContract(open: OpenStore): void {
  startContract(open);
  keyContract(open);
  listContract(open);
  limitContract(open);
}

function startContract(open: OpenStore): void {
  test('a delivery, its task and the first lines come together, and everybody is told once', async (t) => {
    const { store, wakes } = await opened(t, open);
    const delivered = await store.deliver(starting('a', { lines: 3 }));
    assert.deepEqual([delivered.duplicate, delivered.n], [false, 1]);
    assert.deepEqual(plain(taskIn(delivered)), plain(await store.task('a')));
    assert.equal(taskIn(delivered)?.log.total, 3);
    assert.deepEqual(await allMessages(store, 'a'), ['line 1', 'line 2', 'line 3']);
    assert.deepEqual(wakes, [{ taskId: 'a', lastSeq: 3 }]);
    assert.deepEqual(plain((await store.changes(0, 10)).tasks), [{ taskId: 'a', lastSeq: 3 }]);
    assert.deepEqual(await store.totals(), { entries: 3, lost: 0 });
    const { body, ...draft } = deliveryOf({ outcome: 'accepted', taskId: 'a' });
    assert.deepEqual(plain(await store.delivery(1)), { ...plain(draft), n: 1, replayable: true, body });
  });

  test('a delivery that starts nothing changes no task and wakes nobody', async (t) => {
    const { store, wakes } = await opened(t, open);
    const delivered = await store.deliver(noted({ reason: 'no_command', detail: 'it says no command', body: null }));
    assert.deepEqual(plain(delivered), { duplicate: false, n: 1, task: null });
    assert.deepEqual(wakes, []);
    assert.equal((await store.tasks({})).total, 0);
    const kept = await store.delivery(1);
    assert.deepEqual([kept.replayable, kept.body, kept.reason], [false, null, 'no_command']);
  });

  test('when its task or its lines cannot be stored, nothing of a delivery is stored and its key stays free', async (t) => {
    const { store, wakes } = await opened(t, open);
    await store.createTask(taskOf('there'));
    await store.createTask(taskOf('gone'));
    await store.deleteTask('gone', 'ada');
    wakes.length = 0;
    await rejectsWith('task_exists', () => store.deliver(starting('there', { key: 'k', lines: 2 })));
    await rejectsWith('task_deleted', () => store.deliver(starting('gone', { key: 'k', lines: 2 })));
    assert.deepEqual(await store.deliveries({ limit: 10 }), []);
    assert.equal(await store.deliveryOfKey('github', 'k'), null);
    assert.deepEqual(await allMessages(store, 'there'), []);
    assert.deepEqual(wakes, []);
    const lost = { ...starting('new', { key: 'k' }), task: null, batch: batch('unknown', numbered(1)) };
    await rejectsWith('task_not_found', () => store.deliver(lost));
    assert.equal((await store.deliver(starting('new', { key: 'k', lines: 2 }))).n, 1);
  });
}

function keyContract(open: OpenStore): void {
  test('of a hundred deliveries at once with one key one starts a task, and the others are told which', async (t) => {
    const { store, wakes } = await opened(t, open);
    const ids = Array.from({ length: 100 }, (_, i) => `t${i}`);
    const all = await Promise.all(ids.map((id) => store.deliver(starting(id, { key: 'k', lines: 2 }))));
    const [first, ...more] = all.filter(({ duplicate }) => !duplicate);
    assert.ok(first && more.length === 0, `${more.length + 1} of them were stored`);
    const taskId = taskIn(first)?.taskId;
    const told = all.filter(({ duplicate }) => duplicate);
    assert.equal(told.length, 99);
    for (const one of told) assert.deepEqual(plain(one), { duplicate: true, n: first.n, taskId });
    assert.equal((await store.tasks({})).total, 1);
    assert.equal((await store.deliveries({ limit: 200 })).length, 1);
    assert.deepEqual(wakes, [{ taskId, lastSeq: 2 }]);
    assert.deepEqual(plain(await store.deliveryOfKey('github', 'k')), { n: first.n, taskId });
  });

  test('a key belongs to its webhook, and a delivery without one may come as often as it likes', async (t) => {
    const { store } = await opened(t, open);
    await store.deliver(starting('a', { key: 'k' }));
    const other = await store.deliver(starting('b', { key: 'k', webhookId: 'other' }));
    assert.equal(other.duplicate, false);
    assert.deepEqual(plain(await store.deliveryOfKey('other', 'k')), { n: other.n, taskId: 'b' });
    assert.equal(await store.deliveryOfKey('github', 'unknown'), null);
    for (let n = 0; n < 3; n++) assert.equal((await store.deliver(noted())).duplicate, false);
    assert.equal((await store.deliveries({ limit: 10 })).length, 5);
  });

  test('a key whose time is over is free for the next delivery, and only for that one', async (t) => {
    const { store, clock } = await opened(t, open);
    const untilMs = clock.now() + 60_000;
    await store.deliver(starting('a', { key: 'k', untilMs }));
    clock.turn(59_999);
    assert.equal((await store.deliver(starting('b', { key: 'k', untilMs }))).duplicate, true);
    assert.deepEqual(plain(await store.deliveryOfKey('github', 'k')), { n: 1, taskId: 'a' });
    clock.turn(1);
    assert.equal(await store.deliveryOfKey('github', 'k'), null);
    const again = await store.deliver(starting('c', { key: 'k' }));
    assert.equal(again.duplicate, false);
    assert.deepEqual(plain(await store.deliver(starting('d', { key: 'k' }))), {
      ...{ duplicate: true, taskId: 'c' },
      n: again.n,
    });
    assert.equal((await store.delivery(1)).taskId, 'a', 'the first is still there');
  });

  test('a key outlives its task', async (t) => {
    const { store } = await opened(t, open);
    await store.deliver(starting('a', { key: 'k' }));
    await store.deleteTask('a', 'ada');
    assert.deepEqual(plain(await store.deliver(starting('b', { key: 'k' }))), { duplicate: true, n: 1, taskId: 'a' });
  });
}

function listContract(open: OpenStore): void {
  test('deliveries are listed newest first, by webhook and outcome, page by page, without their bodies', async (t) => {
    const { store } = await opened(t, open);
    // Numbers 1 … 20: odd ones came by `github`, even ones by `other`, and every fifth has the same outcome.
    for (let i = 0; i < 20; i++) {
      const outcome = DELIVERY_OUTCOMES[i % DELIVERY_OUTCOMES.length] ?? 'failed';
      await store.deliver(noted({ webhookId: i % 2 === 0 ? 'github' : 'other', outcome }));
    }
    const numbers = async (query: Partial<DeliveryQuery>) =>
      (await store.deliveries({ limit: 100, ...query })).map(({ n }) => n);
    assert.deepEqual(await numbers({ limit: 3 }), [20, 19, 18]);
    assert.deepEqual(await numbers({ limit: 3, before: 18 }), [17, 16, 15]);
    assert.deepEqual(await numbers({ limit: 3, before: 2 }), [1]);
    assert.deepEqual(await numbers({ limit: 2, webhookId: 'github', before: 17 }), [15, 13]);
    assert.deepEqual(await numbers({ webhookId: 'other', outcomes: ['accepted'] }), [16, 6]);
    assert.deepEqual(await numbers({ outcomes: ['accepted', 'failed'] }), [20, 16, 15, 11, 10, 6, 5, 1]);
    assert.deepEqual(await numbers({ outcomes: ['accepted', 'failed'], before: 15, limit: 2 }), [11, 10]);
    assert.deepEqual(await numbers({ outcomes: [] }), []);
    assert.deepEqual(await numbers({ webhookId: 'unknown' }), []);
    assert.ok((await store.deliveries({ limit: 1 })).every((one) => !('body' in one) && !('key' in one)));
  });

  test('a delivery is found by its number; any other number is not found', async (t) => {
    const { store } = await opened(t, open);
    const body = JSON.stringify({ text: 'ä\u{1f600}'.repeat(50_000) });
    const { n } = await store.deliver(noted({ body, headers: { 'x-odd': '"ä"', list: ['a', 'b'] } }));
    const kept = await store.delivery(n);
    assert.equal(kept.body, body);
    assert.deepEqual(plain(kept.headers), { 'x-odd': '"ä"', list: ['a', 'b'] });
    for (const other of [0, -1, n + 1, 1.5]) await rejectsWith('delivery_not_found', () => store.delivery(other));
  });

  test('deliveries are still there when the store is opened again', async (t) => {
    const { store } = await opened(t, open);
    if (!store.reopen) return t.skip('this store keeps nothing');
    await store.deliver(starting('a', { key: 'k', lines: 2 }));
    const again = await store.reopen();
    assert.equal((await again.delivery(1)).body, deliveryOf().body);
    assert.equal((await again.deliver(starting('b', { key: 'k' }))).duplicate, true);
    assert.deepEqual(await allMessages(again, 'a'), ['line 1', 'line 2']);
  });
}

function limitContract(open: OpenStore): void {
  test('of each webhook so many deliveries are kept that started nothing, and all that started something', async (t) => {
    const { store } = await opened(t, open, { deliveryLimits: { idle: 3, bodies: 100 } });
    await store.deliver(noted({ webhookId: 'quiet' }));
    for (let i = 0; i < 5; i++) {
      await store.deliver(starting(`t${i}`));
      await store.deliver(noted({ outcome: 'answered' }));
      await store.deliver(noted({ outcome: i % 2 === 0 ? 'ignored' : 'refused' }));
    }
    const kept = await numbersOf(store, { webhookId: 'github' });
    assert.deepEqual(kept, [16, 15, 14, 13, 12, 11, 10, 9, 8, 6, 5, 3, 2]);
    assert.deepEqual(await numbersOf(store, { webhookId: 'quiet' }), [1]);
    await rejectsWith('delivery_not_found', () => store.delivery(4));
    assert.equal((await store.deliver(noted())).n, 17, 'a number is never given again');
  });

  test('of each webhook the newest so many bodies are kept', async (t) => {
    const { store } = await opened(t, open, { deliveryLimits: { idle: 100, bodies: 3 } });
    await store.deliver(noted({ webhookId: 'quiet' }));
    for (let i = 0; i < 30; i++) await store.deliver(i % 2 === 0 ? noted() : starting(`t${i}`));
    await store.deliver(noted({ body: null }));
    const all = await store.deliveries({ limit: 100 });
    assert.equal(all.length, 32);
    assert.deepEqual(
      all.filter(({ replayable }) => replayable).map(({ n }) => n),
      [31, 30, 29, 1],
    );
    assert.deepEqual([(await store.delivery(28)).body, (await store.delivery(29)).body], [null, deliveryOf().body]);
  });

  test('tidying forgets deliveries that are too old, whatever became of them, and no others', async (t) => {
    const { store, clock } = await opened(t, open);
    const received = () => new Date(clock.now()).toISOString();
    for (let i = 0; i < 3; i++) await store.deliver(starting(`old${i}`, { key: `k${i}`, receivedAt: received() }));
    clock.turn(DAY_MS);
    await store.deliver(starting('young', { key: 'young', receivedAt: received() }));
    clock.turn((DELIVERY_DAYS - 1) * DAY_MS);
    while (await store.tidy());
    assert.equal((await numbersOf(store)).length, 4, 'thirty days to the millisecond are not over yet');
    clock.turn(1);
    while (await store.tidy());
    assert.deepEqual(await numbersOf(store), [4]);
    assert.equal(await store.tidy(), false);
    assert.equal(await store.deliveryOfKey('github', 'k0'), null);
    assert.equal((await store.deliver(starting('new', { key: 'young' }))).duplicate, true);
    assert.equal((await store.task('old0')).taskId, 'old0', 'the task stays');
  });
}

/** A delivery that starts nothing and may be repeated. */
export function noted(over: Partial<DeliveryDraft> = {}): DeliveryCommit {
  return { delivery: deliveryOf(over), key: null, task: null, batch: null };
}

interface Starting extends Partial<DeliveryDraft> {
  readonly key?: string;
  readonly untilMs?: number;
  readonly lines?: number;
}

/** A delivery that starts a task with so many lines. */
export function starting(taskId: string, { key, untilMs, lines, ...over }: Starting = {}): DeliveryCommit {
  return {
    delivery: deliveryOf({ outcome: 'accepted', taskId, ...over }),
    key: key === undefined ? null : { value: key, untilMs: untilMs ?? null },
    task: taskOf(taskId, { status: 'queued', runner: 'agent:default' }),
    batch:
      lines === undefined
        ? null
        : batch(
            taskId,
            numbered(lines, () => ({ type: 'webhook' })),
          ),
  };
}

function taskIn(delivered: Delivered) {
  return delivered.duplicate ? undefined : delivered.task;
}

async function numbersOf(store: Store, query: Partial<DeliveryQuery> = {}): Promise<number[]> {
  return (await store.deliveries({ limit: 100, ...query })).map(({ n }) => n);
}
