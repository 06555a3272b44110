import { lstatSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { TrailError } from '../../core/error.ts';
import { checkTaskId } from '../../core/id.ts';

/** How a temporary file is named beside the one that it becomes. What a crash leaves behind is known by it, and swept. */
const TEMPORARY = /^\..+\.tmp$/;
const PROCESS = /\.(\d+)-\d+-[a-z0-9]*\.tmp$/;
let temporaries = 0;

/** Whether a file is temporary, and the process that made it is gone. */
export function isLeftover(name: string): boolean {
  if (!TEMPORARY.test(name)) return false;
  const pid = Number(PROCESS.exec(name)?.[1] ?? process.pid);
  return pid === process.pid || !isAlive(pid);
}

/** Whether a name in the directory of all may be that of a task. */
export function isTaskName(name: string): boolean {
  try {
    return checkTaskId(name) === name;
  } catch {
    return false;
  }
}

/** A name that no other writer, of this or another process, uses now. */
export function temporaryName(name: string): string {
  temporaries += 1;
  return `.${name}.${process.pid}-${temporaries}-${Math.random().toString(36).slice(2, 8)}.tmp`;
}

/** The directory of a task. An id has no slash and does not begin with a dot, so it cannot lead elsewhere. */
export function taskPath(dir: string, taskId: string): string {
  return join(resolve(dir), checkTaskId(taskId));
}

/** Make the directory of a task, for its owner only. A link in its place is not followed: what it leads to is not ours. */
export function makeTaskPath(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!lstatSync(path).isDirectory()) {
    throw new TrailError('store_unavailable', `expected a directory at ${path}, got something else; move it away`);
  }
}

/** What a system call threw, as what it means to the caller. */
export function fileError(error: unknown, path: string): TrailError {
  if (error instanceof TrailError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code ?? message;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new TrailError('storage_full', `${path} cannot be written (${code}); make room`, { cause: error });
  }
  return new TrailError('store_unavailable', `${path} cannot be written (${reason})`, { cause: error });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
