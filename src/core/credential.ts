import { TrailError } from './error.ts';
import { SHARES, TOKENS } from './limits.ts';

/** Each may what the one before it may. */
export const ROLES = ['reader', 'writer', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/**
 * What a caller shows to be let in:
 * - `token`: a program's, made by an admin
 * - `session`: a browser's, got for a token
 * - `share`: a link to one task
 */
export type CredentialKind = 'token' | 'session' | 'share';

/** One of them as it is kept: nothing in it opens anything. Times are ISO 8601. */
export interface Credential {
  readonly id: string;
  readonly kind: CredentialKind;
  /** SHA-256 of what its holder shows, in base64url; empty for a share, which is known by its signature. */
  readonly digest: string;
  readonly role: Role;
  readonly name: string | null;
  /** How its secret begins, for people to tell tokens apart. */
  readonly hint: string | null;
  /** The one task that a share opens. */
  readonly taskId: string | null;
  /** What a session was got for; it goes with that. */
  readonly parentId: string | null;
  readonly createdAt: string;
  readonly createdBy: string | null;
  readonly expiresAt: string | null;
  readonly usedAt: string | null;
}

/** What changes together. */
export interface CredentialChange {
  readonly add?: Credential;
  /** When some were used last; an earlier time than the one that is known changes nothing. */
  readonly uses?: readonly { readonly id: string; readonly usedAt: string }[];
  /** Ids of what is forgotten, with the sessions that were got for it; of unknown ones nothing. */
  readonly remove?: readonly string[];
}

/** All that is kept, and a number that grows whenever any of it changes. */
export interface Credentials {
  readonly revision: number;
  readonly list: readonly Credential[];
}

export function tooMany(kind: Exclude<CredentialKind, 'session'>): TrailError {
  return kind === 'token'
    ? new TrailError('too_many_tokens', `expected at most ${TOKENS} tokens; revoke some that are not used`)
    : new TrailError('too_many_shares', `expected at most ${SHARES} links; revoke some that are not used`);
}
