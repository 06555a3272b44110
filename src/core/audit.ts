import type { Json, JsonObject } from './entry.ts';
import { AUDIT_VALUE_CHARS } from './limits.ts';

/** How somebody was known who changed something. `library`: a program that opened the data directory; `system`: the server itself. */
export const ACTOR_KINDS = [
  'token',
  'session',
  'share',
  'loopback',
  'cli',
  'library',
  'webhook',
  'system',
  'unknown',
] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

export interface Actor {
  readonly kind: ActorKind;
  /** Of a token, of the user of this machine, or of who sent a webhook. */
  readonly name: string | null;
  readonly role: string | null;
  /** Where the request came from. */
  readonly address: string | null;
}

/** `done`: it took effect. `refused`: the caller may not. `failed`: the server could not answer, so it may or may not have taken effect. */
export const AUDIT_OUTCOMES = ['done', 'refused', 'failed'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** Somebody changed something, or tried to. */
export interface AuditDraft {
  readonly actor: Actor;
  /** What was done: `task.delete`, `setting.change` … */
  readonly action: string;
  /** Without an id all of its type are meant. */
  readonly target: { readonly type: string; readonly id: string | null };
  readonly requestId: string | null;
  readonly outcome: AuditOutcome;
  readonly details: JsonObject | null;
}

/** The same, masked, with its time. */
export interface AuditEntry extends AuditDraft {
  readonly at: string;
}

export interface AuditRecord extends AuditEntry {
  /** 1, 2, 3 … without holes. */
  readonly auditId: number;
}

export interface AuditQuery {
  /** From this time on, and before that one (ISO 8601). */
  readonly from?: string;
  readonly to?: string;
  /** A name or a kind. */
  readonly actor?: string;
  /** Any of these; `task.*` is all that begin with `task.`. */
  readonly actions?: readonly string[];
  /** `type:id`, or an id. */
  readonly target?: string;
  /** Only older records than this one. */
  readonly before?: number;
  readonly limit: number;
}

export interface AuditPage {
  /** The newest first. */
  readonly records: readonly AuditRecord[];
  /** Older records that are not kept any more. */
  readonly dropped: number;
}

/** Whether a record is asked for, whatever its place. */
export function isAsked(record: AuditEntry, { from, to, actor, actions, target }: AuditQuery): boolean {
  const { at, actor: who, action, target: what } = record;
  return (
    (from === undefined || at >= from) &&
    (to === undefined || at < to) &&
    (actor === undefined || who.name === actor || who.kind === actor) &&
    (actions === undefined || actions.some((asked) => isAction(action, asked))) &&
    (target === undefined || what.id === target || `${what.type}:${what.id ?? ''}` === target)
  );
}

function isAction(action: string, asked: string): boolean {
  return asked.endsWith('.*') ? action.startsWith(asked.slice(0, -1)) : action === asked;
}

/** What may not be shown, whatever it holds. */
const SECRET = /secret|token|password|authorization/i;
/** Paths of addresses may be secrets, as Slack's are. */
const ADDRESS = /^(https?:\/\/[^/?#]+).+/i;

/** Fields that differ, each with what it was and what it is; long values are cut, and of what may not be shown only that it changed. */
export function changedFields(before: object, after: object): JsonObject {
  const [was, is] = [before as Record<string, unknown>, after as Record<string, unknown>];
  const changed: Record<string, Json> = {};
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    if (JSON.stringify(was[name]) === JSON.stringify(is[name])) continue;
    changed[name] = SECRET.test(name) ? 'changed' : { before: shown(was[name]), after: shown(is[name]) };
  }
  return changed;
}

function shown(value: unknown): Json {
  const json = JSON.stringify(value, inert) ?? 'null';
  if (json.length <= AUDIT_VALUE_CHARS) return JSON.parse(json) as Json;
  return `${json.slice(0, AUDIT_VALUE_CHARS).toWellFormed()}…`;
}

function inert(name: string, held: unknown): unknown {
  if (SECRET.test(name)) return '[hidden]';
  return typeof held === 'string' ? held.replace(ADDRESS, '$1/…') : held;
}
