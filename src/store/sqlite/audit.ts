import type { SQLInputValue } from 'node:sqlite';
import type { ActorKind, AuditEntry, AuditOutcome, AuditPage, AuditQuery, AuditRecord } from '../../core/audit.ts';
import type { JsonObject } from '../../core/entry.ts';
import { AUDIT_DAYS, AUDIT_RECORDS } from '../../core/limits.ts';
import { isoTime } from '../../core/time.ts';
import type { Database } from './database.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Rows that one step of clearing away looks at. */
const SWEEP_ROWS = 1_000;

interface Row {
  audit_id: number;
  at: string;
  actor_kind: ActorKind;
  actor_name: string | null;
  actor_role: string | null;
  actor_address: string | null;
  action: string;
  target_type: string;
  target_id: string | null;
  request_id: string | null;
  outcome: AuditOutcome;
  details_json: string | null;
}

/** Inside a write transaction. Numbers grow by one, so the oldest of too many are told by theirs. */
export function insertAudit(db: Database, entry: AuditEntry, keep = AUDIT_RECORDS): void {
  const { at, actor, action, target, requestId, outcome, details } = entry;
  db.run(
    'INSERT INTO audit VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ...[at, actor.kind, actor.name, actor.role, actor.address],
    ...[action, target.type, target.id, requestId, outcome, details && JSON.stringify(details)],
  );
  db.run('DELETE FROM audit WHERE audit_id <= (SELECT max(audit_id) FROM audit) - ?', keep);
}

/** Inside a write transaction: forget some that are too old. Answers whether more may be left. */
export function sweepAudit(db: Database, nowMs: number): boolean {
  // Those behind a younger one stay, should a clock have gone back: the numbers that are kept have no holes.
  const gone = db.run(
    `DELETE FROM audit WHERE audit_id IN (SELECT audit_id FROM audit ORDER BY audit_id LIMIT ?)
       AND audit_id < coalesce((SELECT audit_id FROM audit WHERE at >= ? ORDER BY audit_id LIMIT 1), audit_id + 1)`,
    ...[SWEEP_ROWS, isoTime(nowMs - AUDIT_DAYS * DAY_MS)],
  );
  return gone > 0;
}

export function readAudit(db: Database, query: AuditQuery): AuditPage {
  const wanted = conditions(query);
  const where = wanted.length === 0 ? '' : `WHERE ${wanted.map(([sql]) => sql).join(' AND ')}`;
  const rows = db.all<Row>(
    `SELECT * FROM audit ${where} ORDER BY audit_id DESC LIMIT ?`,
    ...wanted.flatMap(([, values]) => values),
    query.limit,
  );
  // When all are gone, the last number that was given out tells how many there were.
  const kept = db.get<{ dropped: number | null }>(
    `SELECT coalesce((SELECT min(audit_id) - 1 FROM audit), (SELECT seq FROM sqlite_sequence WHERE name = 'audit')) AS dropped`,
  );
  return { records: rows.map(recordOf), dropped: kept?.dropped ?? 0 };
}

function conditions({ from, to, actor, actions, target, before }: AuditQuery): [string, SQLInputValue[]][] {
  const wanted: [string, SQLInputValue[]][] = [];
  if (before !== undefined) wanted.push(['audit_id < ?', [before]]);
  if (from !== undefined) wanted.push(['at >= ?', [from]]);
  if (to !== undefined) wanted.push(['at < ?', [to]]);
  if (actor !== undefined) wanted.push(['(actor_name = ? OR actor_kind = ?)', [actor, actor]]);
  if (actions !== undefined) {
    const any = actions.map((asked) => (asked.endsWith('.*') ? 'substr(action, 1, ?) = ?' : 'action = ?'));
    const values = actions.flatMap((asked) =>
      asked.endsWith('.*') ? [asked.length - 1, asked.slice(0, -1)] : [asked],
    );
    wanted.push([`(${any.join(' OR ') || 'FALSE'})`, values]);
  }
  if (target !== undefined) {
    wanted.push([`(target_id = ? OR target_type || ':' || coalesce(target_id, '') = ?)`, [target, target]]);
  }
  return wanted;
}

function recordOf(row: Row): AuditRecord {
  return {
    auditId: row.audit_id,
    at: row.at,
    actor: { kind: row.actor_kind, name: row.actor_name, role: row.actor_role, address: row.actor_address },
    action: row.action,
    target: { type: row.target_type, id: row.target_id },
    requestId: row.request_id,
    outcome: row.outcome,
    details: row.details_json === null ? null : (JSON.parse(row.details_json) as JsonObject),
  };
}
