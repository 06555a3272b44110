import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { benchLine } from '../lines.ts';

const KEPT = fileURLToPath(new URL('../../.cache/bench/', import.meta.url));

/** A file of so many lines; made once, and found again. */
export async function linesFile(lines: number): Promise<string> {
  const file = join(KEPT, `lines-${lines}-v1.txt`);
  if (existsSync(file)) return file;
  mkdirSync(KEPT, { recursive: true });
  const texts = (function* () {
    for (let line = 0; line < lines; line += 10_000) {
      const count = Math.min(10_000, lines - line);
      yield `${Array.from({ length: count }, (_, index) => benchLine(line + index)).join('\n')}\n`;
    }
  })();
  await pipeline(Readable.from(texts), createWriteStream(`${file}.part`));
  renameSync(`${file}.part`, file);
  return file;
}

/** Wall and CPU time of a command and all that it waited for. What it prints is read, and dropped. */
export async function timed(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly wallMs: number; readonly cpuMs: number }> {
  const [startMs, cpuMs] = [performance.now(), childrenCpuMs()];
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.resume();
  const [said] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (child.exitCode !== 0) throw new Error(`${command} ended with ${child.exitCode}: ${said}`);
  return { wallMs: performance.now() - startMs, cpuMs: childrenCpuMs() - cpuMs };
}

/** CPU time of the children that have ended, and of theirs, in ms, from /proc (ticks of 10 ms); NaN where there is none. */
function childrenCpuMs(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return Number.NaN;
  }
}
