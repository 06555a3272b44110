import assert from 'node:assert/strict';
import test from 'node:test';
import type { RouteFacts } from '../../src/server/parts.ts';
import { served } from '../support/served.ts';

/**
 * Who may what. A new route needs a line here: its least role, with `+link` where a link to the task opens it too; `open` is answered to
 * everybody, `self` too but tells nobody anything, `signed` bears a signature of its own.
 * What `/api/tasks` offers, `/tasks` offers too, to the same.
 */
const TABLE = `
POST   /api/tasks                                             writer
GET    /api/tasks                                             reader
GET    /api/tasks/facets                                      reader
GET    /api/tasks/:task_id                                    reader+link
PATCH  /api/tasks/:task_id                                    writer
DELETE /api/tasks/:task_id                                    writer
GET    /api/tasks/:task_id/status                             reader+link
POST   /api/tasks/:task_id/approve                            writer
POST   /api/tasks/:task_id/cancel                             writer
POST   /api/tasks/:task_id/complete                           writer
POST   /api/tasks/:task_id/fail                               writer
POST   /api/tasks/:task_id/heartbeat                          writer
POST   /api/tasks/:task_id/input                              writer
POST   /api/tasks/:task_id/pause                              writer
POST   /api/tasks/:task_id/reject                             writer
POST   /api/tasks/:task_id/rerun                              writer
POST   /api/tasks/:task_id/resume                             writer
POST   /api/tasks/:task_id/logs                               writer
POST   /api/tasks/:task_id/partial                            writer
GET    /api/tasks/:task_id/logs                               reader+link
GET    /api/tasks/:task_id/logs/agent-output                  reader+link
GET    /api/tasks/:task_id/logs/compare                       reader
GET    /api/tasks/:task_id/logs/download                      reader+link
GET    /api/tasks/:task_id/logs/facets                        reader+link
GET    /api/tasks/:task_id/logs/final-result                  reader+link
GET    /api/tasks/:task_id/logs/full                          reader+link
GET    /api/tasks/:task_id/logs/histogram                     reader+link
GET    /api/tasks/:task_id/logs/input                         reader+link
GET    /api/tasks/:task_id/logs/metadata                      reader+link
GET    /api/tasks/:task_id/logs/patterns                      reader
GET    /api/tasks/:task_id/logs/sources                       reader+link
GET    /api/tasks/:task_id/logs/stats                         reader+link
GET    /api/tasks/:task_id/logs/user-inputs                   reader+link
GET    /api/tasks/:task_id/logs/webhook-flow                  reader+link
GET    /api/tasks/:task_id/logs/ws                            reader+link
GET    /api/tasks/:task_id/outline                            reader+link
GET    /ws/logs/:task_id                                      reader+link
GET    /ws/tasks                                              reader
GET    /api/logs/patterns                                     reader
GET    /api/logs/search                                       reader
GET    /api/logs/search/facets                                reader
GET    /api/logs/search/histogram                             reader
GET    /api/analytics                                         reader
GET    /api/agents                                            reader
GET    /api/plugins                                           reader
GET    /api/redact                                            admin
POST   /api/redact/test                                       writer
POST   /api/redact/values                                     writer
GET    /api/audit                                             admin
GET    /api/tokens                                            admin
POST   /api/tokens                                            admin
DELETE /api/tokens/:token_id                                  admin
GET    /api/shares                                            writer
POST   /api/shares                                            writer
DELETE /api/shares/:share_id                                  writer
GET    /share/:share                                          open
GET    /api/session                                           self
POST   /api/session                                           self
DELETE /api/session                                           self
GET    /api/settings/logging                                  reader
PATCH  /api/settings/logging                                  admin
GET    /api/storage                                           reader
GET    /api/storage/retention                                 admin
GET    /api/about                                             reader
POST   /api/storage/prune                                     admin
GET    /api/alerts                                            reader
POST   /api/alerts                                            admin
POST   /api/alerts/preview                                    reader
GET    /api/alerts/:alert_id                                  reader
PUT    /api/alerts/:alert_id                                  admin
DELETE /api/alerts/:alert_id                                  admin
POST   /api/alerts/:alert_id/test                             admin
GET    /api/webhooks                                          reader
POST   /api/webhooks                                          admin
GET    /api/webhooks/:webhook_id                              reader
PUT    /api/webhooks/:webhook_id                              admin
DELETE /api/webhooks/:webhook_id                              admin
POST   /api/webhooks/:webhook_id/enable                       admin
POST   /api/webhooks/:webhook_id/disable                      admin
POST   /api/webhooks/:webhook_id/test                         reader
GET    /api/webhooks/:webhook_id/deliveries                   reader
GET    /api/webhooks/:webhook_id/deliveries/:n                reader
POST   /api/webhooks/:webhook_id/deliveries/:n/replay         writer
POST   /webhooks/:provider                                    signed
POST   /webhooks/:provider/:webhook_id                        signed
GET    /metrics                                               reader
GET    /health                                                open
GET    /ready                                                 open
GET    /                                                      open
GET    /t/:task_id                                            open
GET    /t/:task_id/plain                                      reader+link
GET    /search                                                open
GET    /costs                                                 open
GET    /settings                                              open
GET    /admin/settings                                        open
GET    /openapi.json                                          open
GET    /docs                                                  open
GET    /docs/json                                             open
GET    /docs/yaml                                             open
GET    /docs/static/*                                         open
GET    /docs/static/index.html                                open
GET    /docs/static/swagger-initializer.js                    open
GET    /redoc                                                 open
GET    /redoc/bundle.js                                       open
GET    /redoc/start.js                                        open
`;

type Least = 'open' | 'self' | 'signed' | 'reader' | 'reader+link' | 'writer' | 'admin';
const EXPECTED: ReadonlyMap<string, Least> = new Map(
  TABLE.trim()
    .split('\n')
    .map((line) => {
      const [method = '', path = '', least = ''] = line.split(/ +/);
      return [`${method} ${path}`, least as Least];
    }),
);

type Served = Awaited<ReturnType<typeof served>>;
const ROLES = ['reader', 'writer', 'admin'] as const;
const tokens = ROLES.map((role) => ({ role, token: `${role}-secret`, name: role }));
/** What a path names; there is none of them. */
const NAMES: Readonly<Record<string, string>> = { provider: 'github', n: '1', '*': 'none.js' };

/** Somebody who sends a request, and what the guard thinks of them: null lets everybody in. */
interface Caller {
  readonly who: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `link`: a link to the task that paths name. */
  readonly role: (typeof ROLES)[number] | 'link' | null;
}

test('each route has a line in the table, and each line a route', async (t) => {
  const { server } = await served(t);
  const names = described(server.routes).map(nameOf).sort();
  assert.deepEqual(names, [...EXPECTED.keys()].sort());
});

test('what /tasks offers is what /api/tasks offers', async (t) => {
  const { server } = await served(t);
  const below = (prefix: string): string[] =>
    server.routes
      .filter(({ url }) => url === prefix || url.startsWith(`${prefix}/`))
      .map(({ method, url }) => `${method} ${url.slice(prefix.length)}`)
      .filter((name) => !name.endsWith('/logs/ws'))
      .sort();
  assert.deepEqual(below('/tasks'), below('/api/tasks'));
});

test('each route that changes something has its name in the audit, or a reason why not', async (t) => {
  const { server } = await served(t);
  for (const route of server.routes.filter(({ method }) => !['GET', 'HEAD', 'OPTIONS'].includes(method))) {
    const { audit } = route.config();
    assert.match(typeof audit === 'string' ? audit : '', /^[a-z]+\.[a-z_]+$|^$/, nameOf(route));
    assert.ok(audit !== undefined && (typeof audit === 'string' || audit.none.length > 10), `${nameOf(route)}: say it`);
  }
  // The table and the server agree on what is open.
  for (const route of described(server.routes)) {
    const least = EXPECTED.get(nameOf(route));
    const { open = false, signed = false } = route.config();
    assert.deepEqual(
      [open, signed],
      [['open', 'self', 'signed'].includes(least ?? ''), least === 'signed'],
      nameOf(route),
    );
  }
});

test('with tokens each route lets in who has its role, and nobody else', async (t) => {
  const callers: readonly Caller[] = [
    { who: 'nobody', headers: {}, role: null },
    { who: 'a wrong token', headers: { authorization: 'Bearer wrong' }, role: null },
    ...ROLES.map((role) => ({ who: role, headers: { authorization: `Bearer ${role}-secret` }, role })),
  ];
  await check(await served(t, { settings: { tokens } }), callers);
});

test('a link opens what reads its task, and nothing else', async (t) => {
  const server = await served(t, { settings: { tokens } });
  for (const taskId of ['nobody', 'other']) await server.taskWith(taskId, 1);
  const wish = { task_id: 'nobody' };
  const made = await server.json('POST', '/api/shares', wish, { authorization: 'Bearer admin-secret' });
  const link = { authorization: `Bearer ${made.body.url.split('/').at(-1)}` };
  await check(server, [{ who: 'a link', headers: link, role: 'link' }]);
  assert.equal((await server.call('GET', '/api/tasks/nobody/logs', undefined, link)).status, 200);
  assert.equal((await server.call('GET', '/api/tasks/other/logs', undefined, link)).status, 401);
});

test('without tokens loopback is let in everywhere, and nobody from elsewhere', async (t) => {
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const callers: readonly Caller[] = [
    { who: 'loopback', headers: {}, role: 'admin' },
    { who: 'loopback by a proxy', headers: from('127.0.0.1'), role: 'admin' },
    { who: 'elsewhere', headers: from('203.0.113.5'), role: null },
  ];
  await check(await served(t, { settings: { trustProxy: '127.0.0.1' } }), callers);
});

test('a socket without a token is closed with 4401, and stays open for a reader', async (t) => {
  const { port, taskWith, intake } = await served(t, { settings: { tokens } });
  await taskWith('t', 0);
  for (const path of ['/ws/logs/t', '/ws/tasks', '/api/tasks/t/logs/ws']) {
    const refused = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    const { code } = await new Promise<CloseEvent>((resolve) => refused.addEventListener('close', resolve));
    assert.equal(code, 4401, path);
    const bearer = `tasktrail.bearer.${Buffer.from('reader-secret').toString('base64url')}`;
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [bearer]);
    await new Promise<void>((resolve, reject) => {
      const message = { taskId: 't', body: '{"message":"x"}', format: 'json' } as const;
      socket.addEventListener('open', () => intake.append(message).catch(reject), { once: true });
      socket.addEventListener('message', () => resolve(), { once: true });
      socket.addEventListener('close', ({ code: why }) => reject(new Error(`${path} closed with ${why}`)), {
        once: true,
      });
    });
    socket.close();
  }
});

async function check({ server, call }: Served, callers: readonly Caller[]): Promise<void> {
  const wrong: string[] = [];
  for (const { who, headers, role } of callers) {
    for (const { method, url } of server.routes) {
      const least = EXPECTED.get(`${method === 'HEAD' ? 'GET' : method} ${url.replace(/^\/tasks/, '/api/tasks')}`);
      const body = ['POST', 'PUT', 'PATCH'].includes(method) ? {} : undefined;
      const answer = await call(method, pathOf(url), body, { ...headers });
      const told = method === 'HEAD' ? '' : codeOf(await answer.text());
      const expected = refusal(least, role);
      const came = answer.status === 401 || answer.status === 403 ? answer.status : null;
      // A signature of its own is refused with a code of its own; who is nobody is told that by the session.
      const ownRefusal =
        (least === 'signed' && told !== 'unauthorized' && told !== 'forbidden') || (least === 'self' && came === 401);
      if (came !== expected && !ownRefusal) {
        wrong.push(`${method} ${url} for ${who}: ${answer.status} ${told}, expected ${expected ?? 'to be let in'}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
}

/** The status that such a caller is refused with; null: it is let in. */
function refusal(least: Least | undefined, role: Caller['role']): number | null {
  if (least === 'open' || least === 'self' || least === 'signed') return null;
  if (role === 'link') return least === 'reader+link' ? null : 401;
  if (role === null) return 401;
  if (least === 'reader+link') return null;
  return ROLES.indexOf(role) >= ROLES.indexOf(least ?? 'admin') ? null : 403;
}

function described(routes: readonly RouteFacts[]): readonly RouteFacts[] {
  return routes.filter(({ method, url }) => method !== 'HEAD' && url !== '/tasks' && !url.startsWith('/tasks/'));
}

function nameOf({ method, url }: Pick<RouteFacts, 'method' | 'url'>): string {
  return `${method} ${url}`;
}

function pathOf(url: string): string {
  return url.replace(/:(\w+)|\*/g, (part, name: string | undefined) => NAMES[name ?? part] ?? 'nobody');
}

function codeOf(text: string): string {
  try {
    return String((JSON.parse(text) as { code?: unknown }).code ?? '');
  } catch {
    return '';
  }
}
