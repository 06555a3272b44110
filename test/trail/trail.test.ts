import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import test from 'node:test';
import { BUFFER_BYTES } from '../../src/core/limits.ts';
import { openTrail } from '../../src/trail/open.ts';
import { deliveryOf, START } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';

test('a reader who joins late sees every line once', async (t) => {
  const trail = await openTrail({ dataDir: await scratch(t) });
  t.after(() => trail.close());
  const task = await trail.task({ title: 'demo' });
  task.logger.info('one');
  await task.logger.flush();
  const seen = Array.fromAsync(trail.follow(task.id, { after: 0 }), (entry) => entry.message);
  task.logger.info('two');
  await task.complete({ answer: 42 });
  assert.deepEqual(await seen, ['one', 'two']);
});

test('what was logged before the end is committed before it, with its source, level and progress', async (t) => {
  const dataDir = await scratch(t);
  const trail = await openTrail({ dataDir });
  const task = await trail.task({ taskId: 'job-1' });
  const git = task.logger.withSource('git');
  task.logger.debug('below the level');
  git.warning('careful', { branch: 'main' });
  task.logger.progress(250, 'nearly');
  await task.fail(new Error('no space'), { exitCode: 3 });
  await trail.close();

  const again = await openTrail({ dataDir });
  t.after(() => again.close());
  const { logs, total, hasMore, lastSeq } = await again.logs('job-1');
  assert.deepEqual(
    logs.map(({ seq, level, source, type, message, metadata }) => ({ seq, level, source, type, message, metadata })),
    [
      { seq: 1, level: 'WARNING', source: 'git', type: 'log', message: 'careful', metadata: { branch: 'main' } },
      { seq: 2, level: 'INFO', source: 'system', type: 'progress', message: 'nearly', metadata: { progress: 100 } },
    ],
  );
  assert.deepEqual({ total, hasMore, lastSeq }, { total: 2, hasMore: false, lastSeq: 2 });
  const ended = await again.get('job-1');
  assert.equal(ended.status, 'failed');
  assert.equal(ended.error, 'no space');
  assert.equal(ended.exitCode, 3);
  assert.deepEqual(await again.sources('job-1'), ['git', 'system']);
});

test('lines that another process commits reach followers of this one', async (t) => {
  const dataDir = await scratch(t);
  const here = await openTrail({ dataDir });
  t.after(() => here.close());
  // A second trail has threads and connections of its own: to SQLite it is another process.
  const there = await openTrail({ dataDir });
  t.after(() => there.close());
  const task = await there.task();
  const seen = Array.fromAsync(here.follow(task.id), (entry) => entry.message);
  await there.append(task.id, { message: 'from afar' });
  await there.append(task.id, [{ message: 'and' }, { message: 'again' }]);
  await task.complete();
  assert.deepEqual(await seen, ['from afar', 'and', 'again']);
});

test('a delivery crosses the threads whole: its task is there for followers, and of many at once one starts it', async (t) => {
  const trail = await openTrail({ dataDir: await scratch(t) });
  t.after(() => trail.close());
  const { intake, store, live } = trail.parts;
  const woken = new Promise<string>((resolve) => t.after(live.watch(resolve)));
  const task = (taskId: string) => ({ taskId, status: 'queued' as const });
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, n) =>
      intake.deliver({
        delivery: deliveryOf({ outcome: 'accepted', taskId: `t${n}` }),
        key: { value: 'k', untilMs: null },
        task: task(`t${n}`),
        lines: [{ message: 'received', type: 'webhook' }],
      }),
    ),
  );
  assert.equal(all.filter(({ duplicate }) => duplicate).length, 99);
  const { taskId, ...last } = (await store.deliveryOfKey('github', 'k')) ?? { taskId: null };
  assert.deepEqual([await woken, last], [taskId, { n: 1 }]);
  assert.deepEqual(
    (await trail.tasks()).tasks.map((one) => [one.taskId, one.log.total]),
    [[taskId, 1]],
  );
  assert.equal((await store.delivery(1)).body, deliveryOf().body);
  assert.equal((await store.deliveries({ webhookId: 'github', limit: 10 })).length, 1);
  await intake.deleteWebhook('github');
  await assert.rejects(store.delivery(1), { code: 'delivery_not_found' });
});

test('deliveries under way are bounded: one too many is refused, and may come again', async (t) => {
  const trail = await openTrail({ dataDir: await scratch(t) });
  t.after(() => trail.close());
  const { intake, store } = trail.parts;
  const large = intake.deliver({ delivery: deliveryOf({ bytes: BUFFER_BYTES }), key: null });
  const small = () => intake.deliver({ delivery: deliveryOf({ bytes: 1 }), key: null });
  await assert.rejects(small(), { code: 'buffer_full' });
  await large;
  await small();
  assert.equal((await store.deliveries({ limit: 10 })).length, 2);
});

test('who opens a trail hides the secrets of its webhooks, in lines and in what is shown', async (t) => {
  const dataDir = await scratch(t);
  const secret = 'a-plain-secret';
  const first = await openTrail({ dataDir });
  const webhook = { webhookId: 'mine', enabled: true, definition: {}, secret, createdAt: START, updatedAt: START };
  await first.parts.intake.saveWebhook(webhook);
  assert.equal(first.parts.intake.mask(secret), '[redacted:registered]');
  await first.close();
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  const task = await trail.task({ title: secret });
  task.logger.info(`it is ${secret}`);
  await task.logger.flush();
  assert.equal((await trail.get(task.id)).title, '[redacted:registered]');
  assert.equal((await trail.logs(task.id)).logs[0]?.message, 'it is [redacted:registered]');
  assert.equal(trail.parts.intake.mask(secret), '[redacted:registered]');
  assert.equal((await trail.parts.store.webhooks())[0]?.secret, secret);
});

test('a database that cannot be opened is named, and a closed trail refuses', async (t) => {
  const dataDir = await scratch(t);
  await writeFile(`${dataDir}/tasktrail.db`, 'this is no database, but a text that is long enough to be read as one');
  await assert.rejects(openTrail({ dataDir }), { code: 'store_unavailable' });

  const trail = await openTrail({ dataDir: await scratch(t) });
  const task = await trail.task();
  await trail.close();
  await trail.close();
  await assert.rejects(trail.append(task.id, { message: 'late' }), { code: 'store_closed' });
});

test('a deleted task is gone at once, its lines soon after, and its followers are told', async (t) => {
  const trail = await openTrail({ dataDir: await scratch(t) });
  t.after(() => trail.close());
  const task = await trail.task();
  await trail.append(
    task.id,
    Array.from({ length: 20_000 }, (_, index) => ({ message: `line ${index}` })),
  );
  const seen = assert.rejects(Array.fromAsync(trail.follow(task.id)), { code: 'task_deleted' });
  await trail.delete(task.id);
  await seen;
  await assert.rejects(trail.get(task.id), { code: 'task_deleted' });
  await assert.rejects(trail.create({ taskId: task.id }), { code: 'task_deleted' });
});

test('whatever a task fails with becomes its error', async (t) => {
  const trail = await openTrail({ dataDir: await scratch(t) });
  t.after(() => trail.close());
  for (const [thrown, error] of [
    [new TypeError('no such thing'), 'no such thing'],
    [{ code: 7 }, '{"code":7}'],
    ['text', 'text'],
    [undefined, 'undefined'],
    [new Error(''), 'Error'],
  ] as const) {
    const task = await trail.task();
    const failed = await task.fail(thrown as Error);
    assert.deepEqual([failed.status, failed.error], ['failed', error]);
  }
});

test('what cannot cross to the thread is refused by name, and nothing hangs', async (t) => {
  const trail = await openTrail({ dataDir: await scratch(t) });
  const metadata = { f: () => {} } as never;
  await assert.rejects(trail.create({ metadata }), { code: 'invalid_request', message: /expected plain values/ });
  await trail.close();
});

test('a data directory that is a file is named', async (t) => {
  const file = `${await scratch(t)}/file`;
  await writeFile(file, '');
  await assert.rejects(openTrail({ dataDir: `${file}/below` }), { code: 'store_unavailable' });
});

test('no count that a stranger sends makes the store unreadable', async (t) => {
  const trail = await openTrail({ dataDir: await scratch(t) });
  t.after(() => trail.close());
  const task = await trail.task();
  for (let index = 0; index < 12; index++) {
    await trail.append(task.id, { message: 'lost', metadata: { tasktrail_lost: 999_999_999_999_999 } });
    await trail.append(task.id, { message: 'lost', metadata: { tasktrail_lost: 999_999_999 } });
  }
  assert.equal((await trail.get(task.id)).log.lost, 12 * 999_999_999);
  await assert.rejects(trail.complete(task.id, { exitCode: 2 ** 60 }), { code: 'invalid_task' });
  assert.equal((await trail.tasks()).tasks.length, 1);
});
