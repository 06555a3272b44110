import { isIP, type LookupFunction } from 'node:net';
import type { buildConnector, Response } from 'undici';
import { Refused, reachable, type Wish } from './outbound.ts';

/** A request that somebody may send. */
export interface Outgoing {
  readonly method: 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface DispatchOptions extends Wish {
  /** Most redirects that are followed. */
  readonly redirects: number;
  readonly signal: AbortSignal;
}

/** What another origin may be told of a request: not who sends it, not what proves it. */
const PLAIN_HEADERS = ['content-type', 'user-agent'];
const SAME_REQUEST = [307, 308];

/**
 * Send a request, and give what `read` makes of the answer. Each connection goes to an address that was checked for this very
 * connection, so a name that changes its address between check and use changes nothing. No proxy of the environment is used.
 * Throws `Refused` for an address that may not be reached.
 */
export async function dispatch<T>(
  request: Outgoing,
  options: DispatchOptions,
  read: (response: Response) => Promise<T>,
): Promise<T> {
  const { redirects, signal } = options;
  // Loaded with the first request: it is large, and a server starts sooner without it.
  const { Agent, buildConnector, fetch } = await import('undici');
  let { url, namedBy, headers } = { ...request, ...options };
  for (let followed = 0; ; followed++) {
    // One connection for one request: what a connection was allowed for is never shared.
    const dispatcher = new Agent({ connect: connector({ ...options, namedBy }, buildConnector), pipelining: 0 });
    try {
      const { method, body } = request;
      const response = await fetch(url, { method, headers, body, redirect: 'manual', signal, dispatcher });
      const next = redirects === 0 ? null : nextOf(response, url);
      if (next === null) return await read(response);
      if (followed >= redirects) throw new Refused(`it redirects more than ${redirects} times`);
      if (next.origin !== new URL(url).origin) {
        headers = Object.fromEntries(PLAIN_HEADERS.flatMap((name) => (headers[name] ? [[name, headers[name]]] : [])));
        // The settings named the first address; who answers there named this one.
        namedBy = 'others';
      }
      url = next.href;
    } finally {
      await dispatcher.destroy();
    }
  }
}

/** The one way out: nothing is connected that was not checked here, in whatever notation it was written. */
function connector({ signal, ...wish }: DispatchOptions, build: typeof buildConnector): buildConnector.connector {
  return (wanted, callback) => {
    const { protocol, hostname } = wanted;
    const port = Number(wanted.port) || (protocol === 'https:' ? 443 : 80);
    reachable({ host: hostname, port }, wish).then(
      (addresses) => {
        if (signal.aborted) callback(new Error('stopped'), null);
        else build({ allowH2: false, lookup: pinned(addresses) })(wanted, callback);
      },
      (error: Error) => callback(error, null),
    );
  };
}

/** Stands in for a second look-up, which could answer otherwise. */
function pinned(addresses: readonly [string, ...string[]]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, { all }, callback) => {
    if (all) callback(null, found);
    else callback(null, addresses[0], isIP(addresses[0]));
  };
}

/** Where it is sent on to as it is; null for an answer. Only these say that a POST stays one. */
function nextOf(response: Response, url: string): URL | null {
  const location = response.headers.get('location');
  if (!SAME_REQUEST.includes(response.status) || location === null) return null;
  const next = URL.parse(location, url);
  if (next === null || !/^https?:$/.test(next.protocol)) throw new Refused('it redirects to what is no web address');
  if (next.username !== '' || next.password !== '') throw new Refused('it redirects to an address with a password');
  if (next.protocol === 'http:' && url.startsWith('https:')) throw new Refused('it redirects from https to http');
  return next;
}
