import { constants, fstatSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { TrailError } from '../../core/error.ts';
import { TASK_BUFFER_BYTES } from '../../core/limits.ts';
import { fileError } from './place.ts';

/** Characters that one write takes; a single longer line goes alone. */
const WRITE_CHARS = 1024 * 1024;
/** An unended line this old is no longer being written: the writer that began it has died. */
const TORN_MS = 5;
const NEWLINE = 10;

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: TrailError) => void;
}

/**
 * One file that grows by whole lines. Each write is one system call of whole lines on a descriptor that appends, so writers of
 * this and other processes never mix their lines. What is added during a write shares the next one.
 *
 * A tail without a newline is what a crash left of somebody's line. It is closed with a newline rather than cut: between a look at
 * the size and a cut, another process may have appended, and the cut would take its line away.
 */
export class LineFile {
  readonly #path: string;
  #waiting: Waiting[] = [];
  #waitingChars = 0;
  #handle: FileHandle | undefined;
  /** The size after our last write: while it stays, nobody else has written, and the file ends with our newline. */
  #sizeBytes = -1;
  #working: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Add a line, without its newline. Resolves when the system has it: it survives the end of this process. */
  append(line: string): Promise<void> {
    if (this.#waitingChars > 0 && this.#waitingChars + line.length > TASK_BUFFER_BYTES) {
      const message = `${this.#waitingChars} characters wait to be written to ${this.#path}; await what you append`;
      return Promise.reject(new TrailError('buffer_full', message));
    }
    const added = new Promise<void>((resolve, reject) => this.#waiting.push({ line, resolve, reject }));
    this.#waitingChars += line.length;
    this.#working ??= this.#work();
    return added;
  }

  /** Write what waits, and bring it to the disk. The next line opens the file again. */
  async close(): Promise<void> {
    while (this.#working) await this.#working;
    const handle = this.#handle;
    this.#handle = undefined;
    if (!handle) return;
    try {
      await handle.datasync();
    } catch (error) {
      throw fileError(error, this.#path);
    } finally {
      await handle.close();
    }
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#write(`${batch.map(({ line }) => line).join('\n')}\n`);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        this.#sizeBytes = -1;
        for (const { reject } of batch) reject(fileError(error, this.#path));
      }
    }
    this.#working = undefined;
  }

  #take(): readonly Waiting[] {
    let chars = 0;
    let count = 0;
    for (const { line } of this.#waiting) {
      if (count > 0 && chars + line.length > WRITE_CHARS) break;
      chars += line.length;
      count += 1;
    }
    this.#waitingChars -= chars;
    return this.#waiting.splice(0, count);
  }

  async #write(text: string): Promise<void> {
    const handle = await this.#opened();
    // The size of an open file is in memory: asking on this thread costs less than handing the question to another.
    const before = fstatSync(handle.fd).size;
    const torn = before !== this.#sizeBytes && (await isTorn(handle));
    const bytes = Buffer.from(torn ? `\n${text}` : text);
    const { bytesWritten } = await handle.write(bytes);
    if (bytesWritten < bytes.length) {
      throw new TrailError('storage_full', `${this.#path}: ${bytesWritten} of ${bytes.length} bytes fit; make room`);
    }
    this.#sizeBytes = before + bytes.length;
  }

  /** The open file; opened again when it was removed or replaced under its name. */
  async #opened(): Promise<FileHandle> {
    if (this.#handle && fstatSync(this.#handle.fd).nlink > 0) return this.#handle;
    await this.#handle?.close();
    const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
    const handle = await open(this.#path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
    this.#handle = handle;
    this.#sizeBytes = -1;
    if (fstatSync(handle.fd).isFile()) return handle;
    this.#handle = undefined;
    await handle.close();
    throw new TrailError('store_unavailable', `expected a file at ${this.#path}, got something else; move it away`);
  }
}

/** Whether the file ends in the middle of a line, and stays so: another process may be just writing it. */
async function isTorn(handle: FileHandle): Promise<boolean> {
  for (let sizeBytes = -1; ; ) {
    const { size } = fstatSync(handle.fd);
    if (size === 0) return false;
    const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 });
    if (buffer[0] === NEWLINE) return false;
    if (size === sizeBytes) return true;
    sizeBytes = size;
    await wait(TORN_MS);
  }
}
