import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import { served } from '../support/served.ts';

test('a client that sends its headers or its body too slowly is told and closed within 15 s', async (t) => {
  const { port } = await served(t);
  const slow = async (sent: string) => {
    const startedMs = performance.now();
    const socket = connect(port, '127.0.0.1');
    socket.write(sent);
    const answer = await text(socket);
    return { answer, tookMs: performance.now() - startedMs };
  };
  const head =
    'POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n';
  for (const { answer, tookMs } of await Promise.all([slow(head), slow(`${head}\r\n{"title":`)])) {
    assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*application\/problem\+json[\s\S]*"code":"request_timeout"/);
    assert.ok(tookMs < 16_000, `${tookMs} ms`);
  }
});
