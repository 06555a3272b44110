/*
 * Searching lines: the first page of common, rare and absent words, in one large task and across all tasks, beside ripgrep over the
 * same lines as files (grep where there is no ripgrep). BENCH_LINES lines (10 million) in BENCH_TASKS tasks (2,000), of which the
 * first has a tenth. With BENCH_DIR the data is kept there, and found again by the next run.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newTask } from '../src/core/change.ts';
import type { Draft } from '../src/core/entry.ts';
import type { LogFilter } from '../src/core/filter.ts';
import type { SearchPlace } from '../src/core/search.ts';
import { isoTime } from '../src/core/time.ts';
import { SqliteStore } from '../src/store/sqlite/store.ts';
import { openTrail } from '../src/trail/open.ts';

const LINES = Number(process.env.BENCH_LINES ?? 10_000_000);
const TASKS = Number(process.env.BENCH_TASKS ?? 2_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const FIRST_MS = Date.parse('2026-01-24T10:00:00.000Z');
/** Tasks that log at the same time, lines of each in one commit, and what passes meanwhile. */
const PARALLEL = 10;
const BATCH = 500;
const BATCH_MS = 20_000;
const LARGE = 'task-00000';
const BUDGET_MS = 10_000;

const WORDS =
  'worker user session cache database query index module package warning retry token agent plan file stream queue lease'.split(
    ' ',
  );

const kept = process.env.BENCH_DIR;
const work = kept ?? mkdtempSync(join(cache(), 'search-'));
const dataDir = join(work, `data-${LINES}-${TASKS}`);
const filesDir = join(work, `files-${LINES}-${TASKS}`);
if (!existsSync(join(filesDir, 'done'))) await build();
print(`${cpus()[0]?.model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}`);
print(`${LINES} lines in ${TASKS} tasks, ${LINES / 10} in the largest; median of ${ROUNDS} runs, in ms (slowest)\n`);
await measure();
if (!kept) rmSync(work, { recursive: true, force: true });

async function measure(): Promise<void> {
  const { parts, close } = await opened();
  const { store } = parts;
  const grep = ['rg', 'grep'].find((name) => spawnSync(name, ['--version']).status === 0) ?? 'grep';
  print(`| search | lines | first page | within ${LARGE} | ${grep}, all files | ${grep}, that file |`);
  print('|---|---:|---:|---:|---:|---:|');
  const searches: [string, LogFilter][] = [
    ['common word', { search: 'request' }],
    ['rare word', { search: 'quarterdeck' }],
    ['rare part of a word', { search: 'ba5eba11' }],
    ['absent word', { search: 'xyzzyplugh' }],
    ['pattern with a text', { search: 'quarter(deck|back) sank', regex: true }],
    ['pattern without a text', { search: 'q[a-z]{2}r[a-z]{2}d[a-z]{2}k', regex: true }],
  ];
  for (const [name, filter] of searches) {
    const query = { filter, limit: 100, budgetMs: BUDGET_MS };
    const all = await timed(async () => (await store.search(query)).entries.length);
    const one = await timed(async () => (await store.search({ ...query, tasks: [LARGE] })).entries.length);
    const files = await timed(async () => grepped(grep, filter, filesDir));
    const file = await timed(async () => grepped(grep, filter, join(filesDir, `${LARGE}.log`)));
    print(`| ${name} | ${all.value} | ${all.text} | ${one.text} | ${files.text} | ${file.text} |`);
  }
  const word = { filter: { search: 'request' }, limit: 100, budgetMs: BUDGET_MS };
  let after: SearchPlace | undefined;
  for (let page = 1; page < 1_000; page++) {
    const { next } = await store.search({ ...word, ...(after && { after }) });
    if (!next) break;
    after = next;
  }
  const far = await timed(async () => (await store.search({ ...word, ...(after && { after }) })).entries.length);
  print(`\npage 1,000 of the common word: ${far.text} (${far.value} lines)`);
  for (const [name, filter] of searches.slice(0, 4)) {
    const read = await timed(async () => (await store.read(LARGE, { filter, limit: 100 })).count);
    const facets = await timed(async () => (await store.lineFacets({ filter, budgetMs: 2_000 })).total);
    print(
      `${name}: a page of ${LARGE} by seq ${read.text}; counts by kind across all ${facets.text} (${facets.value} lines)`,
    );
  }
  const { bytes } = await store.storage();
  print(`${(bytes / LINES).toFixed(0)} bytes a line in the database`);
  await close();
}

async function opened() {
  const trail = await openTrail({ dataDir });
  return { parts: trail.parts, close: () => trail.close() };
}

function grepped(grep: string, filter: LogFilter, path: string): number {
  const how = filter.regex ? '-E' : '-F';
  const args = grep === 'rg' ? [...(filter.regex ? [] : ['-F'])] : ['-r', how];
  const { stdout } = spawnSync(grep, [...args, '-i', '-c', '--', filter.search ?? '', path], { encoding: 'utf8' });
  return stdout.length;
}

async function timed(run: () => Promise<number>): Promise<{ value: number; text: string }> {
  const times: number[] = [];
  let value = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    value = await run();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const shown = (ms: number | undefined): string => (ms ?? 0).toFixed((ms ?? 0) < 10 ? 1 : 0);
  return { value, text: `${shown(times[ROUNDS >> 1])} (${shown(times.at(-1))})` };
}

/** Through the real store: so many tasks at once, each commit with lines of each. */
async function build(): Promise<void> {
  rmSync(filesDir, { recursive: true, force: true });
  rmSync(dataDir, { recursive: true, force: true });
  mkdirSync(filesDir, { recursive: true });
  const store = new SqliteStore(dataDir);
  const left = Array.from({ length: TASKS }, (_, n) => linesOf(n));
  const started = new Set<number>();
  let nowMs = FIRST_MS;
  let running = Array.from({ length: Math.min(PARALLEL, TASKS) }, (_, n) => n);
  let next = running.length;
  let made = 0;
  while (running.length > 0) {
    const batches = [];
    for (const n of running) {
      const taskId = idOf(n);
      if (!started.has(n)) await store.createTask(newTask({ taskId }, isoTime(nowMs)));
      started.add(n);
      const count = Math.min(BATCH, left[n] ?? 0);
      left[n] = (left[n] ?? 0) - count;
      const drafts = Array.from({ length: count }, (_, i) =>
        draftOf(made + i, nowMs + Math.floor((i * BATCH_MS) / count)),
      );
      made += count;
      batches.push({ taskId, drafts, filtered: 0, lost: 0 });
      appendFileSync(join(filesDir, `${taskId}.log`), drafts.map(({ message }) => `${message}\n`).join(''));
    }
    await store.append(batches);
    nowMs += BATCH_MS;
    for (const n of running.filter((n) => left[n] === 0)) await store.changeTask(idOf(n), { status: 'completed' });
    running = running.filter((n) => left[n] !== 0);
    while (running.length < PARALLEL && next < TASKS) running.push(next++);
  }
  await store.close();
  writeFileSync(join(filesDir, 'done'), '');
}

function idOf(n: number): string {
  return `task-${String(n).padStart(5, '0')}`;
}

function linesOf(n: number): number {
  if (n === 0) return LINES / 10;
  // Tasks differ in size; together they have the rest.
  return Math.max(1, Math.round(((LINES * 0.9) / (TASKS - 1)) * (0.5 + (n % 11) / 10)));
}

function draftOf(index: number, ms: number): Draft {
  return {
    ...{ timestamp: isoTime(ms), level: index % 50 === 0 ? 'ERROR' : 'INFO', source: index % 3 ? 'build' : 'server' },
    ...{ stream: 'stdout', type: 'log', metadataJson: null },
    message: index % (LINES / 5) === 777 ? `the quarterdeck sank with ba5eba11${hex(index)}` : messageOf(index),
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

function cache(): string {
  const path = fileURLToPath(new URL('../.cache/bench', import.meta.url));
  mkdirSync(path, { recursive: true });
  return path;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
