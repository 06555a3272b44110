import type { AuditQuery } from '../core/audit.ts';
import { decodeObject, encodeJson } from '../core/base64.ts';
import { TrailError } from '../core/error.ts';
import { PAGE_AUDIT } from '../core/limits.ts';
import { parseTime } from '../core/time.ts';

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
    ...(from !== undefined && { from: timeOf('from', from) }),
    ...(to !== undefined && { to: timeOf('to', to) }),
    ...(actor !== undefined && { actor }),
    ...(actions?.length && { actions }),
    ...(target !== undefined && { target }),
    ...(cursor !== undefined && { before: placeOf(cursor) }),
    limit,
  };
}

/** Where a page ended, as text. Records have growing numbers, so the next page goes on there whatever came meanwhile. */
export function auditCursor(auditId: number): string {
  return encodeJson({ audit: auditId });
}

function placeOf(cursor: string): number {
  const place = decodeObject(cursor)?.audit;
  if (Number.isSafeInteger(place)) return Number(place);
  throw new TrailError('invalid_cursor', 'cursor: expected the next_cursor of an earlier answer, got something else');
}

function timeOf(path: string, value: string): string {
  const time = parseTime(value);
  if (time !== undefined) return time;
  const detail = 'expected ISO 8601 or Unix milliseconds';
  throw new TrailError('invalid_parameter', `${path}: ${detail}, got ${JSON.stringify(value.slice(0, 100))}`, {
    errors: [{ path, detail }],
  });
}
