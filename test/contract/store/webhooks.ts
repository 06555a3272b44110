import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WEBHOOKS } from '../../../src/core/limits.ts';
import type { StoredWebhook } from '../../../src/core/webhook.ts';
import { starting } from './deliveries.ts';
import { type OpenStore, opened, plain, rejectsWith, START } from './support.ts';

/** Webhooks made at run time. */
export function webhooksContract(open: OpenStore): void {
  test('webhooks are saved, replaced, listed the oldest first, and forgotten with their deliveries', async (t) => {
    const { store } = await opened(t, open);
    const [late, first, second] = [
      webhookOf('a', { createdAt: '2026-02-01T00:00:00.000Z' }),
      webhookOf('b'),
      webhookOf('c'),
    ];
    for (const webhook of [late, second, first]) await store.saveWebhook(webhook);
    assert.deepEqual(plain(await store.webhooks()), plain([first, second, late]));
    const changed = { ...first, enabled: false, secret: null, definition: { provider: 'custom' }, updatedAt: START };
    await store.saveWebhook(changed);
    assert.deepEqual(plain(await store.webhooks()), plain([changed, second, late]));
    for (const webhookId of ['b', 'c']) await store.deliver(starting(`of-${webhookId}`, { webhookId, key: 'k' }));
    await store.deleteWebhook('b');
    await store.deleteWebhook('unknown');
    assert.deepEqual(plain(await store.webhooks()), plain([second, late]));
    assert.deepEqual(
      (await store.deliveries({ limit: 10 })).map(({ webhookId }) => webhookId),
      ['c'],
    );
    assert.equal(await store.deliveryOfKey('b', 'k'), null);
    assert.equal((await store.task('of-b')).taskId, 'of-b', 'what it started stays');
  });

  test('one webhook too many is refused, and one that is there can still be changed', async (t) => {
    const { store } = await opened(t, open);
    for (let i = 0; i < WEBHOOKS; i++) await store.saveWebhook(webhookOf(`w${i}`));
    await rejectsWith('too_many_webhooks', () => store.saveWebhook(webhookOf('more')));
    await store.saveWebhook(webhookOf('w7', { enabled: false }));
    const all = await store.webhooks();
    assert.equal(all.length, WEBHOOKS);
    assert.equal(all.find(({ webhookId }) => webhookId === 'w7')?.enabled, false);
    await store.deleteWebhook('w7');
    await store.saveWebhook(webhookOf('more'));
  });

  test('of two that make a webhook of one id, one does', async (t) => {
    const { store } = await opened(t, open);
    await store.saveWebhook(webhookOf('mine'), true);
    await rejectsWith('webhook_exists', () => store.saveWebhook(webhookOf('mine', { enabled: false }), true));
    assert.deepEqual(plain(await store.webhooks()), [plain(webhookOf('mine'))]);
  });

  test('webhooks are still there when the store is opened again', async (t) => {
    const { store } = await opened(t, open);
    if (!store.reopen) return t.skip('this store keeps nothing');
    await store.saveWebhook(webhookOf('mine'));
    const again = await store.reopen();
    assert.deepEqual(plain(await again.webhooks()), [plain(webhookOf('mine'))]);
  });
}

function webhookOf(webhookId: string, over: Partial<StoredWebhook> = {}): StoredWebhook {
  return {
    ...{ webhookId, enabled: true, definition: { provider: 'custom', commands: [{ prompt: 'do {{a}}' }] } },
    ...{ secret: 'not-a-real-secret', createdAt: START, updatedAt: START },
    ...over,
  };
}
