import type { Role } from './credential.ts';

/** A token as it is listed, without what it is. */
export interface WireToken {
  readonly token_id: string;
  readonly name: string | null;
  readonly role: Role;
  /** How it begins; null for one of the settings. */
  readonly hint: string | null;
  /** It stands in the settings. */
  readonly fixed: boolean;
  readonly created_at: string | null;
  readonly created_by: string | null;
  readonly expires_at: string | null;
  readonly expired: boolean;
  /** To the minute; of one of the settings since the server started. */
  readonly last_used_at: string | null;
}

/** The answer that makes one: what it is, this once. */
export type WireNewToken = WireToken & { readonly token: string };

/** Who the caller is. */
export interface WireSession {
  readonly role: Role;
  readonly name: string | null;
  readonly kind: 'token' | 'session' | 'share' | 'loopback';
  /** The one task that a link opens. */
  readonly task_id: string | null;
  readonly expires_at: string | null;
}

/** A link to a task, without what it is. */
export interface WireShare {
  readonly share_id: string;
  readonly task_id: string;
  readonly created_at: string;
  readonly created_by: string | null;
  readonly expires_at: string;
  readonly last_used_at: string | null;
}

/** The answer that makes one: where it is, this once. */
export type WireNewShare = WireShare & { readonly url: string };
