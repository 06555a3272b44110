import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newTask } from '../../src/core/change.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { SqliteReader } from '../../src/store/sqlite/reader.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { allMessages, line, stored } from '../contract/store/support.ts';
import { random } from '../support/random.ts';
import { scratch } from '../support/scratch.ts';

const COMPRESSOR = fileURLToPath(new URL('../fixtures/programs/compressor.ts', import.meta.url));
const TASKS = 6;
const LINES = 3_000;
const KILLS = 20;

test('kill -9 at any moment of compressing loses no line and doubles none, and the next run goes on', async (t) => {
  const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed}; repeat with CRASH_SEED=${seed}`);
  const next = random(seed);
  const dataDir = await scratch(t);
  const store = new SqliteStore(dataDir);
  t.after(() => store.close());
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
  t.after(() => db.close());
  const count = (table: string) => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  const reader = SqliteReader.open(dataDir);
  t.after(() => reader.close());
  const written = new Map<string, string[]>();
  const write = async (taskId: string, lines: number): Promise<void> => {
    const messages = written.get(taskId) ?? [];
    written.set(taskId, messages);
    const more = Array.from({ length: lines }, (_, index) => `${taskId} line ${messages.length + index + 1}`);
    messages.push(...more);
    await stored(
      store,
      taskId,
      more.map((message) => line(message)),
    );
  };
  for (let task = 0; task < TASKS; task++) {
    await store.createTask(newTask({ taskId: `task-${task}`, status: 'completed' }, '2026-01-05T12:00:00.000Z'));
    await write(`task-${task}`, LINES);
  }
  const check = async (taskId: string): Promise<void> =>
    assert.deepEqual(await allMessages(reader, taskId), written.get(taskId));
  let killed = 0;
  let between = 0;
  while (killed < KILLS) {
    // Somebody reads while another process compresses.
    const finished = await compressing(t, dataDir, { killAfterMs: next() * 60, meanwhile: () => check('task-0') });
    if (!finished) killed += 1;
    if (count('lines') > 0 && count('chunks') > 0) between += 1;
    for (const taskId of written.keys()) await check(taskId);
    if (finished) for (const taskId of written.keys()) await write(taskId, LINES);
  }
  assert.ok(between > 0, 'some kills fell between the first step and the last');
  assert.equal(db.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
  while (store.compress('9999'));
  assert.equal(count('lines'), 0);
  for (const taskId of written.keys()) await check(taskId);
});

interface Run {
  readonly killAfterMs: number;
  readonly meanwhile: () => Promise<void>;
}

/** Let another process compress until it is killed; true when it was done before. */
async function compressing(t: TestContext, dataDir: string, { killAfterMs, meanwhile }: Run): Promise<boolean> {
  const child = spawn(process.execPath, [COMPRESSOR, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const said: string[] = [];
  const lines = createInterface({ input: child.stdout }).on('line', (text) => said.push(text));
  const ended = once(child, 'close');
  await once(lines, 'line');
  const killAtMs = performance.now() + killAfterMs;
  while (performance.now() < killAtMs && child.exitCode === null) await meanwhile();
  child.kill('SIGKILL');
  await ended;
  return said.includes('done');
}
