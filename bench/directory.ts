/*
 * What task directories cost: one document, one line, and the intake of a server with directories and without, side by side in
 * fresh processes. Figures are in docs/task-directory.md.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openTaskDirectory } from '../src/outlet/directory/writer.ts';
import { benchLine, type Measured } from './lines.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const HTTP = fileURLToPath(new URL('./variants/http.ts', import.meta.url));
// On the disk that the repository is on: a temporary directory may be memory, where an fsync costs nothing.
const work = fileURLToPath(new URL('../.cache/bench', import.meta.url));
mkdirSync(work, { recursive: true });

const dir = mkdtempSync(join(work, 'files-'));
const files = await openTaskDirectory(dir, 'task-1');
tell('one document (01-input.json)', await times(500, (n) => files.writeInput({ message: benchLine(n) })));
tell('metadata, merged', await times(500, (n) => files.writeMetadata({ status: 'running', n })));
tell('one line', await times(5_000, (n) => files.appendAgentOutput({ content: benchLine(n) })));
await files.close();
rmSync(dir, { recursive: true, force: true });

const rates: Record<string, number[]> = { false: [], true: [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const enabled of round % 2 === 0 ? ['false', 'true'] : ['true', 'false']) rates[enabled]?.push(intake(enabled));
}
const [off, on] = [median(rates.false ?? []), median(rates.true ?? [])];
print(`intake, lines/s: ${thousands(off)} without directories, ${thousands(on)} with`);
print(`  ${((100 * (off - on)) / off).toFixed(0)} % less; raw ${JSON.stringify(rates)}`);

async function times(count: number, work: (n: number) => Promise<void>): Promise<number[]> {
  const taken: number[] = [];
  for (let n = 0; n < count; n++) {
    const start = performance.now();
    await work(n);
    taken.push(performance.now() - start);
  }
  return taken;
}

function intake(enabled: string): number {
  const dataDir = mkdtempSync(join(work, 'data-'));
  const env = { ...process.env, TASK_LOGS_ENABLED: enabled };
  const { status, stdout, stderr } = spawnSync(process.execPath, [HTTP, 'ndjson', dataDir], { encoding: 'utf8', env });
  rmSync(dataDir, { recursive: true, force: true });
  if (status !== 0) throw new Error(`the server ended with ${status}: ${stderr}`);
  const { lines, wallMs } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Measured;
  return Math.round((lines / wallMs) * 1000);
}

function tell(name: string, taken: readonly number[]): void {
  const p99 = taken.toSorted((a, b) => a - b)[Math.floor(taken.length * 0.99)] ?? Number.NaN;
  print(`${name}: median ${median(taken).toFixed(3)} ms, p99 ${p99.toFixed(3)} ms`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
