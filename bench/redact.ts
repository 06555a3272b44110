/*
 * node bench/redact.ts: what masking costs of taking lines in, by the CPU time of a line: with nothing looked for, with the known
 * shapes, and with 20 and 1,000 registered values. Each variant is a fresh process; the order is reversed between rounds.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LINES, type Measured } from './lines.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SCRIPT = fileURLToPath(new URL('./variants/redact.ts', import.meta.url));
const VARIANTS = ['off', '0', '20', '1000'] as const;
const NAMES = { off: 'nothing looked for', 0: 'known shapes', 20: 'and 20 values', 1000: 'and 1,000 values' } as const;

const work = join(ROOT, '.cache', 'bench');
mkdirSync(work, { recursive: true });
const cpuUs = new Map<string, number[]>(VARIANTS.map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const name of round % 2 === 0 ? VARIANTS : VARIANTS.toReversed()) cpuUs.get(name)?.push(measure(name));
}
rmSync(work, { recursive: true, force: true });

const write = (line: string): void => void process.stdout.write(`${line}\n`);
const bare = median(cpuUs.get('off') ?? []);
write(`${LINES} lines of 104 characters, ${ROUNDS} rounds, Node ${process.version}\n`);
write('| masking | CPU µs a line (median) | more | raw |');
write('|---|---:|---:|---|');
for (const name of VARIANTS) {
  const raw = cpuUs.get(name) ?? [];
  const more = `${(100 * (median(raw) / bare - 1)).toFixed(1)} %`;
  write(`| ${NAMES[name]} | ${median(raw).toFixed(2)} | ${more} | ${raw.map((us) => us.toFixed(2)).join(', ')} |`);
}

function measure(values: string): number {
  const dataDir = mkdtempSync(join(work, 'data-'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, values, dataDir], { encoding: 'utf8' });
  rmSync(dataDir, { recursive: true, force: true });
  if (status !== 0) throw new Error(`${values} ended with ${status}: ${stderr}`);
  const { cpuMs, lines } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Measured;
  return (cpuMs * 1000) / lines;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
