import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Figures, MODES, type Mode, type Result, type Section, type Variant } from './section.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** On the disk that the repository is on: a temporary directory may be memory, where an fsync costs nothing. */
const WORK = join(ROOT, '.cache', 'bench');

/** Runs each variant of a section in fresh processes on empty directories; the order is reversed between rounds. */
export async function runSection(section: Section, rounds = section.rounds): Promise<Result> {
  const load = loadavg()[0] ?? 0;
  const runs: Record<string, Figures[]> = {};
  const ways = section.variants.flatMap((variant) =>
    variant.directories ? MODES.map((mode) => ({ variant, mode })) : [{ variant, mode: 'off' as const }],
  );
  for (let round = 0; round < rounds; round++) {
    for (const { variant, mode } of round % 2 === 0 ? ways : ways.toReversed()) {
      if (round >= (variant.rounds ?? rounds)) continue;
      const key = runKey(variant, mode);
      process.stderr.write(`${section.name}, round ${round + 1} of ${rounds}: ${key}\n`);
      runs[key] = [...(runs[key] ?? []), await measure(variant, mode)];
    }
  }
  return { ...about(), load: Number(load.toFixed(2)), runs };
}

/** How the runs of a variant are named in a result. */
export function runKey({ name, directories }: Variant, mode: Mode): string {
  return directories ? `${name}, directories ${mode}` : name;
}

async function measure({ script, args = [] }: Variant, mode: Mode): Promise<Figures> {
  mkdirSync(WORK, { recursive: true });
  const dataDir = mkdtempSync(join(WORK, 'data-'));
  const file = fileURLToPath(new URL(`./variants/${script}`, import.meta.url));
  const env = {
    ...process.env,
    BENCH_DATA_DIR: dataDir,
    TASK_LOGS_ENABLED: String(mode === 'on'),
    TASKTRAIL_RATE_LIMIT: '0',
    npm_config_loglevel: undefined,
  };
  try {
    const child = spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [printed] = await Promise.all([text(child.stdout), once(child, 'close')]);
    if (child.exitCode !== 0) throw new Error(`${script} ${args.join(' ')} ended with ${child.exitCode}`);
    return JSON.parse(printed.trim().split('\n').at(-1) ?? '') as Figures;
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function about(): Omit<Result, 'load' | 'runs'> {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', 'src') === '' ? '' : ' and changes';
  const { sqlite, v8 } = process.versions;
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: git('rev-parse', '--short', 'HEAD') + changed,
    machine: `${cpus()[0]?.model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    versions: `Node ${process.versions.node}, V8 ${v8}, SQLite ${sqlite}, Linux ${release().split('-')[0]}`,
  };
}
