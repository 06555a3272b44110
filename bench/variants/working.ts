/*
 * A command that works for about 10 ms before each of 500 lines: under `tasktrail run`, with a server, and without us. Pairs
 * alternate, so that what else the machine does meets both.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from '../stats.ts';
import { timed } from '../support/commands.ts';
import { COMMAND, DATA_DIR, report, startServer } from '../support/server.ts';

const LINES = 500;
const PAIRS = 4;
const WORK_MS = 10;
const ownFile = join(DATA_DIR, 'own');
const dataDir = join(DATA_DIR, 'data');
const printer = fileURLToPath(new URL('../processes/printer.ts', import.meta.url));

const server = await startServer(dataDir);
try {
  // How many rounds of work make so many milliseconds on this machine.
  const few = await one([], '100000', 50);
  const rounds = String(Math.round((100_000 * WORK_MS * 50) / few.ownMs));
  const ways = { bare: [] as { wallMs: number; ownMs: number }[], run: [] as { wallMs: number; ownMs: number }[] };
  for (let pair = 0; pair < PAIRS; pair++) {
    for (const way of pair % 2 === 0 ? (['bare', 'run'] as const) : (['run', 'bare'] as const)) {
      const run = way === 'run' ? [COMMAND, 'run', '--task', `bench-${pair}`, '--', process.execPath] : [];
      ways[way].push(await one(run, rounds, LINES));
      if (way === 'run') await check(`bench-${pair}`);
    }
  }
  const wall = { bare: median(ways.bare.map(wallMs)), run: median(ways.run.map(wallMs)) };
  const own = { bare: median(ways.bare.map(ownMs)), run: median(ways.run.map(ownMs)) };
  report({
    slowerPercent: (own.run / own.bare - 1) * 100,
    wholeSlowerPercent: (wall.run / wall.bare - 1) * 100,
    addedMs: wall.run - own.run - (wall.bare - own.bare),
    bareMs: own.bare,
    runMs: own.run,
  });
} finally {
  await server.stop();
}

async function one(run: readonly string[], rounds: string, lines: number): Promise<{ wallMs: number; ownMs: number }> {
  const args = [...run, printer, String(lines), rounds, ownFile];
  const { wallMs } = await timed(process.execPath, args, { TASKTRAIL_DATA_DIR: dataDir });
  return { wallMs, ownMs: Number(readFileSync(ownFile, 'utf8')) };
}

async function check(taskId: string): Promise<void> {
  const { total } = (await (await fetch(`${server.url}/api/tasks/${taskId}/logs/stats`)).json()) as { total: number };
  if (total !== LINES) throw new Error(`stored ${total} of ${LINES} lines of ${taskId}`);
}

function wallMs(run: { wallMs: number }): number {
  return run.wallMs;
}

function ownMs(run: { ownMs: number }): number {
  return run.ownMs;
}
