import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { FOREIGN_POLL_MS } from '../../src/core/limits.ts';
import { StoreIntake } from '../../src/intake/intake.ts';
import { LiveHub } from '../../src/live/live.ts';
import { RedisWakes, type RedisWakesOptions } from '../../src/live/redis.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { openTrail } from '../../src/trail/open.ts';
import { noRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { scratch } from '../support/scratch.ts';

const WAKER = fileURLToPath(new URL('../fixtures/programs/waker.ts', import.meta.url));

describe('wake-ups over Redis', { skip: noRedis }, () => {
  test('show a viewer in one process what another commits, long before it would look; nothing is lost or doubled when Redis dies', async (t) => {
    const there = await startRedis(t);
    const dataDir = await scratch(t);
    const trail = await openTrail({ dataDir });
    t.after(() => trail.close());
    await trail.create({ taskId: 'task-1' });
    const wakes = await waking(t, there, trail.parts);
    await heard(there, await channelOf(trail.parts.intake), 1);
    const appender = await startAppender(t, [dataDir, there.url, 'task-1']);
    await heard(there, await channelOf(trail.parts.intake), 2);
    const seen: number[] = [];
    const delaysMs: number[] = [];
    const viewing = (async () => {
      for await (const { message, metadata } of trail.follow('task-1')) {
        seen.push(Number(message));
        delaysMs.push(Date.now() - Number(metadata?.at_ms));
      }
    })();
    await appender.append(100);
    await there.kill();
    await appender.append(20);
    await there.start();
    await heard(there, await channelOf(trail.parts.intake), 2);
    await appender.append(20);
    await trail.complete('task-1');
    await viewing;
    assert.deepEqual(
      seen,
      Array.from({ length: 140 }, (_, index) => index + 1),
    );
    const medianMs = delaysMs.slice(0, 100).sort((a, b) => a - b)[50] ?? Number.POSITIVE_INFINITY;
    t.diagnostic(`from append to viewer, median ${medianMs} ms; the other way takes up to ${FOREIGN_POLL_MS} ms`);
    assert.ok(medianMs < FOREIGN_POLL_MS / 4, `median ${medianMs} ms`);
    await wakes.close();
  });

  test('need nothing of a store but its changes: what was told while Redis was away is found when it is back', async (t) => {
    const { there, first, second, append } = await pair(t);
    const following = second.live.follow('task-1', {})[Symbol.asyncIterator]();
    const next = async (): Promise<readonly string[]> => {
      for (;;) {
        const { value, done } = await following.next();
        if (done) return [];
        if (value.type === 'entries') return value.page.entries.map((entry: { message: string }) => entry.message);
      }
    };
    const one = next();
    await append('one');
    assert.deepEqual(await one, ['one']);
    await there.kill();
    await append('two');
    const two = next();
    await there.start();
    assert.deepEqual(await two, ['two']);
    await Promise.all([first.wakes.close(), second.wakes.close()]);
    await following.return?.();
  });

  test('are told once for the commits of some milliseconds, as tasks with their last line, and not to the one who tells', async (t) => {
    const { there, first, second, intake } = await pair(t);
    const messages = await listen(t, there, await channelOf(intake));
    const [own, others] = [wakesOf(first.live), wakesOf(second.live)];
    const commit = (taskId: string, lastSeq: number, linesOnly: boolean) =>
      first.live.wake({ taskId, lastSeq, linesOnly });
    for (let seq = 1; seq <= 50; seq++) commit('a', seq, true);
    commit('b', 1, false);
    commit('b', 2, true);
    const told = await messages.until(({ tasks }) => tasks.some((task) => task.task_id === 'b'));
    assert.deepEqual(
      told.map(({ tasks }) => tasks),
      [
        [{ task_id: 'a', last_seq: 1, lines_only: true }],
        [
          { task_id: 'a', last_seq: 50, lines_only: true },
          { task_id: 'b', last_seq: 2, lines_only: false },
        ],
      ],
    );
    await others.until(3);
    assert.deepEqual(others.ids, ['a', 'a', 'b']);
    assert.deepEqual(own.ids, [], 'who tells hears nothing of it');
  });

  test('carry unended lines, at most their newest text every 250 ms, and that they have ended', async (t) => {
    const { there, first, second, intake } = await pair(t);
    const messages = await listen(t, there, await channelOf(intake));
    const seen: string[] = [];
    const long = 'x'.repeat(10_000);
    const partial = (text: string): void => first.live.partial('task-1', 'stderr', text);
    for await (const event of second.live.follow('task-1', {})) {
      // Never shown, so not taken back either.
      if (event.type === 'caught_up') first.live.partial('task-1', 'stdout', '');
      if (event.type === 'caught_up') for (let n = 0; n <= 42; n++) partial(`Downloading ${n} %`);
      if (event.type !== 'partial') continue;
      assert.equal(event.stream, 'stderr');
      seen.push(event.text);
      if (event.text === 'Downloading 42 %') partial(long);
      else if (event.text !== '') partial('');
      else break;
    }
    assert.deepEqual(seen, ['Downloading 42 %', 'x'.repeat(4_000), '']);
    const told = await messages.until(({ partials }) => partials?.[0]?.text === '');
    assert.deepEqual(
      told.map(({ partials }) => partials?.map(({ text }) => text.length)),
      [['Downloading 42 %'.length], [4_000], [0]],
    );
  });

  test('stay bounded while Redis is away: each task waits once, a message names a thousand', async (t) => {
    const { there, intake } = await pair(t);
    const channel = await channelOf(intake);
    await there.kill();
    for (let n = 0; n < 2_500; n++) await intake.createTask({ taskId: `many-${n}` });
    for (let n = 0; n < 2_500; n++) await intake.changeTask(`many-${n}`, { title: 'again' });
    await there.start();
    const messages = await listen(t, there, channel);
    await intake.createTask({ taskId: 'last' });
    const told = await messages.until(({ tasks }) => tasks.some((task) => task.task_id === 'last'));
    assert.ok(told.every(({ tasks }) => tasks.length <= 1_000));
    const ids = told.flatMap(({ tasks }) => tasks.map((task) => task.task_id));
    // The first was on its way when Redis died, and had changed again since.
    assert.ok(ids.length <= new Set(ids).size + 1, `${ids.length} of ${new Set(ids).size}`);
  });

  test('of processes that name a new store at once go over one channel, those of another store over another', async (t) => {
    const there = await startRedis(t);
    const [intake, other] = [new StoreIntake(new MemoryStore()), new StoreIntake(new MemoryStore())];
    for (const store of [intake, intake, intake, other]) await waking(t, there, { intake: store });
    const listening = async (): Promise<readonly number[]> => {
      const channels = (await there.redis.pubsub('CHANNELS', 'tasktrail:*:wake')) as string[];
      const counts = (await there.redis.pubsub('NUMSUB', ...channels)) as (string | number)[];
      return counts.filter((count) => typeof count === 'number').sort();
    };
    let counts = await listening();
    while (counts.length !== 2 || counts[0] !== 1 || counts[1] !== 3) counts = await listening();
  });

  test('that are no messages of ours wake nobody', async (t) => {
    const { there, second, intake } = await pair(t);
    const woken = wakesOf(second.live);
    const channel = await channelOf(intake);
    const bad = [
      '',
      'x',
      'null',
      '[]',
      '{"by":1,"tasks":[]}',
      '{"by":"x","tasks":[null,7,{"task_id":1,"last_seq":2}]}',
      '{"by":"x","tasks":[],"partials":7}',
      '{"by":"x","tasks":[],"partials":[null,{"task_id":"a","stream":"stdin","text":"x"},{"task_id":"a","stream":"stdout"}]}',
    ];
    for (const text of bad) await there.redis.publish(channel, text);
    await there.redis.publish(channel, '{"by":"x","tasks":[{"task_id":"good","last_seq":1}]}');
    await woken.until(1);
    assert.deepEqual(woken.ids, ['good']);
  });
});

interface Message {
  readonly by: string;
  readonly tasks: readonly { readonly task_id: string; readonly last_seq: number; readonly lines_only: boolean }[];
  readonly partials?: readonly { readonly text: string }[];
}

type Parts = Pick<RedisWakesOptions, 'intake'> & Partial<Pick<RedisWakesOptions, 'live' | 'store'>>;

async function waking(t: TestContext, there: TestRedis, parts: Parts): Promise<RedisWakes> {
  const [publisher, subscriber] = [0, 1].map(() => {
    const redis = new Redis(there.url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
    redis.on('error', () => {});
    t.after(() => redis.disconnect());
    return redis;
  });
  assert.ok(publisher && subscriber);
  const store = parts.store ?? new MemoryStore();
  const live = parts.live ?? new LiveHub(new MemoryStore());
  const wakes = new RedisWakes({ live, store, publisher, subscriber, intake: parts.intake });
  t.after(() => wakes.close());
  wakes.start();
  return wakes;
}

/** Two processes' wake-ups on one store: the first commits, and the second hears of it over Redis alone. */
async function pair(t: TestContext) {
  const there = await startRedis(t);
  const hubs: LiveHub[] = [];
  const store = new MemoryStore({ onCommit: (task) => hubs[0]?.wake(task) });
  const intake = new StoreIntake(store);
  const made = async () => {
    const live = new LiveHub(store);
    hubs.push(live);
    return { live, wakes: await waking(t, there, { live, store, intake }) };
  };
  await intake.createTask({ taskId: 'task-1' });
  const [first, second] = [await made(), await made()];
  await heard(there, await channelOf(intake), 2);
  const append = (message: string) =>
    intake.append({ taskId: 'task-1', body: JSON.stringify({ message }), format: 'json' });
  return { there, first, second, intake, append };
}

/** What a hub was told of commits of others. */
function wakesOf(live: LiveHub) {
  const state = { ids: [] as string[], poke: (): void => {} };
  const wake = live.wake.bind(live);
  live.wake = (task) => {
    wake(task);
    if (!task.foreign) return;
    state.ids.push(task.taskId);
    state.poke();
  };
  return Object.assign(state, {
    async until(count: number): Promise<void> {
      while (state.ids.length < count) {
        await new Promise<void>((resolve) => {
          state.poke = resolve;
        });
      }
    },
  });
}

/** The channel of a store, when its name stands. */
async function channelOf(intake: Pick<RedisWakesOptions['intake'], 'setting'>): Promise<string> {
  for (let before: unknown; ; ) {
    const id = await intake.setting('store_id');
    if (typeof id === 'string' && id === before) return `tasktrail:${id}:wake`;
    before = id;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Resolves when so many listen on a channel; the runner's time limit ends a wait in vain. */
async function heard({ redis }: TestRedis, channel: string, count: number): Promise<void> {
  for (;;) {
    const [, listening] = (await redis.pubsub('NUMSUB', channel)) as [string, number];
    if (listening >= count) return;
  }
}

async function listen(t: TestContext, { url }: TestRedis, channel: string) {
  const redis = new Redis(url);
  t.after(() => redis.disconnect());
  const heardSoFar: Message[] = [];
  let poke = (): void => {};
  redis.on('message', (_channel, text) => {
    heardSoFar.push(JSON.parse(text) as Message);
    poke();
  });
  await redis.subscribe(channel);
  return {
    async until(fits: (message: Message) => boolean): Promise<readonly Message[]> {
      while (!heardSoFar.some(fits)) {
        await new Promise<void>((resolve) => {
          poke = resolve;
        });
      }
      return heardSoFar;
    },
  };
}

async function startAppender(t: TestContext, args: readonly string[]) {
  const child = spawn(process.execPath, [WAKER, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  const printed = createInterface(child.stdout)[Symbol.asyncIterator]();
  assert.equal((await printed.next()).value, 'ready');
  return {
    /** Resolves when these lines are committed. */
    async append(count: number): Promise<void> {
      child.stdin.write(`${count}\n`);
      await printed.next();
    },
  };
}
