import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { TrailError } from '../../src/core/error.ts';
import type { RawBatch } from '../../src/core/ports.ts';
import { StoreIntake } from '../../src/intake/intake.ts';
import { LogBuffer, type LogBufferOptions } from '../../src/intake/log-buffer.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';

/** A real door over a real store, with a lock on it that a test can turn. */
async function buffer(t: TestContext, options: LogBufferOptions = {}) {
  const store = new MemoryStore();
  const intake = new StoreIntake(store);
  await intake.createTask({ taskId: 'task-1' });
  let refusal: TrailError | undefined;
  const batches: RawBatch[] = [];
  const door = {
    append: async (batch: RawBatch) => {
      if (refusal) throw refusal;
      batches.push(batch);
      return intake.append(batch);
    },
  };
  const lines = new LogBuffer(door, options);
  t.after(() => lines.close());
  const stored = async () => (await store.read('task-1', { limit: 5_000 })).entries;
  const refuse = (error: TrailError | undefined) => {
    refusal = error;
  };
  return { store, intake, lines, batches, stored, refuse };
}

test('lines that nobody awaits go together when the flush interval is over', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { lines, batches } = await buffer(t, { flushMs: 25 });
  for (const message of ['one', 'two', 'three']) lines.add('task-1', { message });
  t.mock.timers.tick(24);
  assert.equal(batches.length, 0);
  t.mock.timers.tick(1);
  assert.equal(batches.length, 1);
  const [batch] = batches;
  assert.ok(batch && 'packed' in batch);
  assert.equal(batch.packed.ends.length, 3);
});

test('flush resolves when every line so far is stored, in order', async (t) => {
  const { lines, stored } = await buffer(t);
  for (let index = 0; index < 1_000; index++) lines.add('task-1', { message: `${index}` });
  await lines.flush('task-1');
  assert.deepEqual(
    (await stored()).map(({ message }) => message),
    Array.from({ length: 1_000 }, (_, index) => `${index}`),
  );
  await lines.flush('task-1');
  await lines.flush('a task without lines');
});

test('a store that refuses for a while loses nothing, and the order holds', async (t) => {
  const { lines, stored, refuse } = await buffer(t);
  refuse(new TrailError('storage_full', 'the disk is full'));
  lines.add('task-1', { message: 'one' });
  await assert.rejects(lines.flush('task-1'), { code: 'storage_full' });
  lines.add('task-1', { message: 'two' });
  await assert.rejects(lines.flush('task-1'), { code: 'storage_full' });
  refuse(undefined);
  lines.add('task-1', { message: 'three' });
  await lines.flush('task-1');
  assert.deepEqual(
    (await stored()).map(({ message }) => message),
    ['one', 'two', 'three'],
  );
});

test('memory is bounded; what finds no room is counted exactly and said on the task', async (t) => {
  const { lines, stored, store, refuse } = await buffer(t, { taskBytes: 10_000 });
  refuse(new TrailError('store_unavailable', 'not now'));
  let kept = 0;
  for (let index = 0; index < 1_000; index++) if (lines.add('task-1', { message: `line ${index}` })) kept += 1;
  assert.ok(kept > 10 && kept < 1_000);
  assert.equal(lines.lost('task-1'), 1_000 - kept);
  refuse(undefined);
  await lines.flush('task-1').catch(() => {});
  await lines.flush('task-1');
  const { log } = await store.task('task-1');
  assert.equal(log.lost, 1_000 - kept);
  assert.equal(log.byLevel.WARNING, 1);
  const note = (await stored()).find(({ level }) => level === 'WARNING');
  assert.deepEqual(note?.metadata, { tasktrail_lost: 1_000 - kept });
  assert.equal(lines.lost('task-1'), 0);
});

test('a task that is gone takes nothing with it: its lines are given up, others go on, and it is not asked again', async (t) => {
  const { lines, stored, batches } = await buffer(t);
  lines.add('nobody', { message: 'into the void' });
  lines.add('task-1', { message: 'here' });
  await assert.rejects(lines.flush('nobody'), { code: 'task_not_found' });
  await lines.flush('task-1');
  assert.equal((await stored()).length, 1);
  const before = batches.length;
  lines.add('task-1', { message: 'and there' });
  await lines.flush('task-1');
  await lines.flush('nobody');
  assert.equal(batches.length, before + 1);
});

test('flush waits for the lines so far, not for those of somebody who goes on logging', async (t) => {
  const { lines } = await buffer(t);
  let going = true;
  const log = (): void => {
    lines.add('task-1', { message: 'more' });
    if (going) setImmediate(log);
  };
  log();
  await lines.flush('task-1');
  going = false;
});

test('lines lost behind a batch that is under way are told after it, at the latest when the buffer closes', async (t) => {
  const { lines, stored, store } = await buffer(t, { taskBytes: 5_000 });
  for (let index = 0; index < 500; index++) lines.add('task-1', { message: `line ${index}` });
  const flushed = lines.flush('task-1');
  // The first batch is at the door now; what comes while the buffer is still full is lost.
  for (let index = 500; index < 600; index++) lines.add('task-1', { message: `line ${index}` });
  await flushed;
  await lines.close();
  const all = await stored();
  const kept = all.filter(({ level }) => level === 'INFO');
  assert.deepEqual(
    kept.map(({ message }) => message),
    kept.map((_, index) => `line ${index}`),
    'the first lines were kept, and stand before the note',
  );
  assert.equal(
    all.findIndex(({ level }) => level === 'WARNING'),
    kept.length,
  );
  assert.equal((await store.task('task-1')).log.lost, 600 - kept.length);
});

test('drain resolves when there is room again', async (t) => {
  const { lines, store } = await buffer(t, { taskBytes: 100_000 });
  for (let index = 0; index < 20_000; index++) {
    assert.ok(lines.add('task-1', { message: `line ${index} with some text to fill the buffer` }));
    if (index % 100 === 99) await lines.drain('task-1');
  }
  await lines.flush('task-1');
  assert.equal((await store.task('task-1')).log.lastSeq, 20_000);
});

test('what a logger is given is kept, whatever it is', async (t) => {
  const { lines, stored } = await buffer(t);
  const given = [
    { message: undefined, source: 'a,b\n', level: 10n, type: 'nonsense', stream: 'stdin', timestamp: 'never' },
    { message: { toString: () => 'an object' }, source: '', metadata: ['a', 'list'] },
    { message: Object.create(null) },
    { message: 'half a \ud800 pair', source: 'x'.repeat(200), metadata: { half: '\udc00' } },
    { message: 'warned', level: 'warn', source: 'git', stream: 'stderr', type: 'output', timestamp: '2026-01-24' },
  ];
  for (const entry of given) lines.add('task-1', entry as never);
  await lines.flush('task-1');
  assert.deepEqual(
    (await stored()).map(({ message, level, source, stream, type, metadata }) => [
      message,
      level,
      source,
      stream,
      type,
      metadata,
    ]),
    [
      ['undefined', 'INFO', 'a_b', null, 'log', null],
      ['an object', 'INFO', 'system', null, 'log', { value: ['a', 'list'] }],
      ['[object Object]', 'INFO', 'system', null, 'log', null],
      ['half a \ufffd pair', 'INFO', 'x'.repeat(64), null, 'log', { half: '\ufffd' }],
      ['warned', 'WARNING', 'git', 'stderr', 'output', null],
    ],
  );
  assert.equal((await stored()).at(-1)?.timestamp, '2026-01-24T00:00:00.000Z');
});

test('packed lines are read like the same lines as JSON', async (t) => {
  const { lines, intake, store, stored } = await buffer(t);
  await intake.createTask({ taskId: 'as-json' });
  const levels = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const;
  const entries = Array.from({ length: 500 }, (_, index) => ({
    message: `line ${index} ${'é😀'.repeat(index % 5)}`,
    timestamp: 1_700_000_000_000 + index * 37,
    level: levels[index % 4] ?? 'INFO',
    source: ['git', 'system', 'superset_api'][index % 3] ?? 'system',
    ...(index % 7 === 0 && { metadata: { index, text: '\u2028' } }),
  }));
  for (const entry of entries) lines.add('task-1', entry);
  await lines.flush('task-1');
  await intake.append({ taskId: 'as-json', body: JSON.stringify(entries), format: 'json', captured: true });
  const plain = (all: Awaited<ReturnType<typeof stored>>) => all.map(({ id: _id, taskId: _task, ...line }) => line);
  assert.deepEqual(plain(await stored()), plain((await store.read('as-json', { limit: 5_000 })).entries));
});

test('metadata that JSON cannot say is kept as readable text', async (t) => {
  const { lines, stored } = await buffer(t);
  const circular: Record<string, unknown> = { name: 'a' };
  circular.self = circular;
  const metadata = { circular, big: 10n, error: new RangeError('too far'), map: new Map([['k', 1]]), run: () => 1 };
  lines.add('task-1', { message: 'kept', metadata: metadata as never });
  await lines.flush('task-1');
  const [line] = await stored();
  assert.equal(line?.message, 'kept');
  const { error, ...rest } = line?.metadata ?? {};
  assert.match(JSON.stringify(error), /"name":"RangeError","message":"too far"/);
  assert.deepEqual(rest, {
    circular: { name: 'a', self: '[Circular]' },
    big: '10',
    map: { k: 1 },
    run: '[Function run]',
  });
});
