import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { newTask } from '../../src/core/change.ts';
import type { Draft } from '../../src/core/entry.ts';
import type { FollowEvent, FollowRequest } from '../../src/core/live.ts';
import { LiveHub } from '../../src/live/live.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';

const NOW = '2026-01-24T10:00:00.000Z';

function draft(message: string, level: Draft['level'] = 'INFO'): Draft {
  return { timestamp: NOW, level, source: 'system', stream: null, type: 'log', message, metadataJson: null };
}

async function trail(_t: TestContext, taskId = 'task-1') {
  let live: LiveHub | undefined;
  const store = new MemoryStore({ onCommit: (task) => live?.wake(task) });
  live = new LiveHub(store, { changesEveryMs: 1 });
  await store.createTask(newTask({ taskId }, NOW));
  const append = (...messages: string[]) =>
    store.append([{ taskId, drafts: messages.map((message) => draft(message)), filtered: 0, lost: 0 }]);
  const end = () => store.changeTask(taskId, { status: 'completed' });
  return { store, live, taskId, append, end };
}

async function messagesOf(events: AsyncIterable<FollowEvent>): Promise<string[]> {
  const messages: string[] = [];
  for await (const event of events) {
    if (event.type === 'entries') messages.push(...event.page.entries.map((entry) => entry.message));
  }
  return messages;
}

test('stored lines come first, then live ones, then the end', async (t) => {
  const { live, taskId, append, end } = await trail(t);
  await append('one', 'two');
  const types: string[] = [];
  for await (const event of live.follow(taskId, {})) {
    types.push(event.type);
    if (event.type === 'caught_up') {
      assert.equal(event.lastSeq, 2);
      await append('three');
      await end();
    }
    if (event.type === 'end') assert.equal(event.lastSeq, 3);
  }
  assert.deepEqual(
    types.filter((type) => type !== 'status'),
    ['entries', 'caught_up', 'entries', 'end'],
  );
});

test('a follower of an ended task gets its lines and the end, without waiting', async (t) => {
  const { live, taskId, append, end } = await trail(t);
  await append('one');
  await end();
  assert.deepEqual(await messagesOf(live.follow(taskId, {})), ['one']);
  assert.deepEqual(await messagesOf(live.follow(taskId, { after: 1 })), []);
});

test('a tail starts with the last matching lines', async (t) => {
  const { live, taskId, store, end } = await trail(t);
  const drafts = Array.from({ length: 12_000 }, (_, index) => draft(`${index}`, index % 1000 === 0 ? 'ERROR' : 'INFO'));
  await store.append([{ taskId, drafts, filtered: 0, lost: 0 }]);
  await end();
  const tail = (request: FollowRequest) => messagesOf(live.follow(taskId, request));
  assert.deepEqual(await tail({ tail: 2 }), ['11998', '11999']);
  assert.deepEqual(await tail({ tail: 0 }), []);
  assert.deepEqual(await tail({ tail: 2, filter: { levels: ['ERROR'] } }), ['10000', '11000']);
  assert.equal((await tail({ tail: 50, filter: { levels: ['ERROR'] } })).length, 12);
  assert.equal((await tail({ tail: 20_000 })).length, 12_000);
});

test('a filter that changes while following holds from there on, also for a reader who waits', async (t) => {
  const { live, taskId, store, append, end } = await trail(t);
  await append('info before');
  const following = live.follow(taskId, {});
  const seen: string[] = [];
  for await (const event of following) {
    if (event.type === 'entries') seen.push(...event.page.entries.map((entry) => entry.message));
    if (event.type === 'caught_up') {
      following.setFilter({ levels: ['ERROR'] });
      await append('info after');
      await store.append([{ taskId, drafts: [draft('an error', 'ERROR')], filtered: 0, lost: 0 }]);
      await end();
    }
  }
  assert.deepEqual(seen, ['info before', 'an error']);
  assert.equal(following.scannedTo, 3);
});

test('many followers at one place share one read', async (t) => {
  const { live, store, taskId, append, end } = await trail(t);
  let reads = 0;
  const read = store.read.bind(store);
  t.mock.method(store, 'read', (...args: Parameters<typeof read>) => {
    reads += 1;
    return read(...args);
  });
  const all = Array.from({ length: 100 }, () => messagesOf(live.follow(taskId, {})));
  await append('one');
  await end();
  for (const seen of await Promise.all(all)) assert.deepEqual(seen, ['one']);
  assert.ok(reads < 20, `${reads} reads for 100 followers`);
});

test('an unended line is shown, taken back, and kept from those who search', async (t) => {
  const { live, taskId, end } = await trail(t);
  const partials: string[] = [];
  const searching = messagesOf(live.follow(taskId, { filter: { search: 'x' } }));
  for await (const event of live.follow(taskId, {})) {
    if (event.type === 'caught_up') live.partial(taskId, 'stdout', 'Downloading 4');
    if (event.type !== 'partial') continue;
    partials.push(event.text);
    if (event.text === 'Downloading 4') live.partial(taskId, 'stdout', 'Downloading 41');
    else if (event.text === 'Downloading 41') live.partial(taskId, 'stdout', '');
    else await end();
  }
  assert.deepEqual(partials, ['Downloading 4', 'Downloading 41', '']);
  assert.deepEqual(await searching, []);
});

test('an unknown task rejects at the first step, a deleted one where it is met', async (t) => {
  const { live, store, taskId } = await trail(t);
  await assert.rejects(messagesOf(live.follow('nobody', {})), { code: 'task_not_found' });
  const seen = messagesOf(live.follow(taskId, {}));
  await store.deleteTask(taskId, 'a test');
  await assert.rejects(seen, { code: 'task_deleted' });
});

test('closing or aborting ends a follower that waits, and leaves nothing behind', async (t) => {
  const { live, taskId } = await trail(t);
  const aborted = new AbortController();
  const one = messagesOf(live.follow(taskId, { signal: aborted.signal }));
  const following = live.follow(taskId, {});
  const two = messagesOf(following);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(live.watched);
  aborted.abort();
  following.close();
  following.close();
  assert.deepEqual(await Promise.all([one, two]), [[], []]);
  assert.ok(!live.watched);
});

test('changed tasks are told in batches, each once', async (t) => {
  const { live, store, taskId, append } = await trail(t);
  const stop = new AbortController();
  const batches = live.changes(stop.signal);
  const first = batches.next();
  await append('one');
  await store.createTask(newTask({ taskId: 'task-2' }, NOW));
  const seen = new Set((await first).value);
  while (seen.size < 2) for (const id of (await batches.next()).value ?? []) seen.add(id);
  assert.deepEqual([...seen].sort(), [taskId, 'task-2']);
  stop.abort();
  assert.equal((await batches.next()).done, true);
});

test('whatever the order of commits, reads and wake-ups, a follower sees every line once and in order', async (t) => {
  const run = async (sizes: number[], pauses: boolean[], cuts: number[]): Promise<void> => {
    const { live, taskId, append, end } = await trail(t);
    const all = sizes.flatMap((size, batch) => Array.from({ length: size }, (_, index) => `${batch}.${index}`));
    const writing = (async () => {
      for (const [batch, size] of sizes.entries()) {
        await append(...Array.from({ length: size }, (_, index) => `${batch}.${index}`));
        if (pauses[batch % pauses.length]) await new Promise((resolve) => setImmediate(resolve));
      }
      await end();
    })();
    // A reader who is cut off again and again, and resumes where it was.
    const seen: string[] = [];
    let after = 0;
    for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
      let taken = 0;
      for await (const event of live.follow(taskId, { after })) {
        if (event.type !== 'entries') continue;
        seen.push(...event.page.entries.map((entry) => entry.message));
        after = event.page.lastSeq ?? after;
        taken += 1;
        if (taken >= cut) break;
      }
    }
    await writing;
    assert.deepEqual(seen, all);
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 2_500 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 }),
      run,
    ),
    { numRuns: 60 },
  );
});
