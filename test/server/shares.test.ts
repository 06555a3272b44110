import assert from 'node:assert/strict';
import test from 'node:test';
import { served } from '../support/served.ts';

const tokens = [
  { role: 'writer', token: 'w-secret', name: 'ada' },
  { role: 'reader', token: 'r-secret' },
] as const;
const writer = { authorization: 'Bearer w-secret' };
/** What a link to a task opens, below `/api/tasks/{task_id}` and below `/tasks/{task_id}`. */
const PARTS = ['metadata', 'input', 'webhook-flow', 'agent-output', 'user-inputs', 'final-result', 'full'];
const OPENED = [
  ...['', '/status', '/outline', '/logs', '/logs/stats', '/logs/sources', '/logs/histogram', '/logs/facets'],
  '/logs/download',
  ...PARTS.map((name) => `/logs/${name}`),
];

type Served = Awaited<ReturnType<typeof served>>;

/** Make a link to a task and open it, as a browser that keeps its cookies does. */
async function opened({ json, call, url }: Served, taskId: string, cookies?: string) {
  const made = await json('POST', '/api/shares', { task_id: taskId, expires_in_days: 1 }, writer);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const path = made.body.url.slice(url.length);
  const answer = await call('GET', path, undefined, cookies === undefined ? {} : { cookie: cookies });
  const [cookie = '', ...attributes] = (answer.headers.get('set-cookie') ?? '').split('; ');
  return { share: made.body, path, answer, cookie, attributes };
}

test('a link opens its task by a cookie, and does not stay in the address', async (t) => {
  const server = await served(t, { settings: { tokens } });
  await server.taskWith('mine', 3);
  const { share, path, answer, cookie, attributes } = await opened(server, 'mine');
  assert.match(path, /^\/share\/tts_shr_[\w-]{12}\.[\w-]{43}$/);
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/t/mine']);
  assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.ok(attributes.includes('HttpOnly') && attributes.includes('SameSite=Strict'));
  const read = await server.json('GET', '/api/tasks/mine/logs', undefined, { cookie });
  assert.deepEqual([read.status, read.body.logs.length], [200, 3]);
  const who = await server.json('GET', '/api/session?task_id=mine', undefined, { cookie });
  assert.deepEqual([who.body.kind, who.body.role, who.body.task_id], ['share', 'reader', 'mine']);
  assert.equal((await server.json('GET', '/api/session', undefined, { cookie })).status, 401);
  const listed = await server.json('GET', '/api/shares?task_id=mine', undefined, writer);
  assert.equal(listed.body.shares[0].share_id, share.share_id);
  assert.ok(!JSON.stringify(listed.body).includes(path.slice(7)));
  const program = { authorization: `Bearer ${path.slice('/share/'.length)}` };
  assert.equal((await server.json('GET', '/tasks/mine/logs/stats', undefined, program)).status, 200);
});

test('a link opens the reads of its one task and no other route', async (t) => {
  const server = await served(t, { settings: { tokens } });
  await server.taskWith('mine', 3);
  await server.taskWith('other', 3);
  const { cookie, path } = await opened(server, 'mine');
  const ways: readonly Record<string, string>[] = [
    { cookie },
    { authorization: `Bearer ${path.slice('/share/'.length)}` },
  ];
  const below = ['/api/tasks', '/tasks'].flatMap((prefix) => OPENED.map((place) => `${prefix}/:task_id${place}`));
  const opens = [...below, '/t/:task_id/plain'];
  const walked = new Set<string>();
  for (const { method, url, config } of server.server.routes) {
    const { open, signed } = config();
    if (open || signed || url.includes('*')) continue;
    walked.add(url);
    const isOpened = /GET|HEAD/.test(method) && opens.includes(url);
    for (const headers of ways) {
      for (const taskId of ['mine', 'other']) {
        const place = url.replace(':task_id', taskId).replaceAll(/:\w+/g, '1');
        const answer = await server.call(method, place, /GET|HEAD/.test(method) ? undefined : {}, headers);
        await answer.body?.cancel();
        const shown = `${method} ${place} answered ${answer.status}`;
        if (isOpened && taskId === 'mine') assert.ok([200, 404].includes(answer.status), shown);
        // A socket's own route asks for a handshake before it asks for anything else.
        else if (url.endsWith('/ws') || url.startsWith('/ws/')) assert.ok([400, 401].includes(answer.status), shown);
        else assert.equal(answer.status, 401, shown);
      }
    }
  }
  assert.ok(opens.every((url) => walked.has(url)) && walked.size > opens.length + 20);
});

test('a link follows its task by WebSocket, and ends with its expiry', async (t) => {
  const clock = { nowMs: Date.now(), now: () => clock.nowMs };
  const server = await served(t, { settings: { tokens }, clock });
  await server.taskWith('mine', 3);
  await server.taskWith('other', 3);
  const { path } = await opened(server, 'mine');
  const protocol = `tasktrail.bearer.${Buffer.from(path.slice('/share/'.length)).toString('base64url')}`;
  const open = (place: string) => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}${place}`, [protocol]);
    const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)));
    const first = new Promise<string>((resolve) => socket.addEventListener('message', ({ data }) => resolve(data)));
    return { closed, first };
  };
  for (const place of ['/ws/logs/other', '/ws/tasks', '/tasks/other/logs/ws']) {
    assert.equal(await open(place).closed, 4401, place);
  }
  const viewer = open('/ws/logs/mine');
  assert.match(await viewer.first, /"task_id":"mine"/);
  clock.nowMs += 24 * 60 * 60 * 1000;
  assert.equal(await viewer.closed, 4401);
});

test('a link that expired, was revoked or was changed opens nothing', async (t) => {
  const clock = { nowMs: Date.parse('2026-01-24T10:00:00Z'), now: () => clock.nowMs };
  const server = await served(t, { settings: { tokens }, clock });
  await server.taskWith('mine', 1);
  const first = await opened(server, 'mine');
  const second = await opened(server, 'mine');
  assert.equal((await server.call('DELETE', `/api/shares/${first.share.share_id}`, undefined, writer)).status, 204);
  assert.equal((await server.json('DELETE', `/api/shares/${first.share.share_id}`, undefined, writer)).status, 404);
  const [, id = '', signature = ''] = /tts_(.*)\.(.*)/.exec(second.path) ?? [];
  const flipped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  const bad = [first.path, `/share/tts_${id}.${flipped}`, `/share/tts_${id}`, `/share/${id}`, '/share/x'];
  const over = async (path: string) => (await server.json('GET', path)).body?.code;
  for (const path of bad) assert.equal(await over(path), 'share_gone', path);
  assert.equal((await server.json('GET', '/api/tasks/mine', undefined, { cookie: first.cookie })).status, 401);
  assert.equal((await server.json('GET', '/api/tasks/mine', undefined, { cookie: second.cookie })).status, 200);
  clock.nowMs += 24 * 60 * 60 * 1000;
  assert.equal(await over(second.path), 'share_gone');
  assert.equal((await server.json('GET', '/api/tasks/mine', undefined, { cookie: second.cookie })).status, 401);
  assert.deepEqual((await server.json('GET', '/api/shares', undefined, writer)).body.shares, []);
  const page = await server.call('GET', second.path, undefined, { accept: 'text/html' });
  assert.equal(page.status, 410);
  assert.match(await page.text(), /This link is over/);
});

test('a browser keeps the last few links that it opened', async (t) => {
  const server = await served(t, { settings: { tokens } });
  let cookies: string | undefined;
  for (let i = 0; i < 10; i++) {
    await server.taskWith(`t${i}`, 1);
    cookies = (await opened(server, `t${i}`, cookies)).cookie;
  }
  const headers = { cookie: cookies ?? '' };
  const statuses = [];
  for (let i = 0; i < 10; i++) statuses.push((await server.call('GET', `/api/tasks/t${i}`, undefined, headers)).status);
  assert.deepEqual(statuses, [401, 401, ...Array(8).fill(200)]);
});

test('a link is made by a writer, for a task that is there, for a time that is not too long', async (t) => {
  const server = await served(t, { settings: { tokens, publicUrl: 'https://public.example/trail' } });
  await server.taskWith('mine', 1);
  const { json } = server;
  const made = await json('POST', '/api/shares', { task_id: 'mine' }, writer);
  assert.match(made.body.url, /^https:\/\/public\.example\/trail\/share\/tts_/);
  const days = (Date.parse(made.body.expires_at) - Date.parse(made.body.created_at)) / (24 * 60 * 60 * 1000);
  assert.ok(Math.abs(days - 7) < 0.01);
  const path = new URL(made.body.url).pathname.replace('/trail', '');
  assert.equal((await server.call('GET', path)).headers.get('location'), '/trail/t/mine');
  const reader = { authorization: 'Bearer r-secret' };
  assert.equal((await json('POST', '/api/shares', { task_id: 'mine' }, reader)).status, 403);
  assert.equal((await json('GET', '/api/shares', undefined, reader)).status, 403);
  for (const [body, code] of [
    [{ task_id: 'unknown' }, 'task_not_found'],
    [{ task_id: '../x' }, 'invalid_task_id'],
    [{}, 'invalid_token'],
    [{ task_id: 'mine', expires_in_days: 91 }, 'invalid_token'],
    [{ task_id: 'mine', expires_at: null }, 'invalid_token'],
  ] as const) {
    assert.equal((await json('POST', '/api/shares', body, writer)).body.code, code, JSON.stringify(body));
  }
});
