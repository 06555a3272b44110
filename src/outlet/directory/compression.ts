import * as fs from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { DirectoryRecord, DirectoryRecords } from '../../core/directory.ts';
import { FILES } from '../../core/task-files.ts';
import { remove, syncDirectory } from './disk.ts';
import { taskPath, temporaryName } from './place.ts';

const AGENT_OUTPUT = FILES.agentOutput;
/** What is left of the agent's output of a compressed task. */
export const COMPRESSED_OUTPUT = `${AGENT_OUTPUT}.gz` as const;
/** Compressed at a time, as a gzip member of its own: what comes in live waits no longer for it. */
const PIECE_BYTES = 1024 * 1024;
const TASKS = 100;
/** Time that one turn takes to find a task. */
const TURN_MS = 20;

interface Job {
  readonly taskId: string;
  readonly path: string;
  readonly source: number;
  readonly target: number;
  readonly temporary: string;
  readBytes: number;
}

/**
 * Gives the tasks whose lines the store has compressed a compressed output as well:
 *
 *   pieces ─▶ temporary file ─▶ rename to `.jsonl.gz` ─▶ record ─▶ remove the plain file
 *
 * Whichever step is the last before a crash, the record names one of the two whole files, and the other is removed.
 */
export class Compression {
  readonly #dir: string;
  readonly #records: DirectoryRecords;
  readonly #unsaved: Map<string, DirectoryRecord>;
  #taskIds: string[] = [];
  #revision = 0;
  #job: Job | undefined;

  /** `unsaved` holds the records that are newer than the saved ones. */
  constructor(dir: string, records: DirectoryRecords, unsaved: Map<string, DirectoryRecord>) {
    this.#dir = dir;
    this.#records = records;
    this.#unsaved = unsaved;
  }

  /** Work for a turn. Answers whether there is more to do at once. */
  async go(): Promise<boolean> {
    const untilMs = performance.now() + TURN_MS;
    try {
      // Nearly all tasks of a start are compressed already; they are only looked at.
      while (!this.#job && performance.now() < untilMs) {
        const taskId = this.#taskIds.shift() ?? (await this.#next());
        if (taskId === undefined) return false;
        await this.#begin(taskId);
      }
      if (this.#job) await this.#piece(this.#job);
      return true;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Give up what is under way; the plain file stays. */
  close(): void {
    const job = this.#job;
    this.#job = undefined;
    if (!job) return;
    fs.closeSync(job.source);
    fs.closeSync(job.target);
    remove(job.temporary);
  }

  async #next(): Promise<string | undefined> {
    const { revision, taskIds } = await this.#records.compressed(this.#revision, TASKS);
    this.#revision = revision;
    this.#taskIds = [...taskIds];
    return this.#taskIds.shift();
  }

  async #begin(taskId: string): Promise<void> {
    if (!(await this.#record(taskId))) return;
    const path = taskPath(this.#dir, taskId);
    const source = fs.openSync(join(path, AGENT_OUTPUT), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
    try {
      const temporary = join(path, temporaryName(COMPRESSED_OUTPUT));
      this.#job = { taskId, path, source, target: fs.openSync(temporary, 'wx', 0o600), temporary, readBytes: 0 };
    } finally {
      if (!this.#job) fs.closeSync(source);
    }
  }

  async #piece(job: Job): Promise<void> {
    const piece = Buffer.alloc(PIECE_BYTES);
    const bytes = fs.readSync(job.source, piece, 0, PIECE_BYTES, job.readBytes);
    if (bytes > 0) fs.writeFileSync(job.target, gzipSync(piece.subarray(0, bytes)));
    else await this.#finish(job);
    job.readBytes += bytes;
  }

  async #finish(job: Job): Promise<void> {
    const record = await this.#record(job.taskId);
    const { [AGENT_OUTPUT]: plain, ...files } = record?.files ?? {};
    // The task changed meanwhile: when the store has compressed its late lines too, it comes again.
    if (!record || plain?.bytes !== job.readBytes || !fs.existsSync(job.temporary)) return this.close();
    fs.fsyncSync(job.target);
    const { size: sizeBytes } = fs.fstatSync(job.target);
    fs.renameSync(job.temporary, join(job.path, COMPRESSED_OUTPUT));
    syncDirectory(job.path);
    await this.#records.save([{ ...record, files: { ...files, [COMPRESSED_OUTPUT]: { bytes: sizeBytes } } }]);
    this.#unsaved.delete(job.taskId);
    remove(join(job.path, AGENT_OUTPUT));
    this.close();
  }

  /** The record of a compressed task whose output is still plain. */
  async #record(taskId: string): Promise<DirectoryRecord | undefined> {
    const state = await this.#records.state(taskId);
    const record = this.#unsaved.get(taskId) ?? state?.record;
    const wanted = state?.compressed && record?.revision === state.revision && AGENT_OUTPUT in record.files;
    return wanted ? record : undefined;
  }
}
