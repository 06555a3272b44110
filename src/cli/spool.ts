import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ulid } from 'ulid';
import { SPOOL_BYTES } from '../core/limits.ts';
import { makeDataDir } from '../trail/data-dir.ts';

/** What a run asks of its store, in order: make the task, add lines (NDJSON), end the task. Start and end are JSON. */
export interface SpoolCall {
  readonly call: 'start' | 'append' | 'end';
  readonly taskId: string;
  /** One key for good, so that a call that is delivered twice happens once. */
  readonly key: string;
  readonly body: string;
}

/** A call on disk. `to` is the store it is meant for: a server's URL, or `local` for the data directory and its server. */
export interface KeptCall extends SpoolCall {
  readonly to: string;
}

export const LOCAL = 'local';

const BATCH = /^\d{8}\.batch$/;

/**
 * What one run could not deliver, kept as numbered files below `<data>/spool/<ulid>/`. A file is written under another name,
 * fsynced and renamed, so that it is whole or not there. Writing is synchronous: a command that prints faster than the disk
 * takes it is slowed down, not lost.
 */
export class Spool {
  readonly dir: string;
  readonly #dataDir: string;
  readonly #to: string;
  readonly #maxBytes: number;
  #number = 0;
  #keptBytes = 0;

  constructor(options: { dataDir: string; to: string; maxBytes?: number }) {
    this.#dataDir = options.dataDir;
    this.#to = options.to;
    this.#maxBytes = options.maxBytes ?? SPOOL_BYTES;
    this.dir = join(spoolRoot(options.dataDir), ulid());
  }

  /** Keep a call. After it returns true, a crash does not lose it; false when there is no room. */
  add(call: SpoolCall): boolean {
    return this.#write(call, `${String(++this.#number).padStart(8, '0')}.batch`);
  }

  /** Keep a call that was refused where people can look at it; it is not tried again. Undefined when there is no room. */
  setAside(call: SpoolCall): string | undefined {
    const name = `${String(++this.#number).padStart(8, '0')}.refused`;
    return this.#write(call, name) ? join(this.dir, name) : undefined;
  }

  /** Calls that are still to be delivered, by whichever process. */
  get count(): number {
    return batchesIn(this.dir).length;
  }

  #write(call: SpoolCall, name: string): boolean {
    const { body, call: kind, taskId: task_id, key } = call;
    const bytes = Buffer.from(`${JSON.stringify({ to: this.#to, call: kind, task_id, key })}\n${body}`);
    if (this.#keptBytes + bytes.length > this.#maxBytes) this.#keptBytes = bytesIn(this.dir);
    if (this.#keptBytes + bytes.length > this.#maxBytes) return false;
    try {
      this.#makeDir();
      writeWhole(join(this.dir, name), bytes);
    } catch {
      // A full disk, or a directory that is not ours to write: the caller counts what is lost.
      return false;
    }
    this.#keptBytes += bytes.length;
    return true;
  }

  /** Another process removes the directory when it has delivered everything in it. */
  #makeDir(): void {
    if (fs.existsSync(this.dir)) return;
    makeDataDir(this.#dataDir);
    fs.mkdirSync(this.dir, { recursive: true, mode: 0o700 });
    syncDir(dirname(this.dir));
  }
}

export function spoolRoot(dataDir: string): string {
  return join(dataDir, 'spool');
}

/** The directories of runs with something to deliver, oldest first. */
export function spoolDirs(dataDir: string): readonly string[] {
  return namesIn(spoolRoot(dataDir))
    .sort()
    .map((name) => join(spoolRoot(dataDir), name))
    .filter((dir) => batchesIn(dir).length > 0);
}

/** Undelivered calls of a run, in order. */
export function batchesIn(dir: string): readonly string[] {
  return namesIn(dir)
    .filter((name) => BATCH.test(name))
    .sort()
    .map((name) => join(dir, name));
}

/** Read a call back; undefined when the file is no call, or is gone. */
export function readCall(path: string): KeptCall | undefined {
  try {
    const text = fs.readFileSync(path, 'utf8');
    const end = text.indexOf('\n');
    const { to, call, task_id, key } = JSON.parse(text.slice(0, end)) as Record<string, unknown>;
    const known = call === 'start' || call === 'append' || call === 'end';
    if (!known || typeof to !== 'string' || typeof task_id !== 'string' || typeof key !== 'string') return undefined;
    return { to, call, taskId: task_id, key, body: text.slice(end + 1) };
  } catch {
    return undefined;
  }
}

/** A call that is refused for good keeps its file under another name. */
export function refuse(path: string): string {
  const refused = path.replace(/\.batch$/, '.refused');
  fs.renameSync(path, refused);
  return refused;
}

export function discard(path: string): void {
  fs.rmSync(path, { force: true });
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const temporary = join(dirname(path), `.${basename(path)}.tmp`);
  try {
    const file = fs.openSync(temporary, 'w', 0o600);
    try {
      fs.writeFileSync(file, bytes);
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
    fs.renameSync(temporary, path);
    syncDir(dirname(path));
  } catch (error) {
    discard(temporary);
    throw error;
  }
}

function syncDir(dir: string): void {
  const handle = fs.openSync(dir, 'r');
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

function bytesIn(dir: string): number {
  return namesIn(dir).reduce(
    (sum, name) => sum + (fs.statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

function namesIn(dir: string): string[] {
  try {
    return fs.readdirSync(dir);
  } catch {
    return [];
  }
}
