import { lookup } from 'node:dns/promises';
import { addressOf, type Kind, kindOf, kindOfName, plainHost } from './address.ts';
import { type Allowed, isAllowed } from './allowed.ts';

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** What the server may reach on its own. */
export interface Outbound {
  readonly allowed: readonly Allowed[];
  /** Default: as the machine resolves names. */
  readonly resolve?: Resolve;
}

/** Who named an address: `settings`, where it may lie in our own network, or `others`. */
export type NamedBy = 'settings' | 'others';

export interface Wish {
  readonly outbound: Outbound;
  readonly namedBy: NamedBy;
}

/** Nothing but what is open to all. */
export const CLOSED: Outbound = { allowed: [] };

/** Nothing is asked there. Says of what kind the address is, and neither the address nor the name. */
export class Refused extends Error {
  static {
    Refused.prototype.name = 'Refused';
  }
}

const SAVE_MS = 2_000;

/** The addresses of a host that may be reached: all that it has, or none. Throws `Refused`. */
export async function reachable(
  { host, port }: { readonly host: string; readonly port: number },
  { outbound, namedBy }: Wish,
): Promise<readonly [string, ...string[]]> {
  const { allowed, resolve = resolved } = outbound;
  const judge = (kind: Kind, address?: string): void => {
    if (isOpen(kind, namedBy) || isAllowed(allowed, { host, port, ...(address && { address }) })) return;
    throw new Refused(`its address is ${kind}; TASKTRAIL_OUTBOUND_ALLOW can allow it`);
  };
  const literal = addressOf(host);
  if (literal) {
    const address = literal.toString();
    judge(kindOf(literal), address);
    return [address];
  }
  const named = kindOfName(plainHost(host));
  judge(named, named === 'loopback' ? '127.0.0.1' : undefined);
  const [first, ...more] = await resolve(host);
  if (first === undefined) throw new Refused('its name has no address');
  for (const text of [first, ...more]) {
    const address = addressOf(text);
    judge(address ? kindOf(address) : 'reserved', text);
  }
  return [first, ...more];
}

/**
 * What is wrong with an address that somebody wants to be told at; null when nothing is, and when its name cannot be resolved now: it
 * is looked at again before anything is sent.
 */
export async function addressFault(url: string, wish: Wish): Promise<string | null> {
  const place = URL.parse(url);
  if (place === null) return 'expected http://… or https://…';
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), SAVE_MS);
  });
  const checked = reachable({ host: place.hostname, port: portOf(place) }, wish).then(
    () => null,
    (error) => (error instanceof Refused ? `expected an address that may be reached: ${error.message}` : null),
  );
  return Promise.race([checked, late]).finally(() => clearTimeout(timer));
}

export function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
}

/** Settings may name our own network. Where a machine is told its secrets is no place for a message, whoever names it. */
function isOpen(kind: Kind, namedBy: NamedBy): boolean {
  return kind === 'public' || (namedBy === 'settings' && kind !== 'link-local' && kind !== 'metadata');
}

async function resolved(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}
