import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newTask } from '../../src/core/change.ts';
import type { Draft } from '../../src/core/entry.ts';
import { isoTime } from '../../src/core/time.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { writeDirectories } from '../../src/trail/directories.ts';
import { FIRST_MS } from '../lines.ts';

/** Lines of the stores that reading is measured over. */
export const SIZES = [100_000, 1_000_000, 10_000_000] as const;
/** The task with a tenth of the lines. */
export const LARGE = 'task-00000';
export const LARGE_SHARE = 0.1;

export interface BenchStore {
  readonly dataDir: string;
  /** The same messages as plain text, a file for each task. */
  readonly filesDir: string;
  readonly lines: number;
  /** What the database took up when its last line was in, and the lines as JSON Lines. */
  readonly databaseBytes: number;
  readonly jsonlBytes: number;
}

/** Grows when what is made here changes: an older store is not found again. */
const VERSION = 1;
/** Tasks that log at the same time, lines of each in one commit, and what passes meanwhile. */
const PARALLEL = 10;
const BATCH = 500;
const BATCH_MS = 20_000;
const WORDS =
  'worker user session cache database query index module package warning retry token agent plan file stream queue lease'.split(
    ' ',
  );

/** Where data is kept that is expensive to make: on the disk that the repository is on. */
export function kept(name: string): string {
  return fileURLToPath(new URL(`../../.cache/bench/${name}`, import.meta.url));
}

/** Answers the directory once `make` has filled it: now, or in an earlier run. A half-made one is made anew. */
export async function madeOnce(name: string, make: (dir: string) => Promise<void>): Promise<string> {
  const dir = kept(name);
  if (existsSync(dir)) return dir;
  const making = `${dir}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true, mode: 0o700 });
  process.stderr.write(`making .cache/bench/${name}\n`);
  await make(making);
  renameSync(making, dir);
  return dir;
}

/** A store of so many lines in 2,000 tasks (fewer when it is small), with its task directories written. */
export async function storeOf(lines: number): Promise<BenchStore> {
  const dir = await madeOnce(`store-${lines}-v${VERSION}`, async (dir) => {
    const sizes = await new Making(lines, dir).run();
    writeFileSync(join(dir, 'sizes.json'), JSON.stringify(sizes));
  });
  const sizes = JSON.parse(readFileSync(join(dir, 'sizes.json'), 'utf8')) as Record<
    'databaseBytes' | 'jsonlBytes',
    number
  >;
  return { dataDir: join(dir, 'data'), filesDir: join(dir, 'files'), lines, ...sizes };
}

/** Through the real store: so many tasks at once, each commit with lines of each. */
class Making {
  readonly #lines: number;
  readonly #tasks: number;
  readonly #dataDir: string;
  readonly #filesDir: string;
  #made = 0;
  #jsonlBytes = 0;

  constructor(lines: number, dir: string) {
    this.#lines = lines;
    this.#tasks = Math.min(2_000, lines / 500);
    this.#dataDir = join(dir, 'data');
    this.#filesDir = join(dir, 'files');
  }

  async run(): Promise<{ databaseBytes: number; jsonlBytes: number }> {
    mkdirSync(this.#filesDir, { recursive: true });
    const store = new SqliteStore(this.#dataDir);
    await this.#fill(store);
    await store.close();
    const databaseBytes = statSync(join(this.#dataDir, DATABASE_FILE)).size;
    const warn = (message: string): never => {
      throw new Error(message);
    };
    const directories = writeDirectories({ dataDir: this.#dataDir, dir: join(this.#dataDir, 'tasks'), warn });
    await directories.settled();
    await directories.close();
    return { databaseBytes, jsonlBytes: this.#jsonlBytes };
  }

  async #fill(store: SqliteStore): Promise<void> {
    const left = this.#linesOfTasks();
    const started = new Set<number>();
    let running = Array.from({ length: Math.min(PARALLEL, this.#tasks) }, (_, n) => n);
    let next = running.length;
    for (let nowMs = FIRST_MS; running.length > 0; nowMs += BATCH_MS) {
      const batches = [];
      for (const n of running) {
        if (!started.has(n)) await store.createTask(newTask({ taskId: idOf(n) }, isoTime(nowMs)));
        started.add(n);
        const drafts = this.#drafts(Math.min(BATCH, left[n] ?? 0), nowMs);
        left[n] = (left[n] ?? 0) - drafts.length;
        batches.push({ taskId: idOf(n), drafts, filtered: 0, lost: 0 });
        appendFileSync(join(this.#filesDir, `${idOf(n)}.log`), drafts.map(({ message }) => `${message}\n`).join(''));
      }
      await store.append(batches);
      for (const n of running.filter((n) => left[n] === 0)) await store.changeTask(idOf(n), { status: 'completed' });
      running = running.filter((n) => left[n] !== 0);
      while (running.length < PARALLEL && next < this.#tasks) running.push(next++);
    }
    if (this.#made !== this.#lines) throw new Error(`expected ${this.#lines} lines, made ${this.#made}`);
  }

  /** Tasks differ in size; the last one takes what is left over by rounding. */
  #linesOfTasks(): number[] {
    const mean = (this.#lines * (1 - LARGE_SHARE)) / (this.#tasks - 1);
    const counts = Array.from({ length: this.#tasks }, (_, n) =>
      n === 0 ? this.#lines * LARGE_SHARE : Math.floor(mean * (0.5 + (n % 11) / 10)),
    );
    const most = this.#tasks - 1;
    const others = counts.slice(0, most).reduce((sum, count) => sum + count, 0);
    counts[most] = this.#lines - others;
    return counts;
  }

  #drafts(count: number, fromMs: number): Draft[] {
    const drafts = Array.from({ length: count }, (_, i) =>
      draftOf(this.#made + i, { ms: fromMs + Math.floor((i * BATCH_MS) / count), lines: this.#lines }),
    );
    this.#made += count;
    for (const { timestamp, level, source, stream, message } of drafts)
      this.#jsonlBytes += Buffer.byteLength(JSON.stringify({ timestamp, level, source, stream, message })) + 1;
    return drafts;
  }
}

function idOf(n: number): string {
  return `task-${String(n).padStart(5, '0')}`;
}

/** Five lines of a store, wherever they fall, hold what is rarely looked for. */
function draftOf(index: number, { ms, lines }: { readonly ms: number; readonly lines: number }): Draft {
  return {
    ...{ timestamp: isoTime(ms), level: index % 50 === 0 ? 'ERROR' : 'INFO', source: index % 3 ? 'build' : 'server' },
    ...{ stream: 'stdout', type: 'log', metadataJson: null },
    message: index % (lines / 5) === 777 ? `the quarterdeck sank with ba5eba11${hex(index)}` : messageOf(index),
  };
}

function messageOf(index: number): string {
  const word = (salt: number): string => WORDS[Math.imul(index + salt, 0x9e3779b1 + salt) >>> 27] ?? 'error';
  // A program prints lines of one kind for a while.
  switch (Math.floor(index / 40) % 4) {
    case 0:
      return `[${index % 100}%] compiled src/${word(1)}/${word(2)}-${word(3)}.ts in ${(index * 7) % 1000} ms, ${index % 13} of 13 ${word(4)}s`;
    case 1:
      return `{"level":"info","id":"${hex(index)}${hex(index * 7)}","msg":"request ${word(1)} ${word(2)}","ms":${(index * 31) % 977},"path":"/api/v1/${word(3)}/${index % 5000}"}`;
    case 2:
      return `    at ${word(1)}.${word(2)} (/app/src/${word(3)}/${word(4)}.ts:${index % 300}:${index % 80})`;
    default:
      return `${isoTime(FIRST_MS + index)} ${word(1)} ${word(2)}: ${word(3)} ${hex(index)} took ${index % 900} ms for ${word(4)}-${index % 100}`;
  }
}

function hex(index: number): string {
  return (Math.imul(index + 1, 0x85ebca6b) >>> 0).toString(16).padStart(8, '0');
}
