import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { call } from '../support/api.ts';
import { missing } from '../support/programs.ts';
import { startServer } from '../support/server.ts';

const needs = { skip: missing('sqlite3') };
const run = promisify(execFile);

test('the SQLite shell reads task_logs, with its columns, beside the running server', needs, async (t) => {
  const { ask } = await serverWithLines(t);
  const rows = await ask(
    'SELECT id, task_id, timestamp, level, source, message, metadata_json FROM task_logs ORDER BY id',
  );
  assert.deepEqual(
    rows.map(({ task_id, level, source, message, metadata_json }) => [task_id, level, source, message, metadata_json]),
    [
      ['one', 'INFO', 'system', 'no source was given', null],
      ['one', 'WARNING', 'git', 'behind', '{"commits":3}'],
      ['two', 'ERROR', 'plugin', 'broken', null],
    ],
  );
  const ids = rows.map((row) => Number(row.id));
  assert.deepEqual(
    ids,
    [...new Set(ids)].sort((a, b) => a - b),
  );
  for (const row of rows) assert.match(String(row.timestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('lines of a task and lines of a time are found by an index', needs, async (t) => {
  const { shell } = await serverWithLines(t);
  for (const condition of [`task_id = 'one'`, `timestamp >= '2026-01-01'`]) {
    const plan = await shell(`EXPLAIN QUERY PLAN SELECT message FROM task_logs WHERE ${condition}`);
    assert.match(plan, /SEARCH l USING/);
    assert.doesNotMatch(plan, /SCAN l\b/);
  }
});

test('every line belongs to a task in tasks', needs, async (t) => {
  const { ask } = await serverWithLines(t);
  const joined = 'SELECT count(*) AS lines FROM task_logs JOIN tasks USING (task_id)';
  assert.deepEqual(await ask(joined), [{ lines: 3 }]);
});

async function serverWithLines(t: TestContext) {
  const server = await startServer(t);
  await call(server, '/api/tasks', { task_id: 'one' });
  await call(server, '/api/tasks', { task_id: 'two' });
  await call(server, '/api/tasks/one/logs', [
    { message: 'no source was given' },
    { message: 'behind', source: 'git', level: 'warn', metadata: { commits: 3 } },
  ]);
  await call(server, '/api/tasks/two/logs', { message: 'broken', source: 'plugin', level: 'ERROR' });
  const shell = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('sqlite3', ['-readonly', join(server.dataDir, 'tasktrail.db'), ...args]);
    return stdout;
  };
  return {
    shell,
    ask: async (sql: string) => JSON.parse(await shell('-json', sql)) as Record<string, unknown>[],
  };
}
