import ip from 'ipaddr.js';

type Address = ReturnType<typeof ip.process>;

/** What an address is for: `public`, or why nothing should be asked there that a stranger names. */
export type Kind = 'public' | 'loopback' | 'private' | 'link-local' | 'metadata' | 'reserved';

/** Where clouds tell a machine its secrets, besides the link-local addresses. */
const METADATA = new Set(
  [
    ...['100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254', 'fd00:42::42'],
    'fd00:c1::a9fe:a9fe',
  ].map((text) => ip.process(text).toString()),
);
const METADATA_NAMES = /^(?:metadata(?:\.google\.internal|\.goog)?|instance-data(?:\.ec2\.internal)?)$/;
/** All that is given out for the open network: https://www.iana.org/assignments/ipv6-address-space */
const GLOBAL_IPV6 = ip.parseCIDR('2000::/3');

const KINDS: Readonly<Record<string, Kind>> = {
  loopback: 'loopback',
  private: 'private',
  uniqueLocal: 'private',
  carrierGradeNat: 'private',
  deprecatedSiteLocal: 'private',
  linkLocal: 'link-local',
};

/** An address in its plain form, IPv4 within IPv6 (`::ffff:…`) as IPv4; null for what is none. Only what `isIP` knows is one. */
export function addressOf(text: string): Address | null {
  const bare = unbracketed(text).replace(/%.*$/, '');
  const isWhole = ip.IPv4.isValidFourPartDecimal(bare) || (bare.includes(':') && ip.IPv6.isValid(bare));
  return isWhole ? ip.process(bare) : null;
}

/** All other forms of IPv4 within IPv6 (compatible, NAT64, 6to4, Teredo) are reserved: nobody can tell where they lead. */
export function kindOf(address: Address): Kind {
  if (METADATA.has(address.toString())) return 'metadata';
  const range = address.range();
  if (range !== 'unicast') return KINDS[range] ?? 'reserved';
  return address instanceof ip.IPv6 && !address.match(GLOBAL_IPV6) ? 'reserved' : 'public';
}

/** What a name says by itself, before anybody is asked for its addresses. */
export function kindOfName(host: string): Kind {
  if (host === 'localhost' || host.endsWith('.localhost')) return 'loopback';
  return METADATA_NAMES.test(host) ? 'metadata' : 'public';
}

/** A host as it is compared: lower case, without brackets and without the dots that end it. */
export function plainHost(host: string): string {
  const bare = unbracketed(host.toLowerCase()).replace(/\.+$/, '');
  return addressOf(bare)?.toString() ?? bare;
}

function unbracketed(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
