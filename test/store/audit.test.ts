import assert from 'node:assert/strict';
import test from 'node:test';
import type { AuditEntry } from '../../src/core/audit.ts';
import { insertAudit, readAudit } from '../../src/store/sqlite/audit.ts';
import { openDatabase } from '../../src/store/sqlite/database.ts';
import { scratch } from '../support/scratch.ts';

const entry: AuditEntry = {
  at: '2026-01-24T10:00:00.000Z',
  actor: { kind: 'cli', name: 'alice', role: null, address: null },
  action: 'task.cancel',
  target: { type: 'task', id: 't' },
  requestId: null,
  outcome: 'done',
  details: null,
};

test('of too many records of the audit the oldest go, and are counted', async (t) => {
  const db = openDatabase(await scratch(t));
  t.after(() => db.close());
  for (let n = 0; n < 25; n++) insertAudit(db, entry, 10);
  const { records, dropped } = readAudit(db, { limit: 100 });
  assert.deepEqual(
    records.map(({ auditId }) => auditId),
    [25, 24, 23, 22, 21, 20, 19, 18, 17, 16],
  );
  assert.equal(dropped, 15);
  // The limit was lowered.
  insertAudit(db, entry, 2);
  assert.equal(readAudit(db, { limit: 100 }).dropped, 24);
});
