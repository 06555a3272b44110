import type { WireAudit } from '../../core/wire-audit.ts';
import { offsetAt } from './time.ts';

/** What the reader of the audit looks for. The address holds moments, so that a link means the same everywhere. */
export interface AuditView {
  readonly actor: string;
  readonly action: string;
  /** As a field for a local date and time has it: `2026-01-24T10:00`. */
  readonly from: string;
  readonly to: string;
}

const NAMES = ['actor', 'action', 'from', 'to'] as const;

export function readAuditView(params: URLSearchParams): AuditView {
  const [actor = '', action = '', from = '', to = ''] = NAMES.map((name) => params.get(name) ?? '');
  return { actor, action, from: fieldTime(from), to: fieldTime(to) };
}

/** The parameters of the address with this view in them; others stay. */
export function withAuditView(params: URLSearchParams, view: AuditView): URLSearchParams {
  const made = new URLSearchParams(params);
  for (const name of NAMES) made.delete(name);
  for (const [name, value] of auditParams(view)) made.set(name, value);
  return made;
}

/** What the server is asked. A field that is no time is left out; `auditFaults` tells of it. */
export function auditParams(view: AuditView): URLSearchParams {
  const params = new URLSearchParams();
  for (const name of ['actor', 'action'] as const) {
    const value = view[name].trim();
    if (value !== '') params.set(name, value);
  }
  for (const name of ['from', 'to'] as const) {
    const ms = Date.parse(view[name]);
    if (!Number.isNaN(ms)) params.set(name, new Date(ms).toISOString());
  }
  return params;
}

/** A moment as a field for a local date and time has it. */
function fieldTime(iso: string): string {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? '' : new Date(ms + offsetAt(iso) * 60_000).toISOString().slice(0, 16);
}

/** What is wrong with a field. */
export function auditFaults({ action, from, to }: AuditView): Partial<Record<keyof AuditView, string>> {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
  const isAction = action.split(',').every((name) => /^[a-z_]+(\.([a-z_]+|\*))?$/.test(name.trim()));
  return {
    ...(action.trim() !== '' && !isAction && { action: 'expected names like task.delete or task.*, several by comma' }),
    ...(from !== '' && Number.isNaN(fromMs) && { from: 'expected a date and a time' }),
    ...(to !== '' && Number.isNaN(toMs) && { to: 'expected a date and a time' }),
    ...(fromMs >= toMs && { to: 'expected a time after the first' }),
  };
}

/** Who it was, in a few words. */
export function actorText({ actor: { kind, name, role } }: WireAudit): string {
  const who = name ?? (kind === 'loopback' ? 'this machine' : kind);
  return role === null ? who : `${who} (${role})`;
}
