/*
 * A command that prints a million lines as fast as it can: `capture.ts served|alone` under `tasktrail run`, with a server or
 * without; `cat` alone; `tee`, which keeps them in a file.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { linesFile, timed } from '../support/commands.ts';
import { projected } from '../support/directories.ts';
import { perLine } from '../support/meter.ts';
import { COMMAND, cpuOf, DATA_DIR, memoryOf, report, startServer } from '../support/server.ts';

const LINES = 1_000_000;
const [way] = process.argv.slice(2);
const file = await linesFile(LINES);
const dataDir = join(DATA_DIR, 'data');
const env = { TASKTRAIL_DATA_DIR: dataDir };
const run = [COMMAND, 'run', '--task', 'bench', '--', 'cat', file];

if (way === 'served') await served();
else if (way === 'alone') await alone();
else if (way === 'tee') report(perLine(LINES, await timed('sh', ['-c', `cat '${file}' | tee '${DATA_DIR}/tee.txt'`])));
else report(perLine(LINES, await timed('cat', [file])));

async function served(): Promise<void> {
  const server = await startServer(dataDir);
  try {
    const cpuMs = cpuOf(server.pid);
    const took = await timed(process.execPath, run, env);
    await check(server.url);
    await projected(dataDir, LINES);
    const serverCpuMs = cpuOf(server.pid) - cpuMs;
    const serverMostRssMb = memoryOf(server.pid, 'VmHWM');
    const [runCpuUs, serverCpuUs] = [took.cpuMs, serverCpuMs].map((ms) => (ms * 1_000) / LINES);
    report({
      ...perLine(LINES, { ...took, cpuMs: took.cpuMs + serverCpuMs }),
      ...{ runCpuUs: runCpuUs ?? Number.NaN, serverCpuUs: serverCpuUs ?? Number.NaN, serverMostRssMb },
    });
  } finally {
    await server.stop();
  }
}

/** Without a server the command's own process stores. It is asked afterwards, by a server, whether all is there. */
async function alone(): Promise<void> {
  const most = join(DATA_DIR, 'most-rss');
  const noting = `--import=${new URL('../processes/note-rss.ts', import.meta.url).href}`;
  const took = await timed(process.execPath, [noting, ...run], { ...env, BENCH_RSS_FILE: most });
  const server = await startServer(dataDir);
  try {
    await check(server.url);
  } finally {
    await server.stop();
  }
  report({ ...perLine(LINES, took), mostRssMb: Number(readFileSync(most, 'utf8')) });
}

async function check(url: string): Promise<void> {
  const { total } = (await (await fetch(`${url}/api/tasks/bench/logs/stats`)).json()) as { total: number };
  if (total !== LINES) throw new Error(`stored ${total} of ${LINES} lines`);
}
