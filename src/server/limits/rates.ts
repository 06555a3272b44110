import { createHash } from 'node:crypto';
import rateLimit, { normalizeIP, type RateLimitOptions } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, TrailError } from '../../core/error.ts';
import { RATE_ATTEMPTS, RATE_CALLERS, RATE_REQUESTS, RATE_TIMES } from '../../core/limits.ts';
import { isFromHere } from '../auth/caller.ts';
import { SESSION_COOKIE } from '../auth/cookies.ts';
import type { ServerSettings } from '../parts.ts';

/** What a request counts as. Lines come in small batches, so they are counted apart; what makes tasks is held shorter. */
export type Rate = keyof typeof RATE_TIMES;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a request of this route counts as; null: it is not counted. By default `requests`. */
    rate?: Rate | null;
  }
}

const TASK_PLACES = ['/api/tasks', '/tasks'];
/** Routes that count as something else than `requests`. */
const RATED: Readonly<Record<string, Rate | null>> = {
  'GET /health': null,
  'GET /ready': null,
  'POST /webhooks/:provider': 'deliveries',
  'POST /webhooks/:provider/:webhook_id': 'deliveries',
  ...Object.fromEntries(
    TASK_PLACES.flatMap((place) => [
      [`POST ${place}`, 'tasks'],
      [`POST ${place}/:task_id/rerun`, 'tasks'],
      [`POST ${place}/:task_id/logs`, 'lines'],
      [`POST ${place}/:task_id/partial`, 'lines'],
    ]),
  ),
};

const MINUTE_MS = 60_000;
/** Name of the token that stands in `owner.json`. */
const LOCAL_NAME = 'local';
/** Draft of the IETF: draft-ietf-httpapi-ratelimit-headers, as most clients read it. */
const HEADERS = { limit: 'ratelimit-limit', remaining: 'ratelimit-remaining', reset: 'ratelimit-reset' } as const;

const REFUSALS: Readonly<Record<Rate | 'attempts', { readonly code: ErrorCode; readonly what: string }>> = {
  requests: { code: 'too_many_requests', what: 'requests' },
  lines: { code: 'too_many_requests', what: 'requests with lines' },
  tasks: { code: 'too_many_tasks', what: 'requests that make tasks' },
  deliveries: { code: 'too_many_deliveries', what: 'deliveries' },
  attempts: { code: 'too_many_attempts', what: 'wrong tokens' },
};

type Count = ReturnType<FastifyInstance['createRateLimit']>;
type Result = Awaited<ReturnType<Count>>;

/** Requests are counted before and after the guard has told who calls: `beforeGuard` must stand before it, `afterGuard` behind. */
export interface Rates {
  beforeGuard(): void;
  afterGuard(): void;
}

/** Count requests of each caller, and attempts of each address, minute by minute. */
export async function countRates(app: FastifyInstance, { rateLimit: most }: ServerSettings): Promise<Rates> {
  const requests = most ?? RATE_REQUESTS;
  if (requests === 0) return { beforeGuard: () => {}, afterGuard: () => {} };
  app.addHook('onRoute', (route) => {
    const method = String(route.method).replace('HEAD', 'GET');
    const rate = RATED[`${method} ${route.url}`];
    if (rate !== undefined) route.config = { ...route.config, rate };
  });
  await app.register(rateLimit, { global: false });
  const counting = (max: number, keyGenerator: (request: FastifyRequest) => string): Count => {
    const options: RateLimitOptions = { max, timeWindow: MINUTE_MS, cache: RATE_CALLERS, keyGenerator };
    return app.createRateLimit(options);
  };
  const rates = Object.keys(RATE_TIMES) as Rate[];
  const counts = Object.fromEntries(
    rates.map((rate) => {
      const max = Math.max(1, Math.round(requests * RATE_TIMES[rate]));
      return [rate, counting(max, rate === 'deliveries' ? senderOf : (request) => callerKey(request) ?? '')];
    }),
  ) as unknown as Readonly<Record<Rate, Count>>;
  const attempts = counting(Math.min(requests, RATE_ATTEMPTS), addressOf);
  const strangers = counting(requests, addressOf);
  const wrong = new WrongOnes();
  const refused = async (request: FastifyRequest): Promise<void> => {
    if (!hasCredential(request)) await strangers(request);
    else if (wrong.isNew(request)) await attempts(request);
  };
  return {
    beforeGuard: () => refuseGuesses(app, { attempts, strangers, refused }),
    afterGuard: () => countCallers(app, counts, refused),
  };
}

/**
 * The key under which a caller is counted: its token, else its address. Null for our own user on this machine, who needs no token or
 * has the one of `owner.json`: nobody is kept from their own machine.
 */
export function callerKey(request: FastifyRequest): string | null {
  const { caller } = request;
  // A link is passed around: each of those who have it counts alone.
  if (caller === null || caller.kind === 'share') return addressOf(request);
  const isOwnToken = caller.name === LOCAL_NAME && caller.credentialId === undefined;
  if (caller.kind === 'loopback' || (isOwnToken && isFromHere(request))) return null;
  return caller.tokenId ?? `${caller.kind} ${caller.role}`;
}

/** Networks of addresses heard of last: finding one out costs more than all the counting. */
const NETWORKS_KEPT = 1_000;
const networks = new Map<string, string>();

/** Of IPv6 the network of one customer: it has more addresses than could be counted. */
function addressOf({ ip }: FastifyRequest): string {
  if (!ip.includes(':')) return ip;
  const known = networks.get(ip);
  if (known !== undefined) return known;
  const network = normalizeIP(ip, 64);
  if (networks.size >= NETWORKS_KEPT) networks.clear();
  networks.set(ip, network);
  return network;
}

function senderOf(request: FastifyRequest): string {
  const { provider = '', webhook_id: webhookId = '' } = request.params as Record<string, string>;
  return `${provider}/${webhookId} ${addressOf(request)}`;
}

interface Guessing {
  readonly attempts: Count;
  readonly strangers: Count;
  /** Count a request that was refused. */
  readonly refused: (request: FastifyRequest) => Promise<void>;
}

/**
 * Who was refused often enough is told to wait before its token is looked at: after so many wrong ones the right one would
 * not help either.
 */
function refuseGuesses(app: FastifyInstance, { attempts, strangers, refused }: Guessing): void {
  const counted = (request: FastifyRequest) => (hasCredential(request) ? attempts : strangers);
  app.addHook('onRequest', async (request, reply) => {
    const { rate, signed } = request.routeOptions.config;
    if (rate === null || signed) return;
    const what = hasCredential(request) ? 'attempts' : 'requests';
    const result = await counted(request)(request, { increment: false });
    // This one would be one more.
    if (!result.isAllowed && result.remaining === 0) throw refusal(reply, result, what);
  });
  app.addHook('onResponse', async (request, reply) => {
    if (reply.statusCode === 401 && !request.routeOptions.config.signed) await refused(request);
  });
}

function countCallers(app: FastifyInstance, counts: Readonly<Record<Rate, Count>>, refused: Guessing['refused']): void {
  app.addHook('onRequest', async (request, reply) => {
    // A socket is refused after it has opened, so that it has no answer to count.
    if (request.ws && request.caller === null) await refused(request);
    const { rate = 'requests' } = request.routeOptions.config;
    if (rate === null || (rate !== 'deliveries' && callerKey(request) === null)) return;
    const result = await counts[rate](request);
    if (result.isAllowed) return;
    if (result.isExceeded) throw refusal(reply, result, rate);
    reply.header(HEADERS.limit, result.max);
    reply.header(HEADERS.remaining, result.remaining);
    reply.header(HEADERS.reset, result.ttlInSeconds);
  });
}

function refusal(
  reply: FastifyReply,
  result: Exclude<Result, { isAllowed: true }>,
  what: Rate | 'attempts',
): TrailError {
  const waitSeconds = Math.max(1, result.ttlInSeconds);
  reply.header(HEADERS.limit, result.max);
  reply.header(HEADERS.remaining, 0);
  reply.header(HEADERS.reset, waitSeconds);
  reply.header('retry-after', waitSeconds);
  const { code, what: noun } = REFUSALS[what];
  return new TrailError(code, `expected at most ${result.max} ${noun} in a minute; wait ${waitSeconds} s`);
}

/** Whether a request says who it is, rightly or wrongly. */
function hasCredential({ headers, cookies, method, url }: FastifyRequest): boolean {
  return (
    headers.authorization !== undefined ||
    cookies[SESSION_COOKIE] !== undefined ||
    headers['sec-websocket-protocol']?.includes('tasktrail.bearer.') === true ||
    (method === 'POST' && /^\/api\/session\/?(?:\?|$)/.test(url))
  );
}

/**
 * Wrong tokens that are known, by address. Whoever guesses shows one after the other; a program whose token was revoked shows the same
 * one again and again, and must not keep its neighbours out.
 */
class WrongOnes {
  readonly #known = new Set<string>();

  /** True when this address did not show it before. */
  isNew(request: FastifyRequest): boolean {
    const { headers, cookies, body } = request;
    const { token } = (body ?? {}) as { token?: unknown };
    const shown = [headers.authorization, cookies[SESSION_COOKIE], headers['sec-websocket-protocol'], token];
    const key = createHash('sha256')
      .update(JSON.stringify([addressOf(request), ...shown]))
      .digest('base64url');
    const isKnown = this.#known.delete(key);
    const [oldest] = this.#known;
    if (this.#known.size >= RATE_CALLERS && oldest !== undefined) this.#known.delete(oldest);
    this.#known.add(key);
    return !isKnown;
  }
}
