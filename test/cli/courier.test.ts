import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readConfig } from '../../src/cli/config.ts';
import { Courier } from '../../src/cli/courier.ts';
import { drainAll, mayRetry } from '../../src/cli/delivery.ts';
import type { Config } from '../../src/cli/settings.ts';
import { batchesIn, readCall, Spool, type SpoolCall, spoolDirs } from '../../src/cli/spool.ts';
import { openServer, openTarget, type Target } from '../../src/cli/target.ts';
import { type ErrorCode, TrailError } from '../../src/core/error.ts';
import { startServer, type TestServer } from '../client/server.ts';
import { scratch } from '../support/scratch.ts';
import { messages } from './cli.ts';

let keys = 0;

function append(taskId: string, ...lines: readonly string[]): SpoolCall {
  const body = lines.map((message) => JSON.stringify({ message })).join('\n');
  return { call: 'append', taskId, key: `key-${keys++}`, body };
}

function start(taskId: string): SpoolCall {
  return { call: 'start', taskId, key: `key-${keys++}`, body: JSON.stringify({ taskId, title: 'kept' }) };
}

function end(taskId: string, error: string | null): SpoolCall {
  const exitCode = error === null ? 0 : 1;
  return { call: 'end', taskId, key: `key-${keys++}`, body: JSON.stringify({ error, exitCode }) };
}

interface Run {
  readonly config: Config;
  readonly spool: Spool;
  readonly courier: Courier;
  readonly away: TrailError[];
}

async function run(t: TestContext, url: string | undefined, maxBytes?: number): Promise<Run> {
  const cwd = await scratch(t);
  const config = readConfig({ cwd, env: url === undefined ? {} : { TASKTRAIL_URL: url } });
  const target = await openServer(config);
  const spool = new Spool({ dataDir: config.dataDir, to: url ?? 'local', ...(maxBytes !== undefined && { maxBytes }) });
  const away: TrailError[] = [];
  const courier = new Courier({
    spool,
    target,
    reopen: () => openServer(config).catch(() => undefined),
    onAway: (error) => away.push(error),
  });
  t.after(() => courier.close());
  return { config, spool, courier, away };
}

/** A server that is gone, and can come back at the same port. */
async function vanished(t: TestContext): Promise<{ server: TestServer; back: () => Promise<TestServer> }> {
  const dataDir = await scratch(t);
  const server = await startServer(t, { dataDir });
  return { server, back: () => startServer(t, { dataDir, port: server.port }) };
}

const patience = (): AbortSignal => AbortSignal.timeout(10_000);

test('while the store is there nothing touches the disk', async (t) => {
  const server = await startServer(t);
  const { courier, spool, away } = await run(t, server.url);
  for (const call of [start('task-1'), append('task-1', 'one', 'two'), end('task-1', 'exit code 1')])
    await courier.deliver(call);
  assert.deepEqual(await courier.finish(patience()), { left: 0, lostLines: 0, lostCalls: [], refused: [] });
  assert.deepEqual(await messages(server.trail, 'task-1'), ['one', 'two']);
  const task = await server.trail.get('task-1');
  assert.deepEqual([task.status, task.error, task.exitCode], ['failed', 'exit code 1', 1]);
  assert.deepEqual([existsSync(spool.dir), away.length], [false, 0]);
});

test('what the store could not take goes to disk, and from there in order when it is back, in the same run', async (t) => {
  const { server, back } = await vanished(t);
  const { courier, spool, away } = await run(t, server.url);
  await courier.deliver(start('task-1'));
  await courier.deliver(append('task-1', '1'));
  await server.close();
  for (let line = 2; line <= 20; line++) await courier.deliver(append('task-1', String(line)));
  assert.equal(away.length, 1);
  assert.equal(spool.count, 19);
  const again = await back();
  await courier.deliver(end('task-1', null));
  assert.deepEqual(await courier.finish(patience()), { left: 0, lostLines: 0, lostCalls: [], refused: [] });
  assert.deepEqual(
    await messages(again.trail, 'task-1'),
    Array.from({ length: 20 }, (_, index) => String(index + 1)),
  );
  assert.equal((await again.trail.get('task-1')).status, 'completed');
  assert.equal(existsSync(spool.dir), false);
});

test('a courier that caught up is direct again', async (t) => {
  const { server, back } = await vanished(t);
  const { courier, spool } = await run(t, server.url);
  await courier.deliver(start('task-1'));
  await server.close();
  await courier.deliver(append('task-1', '1'));
  assert.equal(courier.target, undefined);
  const again = await back();
  await courier.finish(patience());
  assert.ok(courier.target);
  await courier.deliver(append('task-1', '2'));
  assert.equal(spool.count, 0);
  assert.deepEqual(await messages(again.trail, 'task-1'), ['1', '2']);
});

test('what is left at the end is counted, and delivered by whoever comes next', async (t) => {
  const { server, back } = await vanished(t);
  const { courier, config } = await run(t, server.url);
  await courier.deliver(start('task-1'));
  await server.close();
  await courier.deliver(append('task-1', '1', '2'));
  await courier.deliver(end('task-1', null));
  assert.equal((await courier.finish(patience())).left, 2);
  const again = await back();
  const target = await opened(t, config);
  assert.deepEqual(await drainAll(config.dataDir, target), { delivered: 2, left: 0, refused: [] });
  assert.deepEqual(await messages(again.trail, 'task-1'), ['1', '2']);
  assert.deepEqual(await drainAll(config.dataDir, target), { delivered: 0, left: 0, refused: [] });
});

test('a batch that is refused for good is set aside, and those behind it go on', async (t) => {
  const server = await startServer(t);
  const { courier, spool } = await run(t, server.url);
  await courier.deliver(start('task-1'));
  await courier.deliver({ ...append('task-1'), body: '{"message":"x","level":"loud"}' });
  await courier.deliver(append('task-1', 'fine'));
  const { left, refused } = await courier.finish(patience());
  assert.equal(left, 0);
  assert.deepEqual(
    refused.map(({ path, error }) => [path, error.code]),
    [[join(spool.dir, '00000001.refused'), 'invalid_lines']],
  );
  assert.deepEqual(await messages(server.trail, 'task-1'), ['fine']);
});

test('a kept batch that is refused is renamed and never tried again', async (t) => {
  const server = await startServer(t);
  const { config, spool } = await run(t, server.url);
  spool.add(append('task-none', 'lost child'));
  spool.add(start('task-1'));
  spool.add(append('task-1', 'fine'));
  const target = await opened(t, config);
  const drained = await drainAll(config.dataDir, target);
  assert.deepEqual([drained.delivered, drained.left], [2, 0]);
  assert.deepEqual(
    drained.refused.map(({ path, error }) => [path, error.code]),
    [[join(spool.dir, '00000001.refused'), 'task_not_found']],
  );
  assert.deepEqual(await drainAll(config.dataDir, target), { delivered: 0, left: 0, refused: [] });
  assert.ok(existsSync(join(spool.dir, '00000001.refused')));
});

test('whatever the store may take later is kept: busy, away, full, or a token that is wrong; all else is refused', () => {
  const keeps = (code: ErrorCode): boolean => mayRetry(new TrailError(code, ''));
  for (const code of ['buffer_full', 'store_unavailable', 'server_unreachable', 'storage_full', 'internal'] as const) {
    assert.equal(keeps(code), true, code);
  }
  for (const code of ['unauthorized', 'forbidden', 'host_not_allowed'] as const) assert.equal(keeps(code), true, code);
  for (const code of [
    'task_not_found',
    'task_deleted',
    'invalid_lines',
    'body_too_large',
    'idempotency_mismatch',
  ] as const) {
    assert.equal(keeps(code), false, code);
  }
});

test('a wrong token refuses nothing: the lines wait for the right one', async (t) => {
  const server = await startServer(t, { tokens: [{ role: 'admin', token: 'right' }] });
  const { config, spool } = await run(t, server.url);
  spool.add(start('task-1'));
  const drained = await drainAll(config.dataDir, await opened(t, { ...config, token: 'wrong' }));
  assert.deepEqual([drained.left, drained.fault?.code, drained.refused], [1, 'unauthorized', []]);
  assert.equal((await drainAll(config.dataDir, await opened(t, { ...config, token: 'right' }))).delivered, 1);
});

test('lines meant for one store are not delivered to another', async (t) => {
  const server = await startServer(t);
  const { config } = await run(t, server.url);
  const elsewhere = new Spool({ dataDir: config.dataDir, to: 'http://elsewhere.example' });
  elsewhere.add(start('task-1'));
  assert.deepEqual(await drainAll(config.dataDir, await opened(t, config)), { delivered: 0, left: 0, refused: [] });
  assert.equal(elsewhere.count, 1);
});

test('delivered twice is stored once: the key tells', async (t) => {
  const server = await startServer(t);
  const { config, spool } = await run(t, server.url);
  const calls = [start('task-1'), append('task-1', 'one'), append('task-1', 'two'), end('task-1', null)];
  for (const time of ['first', 'again']) {
    for (const call of calls) spool.add(call);
    const drained = await drainAll(config.dataDir, await opened(t, config));
    assert.deepEqual([time, drained.delivered, drained.refused], [time, 4, []]);
  }
  assert.deepEqual(await messages(server.trail, 'task-1'), ['one', 'two']);
});

test('the same batch by HTTP and by the directory itself is stored once', async (t) => {
  const dataDir = await scratch(t);
  const { config, spool } = await run(t, undefined);
  const server = await startServer(t, { dataDir });
  const call = append('task-1', 'one', 'ž');
  const byHttp = await opened(t, { ...config, url: server.url });
  await byHttp.trail.create({ taskId: 'task-1' });
  await byHttp.append('task-1', call.body, call.key);
  const direct = await opened(t, { ...config, dataDir });
  await direct.append('task-1', call.body, call.key);
  assert.deepEqual(await messages(server.trail, 'task-1'), ['one', 'ž']);
  assert.equal(spool.count, 0);
});

test('what does not fit on disk either is counted, and told in the task once there is room', async (t) => {
  const { server, back } = await vanished(t);
  const { courier, spool } = await run(t, server.url, 600);
  await courier.deliver(start('task-1'));
  await server.close();
  await courier.deliver(append('task-1', 'kept'));
  await courier.deliver(append('task-1', 'x'.repeat(600), 'y'));
  await courier.deliver(append('task-1', 'z'.repeat(600)));
  const again = await back();
  const { lostLines } = await courier.finish(patience());
  assert.equal(lostLines, 3);
  await courier.deliver(append('task-1', 'after'));
  assert.deepEqual(await messages(again.trail, 'task-1'), [
    'kept',
    '3 lines were lost here: there was no room to keep them',
    'after',
  ]);
  assert.equal(spool.count, 0);
});

test('no store at the start: everything waits on disk until there is one', async (t) => {
  const { config, spool, courier } = await run(t, undefined);
  await courier.deliver(start('task-1'));
  await courier.deliver(append('task-1', 'one'));
  assert.equal((await courier.finish(patience())).left, 2);
  assert.deepEqual(spoolDirs(config.dataDir), [spool.dir]);
  assert.equal(readCall(String(batchesIn(spool.dir)[1]))?.to, 'local');
  const directory = await opened(t, config);
  assert.equal((await drainAll(config.dataDir, directory)).delivered, 2);
  assert.deepEqual(await messages(directory.trail, 'task-1'), ['one']);
});

test('an end that somebody else was quicker with is no fault', async (t) => {
  const server = await startServer(t);
  const { courier } = await run(t, server.url);
  await courier.deliver(start('task-1'));
  await server.trail.change('task-1', { status: 'cancelled' });
  await courier.deliver(end('task-1', 'ended by SIGTERM'));
  assert.deepEqual((await courier.finish(patience())).refused, []);
  assert.equal((await server.trail.get('task-1')).status, 'cancelled');
});

test('starting a task that has ended opens it again', async (t) => {
  const server = await startServer(t);
  const { courier } = await run(t, server.url);
  await server.trail.create({ taskId: 'task-1' });
  await server.trail.fail('task-1', 'before');
  await courier.deliver(start('task-1'));
  const task = await server.trail.get('task-1');
  assert.deepEqual([task.status, task.error], ['executing', null]);
});

test('giving up on a call keeps it on disk and goes on', async (t) => {
  const server = await startServer(t);
  const { courier, spool } = await run(t, server.url);
  await courier.deliver(start('task-1'));
  const slow = courier.deliver(append('task-1', 'one'));
  courier.giveUp();
  await slow;
  assert.equal(spool.count, 1);
  await courier.finish(patience());
  assert.deepEqual(await messages(server.trail, 'task-1'), ['one']);
});

async function opened(t: TestContext, config: Config): Promise<Target> {
  const target = await openTarget(config, { write: true });
  t.after(() => target.close());
  return target;
}
