import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTrail } from '../../src/trail/open.ts';
import { scratch } from '../support/scratch.ts';

const APPENDER = fileURLToPath(new URL('../fixtures/programs/appender.ts', import.meta.url));

test('four processes that append at once leave every seq and id whole, and each one its order', async (t) => {
  const dataDir = await scratch(t);
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  const own = ['a', 'b', 'c', 'd'];
  for (const taskId of ['shared', ...own]) await trail.create({ taskId });
  const seen = Array.fromAsync(trail.follow('shared'), ({ message }) => message);

  const [batches, size] = [60, 20];
  const exits = own.map((name) => {
    const child = spawn(process.execPath, [APPENDER, dataDir, name, `${batches}`, `${size}`, 'shared', name], {
      stdio: 'inherit',
    });
    return once(child, 'exit');
  });
  for (const [code] of await Promise.all(exits)) assert.equal(code, 0);
  await trail.complete('shared');

  // By another client, as the contract promises: the view with its columns.
  const db = new DatabaseSync(join(dataDir, 'tasktrail.db'), { readOnly: true });
  t.after(() => db.close());
  const rows = db.prepare('SELECT id, task_id, seq, source, message FROM task_logs ORDER BY id').all() as unknown as {
    id: number;
    task_id: string;
    seq: number;
    source: string;
    message: string;
  }[];
  const lines = batches * size;
  assert.equal(rows.length, own.length * 2 * lines);
  assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
  for (const taskId of ['shared', ...own]) {
    const seqs = rows.filter((row) => row.task_id === taskId).map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      Array.from({ length: taskId === 'shared' ? own.length * lines : lines }, (_, index) => index + 1),
    );
  }
  for (const name of own) {
    const numbers = rows.filter(({ source }) => source === name).map(({ message }) => Number(message.split(' ')[1]));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    );
  }
  const stats = await trail.stats('shared');
  assert.deepEqual(stats.bySource, { a: lines, b: lines, c: lines, d: lines });
  // The follower in this process saw the commits of the others: each line once, in the order of the store.
  assert.deepEqual(
    await seen,
    rows.filter((row) => row.task_id === 'shared').map(({ message }) => message),
  );
});
