import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { roomOf } from '../../src/cli/room.ts';
import { Spool } from '../../src/cli/spool.ts';
import { scratch } from '../support/scratch.ts';

test('what lies beside the database is told, and what is not there is null', async (t) => {
  const dataDir = await scratch(t);
  const before = await roomOf(dataDir);
  assert.ok(before.diskBytes && before.diskFreeBytes !== null && before.diskFreeBytes <= before.diskBytes);
  assert.deepEqual([before.walBytes, before.spoolBatches], [null, 0]);
  writeFileSync(join(dataDir, 'tasktrail.db-wal'), '12345');
  const spool = new Spool({ dataDir, to: 'local' });
  for (const key of ['a', 'b']) spool.add({ call: 'append', taskId: 'x', key, body: '{}' });
  const { walBytes, spoolBatches } = await roomOf(dataDir);
  assert.deepEqual([walBytes, spoolBatches], [5, 2]);
  assert.equal((await roomOf(join(dataDir, 'none'))).diskBytes, null);
});
