import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory that a variant may fill; it is removed behind it. */
export const DATA_DIR = process.env.BENCH_DATA_DIR ?? '.';
export const COMMAND = fileURLToPath(new URL('../../bin/tasktrail.js', import.meta.url));

export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process until it said where it listens. */
  readonly readyMs: number;
  post(path: string, body: string, type?: string): Promise<string>;
  stop(): Promise<void>;
}

/** `tasktrail serve` in a process of its own, on a free port. */
export async function startServer(dataDir = join(DATA_DIR, 'data'), env: NodeJS.ProcessEnv = {}): Promise<BenchServer> {
  return startScript([COMMAND, 'serve'], { TASKTRAIL_PORT: '0', TASKTRAIL_DATA_DIR: dataDir, ...env });
}

/** A script that prints where it listens. */
export async function startScript(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<BenchServer> {
  const startMs = performance.now();
  const server = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    // Its own lines would be the terminal's cost.
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await urlOf(server);
  const readyMs = performance.now() - startMs;
  return {
    url,
    pid: server.pid ?? 0,
    readyMs,
    async post(path, body, type = 'application/json') {
      const response = await fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
      const text = await response.text();
      if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
      return text;
    },
    async stop() {
      server.kill('SIGTERM');
      if (server.exitCode === null) await once(server, 'exit');
    },
  };
}

async function urlOf({ stdout }: ChildProcess): Promise<string> {
  let printed = '';
  if (stdout === null) throw new Error('expected the output of the server');
  for await (const chunk of stdout) {
    printed += String(chunk);
    const found = /http:\/\/[^\s/]+:\d+/.exec(printed)?.[0];
    if (found !== undefined) return found;
  }
  throw new Error(`expected the address of the server, got ${printed}`);
}

/** CPU time of a process and its threads so far, in ms, from /proc (ticks of 10 ms); NaN where there is none. */
export function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}

/** Memory of a process in MB: `VmRSS` now, `VmHWM` the most so far; NaN where there is no /proc. */
export function memoryOf(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  try {
    const kib = new RegExp(`${what}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return (Number(kib) * 1024) / 1e6;
  } catch {
    return Number.NaN;
  }
}

export function report(figures: Readonly<Record<string, number>>): void {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
