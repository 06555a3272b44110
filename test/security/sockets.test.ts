import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import { FRAME_IN_BYTES, FRAMES_IN } from '../../src/core/limits.ts';
import { type ServedOptions, served } from '../support/served.ts';

const PLACES = ['/ws/logs/t', '/api/tasks/t/logs/ws', '/tasks/t/logs/ws', '/ws/tasks'];

async function sockets(t: TestContext, options?: ServedOptions) {
  const server = await served(t, options);
  await server.taskWith('t', 1);
  /** Shake hands by hand: what the server says first, and nothing is hidden by a client library. */
  async function handshake(path: string, headers: Record<string, string> = {}): Promise<string> {
    const socket = connect(server.port, '127.0.0.1');
    t.after(() => socket.destroy());
    const all = { Host: 'localhost', Connection: 'Upgrade', Upgrade: 'websocket', ...headers };
    const key = randomBytes(16).toString('base64');
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(
      `GET ${path} HTTP/1.1\r\n${lines.join('')}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    const [head] = await once(socket, 'data');
    return String(head);
  }
  /** An open socket with its frames so far, and the code by which it closes. */
  async function open(path: string) {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`);
    t.after(() => socket.terminate());
    socket.on('error', () => {});
    const frames: { type: string; error?: { code: string } }[] = [];
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    const closed = once(socket, 'close').then(([code]) => Number(code));
    await once(socket, 'open');
    return { socket, frames, closed };
  }
  return { ...server, handshake, open };
}

test('a page of another origin, or of none that is told, opens no socket', async (t) => {
  const { handshake, port } = await sockets(t, { settings: { allowedOrigins: ['https://ok.example'] } });
  for (const place of PLACES) {
    for (const origin of [
      'https://evil.example',
      'null',
      'http://localhost.evil.example',
      `http://localhost:${port + 1}`,
      'https://ok.example.evil.example',
      'http://ok.example',
      'file://',
      'chrome-extension://abcdef',
      '',
      'http://',
      'https://ok.example, http://localhost',
    ]) {
      const answer = await handshake(place, { Host: `localhost:${port}`, Origin: origin });
      assert.match(answer, /^HTTP\/1\.1 403 [\s\S]*"code":"origin_not_allowed"/, `${place} ${origin}`);
    }
    for (const origin of ['https://ok.example', `http://localhost:${port}`]) {
      assert.match(await handshake(place, { Host: `localhost:${port}`, Origin: origin }), /^HTTP\/1\.1 101 /, origin);
    }
    assert.match(await handshake(place), /^HTTP\/1\.1 101 /, 'programs send none');
  }
});

test('a browser that hides its origin opens no socket from another site', async (t) => {
  const { handshake } = await sockets(t);
  for (const site of ['cross-site', 'same-site']) {
    assert.match(await handshake('/ws/logs/t', { 'Sec-Fetch-Site': site }), /^HTTP\/1\.1 403 /, site);
  }
  assert.match(await handshake('/ws/logs/t', { 'Sec-Fetch-Site': 'same-origin' }), /^HTTP\/1\.1 101 /);
});

test('another host name opens no socket, whatever the origin', async (t) => {
  const { handshake } = await sockets(t);
  for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io']) {
    const origins: Record<string, string>[] = [{}, { Origin: `http://${host}` }];
    for (const origin of origins) {
      const answer = await handshake('/ws/logs/t', { Host: host, ...origin });
      assert.match(answer, /^HTTP\/1\.1 403 [\s\S]*"code":"host_not_allowed"/, host);
    }
  }
});

test('an upgrade opens nothing but the places of sockets', async (t) => {
  const { open, handshake } = await sockets(t);
  assert.match(await handshake('/nowhere'), /^HTTP\/1\.1 404 /);
  for (const path of ['/api/tasks', '/health', '/api/tasks/t/logs']) {
    const { frames, closed } = await open(path);
    assert.equal(await closed, 1005, path);
    assert.deepEqual(frames, [], path);
  }
});

test('frames are not compressed, so that none inflates', async (t) => {
  const { handshake } = await sockets(t);
  const answer = await handshake('/ws/logs/t', { 'Sec-WebSocket-Extensions': 'permessage-deflate' });
  assert.match(answer, /^HTTP\/1\.1 101 /);
  assert.doesNotMatch(answer, /sec-websocket-extensions/i);
});

test('a frame over 64 KiB closes the socket with 1009, also when it comes in pieces', async (t) => {
  const { open } = await sockets(t);
  for (const path of ['/ws/logs/t', '/ws/tasks']) {
    const whole = await open(path);
    whole.socket.send('x'.repeat(FRAME_IN_BYTES + 1));
    assert.equal(await whole.closed, 1009, path);
    const cut = await open(path);
    for (let piece = 0; piece < 3; piece++) cut.socket.send('x'.repeat(FRAME_IN_BYTES / 2), { fin: false });
    assert.equal(await cut.closed, 1009, path);
  }
});

test('what is no frame of ours is refused by name, on every socket', async (t) => {
  const { open } = await sockets(t);
  for (const [sent, code] of [
    ['{', 'invalid_json'],
    ['', 'invalid_json'],
    ['[]', 'invalid_request'],
    ['"ping"', 'invalid_request'],
    ['null', 'invalid_request'],
    ['{}', 'invalid_request'],
    ['{"type":"shutdown"}', 'invalid_request'],
    ['{"type":["ping"]}', 'invalid_request'],
    [`${'['.repeat(30_000)}`, 'invalid_json'],
    [Buffer.from('{"type":"ping"}'), 'invalid_request'],
    [Buffer.from([0xff, 0xfe, 0x00]), 'invalid_request'],
  ] as const) {
    for (const path of ['/ws/logs/t', '/ws/tasks']) {
      const { socket, frames, closed } = await open(path);
      socket.send(sent);
      assert.equal(await closed, 4400, `${path} ${String(sent).slice(0, 40)}`);
      assert.equal(frames.at(-1)?.error?.code, code, `${path} ${String(sent).slice(0, 40)}`);
    }
  }
});

test('a bad filter in mid-stream closes the socket and tells why', async (t) => {
  const { open } = await sockets(t);
  for (const [filter, code] of [
    [{ level: 'loud' }, 'invalid_filter'],
    [{ search: '(', regex: true }, 'invalid_filter'],
    [{ search: 'x'.repeat(1_001) }, 'query_too_long'],
    [{ nonsense: 1 }, 'unknown_parameter'],
    [{ __proto__x: 1, constructor: 'x' }, 'unknown_parameter'],
  ] as const) {
    const { socket, frames, closed } = await open('/ws/logs/t');
    socket.send(JSON.stringify({ type: 'filter', ...filter }));
    assert.equal(await closed, 4400, JSON.stringify(filter).slice(0, 60));
    assert.equal(frames.at(-1)?.error?.code, code);
  }
});

test('filters that come without end are refused, and other viewers go on', async (t) => {
  const { open, intake } = await sockets(t);
  const quiet = await open('/ws/logs/t');
  const flood = await open('/ws/logs/t');
  for (let n = 0; n < FRAMES_IN * 3; n++) {
    flood.socket.send(JSON.stringify({ type: 'filter', search: `(a|b){${n % 20}}x`, regex: true }));
  }
  assert.equal(await flood.closed, 1013);
  assert.equal(flood.frames.at(-1)?.error?.code, 'too_many_frames');
  await intake.append({ taskId: 't', body: '{"message":"still here"}', format: 'json' });
  while (!JSON.stringify(quiet.frames).includes('still here')) await once(quiet.socket, 'message');
});
