import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import test, { type TestContext } from 'node:test';
import { WebSocket } from 'ws';
import type { WireEntry, WireTask } from '../../src/core/wire.ts';
import { type ServedOptions, served } from '../support/served.ts';

interface Frame {
  readonly type: string;
  readonly entries: readonly WireEntry[];
  readonly task: WireTask;
  readonly tasks: readonly WireTask[];
  readonly error: { readonly code: string };
  readonly [key: string]: unknown;
}

async function sockets(t: TestContext, options?: ServedOptions) {
  const server = await served(t, options);
  /** Open a socket and take its frames one by one; `null` after the close. */
  function open(
    path: string,
    { protocols = [], headers = {} }: { protocols?: string[]; headers?: Record<string, string> } = {},
  ) {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path}`, protocols, { headers });
    t.after(() => socket.terminate());
    const frames: (Frame | null)[] = [];
    const waiting: ((frame: Frame | null) => void)[] = [];
    const take = (frame: Frame | null) => {
      const resolve = waiting.shift();
      if (resolve) resolve(frame);
      else frames.push(frame);
    };
    const closed = new Promise<number>((resolve) => {
      socket.on('close', (code) => {
        take(null);
        resolve(code);
      });
    });
    socket.on('message', (data) => take(JSON.parse(String(data))));
    socket.on('error', () => {});
    const next = () =>
      new Promise<Frame | null>((resolve) => {
        const frame = frames.shift();
        if (frame === undefined) waiting.push(resolve);
        else resolve(frame);
      });
    /** Frames up to and with the first of this type. */
    const until = async (type: string): Promise<Frame[]> => {
      const seen: Frame[] = [];
      for (let frame = await next(); frame !== null; frame = await next()) {
        seen.push(frame);
        if (frame.type === type) return seen;
      }
      throw new Error(`closed before ${type}, saw ${JSON.stringify(seen)}`);
    };
    return { socket, closed, next, until, send: (frame: unknown) => socket.send(JSON.stringify(frame)) };
  }
  const append = (...lines: object[]) =>
    server.intake.append({ taskId: 't', body: JSON.stringify(lines), format: 'json' });
  return { ...server, open, append };
}

const messages = (frames: readonly Frame[]) =>
  frames.flatMap((frame) => (frame.type === 'entries' ? frame.entries.map((entry) => entry.message) : []));

test('a viewer gets what is stored, is told that it has caught up, then what comes, then the end', async (t) => {
  const { open, append, taskWith, intake } = await sockets(t);
  await taskWith('t', 3);
  const viewer = open('/ws/logs/t');
  const stored = await viewer.until('caught_up');
  assert.deepEqual(messages(stored), ['line 1', 'line 2', 'line 3']);
  assert.equal(stored[0]?.type, 'status');
  assert.equal(stored[0]?.task.task_id, 't');
  assert.deepEqual(stored.at(-1), { type: 'caught_up', last_seq: 3 });
  await append({ message: 'live' });
  assert.deepEqual(messages(await viewer.until('entries')), ['live']);
  await intake.changeTask('t', { status: 'completed' });
  const last = await viewer.until('end');
  assert.deepEqual(last.at(-1), { type: 'end' });
  assert.equal(last.findLast((frame) => frame.type === 'status')?.task.status, 'completed');
  assert.equal(await viewer.closed, 1000);
});

test('the server filters, and after and tail say where to start', async (t) => {
  const { open, taskWith } = await sockets(t);
  await taskWith('t', 10, (n) => ({ level: n % 2 ? 'ERROR' : 'INFO', source: n > 5 ? 'git' : 'system' }));
  const seqs = async (query: string) =>
    (await open(`/api/tasks/t/logs/ws/?${query}`).until('caught_up')).flatMap(({ entries = [] }) =>
      entries.map(({ seq }) => seq),
    );
  assert.deepEqual(await seqs('level=error&source=git'), [7, 9]);
  assert.deepEqual(await seqs('min_level=warning&after=5'), [7, 9]);
  assert.deepEqual(await seqs('tail=2'), [9, 10]);
  assert.deepEqual(await seqs('tail=2&source=system'), [4, 5]);
  assert.deepEqual(await seqs('search=LINE%201'), [1, 10]);
});

test('filters are changed in place', async (t) => {
  const { open, append, taskWith } = await sockets(t);
  await taskWith('t', 0);
  const viewer = open('/ws/logs/t?level=error');
  await viewer.until('caught_up');
  viewer.send({ type: 'filter', level: ['info'], source: 'git', search: null });
  viewer.send({ type: 'ping' });
  await viewer.until('pong');
  await append({ message: 'no', level: 'error' }, { message: 'yes', source: 'git' }, { message: 'no' });
  assert.deepEqual(messages(await viewer.until('entries')), ['yes']);
});

test('an unended line is shown as a partial frame, masked, and never stored', async (t) => {
  const { open, json, taskWith } = await sockets(t);
  await taskWith('t', 0);
  const viewer = open('/ws/logs/t');
  await viewer.until('caught_up');
  const token = `ghp_${'a1B2'.repeat(9)}`;
  const { status } = await json('POST', '/api/tasks/t/partial', { stream: 'stdout', text: `half a line ${token}` });
  assert.equal(status, 204);
  const shown = (await viewer.until('partial')).at(-1);
  assert.equal(shown?.stream, 'stdout');
  assert.match(String(shown?.text), /^half a line /);
  assert.ok(!String(shown?.text).includes(token));
  assert.equal((await json('GET', '/api/tasks/t')).body.log.total, 0);
  assert.equal(
    (await json('POST', '/api/tasks/t/partial', { stream: 'stdin', text: 'x' })).body.errors[0].path,
    'stream',
  );
});

test('an unknown or deleted task is told and closes with 4004, a bad filter or frame with 4400', async (t) => {
  const { open, taskWith, json } = await sockets(t);
  await taskWith('t', 1);
  await taskWith('gone', 1);
  await json('DELETE', '/api/tasks/gone?force=true');
  for (const [path, code, close] of [
    ['/ws/logs/nobody', 'task_not_found', 4004],
    ['/ws/logs/gone', 'task_deleted', 4004],
    ['/ws/logs/t?level=loud', 'invalid_filter', 4400],
    ['/ws/logs/t?search=%28&regex=true', 'invalid_filter', 4400],
    ['/ws/logs/t?after=x', 'invalid_parameter', 4400],
    ['/ws/logs/t?levle=info', 'unknown_parameter', 4400],
    ['/ws/logs/.bad', 'invalid_task_id', 4400],
  ] as const) {
    const viewer = open(path);
    assert.equal((await viewer.until('error')).at(-1)?.error.code, code, path);
    assert.equal(await viewer.closed, close, path);
  }
  for (const [frame, code] of [
    ['{"type":"filter","level":"loud"}', 'invalid_filter'],
    ['{"type":"filter","bogus":1}', 'unknown_parameter'],
    ['{"type":"dance"}', 'invalid_request'],
    ['[1]', 'invalid_request'],
    ['{', 'invalid_json'],
  ] as const) {
    const viewer = open('/ws/logs/t');
    await viewer.until('caught_up');
    viewer.socket.send(frame);
    assert.equal((await viewer.until('error')).at(-1)?.error.code, code, frame);
    assert.equal(await viewer.closed, 4400, frame);
  }
});

test('a frame over 64 KiB closes the socket', async (t) => {
  const { open, taskWith } = await sockets(t);
  await taskWith('t', 0);
  const viewer = open('/ws/logs/t');
  await viewer.until('caught_up');
  viewer.socket.send('x'.repeat(64 * 1024 + 1));
  assert.equal(await viewer.closed, 1009);
});

test('a token comes by header or subprotocol, never by the URL; a bad one closes with 4401', async (t) => {
  const tokens = [{ role: 'reader', token: 'r-secret' }] as const;
  const { open, taskWith } = await sockets(t, { settings: { tokens } });
  await taskWith('t', 1);
  const bearer = (token: string) => `tasktrail.bearer.${Buffer.from(token).toString('base64url')}`;
  for (const options of [
    { headers: { authorization: 'Bearer r-secret' } },
    { protocols: [bearer('r-secret')] },
    { protocols: ['tasktrail', bearer('r-secret')] },
  ]) {
    assert.deepEqual(messages(await open('/ws/logs/t', options).until('caught_up')), ['line 1']);
  }
  const polite = open('/ws/logs/t', { protocols: [bearer('r-secret'), 'tasktrail'] });
  await polite.until('caught_up');
  assert.equal(polite.socket.protocol, 'tasktrail');
  for (const [path, options] of [
    ['/ws/logs/t', {}],
    ['/ws/tasks', {}],
    ['/ws/logs/t', { headers: { authorization: 'Bearer wrong' } }],
    ['/ws/logs/t', { protocols: [bearer('wrong')] }],
    ['/ws/logs/t?token=r-secret', {}],
  ] as [string, { protocols?: string[]; headers?: Record<string, string> }][]) {
    const refused = open(path, options);
    assert.equal((await refused.until('error')).at(-1)?.error.code, 'unauthorized');
    assert.equal(await refused.closed, 4401);
  }
});

test('a foreign or null origin opens no socket', async (t) => {
  const { open, taskWith, url } = await sockets(t, { settings: { allowedOrigins: ['https://ok.example'] } });
  await taskWith('t', 1);
  for (const origin of ['https://evil.example', 'null']) {
    const refused = open('/ws/logs/t', { headers: { origin } });
    assert.equal(await refused.closed, 1006);
  }
  for (const origin of [url, 'https://ok.example']) {
    await open('/ws/logs/t', { headers: { origin } }).until('caught_up');
  }
});

test('changed and deleted tasks are told of', async (t) => {
  const { open, json } = await sockets(t);
  const viewer = open('/ws/tasks');
  viewer.socket.on('open', () => viewer.send({ type: 'ping' }));
  await viewer.until('pong');
  await json('POST', '/api/tasks', { task_id: 'new', title: 'N' });
  const told = (await viewer.until('tasks')).at(-1);
  assert.deepEqual(
    told?.tasks.map((task) => [task.task_id, task.title]),
    [['new', 'N']],
  );
  await json('DELETE', '/api/tasks/new?force=true');
  assert.deepEqual((await viewer.until('deleted')).at(-1), { type: 'deleted', task_ids: ['new'] });
});

test('a viewer that stops reading costs the server one frame, and is gone after three heartbeats', async (t) => {
  const { port, server, taskWith, store } = await sockets(t, { settings: { heartbeatMs: 200 } });
  await taskWith('t', 60_000, () => ({ metadata: { pad: 'x'.repeat(1_000) } }));
  let reads = 0;
  const read = store.read.bind(store);
  t.mock.method(store, 'read', (...args: Parameters<typeof read>) => {
    reads += 1;
    return read(...args);
  });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(
    'GET /ws/logs/t HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(socket, 'readable');
  const [peer] = server.app.websocketServer.clients;
  assert.ok(peer);
  const openedMs = performance.now();
  await once(peer, 'close');
  assert.ok(performance.now() - openedMs < 5_000);
  assert.ok(reads < 30, `${reads} of 60 pages were read for a viewer that takes nothing`);
  socket.destroy();
});

test('a viewer that answers pings stays', async (t) => {
  const { open, append, taskWith } = await sockets(t, { settings: { heartbeatMs: 20 } });
  await taskWith('t', 0);
  const viewer = open('/ws/logs/t');
  await viewer.until('caught_up');
  for (let beat = 0; beat < 6; beat++) await once(viewer.socket, 'ping');
  await append({ message: 'still here' });
  assert.deepEqual(messages(await viewer.until('entries')), ['still here']);
});

test('closing the server closes its sockets with 1001', async (t) => {
  const { open, server, taskWith } = await sockets(t);
  await taskWith('t', 0);
  const viewers = [open('/ws/logs/t'), open('/ws/tasks')];
  await viewers[0]?.until('caught_up');
  await once(viewers[1]?.socket as WebSocket, 'open');
  await server.close();
  for (const viewer of viewers) assert.equal(await viewer.closed, 1001);
});

test('a plain request to a socket route is told what is expected', async (t) => {
  const { json } = await sockets(t);
  const { status, body } = await json('GET', '/ws/tasks');
  assert.deepEqual([status, body.code], [400, 'invalid_request']);
  assert.match(body.detail, /WebSocket/);
});

test('many viewers of one task all get every line, in order', async (t) => {
  const { open, append, taskWith, intake } = await sockets(t);
  await taskWith('t', 10);
  const viewers = Array.from({ length: 40 }, () => open('/ws/logs/t'));
  await Promise.all(
    viewers.map((viewer) => viewer.socket.readyState === viewer.socket.OPEN || once(viewer.socket, 'open')),
  );
  for (let n = 0; n < 20; n++) await append({ message: `live ${n}` });
  await intake.changeTask('t', { status: 'failed', error: 'x' });
  const wanted = [...Array(10).keys()]
    .map((n) => `line ${n + 1}`)
    .concat([...Array(20).keys()].map((n) => `live ${n}`));
  for (const viewer of viewers) assert.deepEqual(messages(await viewer.until('end')), wanted);
});
