import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AuditEntry, type AuditQuery, isAsked } from '../../../src/core/audit.ts';
import { AUDIT_DAYS } from '../../../src/core/limits.ts';
import { isoTime } from '../../../src/core/time.ts';
import { DAY_MS, type OpenStore, opened, plain, START } from './support.ts';

/** Who changed what. */
export function auditContract(open: OpenStore): void {
  test('who changed what is kept as it was told, numbered, and read newest first', async (t) => {
    const { store } = await opened(t, open);
    assert.deepEqual(plain(await store.audit({ limit: 10 })), { records: [], dropped: 0 });
    const told = [
      entryOf(),
      entryOf({ action: 'setting.change', target: { type: 'setting', id: null }, details: null, requestId: null }),
      entryOf({ actor: { kind: 'system', name: null, role: null, address: null }, outcome: 'failed' }),
    ];
    for (const entry of told) await store.addAudit(entry);
    const { records, dropped } = await store.audit({ limit: 10 });
    assert.deepEqual(
      plain(records),
      plain(told.map((entry, index) => ({ ...entry, auditId: index + 1 })).toReversed()),
    );
    assert.equal(dropped, 0);
    const [newest] = (await store.audit({ limit: 1 })).records;
    await store.addAudit(entryOf({ action: 'later' }));
    const next = await store.audit({ limit: 1, before: newest?.auditId ?? 0 });
    assert.deepEqual(
      next.records.map(({ auditId }) => auditId),
      [2],
      'a page goes on where the one before ended, whatever came meanwhile',
    );
  });

  test('records that are too old go, the oldest first, and are counted', async (t) => {
    const { store, clock } = await opened(t, open);
    const at = (days: number): string => isoTime(Date.parse(START) + days * DAY_MS);
    for (const day of [0, 1, 200]) await store.addAudit(entryOf({ at: at(day) }));
    clock.turn((AUDIT_DAYS + 2) * DAY_MS);
    while (await store.tidy());
    const kept = await store.audit({ limit: 10 });
    assert.deepEqual([kept.records.map(({ auditId }) => auditId), kept.dropped], [[3], 2]);
    clock.turn(AUDIT_DAYS * DAY_MS);
    while (await store.tidy());
    assert.deepEqual(plain(await store.audit({ limit: 10 })), { records: [], dropped: 3 });
    await store.addAudit(entryOf({ at: at(800) }));
    const after = await store.audit({ limit: 10 });
    assert.deepEqual([after.records.map(({ auditId }) => auditId), after.dropped], [[4], 3]);
  });

  test('the audit is filtered by what one record says of itself', async (t) => {
    const { store } = await opened(t, open);
    const told = fc.sample(anEntry, { numRuns: 60, seed: 7 });
    for (const entry of told) await store.addAudit(entry);
    await fc.assert(
      fc.asyncProperty(aQuery, async (query) => {
        const { records } = await store.audit(query);
        const expected = told.flatMap((entry, index) => (isAsked(entry, query) ? [index + 1] : [])).toReversed();
        const wanted = expected.filter((id) => query.before === undefined || id < query.before).slice(0, query.limit);
        assert.deepEqual(
          records.map(({ auditId }) => auditId),
          wanted,
        );
      }),
      { numRuns: 150 },
    );
  });
}

function entryOf(over: Partial<AuditEntry> = {}): AuditEntry {
  return {
    at: START,
    actor: { kind: 'token', name: 'alice', role: 'admin', address: '192.0.2.7' },
    action: 'task.delete',
    target: { type: 'task', id: 't-1' },
    requestId: 'r-1',
    outcome: 'done',
    details: { force: true, deep: { list: [1, null, 'x'] } },
    ...over,
  };
}

const word = fc.constantFrom('a', 'b', 'token', 'system', "it's", '%');
const time = fc.integer({ min: 0, max: 5 }).map((n) => isoTime(Date.parse(START) + n * 1_000));
const actions = fc.constantFrom('task.delete', 'task.cancel', 'task.x.y', 'taskx', 'alert.create', 'ärger.x');
const anEntry = fc
  .record({
    at: time,
    kind: fc.constantFrom('token', 'system'),
    name: fc.option(word),
    action: actions,
    id: fc.option(word),
  })
  .map(({ at, kind, name, action, id }) =>
    entryOf({
      at,
      actor: { kind: kind as 'token' | 'system', name, role: null, address: null },
      action,
      target: { type: action.split('.')[0] ?? '', id },
    }),
  );
const aQuery: fc.Arbitrary<AuditQuery> = fc.record(
  {
    from: time,
    to: time,
    actor: word,
    actions: fc.array(fc.oneof(actions, fc.constantFrom('task.*', 'alert.*', 'ärger.*', '*', '.*')), {
      minLength: 1,
      maxLength: 3,
    }),
    target: fc.oneof(word, fc.constantFrom('task:a', 'task:', 'alert:b')),
    before: fc.integer({ min: 1, max: 61 }),
    limit: fc.integer({ min: 1, max: 70 }),
  },
  { requiredKeys: ['limit'] },
);
