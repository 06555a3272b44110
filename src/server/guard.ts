import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Role } from '../core/credential.ts';
import { TrailError } from '../core/error.ts';
import type { Access } from './auth/access.ts';
import { type Caller, checkRole } from './auth/caller.ts';
import type { ServerSettings } from './parts.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null: nobody we know. Only open routes and sockets see that; a socket closes with 4401. */
    caller: Caller | null;
    /** Why this request may be somebody else's trick on a browser: its Host or Origin is none of ours. Only webhooks get that far with it. */
    foreign: TrailError | null;
  }
  interface FastifyContextConfig {
    /** Answered to everybody. */
    open?: boolean;
    /** Answered under any Host and to any Origin as well: what comes bears a signature of its own. */
    signed?: boolean;
    /** Least role; by default reader to read and writer to change. */
    role?: Role;
  }
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** Before every route: the Host list (DNS rebinding), the Origin of what changes something, the token and its role. */
export function guard(app: FastifyInstance, settings: ServerSettings, access: Access): void {
  const hosts = new Set([...LOOPBACK_NAMES, ...settings.allowedHosts, ...publicHost(settings)].map(lower));
  const origins = new Set([...settings.allowedOrigins, ...publicOrigin(settings)].map(lower));
  app.decorateRequest('caller', null);
  app.decorateRequest('foreign', null);
  app.addHook('onRequest', async (request, reply) => {
    const { open, role, signed } = request.routeOptions.config;
    request.foreign = foreignBy(request, { hosts, origins });
    if (signed) return;
    if (request.foreign) throw request.foreign;
    if (admitOrigin(request, reply, origins)) return reply.code(204).send();
    request.caller = await access.callerOf(request);
    // A socket is opened first, so that its client can be told why it is closed.
    if (open || (request.ws && request.routeOptions.url !== undefined)) return;
    checkRole(request.caller, role ?? (isReading(request) ? 'reader' : 'writer'));
  });
}

interface Ours {
  readonly hosts: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
}

/** An absent Origin is no browser's; `null` and foreign ones are refused where something changes. */
function foreignBy(request: FastifyRequest, { hosts, origins }: Ours): TrailError | null {
  if (!hosts.has(lower(request.hostname))) {
    return new TrailError('host_not_allowed', 'the Host is not one of ours; name it in TASKTRAIL_ALLOWED_HOSTS');
  }
  const { origin } = request.headers;
  if (!changesSomething(request)) return null;
  if (origin === undefined) {
    // A browser that hides the origin still says that it is another one.
    const site = request.headers['sec-fetch-site'];
    if (site !== 'cross-site' && site !== 'same-site') return null;
  } else {
    if (origins.has(lower(origin))) return null;
    // Our own page: the Host is one of ours by now. Where people come by TLS, a page without it is anybody's who is on their way.
    const page = URL.parse(origin);
    if (page?.host === lower(request.host) && (page.protocol === 'https:' || !isByTls(request, origins))) return null;
  }
  return new TrailError('origin_not_allowed', 'the Origin is not one of ours; name it in TASKTRAIL_ALLOWED_ORIGINS');
}

/** By what a trusted proxy says, or by the public URL of this very host. */
function isByTls({ protocol, host }: FastifyRequest, origins: ReadonlySet<string>): boolean {
  return protocol === 'https' || origins.has(`https://${lower(host)}`);
}

/** Tell a browser that a named origin may read our answers; true when that is all it asked (https://fetch.spec.whatwg.org/#http-cors-protocol). */
function admitOrigin(request: FastifyRequest, reply: FastifyReply, origins: ReadonlySet<string>): boolean {
  const { origin } = request.headers;
  if (origin === undefined || !origins.has(lower(origin))) return false;
  reply.headers({
    'access-control-allow-origin': origin,
    vary: 'Origin',
    'cross-origin-resource-policy': 'cross-origin',
  });
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
  reply.headers({
    'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
    'access-control-allow-headers': 'authorization, content-type, idempotency-key, last-event-id',
    'access-control-max-age': '600',
  });
  return true;
}

function changesSomething(request: FastifyRequest): boolean {
  return request.ws || !isReading(request);
}

function isReading({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}

function publicHost({ publicUrl }: ServerSettings): readonly string[] {
  return publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
}

function publicOrigin({ publicUrl }: ServerSettings): readonly string[] {
  return publicUrl === undefined ? [] : [new URL(publicUrl).origin];
}

function lower(text: string): string {
  return text.toLowerCase();
}
