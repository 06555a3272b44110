import { isIP } from 'node:net';
import { LEVELS, type Level, parseLevel } from '../core/level.ts';

const ROLES = ['admin', 'writer', 'reader'] as const;
type Role = (typeof ROLES)[number];

export interface Token {
  readonly role: Role;
  readonly token: string;
}

/** What a setting allows, thrown by what reads its text. */
export class Expected extends Error {}

export function hostOf(text: string): string {
  const host = /^\[.*\]$/.test(text) ? text.slice(1, -1) : text;
  if (isIP(host) || /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host)) return host;
  throw new Expected('an IP address or a host name');
}

export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new Expected(`a whole number, ${least}–${most}`);
  };
}

export function truth(text: string): boolean {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  throw new Expected('true or false');
}

export function webUrl(text: string): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol)) return text.replace(/\/+$/, '');
  throw new Expected('a URL that begins with http:// or https://');
}

export function levelOf(text: string): Level {
  const level = parseLevel(text);
  if (level) return level;
  throw new Expected(LEVELS.join(', '));
}

export function list(fits: (text: string) => boolean, expected: string): (text: string) => readonly string[] {
  return (text) => {
    const parts = partsOf(text);
    if (parts.every(fits)) return parts;
    throw new Expected(expected);
  };
}

export function tokensOf(text: string): readonly Token[] {
  return partsOf(text).map((part) => {
    const colon = part.indexOf(':');
    const role = ROLES.find((name) => name === part.slice(0, colon));
    const token = part.slice(colon + 1);
    // Tokens travel in a header: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    if (role && /^[\x21-\x7e]+$/.test(token)) return { role, token };
    throw new Expected('admin:TOKEN, writer:TOKEN or reader:TOKEN, separated by commas, without spaces in a token');
  });
}

export function isAddress(text: string): boolean {
  const [address = '', bits, more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more !== undefined) return ['loopback', 'linklocal', 'uniquelocal'].includes(text);
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

export function isOrigin(text: string): boolean {
  return URL.parse(text)?.origin === text;
}

function partsOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
