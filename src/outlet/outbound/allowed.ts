import ip from 'ipaddr.js';
import { addressOf, plainHost } from './address.ts';

/** One thing that an operator lets the server reach. */
export interface Allowed {
  /** A host name, or null for a range. */
  readonly name: string | null;
  readonly range: ReturnType<typeof ip.parseCIDR> | null;
  /** Null for every port. */
  readonly port: number | null;
}

/** A place that is about to be asked: its name as it was given, and one of its addresses. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly address?: string;
}

const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

/** `alarms.internal`, `10.1.2.3`, `10.0.0.0/8`, `fd00::/8`, each but a range with `:PORT` if wanted; null for anything else. */
export function allowedOf(text: string): Allowed | null {
  if (text.includes('/')) return rangeOf(text);
  // `::1` and `[::1]` are addresses without a port.
  const [, host, digits] = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(text) ?? ['', text];
  const port = digits === undefined ? null : Number(digits);
  if (port !== null && (port < 1 || port > 65_535)) return null;
  const plain = plainHost(host ?? '');
  const address = addressOf(plain);
  if (address) return { name: null, range: [address, address.kind() === 'ipv4' ? 32 : 128], port };
  // What ends in a number is an address in an odd notation, or nothing: https://url.spec.whatwg.org/#ends-in-a-number-checker
  const isName = NAME.test(plain) && !/(?:^|\.)(?:\d+|0x[0-9a-f]*)$/.test(plain);
  return isName ? { name: plain, range: null, port } : null;
}

/** By the name that was asked for, or by the address that it has. */
export function isAllowed(allowed: readonly Allowed[], { host, port, address }: Place): boolean {
  const name = plainHost(host);
  const at = addressOf(address ?? host);
  return allowed.some((one) => {
    if (one.port !== null && one.port !== port) return false;
    if (one.name !== null) return one.name === name;
    return at !== null && one.range !== null && one.range[0].kind() === at.kind() && at.match(one.range);
  });
}

function rangeOf(text: string): Allowed | null {
  const [address = '', bits = ''] = text.split('/');
  const whole = addressOf(address);
  // `::ffff:10.0.0.0/104` would be of another family than its address.
  if (whole === null || !/^\d{1,3}$/.test(bits) || whole.kind() !== (address.includes(':') ? 'ipv6' : 'ipv4'))
    return null;
  return ip.isValidCIDR(text) ? { name: null, range: ip.parseCIDR(text), port: null } : null;
}
