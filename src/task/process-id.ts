import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';

/**
 * Names this process for others: `<place>.<pid>.<start>`, so that another one of the same place can tell whether it still lives. A
 * place is where pids mean the same: a boot of a machine, or a container on it.
 */
export async function ownProcessId(): Promise<string> {
  return [await ownPlace(), process.pid, digest((await startOf(process.pid)) ?? '')].join('.');
}

/** Whether a process that has such a name lives; undefined when it cannot be seen from here. */
export async function lives(id: string): Promise<boolean | undefined> {
  const [place, pid, start] = id.split('.');
  if (place !== (await ownPlace())) return undefined;
  const startedAt = await startOf(Number(pid));
  return startedAt !== undefined && digest(startedAt) === start;
}

/** When a process started, in a form that is only compared; undefined when there is none. A zombie counts as gone. */
export async function startOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform !== 'linux') {
      const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
      return stdout.trim() || undefined;
    }
    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name in brackets may hold spaces; 3 is the state, 22 the
    // start in clock ticks since boot, so the boot is told as well.
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    return `${await boot()} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

async function ownPlace(): Promise<string> {
  if (process.platform !== 'linux') return digest(hostname());
  return digest(`${await boot()} ${await readlink('/proc/self/ns/pid')}`);
}

async function boot(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
