import { join } from 'node:path';
import { newTask } from '../../src/core/change.ts';
import type { Status } from '../../src/core/status.ts';
import type { TaskDraft } from '../../src/core/task.ts';
import { isoTime } from '../../src/core/time.ts';
import { openDatabase } from '../../src/store/sqlite/database.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { addTask } from '../../src/store/sqlite/task-row.ts';
import { FIRST_MS } from '../lines.ts';
import { madeOnce } from './stores.ts';

export const TASK_SIZES = [10_000, 100_000, 1_000_000] as const;

/** Grows when what is made here changes: an older store is not found again. */
const VERSION = 1;
const COMMIT = 10_000;
const EVERY_MS = 20_000;
/** Every so many tasks one has lines. */
const LOGGED = 10;

/** A store with so many tasks as months of work leave them. Every tenth has lines. */
export async function tasksOf(tasks: number): Promise<string> {
  const dir = await madeOnce(`tasks-${tasks}-v${VERSION}`, async (dir) => {
    const dataDir = join(dir, 'data');
    addTasks(dataDir, tasks);
    await addLines(dataDir, tasks);
  });
  return join(dir, 'data');
}

/** Through the store's own statements, many a commit: a commit each would take hours. */
function addTasks(dataDir: string, tasks: number): void {
  const db = openDatabase(dataDir);
  for (let first = 0; first < tasks; first += COMMIT) {
    db.transaction(() => {
      const numbers = { revision: db.get<{ revision: number }>('SELECT revision FROM state')?.revision ?? 0 };
      for (let n = first; n < Math.min(first + COMMIT, tasks); n++) {
        const nowMs = FIRST_MS + n * EVERY_MS;
        addTask(db, newTask(draftOf(n, nowMs), isoTime(nowMs + 60_000)), { numbers, nowMs });
      }
      db.run('UPDATE state SET revision = ?', numbers.revision);
    });
  }
  db.close();
}

async function addLines(dataDir: string, tasks: number): Promise<void> {
  const store = new SqliteStore(dataDir);
  for (let first = 0; first < tasks; first += COMMIT * LOGGED) {
    const batches = [];
    for (let n = first; n < Math.min(first + COMMIT * LOGGED, tasks); n += LOGGED)
      batches.push({ taskId: idOf(n), drafts: linesOf(n), filtered: 0, lost: 0 });
    await store.append(batches);
  }
  await store.close();
}

export function idOf(n: number): string {
  return `run-${String(n).padStart(7, '0')}`;
}

function draftOf(n: number, nowMs: number): TaskDraft {
  const roll = hash(n);
  const status = statusOf(roll % 1_000);
  const costs = roll % 3 === 0;
  return {
    ...{ taskId: idOf(n), status, createdAt: isoTime(nowMs), startedAt: isoTime(nowMs) },
    title: `${pick(['Build', 'Review', 'Repair', 'Deploy', 'Triage'], roll >>> 4)} of ${pick(PLACES, roll >>> 8)} ${n % 977}`,
    source: pick(['github', 'jira', 'api', 'cli', 'slack'], roll >>> 3),
    kind: pick(['build', 'review', 'agent', 'deploy', null], roll >>> 5),
    assignedAgent: costs ? pick(['planner', 'coder', 'tester'], roll >>> 6) : null,
    tags: roll % 4 === 0 ? [pick(['nightly', 'release', 'urgent'], roll >>> 7), `team-${roll % 20}`] : [],
    error: status === 'failed' ? `step ${roll % 9} ended with exit code ${roll % 7}` : null,
    metrics: { durationSeconds: (roll % 100_000) / 100, ...(costs && { costUsd: (roll % 5_000) / 1_000 }) },
  };
}

const PLACES = 'gateway billing search worker scheduler console exporter importer mailer'.split(' ');

/** Of 1,000: most succeeded, few are at work. */
function statusOf(roll: number): Status {
  if (roll < 880) return 'completed';
  if (roll < 960) return 'failed';
  if (roll < 990) return 'cancelled';
  return roll < 998 ? 'timed_out' : 'executing';
}

function linesOf(n: number) {
  return Array.from({ length: 1 + (hash(n) % 20) }, (_, i) => ({
    ...{ timestamp: isoTime(FIRST_MS + n * EVERY_MS + i), level: i % 7 === 6 ? ('ERROR' as const) : ('INFO' as const) },
    ...{ source: 'build', stream: null, type: 'log' as const, metadataJson: null, message: `step ${i} of run ${n}` },
  }));
}

function pick<T>(choices: readonly T[], roll: number): T {
  return choices[roll % choices.length] as T;
}

function hash(n: number): number {
  return Math.imul((n ^ (n >>> 15)) + 1, 0x85ebca6b) >>> 3;
}
