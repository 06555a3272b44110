import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import { newTask } from '../../src/core/change.ts';
import type { Draft } from '../../src/core/entry.ts';
import { checkSqlite, DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { deliveryOf } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';

const NOW = '2026-01-24T10:00:00.000Z';

async function stored(t: TestContext) {
  const dataDir = await scratch(t);
  const store = new SqliteStore(dataDir);
  t.after(() => store.close());
  await store.createTask(newTask({ taskId: 'task-1' }, NOW));
  const draft = (message: string): Draft => ({
    timestamp: NOW,
    level: 'WARNING',
    source: 'git',
    stream: null,
    type: 'log',
    message,
    metadataJson: '{"a":1}',
  });
  const append = (count: number, taskId = 'task-1') =>
    store.append([
      { taskId, drafts: Array.from({ length: count }, (_, index) => draft(`${index}`)), filtered: 0, lost: 0 },
    ]);
  const open = () => {
    const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
    t.after(() => db.close());
    return db;
  };
  return { dataDir, store, append, open };
}

test('any SQLite client reads task_logs by the columns that were asked for', async (t) => {
  const { append, open } = await stored(t);
  await append(2);
  const db = open();
  const columns = db.prepare('SELECT * FROM task_logs LIMIT 0').columns();
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['id', 'task_id', 'timestamp', 'level', 'source', 'message', 'metadata_json', 'seq', 'stream', 'type'],
  );
  assert.deepEqual(
    { ...db.prepare("SELECT * FROM task_logs WHERE task_id = 'task-1' AND seq = 2").get() },
    {
      id: 2,
      task_id: 'task-1',
      timestamp: NOW,
      level: 'WARNING',
      source: 'git',
      message: '1',
      metadata_json: '{"a":1}',
      seq: 2,
      stream: null,
      type: 'log',
    },
  );
  assert.equal(db.prepare('SELECT status FROM tasks').get()?.status, 'executing');
});

test('reads by task and by time use an index', async (t) => {
  const { open } = await stored(t);
  const db = open();
  const plan = (sql: string) =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => String(detail));
  for (const sql of [
    "SELECT * FROM task_logs WHERE task_id = 'task-1' ORDER BY seq",
    "SELECT * FROM task_logs WHERE timestamp >= '2026-01-01' AND timestamp < '2026-02-01'",
    "SELECT * FROM task_logs WHERE task_id = 'task-1' AND seq > 100 LIMIT 10",
  ]) {
    assert.ok(!plan(sql).some((step) => /^SCAN (l|lines)\b/.test(step)), `${sql}: ${plan(sql).join('; ')}`);
  }
});

test('what is done with deliveries looks at no more of them than it needs, however many there are', async (t) => {
  const { dataDir, open } = await stored(t);
  const statements = new Set<string>();
  const { prepare } = DatabaseSync.prototype;
  t.mock.method(DatabaseSync.prototype, 'prepare', function (this: DatabaseSync, sql: string) {
    statements.add(sql);
    return prepare.call(this, sql);
  });
  const store = new SqliteStore(dataDir, { deliveryLimits: { idle: 1, bodies: 1 } });
  t.after(() => store.close());
  const key = { value: 'k', untilMs: 0 };
  for (let n = 0; n < 3; n++) await store.deliver({ delivery: deliveryOf(), key, task: null, batch: null });
  for (const webhookId of [undefined, 'github']) {
    const of = { limit: 10, ...(webhookId && { webhookId }) };
    await store.deliveries(of);
    await store.deliveries({ ...of, before: 3 });
  }
  await store.deliveries({ webhookId: 'github', before: 3, outcomes: ['failed', 'ignored'], limit: 10 });
  await store.delivery(3);
  await store.deliveryOfKey('github', 'k');
  await store.tidy();
  await store.deleteWebhook('github');
  t.mock.restoreAll();
  const db = open();
  const asked = [...statements].filter((sql) => /\bdeliveries\b/.test(sql) && !/^\s*(INSERT|CREATE|BEGIN)/.test(sql));
  assert.ok(asked.length >= 12, asked.join('\n'));
  for (const sql of asked) {
    const plan = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
    const costly = plan.map(({ detail }) => String(detail)).filter((step) => /SCAN|TEMP B-TREE/.test(step));
    // From either end of the table on, as far as the limit says.
    const atEnd = /ORDER BY n( DESC)? LIMIT \?/.test(sql) && !/outcome/.test(sql.split('WHERE')[1] ?? '');
    assert.deepEqual(costly, atEnd && costly.length > 0 ? ['SCAN deliveries'] : [], sql);
  }
});

test('a commit is on disk before it is answered: synchronous is FULL, the journal a WAL', async (t) => {
  const { dataDir, open } = await stored(t);
  const db = open();
  assert.equal(db.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal');
  assert.equal(db.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum, 2);
  for (const file of [DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`]) {
    assert.equal((await stat(join(dataDir, file))).mode & 0o077, 0, `${file} is for its owner only`);
  }
});

test('the lines of a deleted task leave the file in small steps, and its number is never used again', async (t) => {
  const { store, append, open } = await stored(t);
  await append(12_000);
  await store.deleteTask('task-1', 'a test');
  const db = open();
  const count = (table: string) => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  assert.equal(count('task_logs'), 0);
  assert.equal(count('lines'), 12_000);
  let steps = 0;
  while (store.purge()) steps += 1;
  assert.ok(steps >= 3, `${steps} steps`);
  for (const table of ['lines', 'blocks', 'task_facets', 'receipts']) assert.equal(count(table), 0, table);
  await store.createTask(newTask({ taskId: 'task-2' }, NOW));
  assert.equal(db.prepare('SELECT task_no FROM tasks').get()?.task_no, 2);
});

test('a SQLite that can corrupt its WAL is refused, by its version', () => {
  for (const version of ['3.51.2', '3.45.0', '2.99.99', undefined]) {
    assert.throws(() => checkSqlite(version), { code: 'unsafe_sqlite' });
  }
  for (const version of ['3.51.3', '3.52.0', '4.0.0', process.versions.sqlite]) checkSqlite(version);
});

test('a database of a newer tasktrail is refused and left as it is', async (t) => {
  const { dataDir, store, open } = await stored(t);
  await store.close();
  const db = open();
  db.exec('PRAGMA user_version = 99');
  assert.throws(() => new SqliteStore(dataDir), { code: 'unknown_schema' });
  assert.equal(db.prepare('PRAGMA user_version').get()?.user_version, 99);
});

test('a commit that fails leaves nothing behind, and the next one goes on', async (t) => {
  const { dataDir, store, append, open } = await stored(t);
  await append(10);
  const db = open();
  db.exec("CREATE TRIGGER refuse BEFORE INSERT ON lines WHEN NEW.message = '7' BEGIN SELECT RAISE(ABORT, 'no'); END");
  await assert.rejects(append(10), { code: 'store_unavailable' });
  db.exec('DROP TRIGGER refuse');
  await append(5);
  assert.equal((await store.task('task-1')).log.lastSeq, 15);
  assert.deepEqual((await store.stats('task-1')).bySource, { git: 15 });
  const reopened = new SqliteStore(dataDir);
  t.after(() => reopened.close());
  assert.equal((await reopened.read('task-1', { limit: 100 })).count, 15);
});
