import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { served } from '../support/served.ts';

const STALLED_MS = 300;
/** Far more than the system keeps for a connection. */
const LINES = 20_000;
const PATHS = {
  'server-sent events': '/api/tasks/t/logs?follow=true',
  'followed lines': '/api/tasks/t/logs?follow=true&accept=ndjson',
  'a download': '/api/tasks/t/logs/download?format=jsonl',
  'all lines of a task': '/api/tasks/t/logs?limit=-1',
  'a streamed search': '/api/logs/search?q=line&accept=ndjson',
} as const;

async function full(t: TestContext, settings: { stalledMs?: number } = { stalledMs: STALLED_MS }) {
  const server = await served(t, { settings: { heartbeatMs: 50, ...settings } });
  await server.taskWith('t', LINES, () => ({ metadata: { pad: 'x'.repeat(1_000) } }));
  const accepted: Socket[] = [];
  server.server.app.server.on('connection', (socket: Socket) => accepted.push(socket));
  /** Ask, and take nothing of what comes. */
  async function ask(path: string): Promise<{ client: Socket; peer: Socket }> {
    const client = connect(server.port, '127.0.0.1');
    t.after(() => client.destroy());
    client.on('error', () => {});
    const wanted = path.includes('accept=ndjson') ? 'application/x-ndjson' : '*/*';
    const asked = path.replace('&accept=ndjson', '');
    client.write(`GET ${asked} HTTP/1.1\r\nHost: localhost\r\nAccept: ${wanted}\r\n\r\n`);
    await once(client, 'readable');
    const peer = accepted.find(({ remotePort }) => remotePort === client.localPort);
    assert.ok(peer);
    return { client, peer };
  }
  return { ...server, ask };
}

test('a reader that takes nothing is cut, whatever it reads', async (t) => {
  const { ask } = await full(t);
  await Promise.all(
    Object.entries(PATHS).map(async ([name, path]) => {
      const { client, peer } = await ask(path);
      if (!peer.destroyed) await once(peer, 'close');
      assert.ok(peer.bytesWritten > 0, name);
      client.destroy();
    }),
  );
});

test('who takes nothing costs the server one page, and the others nothing', async (t) => {
  const { ask, json } = await full(t, { stalledMs: 60_000 });
  const readers = await Promise.all(Array.from({ length: 20 }, () => ask(PATHS['server-sent events'])));
  const other = await json('GET', '/api/tasks/t/logs?limit=1');
  assert.equal(other.status, 200);
  for (const { peer } of readers) {
    assert.ok(peer.writableLength <= 512 * 1024, `${peer.writableLength} bytes wait for one reader`);
  }
});

test('a reader that takes a little now and then stays', async (t) => {
  const { ask } = await full(t, { stalledMs: 1_500 });
  const { client, peer } = await ask(PATHS['a download']);
  client.pause();
  const endsMs = performance.now() + 2_500;
  while (performance.now() < endsMs) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.read(256 * 1024) ?? client.read();
    assert.ok(!peer.destroyed);
  }
  assert.ok(peer.writableLength > 0, 'it was behind all the time');
});

test('a stream without anything to say is not cut', async (t) => {
  const { json, port, intake } = await served(t, { settings: { stalledMs: 50, heartbeatMs: 10_000 } });
  await json('POST', '/api/tasks', { task_id: 'quiet' });
  const client = connect(port, '127.0.0.1');
  t.after(() => client.destroy());
  client.write('GET /api/tasks/quiet/logs?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n');
  let seen = '';
  client.on('data', (data) => {
    seen += data;
  });
  await once(client, 'data');
  // Several times as long as a reader may take nothing: timers of the same process go by the same clock.
  await new Promise((resolve) => setTimeout(resolve, 250));
  await intake.append({ taskId: 'quiet', body: '{"message":"at last"}', format: 'json' });
  while (!seen.includes('at last')) await once(client, 'data');
});
