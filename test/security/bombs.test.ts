import assert from 'node:assert/strict';
import test from 'node:test';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { served } from '../support/served.ts';

const MIB = 1024 * 1024;
const TYPE = { 'content-type': 'application/x-ndjson' };
/** Our own share of what the process holds: buffers of both ends lie in it, for the client runs here too. */
const HELD_BYTES = 192 * MIB;

test('a bomb is 413 within a second and costs little memory, whatever it is made of', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const zeros = Buffer.alloc(256 * MIB);
  const member = gzipSync(Buffer.alloc(4 * MIB));
  const frame = zstdCompressSync(Buffer.alloc(4 * MIB));
  const bombs = [
    ['gzip', 'gzip', gzipSync(zeros)],
    ['zstd', 'zstd', zstdCompressSync(zeros)],
    ['gzip of many members', 'gzip', Buffer.concat(Array(64).fill(member))],
    ['zstd of many frames', 'zstd', Buffer.concat(Array(64).fill(frame))],
  ] as const;
  for (const [name, encoding, bomb] of bombs) {
    assert.ok(bomb.length < MIB, name);
    const before = process.memoryUsage().rss;
    const spent = process.cpuUsage();
    const headers = { ...TYPE, 'content-encoding': encoding };
    for (const path of ['/api/tasks/t/logs', '/tasks/t/logs']) {
      const { status, body } = await json('POST', path, bomb, headers);
      assert.deepEqual([status, body.code], [413, 'body_inflates_too_far'], `${name} ${path}`);
    }
    // Work, not time on the clock: other tests have the machine meanwhile.
    const { user, system } = process.cpuUsage(spent);
    assert.ok(user + system < 2_000_000, `${name}: two took ${(user + system) / 1_000} ms`);
    assert.ok(process.memoryUsage().rss - before < HELD_BYTES, name);
  }
  const task = await json('POST', '/api/tasks', gzipSync(zeros), { 'content-encoding': 'gzip' });
  assert.deepEqual([task.status, task.body.code], [413, 'body_inflates_too_far']);
});

test('bombs within bombs, other encodings and large windows are not begun with', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const line = Buffer.from('{"message":"x"}');
  const send = (body: Buffer, encoding: string) =>
    json('POST', '/api/tasks/t/logs', body, { ...TYPE, 'content-encoding': encoding });
  for (const [body, encoding] of [
    [gzipSync(gzipSync(line)), 'gzip, gzip'],
    [zstdCompressSync(gzipSync(line)), 'gzip, zstd'],
    [deflateSync(line), 'deflate'],
    [line, 'br'],
  ] as const) {
    const { status, body: problem } = await send(body, encoding);
    assert.deepEqual([status, problem.code], [415, 'unsupported_media_type'], encoding);
  }
  // Twice compressed and once announced is damaged text, not two layers to be opened.
  assert.equal((await send(gzipSync(gzipSync(line)), 'gzip')).status, 400);
  assert.equal((await send(frameOf(line, 23), 'zstd')).status, 200);
  assert.equal((await send(frameOf(line, 27), 'zstd')).status, 400, 'a window of 128 MiB is memory of ours');
});

test('what compresses well and is no bomb is taken', async (t) => {
  const { json, taskWith } = await served(t);
  await taskWith('t', 0);
  const lines = Array.from({ length: 90_000 }, (_, n) =>
    JSON.stringify({ message: `GET /health 200 in ${n % 50} ms` }),
  );
  for (const [encoding, body] of [
    ['gzip', gzipSync(lines.join('\n'))],
    ['zstd', zstdCompressSync(lines.join('\n'))],
  ] as const) {
    const answer = await json('POST', '/api/tasks/t/logs', body, { ...TYPE, 'content-encoding': encoding });
    assert.deepEqual([answer.status, answer.body.accepted], [200, lines.length], encoding);
  }
});

/** A zstd frame of one raw block that asks for a window of 2^log bytes (https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1). */
function frameOf(text: Buffer, log: number): Buffer {
  const block = Buffer.alloc(3);
  block.writeUIntLE((text.length << 3) | 1, 0, 3);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3]), block, text]);
}
