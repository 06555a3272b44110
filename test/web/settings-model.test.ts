import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditFaults, auditParams, readAuditView, withAuditView } from '../../src/web/lib/audit-view.ts';
import { markedParts } from '../../src/web/lib/marks.ts';
import { readRules } from '../../src/web/lib/retention-form.ts';
import { sectionOf } from '../../src/web/lib/sections.ts';
import type { WireMetrics, WireStorage } from '../../src/web/lib/settings-api.ts';
import { storageChecks, worstTone } from '../../src/web/lib/storage-checks.ts';
import { size } from '../../src/web/lib/text.ts';
import { dateTime } from '../../src/web/lib/time.ts';

test('a section is named by the fragment, else by the query, else by what the query is about', () => {
  const of = (hash: string, query: string) => sectionOf(hash, new URLSearchParams(query));
  assert.equal(of('#redaction', ''), 'redaction');
  assert.equal(of('#redaction', 'section=audit&webhook=github'), 'redaction');
  assert.equal(of('', 'section=audit'), 'audit');
  assert.equal(of('', 'webhook=github&outcome=refused'), 'webhooks');
  assert.equal(of('', ''), 'logging');
  for (const odd of ['#', '#none', '#__proto__', '#constructor']) assert.equal(of(odd, ''), 'logging');
});

test('a text cut at what was found is the same text, with each find whole', () => {
  const founds = fc.uniqueArray(fc.nat(60), { maxLength: 12 }).map((places) => {
    const sorted = [...places].sort((a, b) => a - b);
    return Array.from({ length: Math.floor(sorted.length / 2) }, (_, n) => ({
      start: sorted[2 * n] ?? 0,
      end: sorted[2 * n + 1] ?? 0,
    }));
  });
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), founds, (text, found) => {
      const parts = markedParts(text, found);
      assert.equal(parts.map((part) => part.text).join(''), text);
      const marked = parts.flatMap((part) => (part.found ? [part.found] : []));
      assert.deepEqual(
        marked,
        found.filter(({ end }) => end <= text.length),
      );
      for (const part of parts) if (part.found) assert.equal(part.text, text.slice(part.found.start, part.found.end));
    }),
  );
});

test('days and sizes are read as people write them, and what is none is told at its field', () => {
  assert.deepEqual(readRules({ days: '', limit: ' ' }), { rules: {}, faults: {} });
  assert.deepEqual(readRules({ days: '0', limit: '1.5 GB' }).rules, { older_than_days: 0, max_bytes: 1_500_000_000 });
  for (const [limit, bytes] of Object.entries({ '500000': 500_000, '10kb': 10_000, '2 TB': 2e12, '1 b': 1 })) {
    assert.equal(readRules({ days: '', limit }).rules.max_bytes, bytes, limit);
  }
  for (const days of ['-1', '1.5', 'x', '36501', '999999', '1e3']) {
    assert.ok(readRules({ days, limit: '' }).faults.days, days);
  }
  for (const limit of ['0', '-1', '10 XB', 'GB', '0.0000001', '99999 TB']) {
    assert.ok(readRules({ days: '', limit }).faults.limit, limit);
  }
});

const STORAGE: WireStorage = {
  ...{ bytes: 100, file_bytes: 50, deleting_bytes: 0, free_bytes: 0, tasks: 1, entries: 1, lost: 0 },
  ...{ oldest_task_at: null, retention_days: 0, max_bytes: 0, compress_after_days: 0 },
  ...{ disk_bytes: 1e12, disk_free_bytes: 5e11, wal_bytes: 0, spool_batches: 0 },
};
const METRICS: WireMetrics = {
  ...{ pending: null, dead: 0, lost_total: 0, directory_failures_total: 0, redactions_total: {} },
};
const HEALTH = { status: 'healthy', store: 'sqlite', redis: 'connected', uptime_seconds: 1, version: '1' } as const;

test('a storage that is well has nothing to mend', () => {
  const checks = storageChecks({ health: HEALTH, storage: STORAGE, metrics: METRICS });
  assert.equal(worstTone(checks), 'ok');
  assert.deepEqual(
    checks.filter(({ fix, command }) => fix ?? command),
    [],
  );
  assert.equal(checks.length, 8);
});

test('what is not well comes first and says what helps', () => {
  const ill = (storage: Partial<WireStorage>, metrics: Partial<WireMetrics> = {}, health: object = {}) => {
    const facts = { health: { ...HEALTH, ...health }, storage: { ...STORAGE, ...storage } };
    const checks = storageChecks({ ...facts, metrics: { ...METRICS, ...metrics } });
    const [first, second] = checks;
    assert.ok(first?.fix && second?.tone === 'ok', JSON.stringify(checks));
    return [first.name, first.tone];
  };
  assert.deepEqual(ill({}, {}, { status: 'unhealthy' }), ['Storing', 'error']);
  assert.deepEqual(ill({ disk_bytes: 2e9, disk_free_bytes: 1e8 }), ['Disk', 'warning']);
  assert.deepEqual(ill({ max_bytes: 149 }), ['Disk limit', 'warning']);
  assert.deepEqual(ill({ wal_bytes: 300 * 1024 * 1024 }), ['WAL', 'warning']);
  assert.deepEqual(ill({ spool_batches: 1 }), ['Spool', 'warning']);
  assert.deepEqual(ill({ lost: 3 }), ['Lost lines', 'warning']);
  assert.deepEqual(ill({}, { directory_failures_total: 1 }), ['Task directories', 'warning']);
  assert.deepEqual(ill({}, { dead: 2 }), ['Dead letters', 'warning']);
  assert.deepEqual(ill({}, {}, { redis: 'reconnecting' }), ['Redis', 'warning']);
});

test('parts that are not switched on are not told of', () => {
  const storage = { ...STORAGE, disk_bytes: null, disk_free_bytes: null, wal_bytes: null, spool_batches: null };
  const metrics = { ...METRICS, dead: null, directory_failures_total: null };
  const names = storageChecks({ health: null, storage, metrics }).map(({ name }) => name);
  assert.deepEqual(names, ['Lost lines']);
});

test('what the reader of the audit looks for goes through the address and comes back', () => {
  const view = { actor: 'ann', action: 'task.*', from: '2026-01-24T10:00', to: '2026-01-25T00:30' };
  const params = withAuditView(new URLSearchParams('section=audit&actor=old'), view);
  assert.deepEqual(readAuditView(params), view);
  assert.equal(params.get('section'), 'audit');
  assert.equal(params.get('from'), new Date('2026-01-24T10:00').toISOString());
  const none = { actor: ' ', action: '', from: '', to: '' };
  assert.equal(withAuditView(params, none).toString(), 'section=audit');
  assert.equal(auditParams({ ...none, from: 'soon' }).toString(), '');
  assert.equal(readAuditView(new URLSearchParams('from=never')).from, '');
});

test('a wrong field of the audit is told', () => {
  const none = { actor: '', action: '', from: '', to: '' };
  const faults = (view: object) => Object.keys(auditFaults({ ...none, ...view }));
  assert.deepEqual(faults({}), []);
  for (const action of ['task.delete', 'task.*', 'request', 'task.delete, plugin.run'])
    assert.deepEqual(faults({ action }), []);
  for (const action of ['Task', '*', 'task.', 'a b', 'task.delete,'])
    assert.deepEqual(faults({ action }), ['action'], action);
  assert.deepEqual(faults({ from: 'x' }), ['from']);
  assert.deepEqual(faults({ from: '2026-01-24T10:00', to: '2026-01-24T10:00' }), ['to']);
});

test('sizes and moments for people', () => {
  assert.deepEqual(
    [size(999), size(12_000), size(1.5e6), size(5e8), size(1e11)],
    ['999 B', '12 KB', '1.5 MB', '500.0 MB', '100.0 GB'],
  );
  assert.equal(dateTime('2026-01-24T23:30:00.123Z', 60), '2026-01-25 00:30:00');
  assert.equal(dateTime('when', 0), 'when');
});
