import * as fs from 'node:fs';
import { join } from 'node:path';

const LOCK = /^lock-(\d+)$/;

/**
 * Be the only one who delivers from this directory. Everybody announces themselves first and looks around after, so of two who
 * come at once at most one goes on. A lock whose process has died does not count.
 * @returns how to let go, or undefined when somebody else is at it
 */
export function lockSpool(dir: string): (() => void) | undefined {
  const own = `lock-${process.pid}`;
  try {
    // The same name from a process of the same pid that died is stale as well.
    if (isLive(dir, own)) return undefined;
    fs.rmSync(join(dir, own), { force: true });
    fs.writeFileSync(join(dir, own), startOf(process.pid), { flag: 'wx', mode: 0o600 });
  } catch {
    return undefined;
  }
  const others = fs.readdirSync(dir).filter((name) => LOCK.test(name) && name !== own);
  if (others.some((name) => isLive(dir, name))) {
    fs.rmSync(join(dir, own), { force: true });
    return undefined;
  }
  for (const name of others) fs.rmSync(join(dir, name), { force: true });
  return () => {
    fs.rmSync(join(dir, own), { force: true });
    try {
      fs.rmdirSync(dir);
    } catch {
      // Only an empty directory goes: what is undelivered or refused keeps it.
    }
  };
}

function isLive(dir: string, lock: string): boolean {
  const pid = Number(LOCK.exec(lock)?.[1]);
  let start: string;
  try {
    start = fs.readFileSync(join(dir, lock), 'utf8');
  } catch {
    return false;
  }
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return start === '' || startOf(pid) === start;
}

/** When a process started, so that a later one with the same pid is not taken for it. Empty where the system does not say. */
function startOf(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22; the name in field 2 may hold spaces (https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html).
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
