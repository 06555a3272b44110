import type { Credential, Role } from '../../core/credential.ts';
import { TrailError } from '../../core/error.ts';
import { isoTime } from '../../core/time.ts';
import { digestOf, newId, newSecret } from './secret.ts';

/** How tokens and links that we make begin, so that people and scanners know them. */
export const TOKEN_PREFIX = 'tt_';
const NAME_CHARS = 100;
/** So much of a token is shown to tell it from others; the rest is still far beyond guessing. */
const HINT_CHARS = TOKEN_PREFIX.length + 4;

export interface TokenWish {
  readonly name: string;
  readonly role: Role;
  /** ISO 8601. */
  readonly expiresAt: string | null;
}

/** A new token: what its holder gets, this once, and what is kept of it. */
export function newToken(
  { name, role, expiresAt }: TokenWish,
  { by, nowMs }: { readonly by: string | null; readonly nowMs: number },
): { readonly token: string; readonly credential: Credential } {
  const shown = name.trim();
  if (shown.length === 0 || shown.length > NAME_CHARS) {
    const detail = `expected 1–${NAME_CHARS} characters that say whose it is, got ${shown.length}`;
    throw new TrailError('invalid_token', `name: ${detail}`, { errors: [{ path: 'name', detail }] });
  }
  const token = `${TOKEN_PREFIX}${newSecret()}`;
  const credential: Credential = {
    id: newId('tok'),
    kind: 'token',
    digest: digestOf(token).toString('base64url'),
    role,
    name: shown,
    hint: token.slice(0, HINT_CHARS),
    taskId: null,
    parentId: null,
    createdAt: isoTime(nowMs),
    createdBy: by,
    expiresAt,
    usedAt: null,
  };
  return { token, credential };
}
