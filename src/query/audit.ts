import { askedTime } from '../core/asked-time.ts';
import type { AuditQuery } from '../core/audit.ts';
import { decodeObject, encodeJson } from '../core/base64.ts';
import { TrailError } from '../core/error.ts';
import { PAGE_AUDIT } from '../core/limits.ts';
import type { StoreReader } from '../core/ports.ts';
import { auditToWire, type WireAuditPage } from '../core/wire-audit.ts';

/** What is asked of the audit, as people write it. */
export interface AskedAudit {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly actor?: string | undefined;
  /** Several by comma. */
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Throws `invalid_parameter` or `invalid_cursor` that names what is wrong. */
export function askedAudit({ from, to, actor, action, target, limit = PAGE_AUDIT, cursor }: AskedAudit): AuditQuery {
  const actions = action
    ?.split(',')
    .map((part) => part.trim())
    .filter(Boolean);
  return {
    ...(from !== undefined && { from: askedTime('from', from) }),
    ...(to !== undefined && { to: askedTime('to', to) }),
    ...(actor !== undefined && { actor }),
    ...(actions?.length && { actions }),
    ...(target !== undefined && { target }),
    ...(cursor !== undefined && { before: placeOf(cursor) }),
    limit,
  };
}

/**
 * A page as the API gives it. Records have growing numbers, so the next page goes on where this one ends, whatever came meanwhile.
 * One more than asked tells whether there are more.
 */
export async function auditPage(store: Pick<StoreReader, 'audit'>, query: AuditQuery): Promise<WireAuditPage> {
  const { records, dropped } = await store.audit({ ...query, limit: query.limit + 1 });
  const shown = records.slice(0, query.limit);
  const last = records.length > query.limit ? shown.at(-1) : undefined;
  return {
    records: shown.map(auditToWire),
    next_cursor: last ? encodeJson({ audit: last.auditId }) : null,
    dropped,
  };
}

function placeOf(cursor: string): number {
  const place = decodeObject(cursor)?.audit;
  if (Number.isSafeInteger(place)) return Number(place);
  throw new TrailError('invalid_cursor', 'cursor: expected the next_cursor of an earlier answer, got something else');
}
