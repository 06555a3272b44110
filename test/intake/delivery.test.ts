import assert from 'node:assert/strict';
import test from 'node:test';
import type { EntryInput, JsonObject } from '../../src/core/entry.ts';
import { METADATA_BYTES, TEXT_CHARS } from '../../src/core/limits.ts';
import type { DeliveryInput } from '../../src/core/ports.ts';
import type { DeliveryDraft, StoredWebhook } from '../../src/core/webhook.ts';
import { deliveryOf, START } from '../contract/store/support.ts';
import { door } from './door.ts';

// Of the shape only; never issued.
const TOKEN = `ghp_${'aB1cD2'.repeat(6)}`;
const MASKED = '[redacted:github-token]';

function inputOf(over: Partial<DeliveryDraft>, rest: Partial<DeliveryInput> = {}): DeliveryInput {
  return { delivery: deliveryOf(over), key: null, ...rest };
}

function webhookOf(definition: JsonObject, secret: string | null = null): StoredWebhook {
  return { webhookId: 'mine', enabled: true, definition, secret, createdAt: START, updatedAt: START };
}

test('a secret in a delivery, its task or its lines is masked before anything is stored', async () => {
  const { store, intake } = await door();
  const said = `use ${TOKEN}`;
  const lines: EntryInput[] = [{ message: said, type: 'webhook', metadata: { payload: { [TOKEN]: [said] } } }];
  await intake.deliver({
    delivery: deliveryOf({
      ...{ deliveryId: said, eventType: said, sender: said, reason: said, detail: said, headers: { 'x-odd': said } },
      body: JSON.stringify({ text: said, escaped: `"${TOKEN}"\n` }),
    }),
    key: { value: 'k', untilMs: null },
    task: { taskId: 'a', title: said, params: { prompt: said }, status: 'queued' },
    lines,
  });
  const clean = `use ${MASKED}`;
  const { body, ...kept } = await store.delivery(1);
  const { deliveryId, eventType, sender, reason, detail, headers } = kept;
  assert.deepEqual([deliveryId, eventType, sender, reason, detail, headers['x-odd']], Array(6).fill(clean));
  assert.deepEqual(JSON.parse(body ?? ''), { text: clean, escaped: `"${MASKED}"\n` });
  const { title, params } = await store.task('a');
  assert.deepEqual([title, params], [clean, { prompt: clean }]);
  const { entries } = await store.read('a', { limit: 10 });
  assert.deepEqual(
    entries.map(({ message, type, metadata }) => [message, type, metadata]),
    [[clean, 'webhook', { payload: { [MASKED]: [clean] } }]],
  );
});

test('a body keeps its form: text stays text, a form stays a form, and without a secret not a byte changes', async () => {
  const { store, intake } = await door();
  const bodyOf = async (body: string) => {
    const { n } = await intake.deliver(inputOf({ body }));
    return (await store.delivery(n)).body;
  };
  for (const body of ['', 'plain & simple', '{"a" : [1,\t2]}', '[', 'a=%41&b=+']) {
    assert.equal(await bodyOf(body), body);
  }
  assert.equal(await bodyOf(`see ${TOKEN}`), `see ${MASKED}`);
  const form = new URLSearchParams({ text: TOKEN, payload: JSON.stringify({ token: TOKEN }) }).toString();
  assert.deepEqual(Object.fromEntries(new URLSearchParams((await bodyOf(form)) ?? '')), {
    text: MASKED,
    payload: JSON.stringify({ token: MASKED }),
  });
  const deep = `${'['.repeat(50_000)}"\\n${TOKEN}"${']'.repeat(50_000)}`;
  assert.equal(await bodyOf(deep), null, 'nesting without end cannot be looked through');
  assert.equal(await bodyOf(new URLSearchParams({ payload: deep }).toString()), null);
});

test('what is too long is cut and says so: texts of a delivery, and what its lines say of the payload', async () => {
  const { store, intake } = await door();
  const task = { taskId: 'a', status: 'queued' as const };
  const lines: EntryInput[] = [{ message: 'received', metadata: { payload: 'x'.repeat(2 * METADATA_BYTES) } }];
  await intake.deliver(inputOf({ detail: 'y'.repeat(TEXT_CHARS + 1), sender: 'a\ud800' }, { task, lines }));
  const { detail, sender } = await store.delivery(1);
  assert.equal(detail, `${'y'.repeat(TEXT_CHARS)}…`);
  assert.equal(sender, 'a\ufffd');
  const { entries } = await store.read('a', { limit: 10 });
  assert.ok(Number(entries[0]?.metadata?._cut) > METADATA_BYTES, JSON.stringify(entries[0]?.metadata?._cut));
});

test('a delivery whose task or lines are wrong stores nothing', async () => {
  const { store, intake } = await door();
  const key = { value: 'k', untilMs: null };
  const wrong: [string, Partial<DeliveryInput>][] = [
    ['invalid_task_id', { task: { taskId: 'not an id' } }],
    ['invalid_task', { task: { taskId: 'a', title: 'x'.repeat(TEXT_CHARS + 1) } }],
    ['invalid_lines', { task: { taskId: 'a' }, lines: [{ message: 7 as unknown as string }] }],
  ];
  for (const [code, rest] of wrong) await assert.rejects(intake.deliver(inputOf({}, { key, ...rest })), { code });
  assert.deepEqual(await store.deliveries({ limit: 10 }), []);
  assert.equal((await store.tasks({})).total, 1, 'that of the test itself');
  await intake.close();
  await assert.rejects(intake.deliver(inputOf({})), { code: 'store_closed' });
});

test('the secret of a webhook is kept as it is, and hidden in every line from then on', async () => {
  const { store, intake, send, stored } = await door();
  await send({ message: 'before: a-plain-secret' });
  await intake.saveWebhook(webhookOf({ prompt: 'do {{a}}' }, 'a-plain-secret'));
  await send({ message: 'after: a-plain-secret' });
  assert.deepEqual(
    (await stored()).map(({ message }) => message),
    ['before: a-plain-secret', 'after: [redacted:registered]'],
  );
  assert.equal((await store.webhooks())[0]?.secret, 'a-plain-secret');
});

test('a definition that holds a secret, its own or any other, is refused and not saved', async () => {
  const { store, intake } = await door();
  for (const webhook of [
    webhookOf({ prompt: `use ${TOKEN}` }),
    webhookOf({ conditions: [{ equals: `"${TOKEN}` }] }),
    webhookOf({ prompt: 'use a-plain-secret' }, 'a-plain-secret'),
  ]) {
    await assert.rejects(intake.saveWebhook(webhook), { code: 'invalid_webhook', message: /`secret`/ });
  }
  assert.deepEqual(await store.webhooks(), []);
  await intake.saveWebhook(webhookOf({ prompt: 'say "hello"\n\\' }));
  await intake.deleteWebhook('mine');
  assert.deepEqual(await store.webhooks(), []);
});
