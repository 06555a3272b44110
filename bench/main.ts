/*
 * npm run bench: durable lines per second, beside a bare batched SQLite insert of the same lines in the same run. Each variant
 * is a fresh process on an empty directory; the order is reversed between rounds, so that a machine that warms up or tires
 * favours nobody; the median is quoted, the raw values stand beside it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BATCH, LINES, type Measured } from './lines.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const VARIANTS = [
  { name: 'bare insert, clustered table', file: 'bare.ts', arg: 'clustered', aim: undefined },
  { name: 'bare insert, id and two indexes', file: 'bare.ts', arg: 'mission', aim: undefined },
  { name: 'embedded, logger in a tight loop', file: 'embedded.ts', arg: 'logger', aim: 0.7 },
  { name: 'embedded, append of awaited batches', file: 'embedded.ts', arg: 'append', aim: 0.7 },
  { name: 'HTTP NDJSON, one client', file: 'http.ts', arg: 'ndjson', aim: 0.4 },
] as const;

// On the disk that the repository is on: a temporary directory may be memory, where an fsync costs nothing.
const work = join(ROOT, '.cache', 'bench');
mkdirSync(work, { recursive: true });
const results = new Map<string, Measured[]>(VARIANTS.map(({ name }) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  const order = round % 2 === 0 ? VARIANTS : VARIANTS.toReversed();
  for (const { name, file, arg } of order) {
    process.stderr.write(`round ${round + 1} of ${ROUNDS}: ${name}\n`);
    results.get(name)?.push(measure(file, arg));
  }
}
rmSync(work, { recursive: true, force: true });
print();

function measure(file: string, arg: string): Measured {
  const dataDir = mkdtempSync(join(work, 'data-'));
  const script = fileURLToPath(new URL(`./variants/${file}`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, arg, dataDir], { encoding: 'utf8' });
  rmSync(dataDir, { recursive: true, force: true });
  if (status !== 0) throw new Error(`${file} ${arg} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Measured;
}

function print(): void {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim();
  const gib = Math.round(totalmem() / 2 ** 30);
  write(`${cpus()[0]?.model}, ${cpus().length} cores, ${gib} GiB; Node ${process.version}; commit ${commit}`);
  write(`${LINES} lines of 104 characters, ${BATCH} a batch, fsync before each answer; ${ROUNDS} rounds\n`);
  const bare = median((results.get(VARIANTS[0].name) ?? []).map(rate));
  write('| variant | lines/s (median) | of bare | aim | CPU µs a line | raw lines/s |');
  write('|---|---:|---:|---:|---:|---|');
  for (const { name, aim } of VARIANTS) {
    const runs = results.get(name) ?? [];
    const speed = median(runs.map(rate));
    const cpu = median(runs.map(({ cpuMs, lines }) => (cpuMs * 1000) / lines));
    const share = `${((100 * speed) / bare).toFixed(0)} %`;
    const wanted = aim === undefined ? '' : `≥ ${aim * 100} %`;
    write(
      `| ${name} | ${thousands(speed)} | ${share} | ${wanted} | ${cpu.toFixed(2)} | ${runs.map(rate).map(thousands).join(', ')} |`,
    );
  }
}

function rate({ lines, wallMs }: Measured): number {
  return (lines / wallMs) * 1000;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
