import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TEXT_CHARS } from '../../src/core/limits.ts';
import { maskedAudit } from '../../src/intake/audit.ts';
import { createRedactor } from '../../src/intake/redact.ts';

test('a secret that stands where a text of the audit is cut leaves nothing readable', () => {
  const token = `ghp_${'a1'.repeat(18)}`;
  const name = `${'x'.repeat(TEXT_CHARS - 20)} ${token}`;
  const { actor } = maskedAudit(
    {
      ...{ actor: { kind: 'token', name, role: null, address: null }, action: 'task.delete' },
      ...{ target: { type: 'task', id: 't' }, requestId: null, outcome: 'done', details: null },
    },
    { redactor: createRedactor(), nowMs: 0 },
  );
  assert.ok(actor.name !== null && actor.name.length <= TEXT_CHARS);
  assert.ok(!actor.name.includes('ghp_'), actor.name.slice(-40));
});
