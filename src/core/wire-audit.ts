import type { AuditRecord } from './audit.ts';
import { toSnake, type Wired } from './wire.ts';

export type WireAudit = Wired<AuditRecord>;

export interface WireAuditPage {
  readonly records: readonly WireAudit[];
  readonly next_cursor: string | null;
  readonly dropped: number;
}

/** Details keep their names as they are. */
export function auditToWire(record: AuditRecord): WireAudit {
  const { auditId, at, actor, action, target, outcome, requestId, details } = record;
  return toSnake<AuditRecord>({ auditId, at, actor, action, target, outcome, requestId, details });
}
