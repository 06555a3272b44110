import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newTask } from '../../src/core/change.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { allMessages, numbered, START, stored } from '../contract/store/support.ts';
import { random } from '../support/random.ts';
import { scratch } from '../support/scratch.ts';

const PRUNER = fileURLToPath(new URL('../fixtures/programs/pruner.ts', import.meta.url));
const KILLS = 10;
const LINES = 12_000;

test('kill -9 at any moment of deleting leaves no line without its task, and takes none from a task that stays', async (t) => {
  const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed}; repeat with CRASH_SEED=${seed}`);
  const next = random(seed);
  const dataDir = await scratch(t);
  const store = new SqliteStore(dataDir);
  t.after(() => store.close());
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
  t.after(() => db.close());
  const orphans = () =>
    Number(db.prepare('SELECT count(*) AS n FROM lines WHERE task_no NOT IN (SELECT task_no FROM tasks)').get()?.n);
  await store.createTask(newTask({ taskId: 'pinned', pinned: true, status: 'completed' }, START));
  await store.createTask(newTask({ taskId: 'running' }, START));
  for (const id of ['pinned', 'running']) await stored(store, id, numbered(3_000));
  let made = 0;
  let between = 0;
  for (let killed = 0; killed < KILLS; ) {
    while ((await store.ended({ limit: 4 })).length < 4) {
      made += 1;
      await store.createTask(newTask({ taskId: `t${made}` }, START));
      await stored(store, `t${made}`, numbered(LINES));
      await store.changeTask(`t${made}`, { status: 'completed' });
    }
    if (!(await pruning(t, dataDir, next() * 60))) killed += 1;
    if (orphans() > 0) between += 1;
    for (const id of ['pinned', 'running']) assert.equal((await allMessages(store, id)).length, 3_000);
  }
  assert.ok(between > 0, 'some kills fell between a deletion and the end of its purge');
  assert.equal(db.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
  while (await store.tidy());
  assert.equal(orphans(), 0);
  assert.equal((await store.storage()).deletingBytes, 0);
  for (const { taskId } of await store.ended({ limit: 10 })) {
    assert.equal((await allMessages(store, taskId)).length, LINES, 'what is not deleted is whole');
  }
});

/** Let another process delete until it is killed; true when it was done before. */
async function pruning(t: TestContext, dataDir: string, killAfterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [PRUNER, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout }).on('line', (text) => said.push(text));
  const ended = once(child, 'close');
  await once(lines, 'line');
  // The moment of the kill is what is tried here: no event is waited for.
  await Promise.race([setTimeout(killAfterMs), ended]);
  child.kill('SIGKILL');
  await ended;
  return said.includes('done');
}
