import { Type } from 'typebox';
import { type Credential, ROLES } from '../core/credential.ts';
import { TEXT_CHARS } from '../core/limits.ts';
import type { WireSession, WireShare, WireToken } from '../core/wire-access.ts';
import type { Access, ShownToken } from './auth/access.ts';
import type { Caller } from './auth/caller.ts';
import { ExpiryFields } from './auth/expiry.ts';

const text = Type.Union([Type.String(), Type.Null()]);
const time = Type.Union([Type.String({ format: 'date-time' }), Type.Null()]);
const role = Type.Enum([...ROLES]);
const closed = { additionalProperties: false, 'x-error': 'invalid_token' } as const;

export const TokenBody = Type.Object(
  { name: Type.String({ description: 'Whose it is, 1–100 characters' }), role, ...ExpiryFields },
  closed,
);
const tokenFields = {
  token_id: Type.String(),
  name: text,
  role,
  hint: { ...text, description: 'How it begins' },
  fixed: Type.Boolean({ description: 'It stands in TASKTRAIL_TOKENS' }),
  created_at: time,
  created_by: text,
  expires_at: time,
  expired: Type.Boolean(),
  last_used_at: time,
};
export const TokenShape = Type.Object(tokenFields);
export const NewTokenShape = Type.Object({ ...tokenFields, token: Type.String({ description: 'Shown this once' }) });

export const SessionBody = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: TEXT_CHARS }) },
  { additionalProperties: false },
);
export const SessionQuery = Type.Object({
  task_id: Type.Optional(Type.String({ description: 'Says also whether a link opens this task' })),
});
export const SessionShape = Type.Object({
  role,
  name: text,
  kind: Type.Enum(['token', 'session', 'share', 'loopback']),
  task_id: text,
  expires_at: time,
});

export const ShareBody = Type.Object({ task_id: Type.String(), ...ExpiryFields }, closed);
export const ShareQuery = Type.Object({ task_id: Type.Optional(Type.String()) });
const shareFields = {
  share_id: Type.String(),
  task_id: Type.String(),
  created_at: Type.String({ format: 'date-time' }),
  created_by: text,
  expires_at: Type.String({ format: 'date-time' }),
  last_used_at: time,
};
export const ShareShape = Type.Object(shareFields);
export const NewShareShape = Type.Object({ ...shareFields, url: Type.String({ description: 'Shown this once' }) });

export function tokenToWire({ credential, fixed, usedAt }: ShownToken, nowMs: number): WireToken {
  const { id = '', role: itsRole = 'reader', name = null } = credential ?? fixed ?? {};
  const { hint = null, createdAt = null, createdBy = null, expiresAt = null } = credential ?? {};
  return {
    token_id: id,
    name,
    role: itsRole,
    hint,
    fixed: fixed !== null,
    created_at: createdAt,
    created_by: createdBy,
    expires_at: expiresAt,
    expired: expiresAt !== null && Date.parse(expiresAt) <= nowMs,
    last_used_at: usedAt,
  };
}

export function sessionToWire(access: Access, caller: Caller): WireSession {
  const { kind, name, taskId = null } = caller;
  return { role: caller.role, name, kind, task_id: taskId, expires_at: access.expiryOf(caller) };
}

export function shareToWire({ id, taskId, createdAt, createdBy, expiresAt, usedAt }: Credential): WireShare {
  return {
    share_id: id,
    task_id: taskId ?? '',
    created_at: createdAt,
    created_by: createdBy,
    expires_at: expiresAt ?? '',
    last_used_at: usedAt,
  };
}
