import assert from 'node:assert/strict';
import { request } from 'node:http';
import test from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { BATCH_LINES, BODY_BYTES } from '../../src/core/limits.ts';
import { served } from '../support/served.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };

test('one entry, an array and NDJSON are taken as one unit each, and answered after the commit', async (t) => {
  const { json, taskWith, store } = await served(t);
  await taskWith('t', 0);
  const answer = (accepted: number, first: number) => ({
    accepted,
    filtered: 0,
    first_seq: first,
    last_seq: first + accepted - 1,
  });
  const one = await json('POST', '/api/tasks/t/logs', { message: 'one', level: 'warn', metadata: { a: [1] } });
  assert.deepEqual([one.status, one.body], [200, answer(1, 1)]);
  assert.equal((await store.task('t')).log.total, 1);
  const many = await json('POST', '/api/tasks/t/logs/', [{ message: 'two' }, { message: 'three' }]);
  assert.deepEqual(many.body, answer(2, 2));
  const lines = await json('POST', '/tasks/t/logs', '{"message":"four"}\r\n\n{"message":"five"}', NDJSON);
  assert.deepEqual(lines.body, answer(2, 4));
  const { logs } = (await json('GET', '/api/tasks/t/logs')).body;
  assert.deepEqual(
    logs.map((entry: { message: string }) => entry.message),
    ['one', 'two', 'three', 'four', 'five'],
  );
  assert.deepEqual([logs[0].level, logs[0].metadata, logs[0].id], ['WARNING', { a: [1] }, 't:1']);
});

test('lines below the task level are counted as filtered, and both seqs are null when nothing was stored', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const quiet = await json('POST', '/api/tasks/t/logs', { message: 'x', level: 'debug' });
  assert.deepEqual(quiet.body, { accepted: 0, filtered: 1, first_seq: null, last_seq: null });
});

test('gzip and zstd bodies are inflated', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const body = Array.from({ length: 1_000 }, (_, i) => JSON.stringify({ message: `line ${i}` })).join('\n');
  for (const [encoding, bytes] of [
    ['gzip', gzipSync(body)],
    ['zstd', zstdCompressSync(body)],
    ['identity', Buffer.from(body)],
  ] as const) {
    const { status, body: receipt } = await json('POST', '/api/tasks/t/logs', bytes, {
      ...NDJSON,
      'content-encoding': encoding,
    });
    assert.deepEqual([status, receipt.accepted], [200, 1_000], encoding);
  }
  const made = await json('POST', '/api/tasks', gzipSync('{"title":"small"}'), { 'content-encoding': 'gzip' });
  assert.equal(made.body.title, 'small');
});

test('a damaged or unknown encoding is refused', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const whole = gzipSync(JSON.stringify({ message: 'x'.repeat(1_000) }));
  for (const bytes of [Buffer.from('not gzip'), whole.subarray(0, 20), whole.subarray(0, -4)]) {
    const { status, body } = await json('POST', '/api/tasks/t/logs', bytes, { 'content-encoding': 'gzip' });
    assert.deepEqual([status, body.code], [400, 'invalid_request']);
  }
  const unknown = await json('POST', '/api/tasks/t/logs', '{}', { 'content-encoding': 'br' });
  assert.deepEqual([unknown.status, unknown.body.code], [415, 'unsupported_media_type']);
  assert.equal((await json('GET', '/api/tasks/t')).body.log.total, 0);
});

test('a bomb is given up while it inflates', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const zeros = Buffer.alloc(256 * 1024 * 1024);
  for (const [encoding, bomb] of [
    ['gzip', gzipSync(zeros)],
    ['zstd', zstdCompressSync(zeros)],
  ] as const) {
    assert.ok(bomb.length < 1024 * 1024);
    const before = process.memoryUsage().rss;
    const { status, body } = await json('POST', '/api/tasks/t/logs', bomb, { ...NDJSON, 'content-encoding': encoding });
    assert.deepEqual([status, body.code], [413, 'body_inflates_too_far'], encoding);
    assert.ok(process.memoryUsage().rss - before < 192 * 1024 * 1024, encoding);
  }
});

test('a body over the limit is refused, announced or not', async (t) => {
  const { port, taskWith, json } = await served(t);
  await taskWith('t', 0);
  const send = (announced: boolean) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { ...NDJSON, ...(announced && { 'content-length': BODY_BYTES + 1 }) };
      const sent = request(
        { port, host: '127.0.0.1', method: 'POST', path: '/api/tasks/t/logs', headers },
        (response) => {
          response.resume();
          resolve(response.statusCode);
          sent.destroy();
        },
      );
      sent.on('error', reject);
      if (announced) sent.flushHeaders();
      else sent.end(Buffer.alloc(BODY_BYTES + 1, 32));
    });
  assert.equal(await send(true), 413);
  assert.equal(await send(false), 413);
  assert.equal((await json('GET', '/api/tasks/t')).body.log.total, 0);
});

test('too many lines, one bad line, bad JSON and an empty body are each named, and nothing is stored', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const lines = '{"message":"fine"}\n{"message":5}\n{"message":"fine"}\nnot json';
  const bad = await json('POST', '/api/tasks/t/logs', lines, NDJSON);
  assert.deepEqual([bad.status, bad.body.code], [400, 'invalid_lines']);
  assert.ok(bad.body.errors.some((fault: { path: string }) => fault.path === 'line 2' || fault.path === 'line 4'));
  const many = await json('POST', '/api/tasks/t/logs', '{"message":""}\n'.repeat(BATCH_LINES + 1), NDJSON);
  assert.deepEqual([many.status, many.body.code], [413, 'too_many_lines']);
  const broken = await json('POST', '/api/tasks/t/logs', '{"message":');
  assert.deepEqual([broken.status, broken.body.code], [400, 'invalid_json']);
  const level = await json('POST', '/api/tasks/t/logs', { message: 'x', level: 'loud' });
  assert.deepEqual([level.status, level.body.code], [400, 'invalid_lines']);
  for (const empty of [undefined, '']) {
    const refused = await json('POST', '/api/tasks/t/logs', empty, NDJSON);
    assert.deepEqual([refused.status, refused.body.code], [400, 'invalid_request']);
  }
  const large = await json('POST', '/api/tasks/t/logs', { message: 'x', metadata: { a: 'y'.repeat(65_536) } });
  assert.deepEqual([large.status, large.body.code], [400, 'metadata_too_large']);
  assert.equal((await json('GET', '/api/tasks/t')).body.log.total, 0);
});

test('a retry with the same key gets the first receipt; another body under it is refused', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const key = { 'idempotency-key': 'batch-1' };
  const first = await json('POST', '/api/tasks/t/logs', [{ message: 'a' }, { message: 'b' }], key);
  const again = await json('POST', '/api/tasks/t/logs', [{ message: 'a' }, { message: 'b' }], key);
  assert.deepEqual([again.status, again.body], [200, first.body]);
  const other = await json('POST', '/api/tasks/t/logs', [{ message: 'c' }], key);
  assert.deepEqual([other.status, other.body.code], [422, 'idempotency_mismatch']);
  assert.equal((await json('GET', '/api/tasks/t')).body.log.total, 2);
});

test('a late line is taken and the task stays ended', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 1);
  await json('POST', '/api/tasks/t/complete');
  assert.equal((await json('POST', '/api/tasks/t/logs', { message: 'late' })).body.first_seq, 2);
  const { body } = await json('GET', '/api/tasks/t');
  assert.deepEqual([body.status, body.ended, body.log.total], ['completed', true, 2]);
});

test('when the store lags, callers are told to come back and nothing acknowledged is lost', async (t) => {
  const { json, taskWith, store, intake } = await served(t);
  await taskWith('t', 0);
  await taskWith('other', 0);
  const gate = Promise.withResolvers<void>();
  const arrived = Promise.withResolvers<void>();
  const [toStore, toIntake] = [store.append.bind(store), intake.append.bind(intake)];
  t.mock.method(store, 'append', async (...args: Parameters<typeof toStore>) => {
    await gate.promise;
    return toStore(...args);
  });
  let waiting = 0;
  t.mock.method(intake, 'append', (...args: Parameters<typeof toIntake>) => {
    waiting += 1;
    if (waiting === 2) arrived.resolve();
    return toIntake(...args);
  });
  // 10 MB each: two fill the 16 MiB of a task.
  const body = `${JSON.stringify({ message: 'x'.repeat(999_000) })}\n`.repeat(10);
  const send = (task: string, text: string) => json('POST', `/api/tasks/${task}/logs`, text, NDJSON);
  const held = [send('t', body), send('t', body)];
  await arrived.promise;
  const refused = await send('t', '{"message":"x"}');
  assert.equal(refused.status, 429);
  assert.deepEqual([refused.body.code, refused.headers.get('retry-after')], ['buffer_full', '1']);
  const neighbour = send('other', '{"message":"x"}');
  gate.resolve();
  for (const answer of await Promise.all(held)) assert.deepEqual([answer.status, answer.body.accepted], [200, 10]);
  assert.equal((await neighbour).status, 200);
  assert.equal((await send('t', '{"message":"again"}')).status, 200);
});

test('no other content type is read', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'nonsense']) {
    const { status, body } = await json('POST', '/api/tasks/t/logs', 'x', { 'content-type': type });
    assert.deepEqual([status, body.code], [415, 'unsupported_media_type'], type);
  }
});
