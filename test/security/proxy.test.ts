import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { createServer, request } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { type ServedOptions, served } from '../support/served.ts';

/*
 * What docs/security.md says of a proxy with TLS, by a proxy that does just that: TLS in front, a prefix that it takes off, the name that
 * people use in Host, who asked and how in X-Forwarded-*, upgrades passed on, nothing kept back.
 */
const NAME = 'trail.example';
const PREFIX = '/some/logs';
const PUBLIC_URL = `https://${NAME}${PREFIX}`;
const CLIENT = '203.0.113.5';
const [KEY, CERT] = ['key', 'cert'].map((part) => {
  return readFileSync(new URL(`../fixtures/tls/${part}.pem`, import.meta.url), 'utf8');
});
const TOKENS = [
  { role: 'admin', token: 'admin-token-of-the-test' },
  { role: 'reader', token: 'reader-token-of-the-test' },
] as const;
type Headers = Readonly<Record<string, string>>;

/** A server behind such a proxy. */
async function proxied(t: TestContext, settings: ServedOptions['settings']) {
  const behind = await served(t, { settings: { trustProxy: ['127.0.0.1'], ...settings } });
  const outgoing = ({ method, url = '', headers }: IncomingMessage) => {
    const said = headers['x-forwarded-for'];
    return {
      ...{ host: '127.0.0.1', port: behind.port, method, path: url.slice(PREFIX.length) },
      headers: {
        ...headers,
        'x-forwarded-for': said === undefined ? CLIENT : `${said}, ${CLIENT}`,
        ...{ 'x-forwarded-proto': 'https', 'x-forwarded-host': NAME },
      },
    };
  };
  const proxy = createServer({ key: KEY, cert: CERT }, (incoming, answer) => {
    const sent = plainRequest(outgoing(incoming), (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    sent.on('error', () => answer.destroy());
    answer.on('close', () => sent.destroy());
    incoming.pipe(sent);
  });
  proxy.on('upgrade', (incoming, socket) => {
    const { path, headers } = outgoing(incoming);
    const inner = connect(behind.port, '127.0.0.1', () => {
      const rows = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      inner.write(`GET ${path} HTTP/1.1\r\n${rows.join('\r\n')}\r\n\r\n`);
      socket.pipe(inner).pipe(socket);
    });
    for (const end of [socket, inner]) end.on('error', () => end.destroy());
    socket.on('close', () => inner.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  const tls = { ca: CERT, servername: NAME, host: '127.0.0.1', port } as const;
  const ask = async (method: string, path: string, headers: Headers = {}, body?: object): Promise<IncomingMessage> => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const own = { host: NAME, ...(text !== undefined && { 'content-type': 'application/json' }), ...headers };
    const sent = request({ ...tls, method, path: `${PREFIX}${path}`, headers: own, agent: false });
    sent.end(text);
    const [reply] = (await once(sent, 'response')) as [IncomingMessage];
    return reply;
  };
  const status = async (...args: Parameters<typeof ask>): Promise<number | undefined> => {
    const reply = await ask(...args);
    reply.resume();
    return reply.statusCode;
  };
  const socket = (path: string, headers: Headers): WebSocket => {
    const opened = new WebSocket(`wss://127.0.0.1:${port}${PREFIX}${path}`, {
      ...{ ca: CERT, servername: NAME },
      headers: { host: NAME, ...headers },
    });
    // One that was refused is not yet open, and says so when it is ended.
    t.after(() => opened.on('error', () => {}).terminate());
    return opened;
  };
  return { behind, ask, status, socket };
}

/** Sign in, and give the cookie as a browser would send it back, with what was said of it. */
async function signedIn({ ask }: Pick<Awaited<ReturnType<typeof proxied>>, 'ask'>, token: string) {
  const reply = await ask('POST', '/api/session', { origin: `https://${NAME}` }, { token });
  reply.resume();
  assert.equal(reply.statusCode, 200);
  const [said = ''] = reply.headers['set-cookie'] ?? [];
  const [cookie = '', ...attributes] = said.split('; ');
  return { cookie, attributes: new Set(attributes.filter((one) => !/^(?:Max-Age|Expires)=/.test(one))) };
}

describe('behind a proxy with TLS and a prefix', () => {
  test('the session cookie is for TLS, for this prefix, for no script and for no other site', async (t) => {
    const place = await proxied(t, { tokens: TOKENS, publicUrl: PUBLIC_URL });
    const { cookie, attributes } = await signedIn(place, TOKENS[0].token);
    assert.deepEqual(attributes, new Set([`Path=${PREFIX}/`, 'HttpOnly', 'Secure', 'SameSite=Strict']));
    const origin = `https://${NAME}`;
    assert.equal(await place.status('GET', '/api/tasks'), 401);
    assert.equal(await place.status('GET', '/api/tasks', { cookie }), 200);
    assert.equal(await place.status('POST', '/api/tasks', { cookie, origin }, { task_id: 'ours' }), 201);
    for (const foreign of ['https://evil.example', `http://${NAME}`, `https://${NAME}:8443`, 'null']) {
      const refused = await place.status('POST', '/api/tasks', { cookie, origin: foreign }, { task_id: 'theirs' });
      assert.equal(refused, 403, foreign);
    }
    assert.equal(await place.status('GET', '/api/tasks/theirs', { cookie }), 404);
  });

  test('without a public URL, what the proxy says decides', async (t) => {
    const place = await proxied(t, { tokens: TOKENS, allowedHosts: [NAME] });
    const { attributes } = await signedIn(place, TOKENS[1].token);
    assert.ok(attributes.has('Secure'));
    const untrusted = await proxied(t, { tokens: TOKENS, allowedHosts: [NAME], trustProxy: ['192.0.2.1'] });
    const plain = await signedIn(untrusted, TOKENS[1].token);
    assert.equal(plain.attributes.has('Secure'), false);
  });

  test('a WebSocket opens for our own page alone, and brings lines', async (t) => {
    const place = await proxied(t, { tokens: TOKENS, publicUrl: PUBLIC_URL });
    const { cookie } = await signedIn(place, TOKENS[1].token);
    await place.behind.taskWith('t', 2);
    const socket = place.socket('/ws/logs/t', { cookie, origin: `https://${NAME}` });
    let lines = 0;
    for await (const [frame] of on(socket, 'message')) {
      lines += JSON.parse(String(frame)).entries?.length ?? 0;
      if (lines === 2) break;
    }
    for (const origin of ['https://evil.example', 'null']) {
      const refused = place.socket('/ws/logs/t', { cookie, origin });
      const [, reply] = (await once(refused, 'unexpected-response')) as [unknown, IncomingMessage];
      assert.equal(reply.statusCode, 403, origin);
    }
  });

  test('events arrive while their stream is open, and say that they are not to be kept back', async (t) => {
    const place = await proxied(t, { tokens: TOKENS, publicUrl: PUBLIC_URL });
    await place.behind.taskWith('t', 1);
    const authorization = `Bearer ${TOKENS[1].token}`;
    const stream = await place.ask('GET', '/api/tasks/t/logs?follow=true', {
      authorization,
      accept: 'text/event-stream',
    });
    t.after(() => stream.destroy());
    assert.deepEqual([stream.statusCode, stream.headers['x-accel-buffering']], [200, 'no']);
    let text = '';
    const seen = async (wanted: string): Promise<void> => {
      while (!text.includes(wanted)) {
        const [chunk] = await once(stream, 'data');
        text += String(chunk);
      }
    };
    await seen('line 1');
    const body = JSON.stringify({ message: 'while it is open' });
    await place.behind.intake.append({ taskId: 't', body, format: 'json' });
    await seen('while it is open');
  });

  test('who asked is who the proxy says, not who the caller claims to be', async (t) => {
    // Without tokens a caller on this machine is admin; the proxy is on this machine, its callers are not.
    const place = await proxied(t, { allowedHosts: [NAME] });
    for (const claim of [undefined, '127.0.0.1', '::1', '127.0.0.1, 127.0.0.1']) {
      const headers: Headers = claim === undefined ? {} : { 'x-forwarded-for': claim };
      assert.equal(await place.status('GET', '/api/tasks', headers), 401, claim);
    }
    assert.equal((await place.behind.call('GET', '/api/tasks')).status, 200);
  });

  test('no other name than the public one is answered', async (t) => {
    const place = await proxied(t, { tokens: TOKENS, publicUrl: PUBLIC_URL, trustProxy: ['192.0.2.1'] });
    const authorization = `Bearer ${TOKENS[0].token}`;
    assert.equal(await place.status('GET', '/api/tasks', { authorization }), 200);
    assert.equal(await place.status('GET', '/api/tasks', { authorization, host: 'evil.example' }), 403);
  });
});
