import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WEBHOOK_EVENT_HOURS, WEBHOOK_EVENT_LINES } from '../../../src/core/limits.ts';
import { apply, said, waiting } from './events.ts';
import { allMessages, DAY_MS, numbered, type OpenStore, opened } from './support.ts';

const HOUR_MS = 60 * 60 * 1000;

/** Lines of webhook events wait for their task. */
export function webhookEventsContract(open: OpenStore): void {
  waitingContract(open);
  limitContract(open);
}

function waitingContract(open: OpenStore): void {
  test('lines of a webhook event wait for its task and stand in order before what came with it', async (t) => {
    const { store, wakes } = await opened(t, open);
    await apply(store, [waiting('w', ['received']), waiting('other', ['not mine']), waiting('w', ['validated'])]);
    assert.deepEqual(wakes, []);
    assert.equal((await store.tasks({})).total, 0);
    const again = (await store.reopen?.()) ?? store;
    await apply(again, [
      said('a', ['spoke early']),
      waiting('w', ['matched 1', 'matched 2']),
      { ...said('a', ['task_created']), webhookEventId: 'w', draft: { source: 'github' } },
      waiting('w', ['after']),
      said('a', ['last']),
    ]);
    await apply(again, [waiting('w', ['much later'])]);
    assert.deepEqual(await allMessages(again, 'a'), [
      ...['spoke early', 'received', 'validated', 'matched 1', 'matched 2', 'task_created', 'after', 'last'],
      'much later',
    ]);
    assert.equal((await again.task('a')).source, 'github');
    await apply(again, [{ ...said('a', []), webhookEventId: 'w' }]);
    assert.equal((await allMessages(again, 'a')).length, 9, 'what was taken does not come twice');
  });

  test('a webhook event that names another task later speaks of that one from then on', async (t) => {
    const { store } = await opened(t, open);
    const naming = (taskId: string) => ({ ...said(taskId, [`made ${taskId}`]), webhookEventId: 'w' });
    await apply(store, [
      waiting('w', ['one']),
      naming('a'),
      waiting('w', ['two']),
      naming('b'),
      waiting('w', ['three']),
    ]);
    assert.deepEqual(await allMessages(store, 'a'), ['one', 'made a', 'two']);
    assert.deepEqual(await allMessages(store, 'b'), ['made b', 'three']);
  });

  test('a webhook event without a task says nothing of one but lines, whether its task is known by now or not', async (t) => {
    const { store } = await opened(t, open);
    const step = { ...waiting('w', ['one']), draft: { title: 'odd' }, change: { status: 'failed' } as const };
    await apply(store, [step, { ...said('a', []), webhookEventId: 'w' }, step]);
    const { title, status, log } = await store.task('a');
    assert.deepEqual([title, status, log.total], [null, 'executing', 2]);
  });

  test('when the task of a webhook event is deleted, what still comes for it fails', async (t) => {
    const { store } = await opened(t, open);
    await apply(store, [{ ...said('a', []), webhookEventId: 'w' }]);
    await store.deleteTask('a', 'ada');
    assert.deepEqual(await apply(store, [waiting('w', ['late'])]), ['task_deleted']);
  });
}

function limitContract(open: OpenStore): void {
  test('so many lines of one webhook event wait and no more, and other events do not mind', async (t) => {
    const { store, clock } = await opened(t, open);
    const most = numbered(WEBHOOK_EVENT_LINES).map(({ message }) => message);
    const fates = await apply(store, [
      waiting('w', most.slice(1)),
      waiting('w', ['two', 'too many']),
      waiting('other', ['fine']),
      waiting('w', ['just right']),
      waiting('w', ['one more']),
    ]);
    assert.deepEqual(fates, [null, 'too_many_lines', null, null, 'too_many_lines']);
    clock.turn(WEBHOOK_EVENT_HOURS * HOUR_MS);
    assert.deepEqual(await apply(store, [waiting('w', most)]), [null], 'what is forgotten takes no room');
    await apply(store, [{ ...said('a', []), webhookEventId: 'w' }]);
    assert.deepEqual(await allMessages(store, 'a'), most);
  });

  test('a day after they came, lines that wait and the task of a webhook event are forgotten, cleared away or not', async (t) => {
    for (const tidied of [true, false]) {
      const { store, clock } = await opened(t, open);
      await apply(store, [waiting('w', ['early']), { ...said('a', []), webhookEventId: 'known' }]);
      clock.turn(HOUR_MS);
      await apply(store, [waiting('w', ['later'])]);
      clock.turn(WEBHOOK_EVENT_HOURS * HOUR_MS - HOUR_MS - 1);
      await apply(store, [waiting('known', ['still'])]);
      clock.turn(1);
      while (tidied && (await store.tidy()));
      await apply(store, [waiting('known', ['waits again'])]);
      await apply(store, [{ ...said('b', []), webhookEventId: 'w' }]);
      assert.deepEqual(await allMessages(store, 'a'), ['still']);
      assert.deepEqual(await allMessages(store, 'b'), ['later']);
      clock.turn(DAY_MS);
      while (tidied && (await store.tidy()));
      await apply(store, [{ ...said('c', []), webhookEventId: 'known' }]);
      assert.deepEqual(await allMessages(store, 'c'), []);
    }
  });
}
