import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls';
import fc from 'fast-check';
import type { TrailError } from '../../src/core/error.ts';
import { type Allowed, allowedOf } from '../../src/outlet/outbound/allowed.ts';
import { addressFault, type Outbound, Refused, reachable } from '../../src/outlet/outbound/outbound.ts';
import { type SendOptions, type Sent, send } from '../../src/outlet/replies/send.ts';
import { place, serve } from '../cli/cli.ts';
import { alerting, definitionOf } from '../outlet/alerts/support.ts';

const SECRET = 'sha256=0123456789abcdef';
const LOOPBACK = '127.0.0.1';
const HAS_IPV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

/** A real server that counts who connects, and answers as it is told. */
async function target(t: TestContext, answering: (path: string) => { status: number; location?: string }) {
  const heard: { path: string; headers: IncomingHttpHeaders; body: string }[] = [];
  let connections = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const path = request.url ?? '';
    heard.push({ path, headers: request.headers, body });
    const { status, location } = answering(path);
    response.writeHead(status, location === undefined ? {} : { location }).end('{}');
  });
  server.on('connection', () => connections++);
  server.listen(0, HAS_IPV6 ? '::' : LOOPBACK);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { port, heard, connections: () => connections };
}

const ok = () => ({ status: 200 });

function allow(...texts: string[]): readonly Allowed[] {
  return texts.map((text) => allowedOf(text) ?? assert.fail(`${text} is no place`));
}

function post(url: string, options: SendOptions = {}): Promise<Sent> {
  const headers = { 'content-type': 'application/json', 'x-tasktrail-signature': SECRET, authorization: 'Bearer t' };
  return send({ method: 'POST', url, headers: { ...headers, cookie: 'a=b' }, body: '{"a":1}' }, options);
}

/** One answer after the other, and how often it was asked; the last one stays. */
function resolver(...answers: readonly (readonly string[])[]) {
  const asked: string[] = [];
  const resolve = async (host: string): Promise<readonly string[]> => {
    asked.push(host);
    return answers[Math.min(asked.length, answers.length) - 1] ?? [];
  };
  return { resolve, asked };
}

/** Hosts that all mean this machine, or one beside it. */
const LOCAL_HOSTS = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '017700000001',
    '127.0.0.1.',
  ],
  ...['0', '0.0.0.0', '0x0', '127.255.255.254', '127.0.0.1%2e', '１２７.0.0.1', '127。0。0。1'],
  ...[
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[::ffff:0:127.0.0.1]',
  ],
  ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'ｌocalhost'],
];

/** Each in its plain form; all are to be refused with their kind, in every notation. */
const REFUSED_ADDRESSES: readonly (readonly [string, string])[] = [
  ...['0.0.0.0', '0.1.2.3', '192.0.0.1', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.51.100.1', '203.0.113.1'].map(
    (address) => [address, 'reserved'] as const,
  ),
  ...['224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'].map((address) => [address, 'reserved'] as const),
  ...['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1', '100.127.255.255'].map(
    (address) => [address, 'private'] as const,
  ),
  ...['127.0.0.1', '127.255.255.255', '::1'].map((address) => [address, 'loopback'] as const),
  ...['169.254.0.1', '169.254.169.254', '169.254.170.2', 'fe80::1', 'febf::1'].map(
    (address) => [address, 'link-local'] as const,
  ),
  ...['100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254'].map(
    (address) => [address, 'metadata'] as const,
  ),
  ...['fc00::1', 'fd12:3456::1', 'fec0::1'].map((address) => [address, 'private'] as const),
  ...['::', '::7f00:1', '::a9fe:a9fe', '64:ff9b::7f00:1', '64:ff9b:1::a00:1', '2002:7f00:1::', '2001:0:7f00:1::1'].map(
    (address) => [address, 'reserved'] as const,
  ),
  ...[
    '::ffff:0:7f00:1',
    'ff02::1',
    'ff0e::1',
    '2001:db8::1',
    '3fff::1',
    '100::1',
    '2001:2::1',
    '4000::1',
    '5f00::1',
  ].map((address) => [address, 'reserved'] as const),
];

/** An IPv4 address as browsers and C libraries also read it. */
function notationsOf(address: string): readonly string[] {
  const parts = address.split('.').map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = parts;
  const whole = parts.reduce((sum, part) => sum * 256 + part, 0);
  const hex = whole.toString(16).padStart(8, '0');
  return [
    ...[address, `${address}.`, String(whole), `0x${hex}`, `0${whole.toString(8)}`, `${a}.${(b << 16) | (c << 8) | d}`],
    ...[`${a}.${b}.${(c << 8) | d}`, parts.map((part) => `0x${part.toString(16)}`).join('.')],
    ...[parts.map((part) => `0${part.toString(8)}`).join('.'), `0x${a.toString(16)}.0${b.toString(8)}.${c}.${d}`],
    ...[`[::ffff:${address}]`, `[::ffff:${hex.slice(0, 4)}:${hex.slice(4)}]`, `[0:0:0:0:0:ffff:${address}]`],
  ];
}

describe('what others name', () => {
  test('leads to this machine in no notation: nothing connects', async (t) => {
    const there = await target(t, ok);
    for (const host of LOCAL_HOSTS) {
      const sent = await post(`http://${host}:${there.port}/x`, { tries: 3, redirects: 3 });
      assert.equal(sent.ok, false, host);
    }
    assert.equal(there.connections(), 0);
    // The same server answers whom the settings name: it was really there.
    const hosts = ['127.1', 'localhost', ...(HAS_IPV6 ? ['[::1]', '[::ffff:127.0.0.1]'] : [])];
    for (const host of hosts) {
      assert.equal((await post(`http://${host}:${there.port}/x`, { namedBy: 'settings' })).ok, true, host);
    }
    assert.equal(there.connections(), hosts.length);
  });

  for (const [address, kind] of REFUSED_ADDRESSES) {
    test(`is refused as ${kind}: ${address}, written in any way and as what a name resolves to`, async () => {
      const hosts = address.includes(':') ? [`[${address}]`, `[${address.toUpperCase()}]`] : notationsOf(address);
      const { resolve, asked } = resolver([address]);
      const wish = { outbound: { allowed: [], resolve }, namedBy: 'others' } as const;
      for (const host of hosts) {
        const fault = await addressFault(`http://${host}/x`, wish);
        assert.match(fault ?? '', new RegExp(`its address is ${kind}; TASKTRAIL_OUTBOUND_ALLOW`), host);
      }
      assert.deepEqual(asked, [], 'an address is no name');
      assert.match((await addressFault('https://alarms.example/x', wish)) ?? '', new RegExp(`is ${kind};`));
      // One of several is enough.
      const mixed = { ...wish, outbound: { allowed: [], resolve: resolver(['93.184.215.14', address]).resolve } };
      assert.match((await addressFault('https://alarms.example/x', mixed)) ?? '', new RegExp(`is ${kind};`));
    });
  }

  test('is not the name under which a cloud keeps secrets, whatever it resolves to', async () => {
    const { resolve, asked } = resolver(['93.184.215.14']);
    for (const host of ['metadata.google.internal', 'METADATA.google.internal.', 'metadata', 'instance-data']) {
      for (const namedBy of ['others', 'settings'] as const) {
        const fault = await addressFault(`http://${host}/`, { outbound: { allowed: [], resolve }, namedBy });
        assert.match(fault ?? '', /is metadata;/, host);
      }
    }
    assert.deepEqual(asked, []);
  });

  test('may be any open address, and any address that is open is unicast', async () => {
    const open = [
      '1.1.1.1',
      '8.8.8.8',
      '93.184.215.14',
      '172.32.0.1',
      '11.0.0.1',
      '2606:4700::1111',
      '2001:4860::8888',
    ];
    const wish = { outbound: { allowed: [] }, namedBy: 'others' } as const;
    for (const address of open) {
      const host = isIP(address) === 6 ? `[${address}]` : address;
      assert.equal(await addressFault(`https://${host}:8443/x`, wish), null, address);
    }
    const first = fc.constantFrom(0, 10, 127, 224, 239, 240, 255);
    await fc.assert(
      fc.asyncProperty(first, fc.nat(255), fc.nat(255), fc.nat(255), async (a, b, c, d) => {
        for (const host of notationsOf([a, b, c, d].join('.'))) {
          assert.notEqual(await addressFault(`http://${host}/`, wish), null, host);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('is asked for its address once, and what was checked is what is connected', async (t) => {
    const there = await target(t, ok);
    // First an address that may be reached, then this machine: a second look-up would lead here.
    const { resolve, asked } = resolver(['192.0.2.1'], [LOOPBACK]);
    const outbound = { allowed: allow('192.0.2.0/24'), resolve };
    const sent = await post(`http://alarms.example:${there.port}/x`, { outbound, timeoutMs: 200 });
    assert.equal(sent.ok, false);
    assert.deepEqual(asked, ['alarms.example']);
    assert.equal(there.connections(), 0);
    // The other way round: what comes second is refused, and what came first was not kept.
    const turned = resolver([LOOPBACK], ['10.0.0.1']);
    const local = { allowed: allow(LOOPBACK), resolve: turned.resolve };
    assert.equal((await post(`http://alarms.example:${there.port}/x`, { outbound: local })).ok, true);
    const refused = await post(`http://alarms.example:${there.port}/x`, { outbound: local, tries: 3 });
    assert.deepEqual(refused, {
      ok: false,
      reason: 'not sent: its address is private; TASKTRAIL_OUTBOUND_ALLOW can allow it',
    });
    assert.deepEqual([turned.asked.length, there.connections()], [2, 1]);
    assert.equal(there.heard[0]?.headers.host, `alarms.example:${there.port}`);
  });

  test('is asked by TLS under its own name, however its address was found', async (t) => {
    const [key, cert] = ['key', 'cert'].map((part) => {
      return readFileSync(new URL(`../fixtures/tls/${part}.pem`, import.meta.url), 'utf8');
    });
    const trusted = getCACertificates('default');
    setDefaultCACertificates([...trusted, cert ?? '']);
    t.after(() => setDefaultCACertificates(trusted));
    const names: (string | false | null)[] = [];
    const server = createTlsServer({ key, cert }, (request, response) => {
      names.push((request.socket as TLSSocket).servername, request.headers.host ?? null);
      response.end();
    });
    server.listen(0, LOOPBACK);
    await once(server, 'listening');
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const outbound = { allowed: allow(LOOPBACK), resolve: async () => [LOOPBACK] };
    assert.deepEqual(await post(`https://trail.example:${port}/`, { outbound }), { ok: true, status: 200 });
    assert.deepEqual(names, ['trail.example', `trail.example:${port}`]);
    const other = await post(`https://alarms.example:${port}/`, { outbound });
    assert.deepEqual(other, { ok: false, reason: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    assert.equal(names.length, 2);
  });

  test('has an address that may not be known now; then it is looked at when something is sent', async () => {
    const wish = (resolve: Outbound['resolve']) =>
      ({ outbound: { allowed: [], ...(resolve && { resolve }) }, namedBy: 'others' }) as const;
    const unknown = async () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
    assert.equal(await addressFault('https://alarms.example/', wish(unknown)), null);
    const sent = await post('https://alarms.example/', { outbound: wish(unknown).outbound });
    assert.deepEqual(sent, { ok: false, reason: 'ENOTFOUND' });
    assert.match(
      (await addressFault(
        'https://alarms.example/',
        wish(async () => []),
      )) ?? '',
      /no address/,
    );
    assert.match(
      (await addressFault(
        'https://alarms.example/',
        wish(async () => ['odd']),
      )) ?? '',
      /is reserved;/,
    );
  });
});

describe('a redirect', () => {
  test('to a private address is refused, and nothing connects there', async (t) => {
    const inner = await target(t, ok);
    const hosts = ['127.0.0.2', '2130706434', '[::1]', '[::ffff:7f00:2]', '169.254.169.254', '10.0.0.1'];
    for (const status of [301, 302, 303, 307, 308]) {
      for (const host of hosts) {
        const outer = await target(t, () => ({ status, location: `http://${host}:${inner.port}/` }));
        const outbound = { allowed: allow(LOOPBACK) };
        const sent = await post(`http://${LOOPBACK}:${outer.port}/`, { outbound, redirects: 3, tries: 2 });
        assert.equal(sent.ok, false);
        assert.match(sent.reason, status >= 307 ? /^not sent: its address is/ : /^HTTP 30\d: such a redirect/);
        assert.equal(outer.connections(), 1);
      }
    }
    assert.equal(inner.connections(), 0);
  });

  test('of an address of the settings is the word of whoever answers there', async (t) => {
    const inner = await target(t, ok);
    const outer = await target(t, () => ({ status: 307, location: `http://${LOOPBACK}:${inner.port}/` }));
    const sent = await post(`http://${LOOPBACK}:${outer.port}/`, { namedBy: 'settings', redirects: 3 });
    assert.match(sent.ok ? '' : sent.reason, /^not sent: its address is loopback/);
    assert.equal(inner.connections(), 0);
  });

  test('that goes on and on ends after three', async (t) => {
    const there = await target(t, (path) => ({ status: 307, location: `/${path.length}${path}` }));
    const outbound = { allowed: allow(LOOPBACK) };
    const sent = await post(`http://${LOOPBACK}:${there.port}/`, { outbound, redirects: 3, tries: 3 });
    assert.deepEqual(sent, { ok: false, reason: 'not sent: it redirects more than 3 times' });
    assert.equal(there.heard.length, 4);
  });

  test('keeps what proves the sender within an origin, and tells it to no other', async (t) => {
    const other = await target(t, ok);
    const there = await target(t, (path) => {
      if (path === '/') return { status: 308, location: '/same' };
      return { status: 307, location: `http://${LOOPBACK}:${other.port}/other` };
    });
    const outbound = { allowed: allow(LOOPBACK) };
    assert.equal((await post(`http://${LOOPBACK}:${there.port}/`, { outbound, redirects: 3 })).ok, true);
    const told = ['authorization', 'cookie', 'x-tasktrail-signature', 'content-type'];
    const seen = [...there.heard, ...other.heard].map(({ path, headers, body }) => {
      return [path, body, ...told.map((name) => headers[name] ?? null)];
    });
    const all = ['Bearer t', 'a=b', SECRET, 'application/json'];
    assert.deepEqual(seen, [
      ['/', '{"a":1}', ...all],
      ['/same', '{"a":1}', ...all],
      ['/other', '{"a":1}', null, null, null, 'application/json'],
    ]);
  });

  test('leads to no other kind of address', async (t) => {
    for (const location of ['file:///etc/passwd', 'ftp://x.example/', 'http://u:p@x.example/', 'gopher://127.0.0.1/']) {
      const there = await target(t, () => ({ status: 307, location }));
      const sent = await post(`http://${LOOPBACK}:${there.port}/`, {
        ...{ outbound: { allowed: allow(LOOPBACK) }, redirects: 3 },
      });
      assert.match(sent.ok ? '' : sent.reason, /^not sent: it redirects to/, location);
    }
  });
});

describe('what the settings name', () => {
  test('may be private, but not where a cloud keeps secrets', async () => {
    const { resolve } = resolver(['169.254.169.254']);
    const named = (host: string) =>
      reachable({ host, port: 80 }, { outbound: { allowed: [], resolve }, namedBy: 'settings' });
    for (const address of ['10.0.0.1', '127.0.0.1', '192.168.1.1', 'fd12::1', '100.64.0.1']) {
      assert.deepEqual(await named(address), [address]);
    }
    for (const host of ['169.254.169.254', 'fd00:ec2::254', '100.100.100.200', 'jira.example']) {
      await assert.rejects(named(host), Refused, host);
    }
  });

  test('is read as a name, an address or a range, with a port or for every port', async () => {
    const may = async (texts: readonly string[], host: string, { port = 80, addresses = ['10.1.2.3'] } = {}) => {
      const outbound = { allowed: allow(...texts), resolve: async () => addresses };
      return (await addressFault(`http://${host}:${port}/`, { outbound, namedBy: 'others' })) === null;
    };
    assert.equal(await may(['alarms.internal'], 'ALARMS.internal.'), true);
    assert.equal(await may(['alarms.internal'], 'x.alarms.internal'), false);
    assert.equal(await may(['Alarms.Internal.:8080'], 'alarms.internal', { port: 8080 }), true);
    assert.equal(await may(['alarms.internal:8080'], 'alarms.internal', { port: 8081 }), false);
    assert.equal(await may(['10.0.0.0/8'], 'any.example'), true);
    assert.equal(
      await may(['10.0.0.0/8'], 'any.example', { addresses: ['10.1.2.3', '11.1.2.3', '192.168.0.1'] }),
      false,
    );
    assert.equal(await may(['10.1.2.3'], '0x0a010203'), true);
    assert.equal(await may(['10.1.2.3:80'], '[::ffff:10.1.2.3]'), true);
    assert.equal(await may(['10.1.2.3:81'], '10.1.2.3'), false);
    assert.equal(await may(['fd00::/8'], '[fd12::1]'), true);
    assert.equal(await may(['[fd12::1]:443', '::1'], '[::1]', { port: 443 }), true);
    assert.equal(await may(['0.0.0.0/0'], '[::1]'), false);
    assert.equal(await may(['127.0.0.1'], 'localhost', { addresses: ['127.0.0.1'] }), true);
    const wrong = [
      '',
      '10.0.0.0/33',
      '10.0.0/8',
      '::/129',
      'a b',
      'http://x',
      'x:0',
      'x:65536',
      'x:',
      '*',
      '*.x',
      '[::1',
      '127.1',
    ];
    for (const text of [...wrong, '0x7f.1', '::ffff:10.0.0.0/104', '10.0.0.0/8:80', 'x/8', '10.0.0.0/']) {
      assert.equal(allowedOf(text), null, text);
    }
  });
});

describe('an alert that is made at run time', () => {
  test('may not post into our own network; that is said when it is saved, and when it is sent', async (t) => {
    const { trail, there, made, warnings } = await alerting(t);
    const addresses = [['127.0.0.1'], ['93.184.215.14'], ['127.0.0.1']];
    const alerts = made({ outbound: { allowed: [], resolve: async () => addresses.shift() ?? ['127.0.0.1'] } });
    alerts.start();
    await alerts.settled();
    const port = new URL(there.url).port;
    const to = (webhook: string) => definitionOf({ coolDownSeconds: 0, to: [{ slack: '#ops' }, { webhook }] });
    const webhook = `http://alarms.example:${port}/path-that-opens`;
    for (const url of [`${there.url}/hook`, `http://localhost:${port}/`, webhook]) {
      await assert.rejects(alerts.create('a', to(url)), ({ code, errors }: TrailError) => {
        assert.deepEqual([code, errors?.length, errors?.[0]?.path], ['invalid_alert', 1, 'to[1].webhook']);
        assert.match(errors?.[0]?.detail ?? '', /its address is loopback; TASKTRAIL_OUTBOUND_ALLOW can allow it$/);
        return true;
      });
    }
    // Its name was that of an open address when it was saved.
    await alerts.create('a', to(webhook));
    await assert.rejects(alerts.replace('a', to(`${there.url}/hook`)), { code: 'invalid_alert' });
    await trail.create({ taskId: 'task-a' });
    await trail.append('task-a', [{ message: 'boom', level: 'ERROR' }]);
    await alerts.settled();
    const { dropped, lastFault } = (await alerts.find('a')).state;
    const reason = `http://alarms.example:${port}: not sent: its address is loopback; TASKTRAIL_OUTBOUND_ALLOW can allow it`;
    assert.deepEqual([dropped, lastFault?.reason], [1, reason]);
    assert.deepEqual(warnings, [`a notice of the alert a went nowhere: ${reason}`]);
    const [slack, hook] = await alerts.test('a');
    assert.deepEqual([slack?.ok, hook?.ok, hook?.reason], [true, false, reason.split(': ').slice(1).join(': ')]);
    // Slack stands in the settings, so both notices were told there; the webhook heard nothing.
    assert.deepEqual(
      there.heard.map(({ path }) => path),
      ['/api/chat.postMessage', '/api/chat.postMessage'],
    );
  });

  test('may where TASKTRAIL_OUTBOUND_ALLOW says so', async (t) => {
    const there = await target(t, ok);
    const at = await place(t);
    const body = JSON.stringify({
      id: 'a',
      name: 'A',
      query: 'x',
      to: [{ webhook: `http://127.0.0.1:${there.port}/` }],
    });
    const request = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const closed = await serve(t, at);
    const refused = await fetch(`${closed.url}/api/alerts`, { ...request, body });
    const problem = (await refused.json()) as { code: string; errors: readonly { path: string }[] };
    assert.deepEqual([refused.status, problem.code, problem.errors[0]?.path], [400, 'invalid_alert', 'to[0].webhook']);
    closed.child.kill();
    await closed.ended;
    const open = await serve(t, { ...at, env: { ...at.env, TASKTRAIL_OUTBOUND_ALLOW: `127.0.0.1:${there.port}` } });
    assert.equal((await fetch(`${open.url}/api/alerts`, { ...request, body })).status, 201);
    assert.equal(there.connections(), 0);
    const tested = await fetch(`${open.url}/api/alerts/a/test`, { method: 'POST' });
    assert.equal(tested.status, 200, await tested.text());
    assert.equal(there.connections(), 1);
  });
});
