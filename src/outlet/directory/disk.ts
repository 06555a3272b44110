/*
 * What the projector does to files. All of it is synchronous: the projector has a thread of its own, so a disk that hangs
 * holds up that thread and nobody else; calls that do not block would share the few threads which serve the whole process.
 */
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isLeftover, temporaryName } from './place.ts';

const { O_APPEND, O_CREAT, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants;

/** What lies in a task directory. */
export interface Found {
  /** Regular files and their size in bytes. */
  readonly files: ReadonlyMap<string, number>;
  /** Temporary files of writers that died. */
  readonly leftovers: readonly string[];
  /** Links, directories and other things that no writer of ours makes. */
  readonly others: readonly string[];
}

/** Look at a directory without reading a file. Throws `ENOENT` or `ENOTDIR`. */
export function look(path: string): Found {
  const files = new Map<string, number>();
  const leftovers: string[] = [];
  const others: string[] = [];
  for (const name of fs.readdirSync(path)) {
    const stat = fs.lstatSync(join(path, name), { throwIfNoEntry: false });
    if (!stat) continue;
    if (!stat.isFile()) others.push(name);
    else if (isLeftover(name)) leftovers.push(name);
    else files.set(name, stat.size);
  }
  return { files, leftovers, others };
}

/** Replace a file as a whole. The caller brings the directory to the disk. */
export function replaceFileSync(path: string, text: string): void {
  const temporary = join(dirname(path), temporaryName(basename(path)));
  try {
    const fd = fs.openSync(temporary, 'wx', 0o600);
    try {
      writeAll(fd, Buffer.from(text));
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
}

/** Add bytes at the end of a file that has this size; when that fails, the file keeps the size. */
export function appendAt(path: string, sizeBytes: number, bytes: Uint8Array): void {
  const fd = fs.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    try {
      writeAll(fd, bytes);
    } catch (error) {
      fs.ftruncateSync(fd, sizeBytes);
      throw error;
    }
  } finally {
    fs.closeSync(fd);
  }
}

export function cut(path: string, sizeBytes: number): void {
  const fd = fs.openSync(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    fs.ftruncateSync(fd, sizeBytes);
  } finally {
    fs.closeSync(fd);
  }
}

/** Bring a file to the disk. */
export function sync(path: string): void {
  syncOpened(fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
}

/** Bring to the disk which files a directory holds. */
export function syncDirectory(path: string): void {
  syncOpened(fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
}

export function remove(path: string): void {
  fs.rmSync(path, { force: true });
}

/** Remove a task directory with all that is in it; a link in its place goes, what it leads to stays. */
export function removeTree(path: string): void {
  fs.rmSync(path, { recursive: true, force: true });
}

function syncOpened(fd: number): void {
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += fs.writeSync(fd, bytes, done);
}
