import assert from 'node:assert/strict';
import test from 'node:test';
import type { EventStep } from '../../src/core/event.ts';
import { EVENT_STEPS, LINE_BYTES, METADATA_BYTES, TEXT_CHARS } from '../../src/core/limits.ts';
import type { Intake, Store } from '../../src/core/ports.ts';
import { rejectsWith } from '../contract/store/support.ts';
import { door } from './door.ts';

// Of the shape only; never issued.
const TOKEN = `ghp_${'aB1cD2'.repeat(6)}`;
const MASKED = '[redacted:github-token]';

function stepOf(over: Partial<EventStep> = {}): EventStep {
  return { taskId: 'a', webhookEventId: null, entries: [], ...over };
}

/** Store steps behind what was stored, and answer the code of each fault. */
async function apply({ intake, store }: { intake: Intake; store: Store }, steps: readonly EventStep[]) {
  const from = await store.eventPlace('s');
  const applied = await intake.applyEvents({ stream: 's', from, to: `${from ?? ''}+`, steps });
  return applied.map(({ error }) => error?.code ?? null);
}

async function messagesOf(store: Store, taskId: string): Promise<readonly string[]> {
  return (await store.read(taskId, { limit: 5_000 })).entries.map(({ message }) => message);
}

test('a secret in what an event says is masked before it is stored, also in what waits and in what it waits under', async () => {
  const { store, intake } = await door();
  const text = `use ${TOKEN}`;
  const fates = await apply({ intake, store }, [
    stepOf({ taskId: null, webhookEventId: TOKEN, entries: [{ message: text, metadata: { [TOKEN]: text } }] }),
    stepOf({
      webhookEventId: MASKED,
      draft: { title: text, metadata: { text } },
      change: { error: text, result: [text] },
      entries: [{ message: text }],
    }),
  ]);
  assert.deepEqual(fates, [null, null]);
  assert.deepEqual(await apply({ intake, store }, [stepOf({ taskId: `of-${TOKEN}`, draft: {} })]), ['invalid_task_id']);
  const clean = `use ${MASKED}`;
  const { title, metadata, error, result } = await store.task('a');
  assert.deepEqual([title, metadata, error, result], [clean, { text: clean }, clean, [clean]]);
  const { entries } = await store.read('a', { limit: 10 });
  assert.deepEqual(
    entries.map(({ message }) => message),
    [clean, clean],
  );
  assert.deepEqual(entries[0]?.metadata, { [MASKED]: clean });
});

test('a step that is wrong has its fault in its own answer and stores nothing of itself, its neighbours are stored', async () => {
  const { store, intake } = await door();
  const entries = [{ message: 'kept out' }];
  const long = 'x'.repeat(TEXT_CHARS + 1);
  const fates = await apply({ intake, store }, [
    stepOf({ entries: [{ message: 'one' }] }),
    stepOf({ taskId: '/etc', entries }),
    stepOf({ taskId: null, entries }),
    stepOf({ draft: { title: long }, entries }),
    stepOf({ change: { status: 'finished' as 'failed' }, entries }),
    stepOf({ change: { status: 'failed' }, entries: [...entries, { message: 'x', level: 'loud' }] }),
    stepOf({ taskId: null, webhookEventId: long, entries }),
    stepOf({ taskId: null, webhookEventId: '', entries }),
    stepOf({ entries: [{ message: 'two' }] }),
  ]);
  const faults = ['invalid_task_id', 'invalid_task_id', 'invalid_task', 'invalid_status', 'invalid_lines'];
  assert.deepEqual(fates, [null, ...faults, 'invalid_request', 'invalid_request', null]);
  assert.deepEqual(await messagesOf(store, 'a'), ['one', 'two']);
  assert.equal((await store.task('a')).status, 'executing');
  assert.equal(await store.eventPlace('s'), '+', 'what can never be stored holds nobody up');
});

test('the faults of the store stand beside those of the door, each with its step', async () => {
  const { store, intake } = await door();
  await intake.createTask({ taskId: 'gone' });
  await intake.deleteTask('gone', 'ada');
  const steps = ['a', '/', 'gone', 'b', '-', 'gone'].map((taskId) => stepOf({ taskId }));
  const bad = 'invalid_task_id';
  assert.deepEqual(await apply({ intake, store }, steps), [null, bad, 'task_deleted', null, bad, 'task_deleted']);
});

test('what a step was refused for is kept under its name, masked', async () => {
  const { store, intake } = await door();
  const change = { status: TOKEN as 'failed' };
  await apply({ intake, store }, [stepOf({ id: '1-1' }), stepOf({ id: '1-2', change })]);
  const [refused, ...more] = await store.eventRefusals('s');
  assert.deepEqual([refused?.id, more], ['1-2', []]);
  assert.ok(refused?.reason.includes(MASKED) && !refused.reason.includes(TOKEN), refused?.reason);
});

test('nothing says who runs a task, or that it is another one', async () => {
  const { store, intake } = await door();
  await intake.createTask({ taskId: 'mine', runner: 'plugin:demo' });
  const claim = { taskId: 'other', runner: 'plugin:shell', title: 'claimed' };
  await apply({ intake, store }, [
    stepOf({ draft: claim, change: claim }),
    stepOf({ taskId: 'mine', draft: claim, change: claim }),
  ]);
  const [made, mine] = [await store.task('a'), await store.task('mine')];
  assert.deepEqual([made.runner, made.title, mine.runner, mine.title], [null, 'claimed', 'plugin:demo', 'claimed']);
  await rejectsWith('task_not_found', () => store.task('other'));
});

test('lines of events are cut to the limits, counted when they are below the level, and stand behind what came before', async () => {
  const { store, intake } = await door({ taskLevel: 'ERROR' });
  const before = intake.append({ taskId: 'task-1', body: '{"message":"before","level":"ERROR"}', format: 'json' });
  const output = { type: 'output', metadata: { text: 'm'.repeat(METADATA_BYTES) } } as const;
  await apply({ intake, store }, [
    stepOf({
      taskId: 'task-1',
      entries: [{ message: 'said quietly' }, { message: 'x'.repeat(LINE_BYTES + 1), ...output }],
    }),
  ]);
  await before;
  const { entries } = await store.read('task-1', { limit: 10 });
  assert.deepEqual(
    entries.map(({ message }) => message.length),
    ['before'.length, LINE_BYTES, 1],
  );
  assert.ok(Number(entries[1]?.metadata?._cut) > 0);
  assert.equal((await store.task('task-1')).log.total, 3);
});

test('lines that come while events wait for their turn do not wait for their commit', async () => {
  const { intake, send } = await door();
  const ended: string[] = [];
  const steps = [stepOf({ entries: [{ message: 'event' }] })];
  const events = intake.applyEvents({ stream: 's', from: null, to: '1-0', steps }).then(() => ended.push('events'));
  const lines = send({ message: 'line' }).then(() => ended.push('lines'));
  await Promise.all([events, lines]);
  assert.deepEqual(ended, ['lines', 'events']);
});

test('so many steps come at once and no more, and a door that is closed takes none', async () => {
  const { store, intake } = await door();
  const most = Array.from({ length: EVENT_STEPS }, () => stepOf({ entries: [{ message: 'one' }] }));
  await rejectsWith('invalid_request', () => apply({ intake, store }, [...most, stepOf()]));
  assert.equal(await store.eventPlace('s'), null);
  assert.equal((await apply({ intake, store }, most)).length, EVENT_STEPS);
  assert.equal((await store.task('a')).log.total, EVENT_STEPS);
  await intake.setEventPlace('s', null);
  assert.equal(await store.eventPlace('s'), null);
  await intake.close();
  await rejectsWith('store_closed', () => apply({ intake, store }, []));
  await rejectsWith('store_closed', () => intake.setEventPlace('s', '1-0'));
});
