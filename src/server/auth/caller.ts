import type { FastifyRequest } from 'fastify';
import { ROLES, type Role } from '../../core/credential.ts';
import { TrailError } from '../../core/error.ts';

/** Who calls, once that is known. */
export interface Caller {
  /** How that is known: a token, a session that was got for one, a link to one task, or nothing but where the call comes from. */
  readonly kind: 'token' | 'session' | 'share' | 'loopback';
  readonly role: Role;
  /** The token's, for `user_id` and tombstones. */
  readonly name: string | null;
  /** Of the token, also of the one that a session was got for. */
  readonly tokenId?: string;
  /** The one task that it may read. */
  readonly taskId?: string;
  /** What it showed is kept under this id; when that is over, so is everything that it follows. */
  readonly credentialId?: string;
}

export const LOOPBACK_CALLER: Caller = { kind: 'loopback', role: 'admin', name: null };

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

/**
 * The caller sits on this machine; behind a trusted proxy, the one that the proxy names. What a proxy says that nobody named is no
 * proof of who calls, but that somebody else does: many a proxy asks us by our own name for whoever asks it.
 */
export function isFromHere({ ip, headers }: Pick<FastifyRequest, 'ip' | 'headers'>): boolean {
  if (!LOOPBACK.test(ip) || headers.forwarded !== undefined) return false;
  const named = [headers['x-forwarded-for'] ?? [], headers['x-real-ip'] ?? []].flat();
  return named.flatMap((list) => list.split(',')).every((address) => LOOPBACK.test(address.trim()));
}

export function checkRole(caller: Caller | null, least: Role): asserts caller is Caller {
  if (caller === null) {
    throw new TrailError('unauthorized', 'expected a valid token as "Authorization: Bearer TOKEN", or a session');
  }
  if (ROLES.indexOf(caller.role) < ROLES.indexOf(least)) {
    throw new TrailError('forbidden', `expected the role ${least}, got ${caller.role}`);
  }
}
