/*
 * A command that works for about 10 ms before each of 500 lines: under `tasktrail run`, with a server, and without us. Pairs
 * alternate, so that what else the machine does meets both.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from '../stats.ts';
import { timed } from '../support/commands.ts';
import { COMMAND, cpuOf, DATA_DIR, report, startServer } from '../support/server.ts';

/** What the command says its lines took, and what all of it took. */
interface Took {
  readonly ownMs: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

interface Pair {
  readonly bare: Took;
  readonly run: Took;
}

const LINES = 500;
const PAIRS = Number(process.env.BENCH_PAIRS ?? 5);
const WORK_MS = 10;
const ownFile = join(DATA_DIR, 'own');
const dataDir = join(DATA_DIR, 'data');
const printer = fileURLToPath(new URL('../processes/printer.ts', import.meta.url));

const server = await startServer(dataDir);
try {
  // How many rounds of work make so many milliseconds on this machine.
  const few = await one([], '100000', 50);
  const rounds = String(Math.round((100_000 * WORK_MS * 50) / few.ownMs));
  const pairs: Pair[] = [];
  for (let number = 0; number < PAIRS; number++) {
    const bare = (): Promise<Took> => one([], rounds, LINES);
    const run = async (): Promise<Took> => {
      const cpuMs = cpuOf(server.pid);
      const took = await one([COMMAND, 'run', '--task', `bench-${number}`, '--', process.execPath], rounds, LINES);
      await check(`bench-${number}`);
      return { ...took, cpuMs: took.cpuMs + cpuOf(server.pid) - cpuMs };
    };
    const [first, second] = number % 2 === 0 ? [bare, run] : [run, bare];
    const took = [await first(), await second()] as const;
    pairs.push(number % 2 === 0 ? { bare: took[0], run: took[1] } : { bare: took[1], run: took[0] });
  }
  const over = (figure: (pair: Pair) => number): number => median(pairs.map(figure));
  report({
    slowerPercent: over(({ bare, run }) => (run.ownMs / bare.ownMs - 1) * 100),
    wholeSlowerPercent: over(({ bare, run }) => (run.wallMs / bare.wallMs - 1) * 100),
    addedMs: over(({ bare, run }) => run.wallMs - run.ownMs - (bare.wallMs - bare.ownMs)),
    // Of one core, our start with it.
    addedCpuPercent: over(({ bare, run }) => ((run.cpuMs - bare.cpuMs) / run.wallMs) * 100),
    ownMs: over(({ bare }) => bare.ownMs),
  });
} finally {
  await server.stop();
}

async function one(run: readonly string[], rounds: string, lines: number): Promise<Took> {
  const args = [...run, printer, String(lines), rounds, ownFile];
  const took = await timed(process.execPath, args, { TASKTRAIL_DATA_DIR: dataDir });
  return { ...took, ownMs: Number(readFileSync(ownFile, 'utf8')) };
}

async function check(taskId: string): Promise<void> {
  const { total } = (await (await fetch(`${server.url}/api/tasks/${taskId}/logs/stats`)).json()) as { total: number };
  if (total !== LINES) throw new Error(`stored ${total} of ${LINES} lines of ${taskId}`);
}
