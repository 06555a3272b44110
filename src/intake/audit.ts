import type { AuditDraft, AuditEntry } from '../core/audit.ts';
import type { JsonObject } from '../core/entry.ts';
import { AUDIT_DETAILS_CHARS, TEXT_CHARS } from '../core/limits.ts';
import { isoTime } from '../core/time.ts';
import type { Redactor } from './redact.ts';

/** A record without secrets and within its bounds, whoever wrote it. */
export function maskedAudit(
  { actor, action, target, requestId, outcome, details }: AuditDraft,
  { redactor, nowMs }: { readonly redactor: Redactor; readonly nowMs: number },
): AuditEntry {
  // Masked before it is cut: what is left of a cut secret is not known any more.
  const text = (value: string | null): string | null =>
    value === null ? null : redactor.mask(value.toWellFormed()).slice(0, TEXT_CHARS).toWellFormed();
  const json = details === null ? null : redactor.maskJson(JSON.stringify(details));
  return {
    at: isoTime(nowMs),
    actor: { ...actor, name: text(actor.name), role: text(actor.role), address: text(actor.address) },
    action,
    target: { type: target.type, id: text(target.id) },
    requestId,
    outcome,
    details:
      json === null ? null : json.length > AUDIT_DETAILS_CHARS ? { cut: true } : (JSON.parse(json) as JsonObject),
  };
}
