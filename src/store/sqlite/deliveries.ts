import type { SQLInputValue } from 'node:sqlite';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { JsonObject } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import { DELIVERY_DAYS, WEBHOOKS } from '../../core/limits.ts';
import { isoTime } from '../../core/time.ts';
import {
  type DeliveryDraft,
  type DeliveryKey,
  type DeliveryLimits,
  type DeliveryOutcome,
  type DeliveryQuery,
  type DeliveryRecord,
  type StoredWebhook,
  webhookExists,
} from '../../core/webhook.ts';
import type { Database } from './database.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Rows that one insert clears away: more than it adds, so that the log shrinks to its limit when that was lowered. */
const STEP = 10;
/** Its place tells how old a delivery is: of the oldest so many are looked at in one step. */
const SWEEP_ROWS = 1_000;

interface Row {
  n: number;
  webhook_id: string;
  provider: string;
  received_at: string;
  delivery_id: string | null;
  event_type: string | null;
  sender: string | null;
  signature: string;
  outcome: DeliveryOutcome;
  reason: string | null;
  detail: string | null;
  task_id: string | null;
  bytes: number;
  replay_of: number | null;
  headers_json: string;
  replayable: number;
}

const COLUMNS = `n, webhook_id, provider, received_at, delivery_id, event_type, sender, signature, outcome, reason, detail, task_id,
  bytes, replay_of, headers_json, body IS NOT NULL AS replayable`;

/** Inside a write transaction: the number of the new delivery. Too many before it, and those that are too old, go. */
export function insertDelivery(
  db: Database,
  draft: DeliveryDraft,
  { key, limits }: { readonly key: DeliveryKey | null; readonly limits: DeliveryLimits },
): number {
  const { webhookId, body, outcome } = draft;
  const idleNo = outcome === 'accepted' || outcome === 'answered' ? null : after(db, webhookId, 'idle_no');
  const bodyNo = body === null ? null : after(db, webhookId, 'body_no');
  const columns: Record<string, SQLInputValue> = {
    webhook_id: webhookId,
    provider: draft.provider,
    received_at: draft.receivedAt,
    delivery_id: draft.deliveryId,
    event_type: draft.eventType,
    sender: draft.sender,
    signature: draft.signature,
    outcome,
    reason: draft.reason,
    detail: draft.detail,
    task_id: draft.taskId,
    bytes: draft.bytes,
    replay_of: draft.replayOf,
    headers_json: JSON.stringify(draft.headers),
    key: key?.value ?? null,
    key_until_ms: key?.untilMs ?? null,
    body: body === null ? null : zstdCompressSync(body),
    idle_no: idleNo,
    body_no: bodyNo,
  };
  const names = Object.keys(columns);
  db.run(
    `INSERT INTO deliveries (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    ...Object.values(columns),
  );
  const row = db.get<{ n: number }>('SELECT last_insert_rowid() AS n');
  clearAway(db, webhookId, { idleNo, bodyNo, limits });
  return row?.n ?? 0;
}

/** The delivery that has this key at a moment. */
export function findKey(
  db: Database,
  webhookId: string,
  key: string,
  nowMs: number,
): { n: number; taskId: string | null } | null {
  const row = db.get<{ n: number; task_id: string | null }>(
    `SELECT n, task_id FROM deliveries INDEXED BY deliveries_by_key
     WHERE webhook_id = ? AND key = ? AND (key_until_ms IS NULL OR key_until_ms > ?)`,
    ...[webhookId, key, nowMs],
  );
  return row ? { n: row.n, taskId: row.task_id } : null;
}

/** Inside a write transaction: a key whose time is over is free for another delivery. */
export function freeKey(db: Database, webhookId: string, key: string): void {
  db.run('UPDATE deliveries SET key = NULL WHERE webhook_id = ? AND key = ?', webhookId, key);
}

/** Inside a write transaction: forget some that are too old. Answers whether more may be left. */
export function sweepDeliveries(db: Database, nowMs: number, rows = SWEEP_ROWS): boolean {
  const gone = db.run(
    'DELETE FROM deliveries WHERE n IN (SELECT n FROM deliveries ORDER BY n LIMIT ?) AND received_at < ?',
    ...[rows, isoTime(nowMs - DELIVERY_DAYS * DAY_MS)],
  );
  return gone > 0;
}

export function listDeliveries(db: Database, { webhookId, outcomes, before, limit }: DeliveryQuery): DeliveryRecord[] {
  const wanted: [string, SQLInputValue[]][] = [];
  if (webhookId !== undefined) wanted.push(['webhook_id = ?', [webhookId]]);
  if (before !== undefined) wanted.push(['n < ?', [before]]);
  if (outcomes) wanted.push([`outcome IN (${outcomes.map(() => '?').join(', ')})`, [...outcomes]]);
  const where = wanted.length === 0 ? '' : `WHERE ${wanted.map(([sql]) => sql).join(' AND ')}`;
  return db
    .all<Row>(
      `SELECT ${COLUMNS} FROM deliveries ${where} ORDER BY n DESC LIMIT ?`,
      ...wanted.flatMap(([, values]) => values),
      limit,
    )
    .map(recordOf);
}

/** Throws `delivery_not_found`. */
export function readDelivery(db: Database, n: number): DeliveryRecord & { readonly body: string | null } {
  const row = db.get<Row & { body: Uint8Array | null }>(`SELECT ${COLUMNS}, body FROM deliveries WHERE n = ?`, n);
  if (!row) throw new TrailError('delivery_not_found', `there is no delivery ${n}, or it is too old to be kept`);
  return { ...recordOf(row), body: row.body === null ? null : zstdDecompressSync(row.body).toString('utf8') };
}

export function listWebhooks(db: Database): StoredWebhook[] {
  const rows = db.all<{
    webhook_id: string;
    enabled: number;
    definition_json: string;
    secret: string | null;
    created_at: string;
    updated_at: string;
  }>('SELECT * FROM webhooks ORDER BY created_at, webhook_id');
  return rows.map((row) => ({
    webhookId: row.webhook_id,
    enabled: row.enabled === 1,
    definition: JSON.parse(row.definition_json) as JsonObject,
    secret: row.secret,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }));
}

/** Inside a write transaction. Throws `too_many_webhooks`. */
export function putWebhook(db: Database, webhook: StoredWebhook, isNew: boolean): void {
  const { webhookId, enabled, definition, secret, createdAt, updatedAt } = webhook;
  if (isNew && db.get('SELECT 1 FROM webhooks WHERE webhook_id = ?', webhookId)) throw webhookExists(webhookId);
  db.run(
    'INSERT OR REPLACE INTO webhooks VALUES (?, ?, ?, ?, ?, ?)',
    ...[webhookId, enabled ? 1 : 0, JSON.stringify(definition), secret, createdAt, updatedAt],
  );
  const { count } = db.get<{ count: number }>('SELECT count(*) AS count FROM webhooks') ?? { count: 0 };
  if (count > WEBHOOKS) {
    throw new TrailError('too_many_webhooks', `expected at most ${WEBHOOKS} webhooks; delete some that are not used`);
  }
}

/** Inside a write transaction: a webhook goes with what came in by it. */
export function removeWebhook(db: Database, webhookId: string): void {
  db.run('DELETE FROM webhooks WHERE webhook_id = ?', webhookId);
  db.run('DELETE FROM deliveries WHERE webhook_id = ?', webhookId);
}

/** The next number of a webhook's own count. */
function after(db: Database, webhookId: string, column: 'idle_no' | 'body_no'): number {
  const row = db.get<{ last: number | null }>(
    `SELECT max(${column}) AS last FROM deliveries WHERE webhook_id = ? AND ${column} IS NOT NULL`,
    webhookId,
  );
  return (row?.last ?? 0) + 1;
}

function clearAway(
  db: Database,
  webhookId: string,
  {
    idleNo,
    bodyNo,
    limits,
  }: { readonly idleNo: number | null; readonly bodyNo: number | null; readonly limits: DeliveryLimits },
): void {
  if (idleNo !== null && idleNo > limits.idle) {
    db.run(
      `DELETE FROM deliveries WHERE n IN
         (SELECT n FROM deliveries WHERE webhook_id = ? AND idle_no <= ? ORDER BY idle_no LIMIT ?)`,
      ...[webhookId, idleNo - limits.idle, STEP],
    );
  }
  if (bodyNo !== null && bodyNo > limits.bodies) {
    db.run(
      `UPDATE deliveries SET body = NULL, body_no = NULL WHERE n IN
         (SELECT n FROM deliveries WHERE webhook_id = ? AND body_no <= ? ORDER BY body_no LIMIT ?)`,
      ...[webhookId, bodyNo - limits.bodies, STEP],
    );
  }
}

function recordOf(row: Row): DeliveryRecord {
  return {
    n: row.n,
    webhookId: row.webhook_id,
    provider: row.provider,
    receivedAt: row.received_at,
    deliveryId: row.delivery_id,
    eventType: row.event_type,
    sender: row.sender,
    signature: row.signature,
    outcome: row.outcome,
    reason: row.reason,
    detail: row.detail,
    taskId: row.task_id,
    bytes: row.bytes,
    replayOf: row.replay_of,
    headers: JSON.parse(row.headers_json) as JsonObject,
    replayable: row.replayable === 1,
  };
}
