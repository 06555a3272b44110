import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LineSender } from '../../src/client/sender.ts';
import { TrailError } from '../../src/core/error.ts';

interface Sent {
  readonly messages: readonly string[];
  readonly key: string;
}

/** A place to send to that can be closed and opened. */
function place() {
  const sent: Sent[] = [];
  const state: { fault: TrailError | undefined; tries: number } = { fault: undefined, tries: 0 };
  const send = async (body: string, key: string): Promise<void> => {
    state.tries += 1;
    if (state.fault) throw state.fault;
    const messages = body.split('\n').map((line) => (JSON.parse(line) as { message: string }).message);
    sent.push({ messages, key });
  };
  return { sent, state, send };
}

const away = new TrailError('server_unreachable', 'away');

test('lines go out in order, many in one batch, each once', async () => {
  const { sent, send } = place();
  const sender = new LineSender({ send });
  const messages = Array.from({ length: 1_000 }, (_, index) => `${index}`);
  for (const message of messages) sender.add({ message });
  await sender.flush();
  assert.deepEqual(
    sent.flatMap((batch) => batch.messages),
    messages,
  );
  assert.equal(sent.length, 1);
});

test('what nobody awaits goes out by itself', async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const sender = new LineSender({ send: async (body) => resolve(body), flushMs: 1 });
  sender.add({ message: 'alone' });
  assert.match(await promise, /"message":"alone"/);
});

test('a batch that could not be sent is sent again with the same key, before what came later', async () => {
  const { sent, state, send } = place();
  const keys: string[] = [];
  const sender = new LineSender({
    send: (body, key) => {
      keys.push(key);
      return send(body, key);
    },
  });
  state.fault = away;
  sender.add({ message: 'one' });
  await assert.rejects(sender.flush(), { code: 'server_unreachable' });
  sender.add({ message: 'two' });
  state.fault = undefined;
  await sender.flush();
  assert.deepEqual(
    sent.map((batch) => batch.messages),
    [['one'], ['two']],
  );
  assert.equal(keys[0], keys[1]);
  assert.notEqual(keys[1], keys[2]);
});

test('a refused batch is counted as lost, and the next lines tell it', async () => {
  const { sent, state, send } = place();
  const sender = new LineSender({ send });
  state.fault = new TrailError('invalid_lines', 'no');
  sender.add({ message: 'bad' });
  await assert.rejects(sender.flush(), { code: 'invalid_lines' });
  assert.equal(sender.lost, 1);
  assert.equal(state.tries, 1);
  state.fault = undefined;
  sender.add({ message: 'good' });
  await sender.flush();
  assert.deepEqual(sent[0]?.messages, ['1 line was lost here: they came faster than they could be delivered', 'good']);
  assert.equal(sender.lost, 0);
});

test('memory is bounded: beyond it lines are counted, and pressure is told before', async () => {
  const { sent, state, send } = place();
  const sender = new LineSender({ send, maxBytes: 10_000 });
  state.fault = away;
  let kept = 0;
  let relaxed = 0;
  while (sender.add({ message: 'x'.repeat(100) })) {
    kept += 1;
    if (!sender.isPressed) relaxed += 1;
  }
  assert.ok(kept > 40 && kept < 100, `${kept} lines of about 150 bytes in 10,000`);
  assert.ok(relaxed > kept / 3 && relaxed < (kept * 2) / 3, `pressed after ${relaxed} of ${kept}`);
  assert.equal(sender.lost, 1);
  state.fault = undefined;
  await sender.flush();
  assert.equal(sent.flatMap((batch) => batch.messages).length, kept + 1);
});

test('a writer that waits for drain loses nothing, however fast it is', async () => {
  const { sent, send } = place();
  const sender = new LineSender({ send, maxBytes: 10_000 });
  for (let line = 0; line < 1_000; line++) {
    assert.ok(sender.add({ message: `${line}` }));
    await sender.drain();
  }
  await sender.flush();
  assert.equal(sent.flatMap((batch) => batch.messages).length, 1_000);
});

test('lines that were sent are let go of, also while there are always more', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let sentChars = 0;
  const sender = new LineSender({
    send: async (body) => {
      await new Promise((resolve) => setImmediate(resolve));
      sentChars += body.length;
    },
  });
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; sentChars < 300e6; n += 1) {
    sender.add({ message: `${n} `.padEnd(10_000, 'x') });
    if (sender.isPressed) await sender.drain();
  }
  collect();
  const held = process.memoryUsage().heapUsed - before;
  assert.ok(held < 60e6, `${(held / 1e6).toFixed(0)} MB are held`);
  await sender.close();
});

test('flush waits for the lines so far, not for those that others add meanwhile', async () => {
  const sender: LineSender = new LineSender({
    send: async () => {
      sender.add({ message: 'another' });
    },
  });
  sender.add({ message: 'mine' });
  await sender.flush();
  await sender.close();
});

test('what JSON cannot say is named, not thrown', async () => {
  const { sent, send } = place();
  const sender = new LineSender({ send });
  const metadata: Record<string, unknown> = {};
  metadata.self = metadata;
  sender.add({ message: 'round', metadata: metadata as never });
  await sender.flush();
  assert.deepEqual(sent[0]?.messages, ['round']);
});

test('a closed sender keeps nothing more', async () => {
  const { sent, send } = place();
  const sender = new LineSender({ send });
  sender.add({ message: 'in time' });
  await sender.close();
  await sender.close();
  assert.equal(sender.add({ message: 'late' }), false);
  assert.deepEqual(
    sent.map((batch) => batch.messages),
    [['in time']],
  );
});
