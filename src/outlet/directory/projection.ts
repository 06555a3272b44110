import { hash } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type {
  DirectoryRecord,
  DirectoryRecords,
  DirectoryState,
  FileRecord,
  LineSource,
} from '../../core/directory.ts';
import type { JsonObject } from '../../core/entry.ts';
import type { StoreReader } from '../../core/ports.ts';
import type { Task } from '../../core/task.ts';
import { FILES, finalResultFile, inputFile, metadataFile } from '../../core/task-files.ts';
import { COMPRESSED_OUTPUT } from './compression.ts';
import { appendAt, cut, type Found, look, remove, replaceFileSync, sync, syncDirectory } from './disk.ts';
import { flowText, PLAIN_OUTPUT } from './flow-text.ts';
import { documentText, linesOnly } from './json-line.ts';
import { makeTaskPath, taskPath } from './place.ts';

/** Files that are replaced as a whole, and those that grow by lines. */
const DOCUMENTS = [FILES.metadata, FILES.input, FILES.finalResult] as const;
const LINES = [FILES.webhookFlow, FILES.agentOutput, FILES.userInputs, COMPRESSED_OUTPUT] as const;
/** What directories are written from. */
export type DirectorySource = StoreReader & LineSource;

/** Pages of lines that one step takes, so that a long task does not hold up the others. */
const STEP_PAGES = 4;

export interface Stepped {
  /** What the directory holds now. */
  readonly record: DirectoryRecord;
  /** The files show all that the task was at the start of the step. */
  readonly done: boolean;
}

/**
 * Bring one task directory nearer to its task:
 *
 *   metadata (when new), input ─▶ lines after the last written ─▶ fsync, final result (when ended) ─▶ metadata
 *
 * So whoever finds a final result finds every line before it. A record tells how far the files came; what lies there otherwise
 * (a torn line, a file that is too long, too short, or of somebody else) is mended first, because a step begins on known ground.
 * Documents cost an fsync each: with `linesOnly` those that are due are left to a later step.
 */
export async function step(
  dir: string,
  store: DirectorySource,
  { state, linesOnly = false }: { readonly state: DirectoryState; readonly linesOnly?: boolean },
): Promise<Stepped> {
  const path = taskPath(dir, state.taskId);
  const task = await store.task(state.taskId);
  makeTaskPath(path);
  const files = new Files(path, { record: state.record, found: look(path), linesOnly });
  const isNew = !files.has(FILES.metadata);
  if (isNew) files.write(FILES.metadata, metadataFile(task));
  files.write(FILES.input, inputFile(task));
  if ((await files.writeLines(store, task)) && !files.isDue) {
    if (task.ended) files.syncLines();
    files.write(FILES.finalResult, finalResultFile(task));
    files.write(FILES.metadata, metadataFile(task));
  }
  return files.finish(state);
}

/** Write a directory anew from its first line, and record that. Without such a task nothing happens. */
export async function rewrite(
  dir: string,
  { store, records }: { readonly store: DirectorySource; readonly records: DirectoryRecords },
  taskId: string,
): Promise<void> {
  let record: DirectoryRecord | null = null;
  for (let done = false; !done; ) {
    const state = await records.state(taskId);
    if (!state) return;
    ({ record, done } = await step(dir, store, { state: { ...state, record } }));
  }
  if (record) await records.save([record]);
}

/** Whether a directory holds what its record says, by names and sizes alone. */
export function isAsRecorded(dir: string, record: DirectoryRecord): boolean {
  try {
    const { files, leftovers, others } = look(taskPath(dir, record.taskId));
    if (leftovers.length > 0 || others.some(isOurs)) return false;
    return [...DOCUMENTS, ...LINES].every((name) => files.get(name) === record.files[name]?.bytes);
  } catch {
    return false;
  }
}

/** Whether a task's directory has a file of this name. */
export function isOurs(name: string): boolean {
  return (DOCUMENTS as readonly string[]).includes(name) || (LINES as readonly string[]).includes(name);
}

interface Start {
  readonly record: DirectoryRecord | null;
  readonly found: Found;
  readonly linesOnly: boolean;
}

/** The files of one directory during one step. */
class Files {
  readonly #path: string;
  readonly #records: Map<string, FileRecord>;
  /** Sizes of what is there. */
  readonly #sizes: Map<string, number>;
  readonly #unsynced = new Set<string>();
  readonly #linesOnly: boolean;
  #seq: number;
  #hasAllLines = false;
  #renamed = false;
  /** A document waits for a step that may write it. */
  isDue = false;

  constructor(path: string, { record, found, linesOnly }: Start) {
    this.#path = path;
    this.#linesOnly = linesOnly;
    this.#records = new Map(Object.entries(record?.files ?? {}));
    this.#sizes = new Map(found.files);
    this.#seq = record?.seq ?? 0;
    for (const name of [...found.leftovers, ...found.others.filter(isOurs)]) remove(join(path, name));
    this.#mendFlows(found);
  }

  has(name: string): boolean {
    return this.#records.has(name) && this.#sizes.has(name);
  }

  /** Write a document unless it stands there already; null removes it. */
  write(name: string, value: JsonObject | null): void {
    const known = this.#records.get(name);
    const text = value && documentText(value);
    const digest = text === null ? undefined : hash('sha1', text, 'base64url').slice(0, 16);
    if (known?.digest === digest && this.#sizes.get(name) === known?.bytes) return;
    this.isDue ||= this.#linesOnly;
    if (this.#linesOnly) return;
    this.#renamed = true;
    if (text === null || digest === undefined) {
      remove(join(this.#path, name));
      this.#records.delete(name);
      this.#sizes.delete(name);
      return;
    }
    replaceFileSync(join(this.#path, name), text);
    const bytes = Buffer.byteLength(text);
    this.#records.set(name, { bytes, digest });
    this.#sizes.set(name, bytes);
  }

  /** Append lines after the last that is there, some pages of them. Answers whether there are no more. */
  async writeLines(store: DirectorySource, { taskId, log }: Task): Promise<boolean> {
    for (let pages = 0; this.#seq < log.lastSeq; pages++) {
      if (pages === STEP_PAGES) return false;
      const plain = await store.plainLines(taskId, this.#seq, PLAIN_OUTPUT);
      const { scannedTo, done } = plain ?? (await this.#appendSorted(store, taskId));
      if (plain) this.#append(FILES.agentOutput, linesOnly(plain.text));
      this.#seq = scannedTo;
      if (done) break;
    }
    this.#hasAllLines = true;
    return true;
  }

  /** Bring lines to the disk before their end is told. */
  syncLines(): void {
    const ending = !this.#records.has(FILES.finalResult);
    if (ending && this.#linesOnly) return;
    for (const name of LINES) {
      if (this.#records.has(name) && (ending || this.#unsynced.has(name))) sync(join(this.#path, name));
    }
  }

  /** Bring new names to the disk. */
  finish({ taskId, revision }: DirectoryState): Stepped {
    if (this.#renamed) syncDirectory(this.#path);
    const done = this.#hasAllLines && !this.isDue;
    const files = Object.fromEntries(this.#records);
    return { record: { taskId, revision: done ? revision : 0, seq: this.#seq, files }, done };
  }

  /** Each line to its file. Answers how far it came. */
  async #appendSorted(store: DirectorySource, taskId: string): Promise<{ scannedTo: number; done: boolean }> {
    const { lines, scannedTo, done } = await store.lines(taskId, this.#seq);
    const texts = new Map<string, string>();
    for (const line of lines) {
      const { file, text } = flowText(taskId, line);
      texts.set(file, `${texts.get(file) ?? ''}${text}\n`);
    }
    for (const [name, text] of texts) this.#append(name, Buffer.from(text));
    return { scannedTo, done };
  }

  #append(file: string, text: Uint8Array): void {
    // Late lines of a compressed file are a further member of it: `zcat` reads one after the other.
    const late = file === FILES.agentOutput && this.#records.has(COMPRESSED_OUTPUT);
    const name = late ? COMPRESSED_OUTPUT : file;
    const bytes = late ? gzipSync(text) : text;
    const sizeBytes = this.#records.get(name)?.bytes ?? 0;
    appendAt(join(this.#path, name), sizeBytes, bytes);
    this.#records.set(name, { bytes: sizeBytes + bytes.length });
    this.#unsynced.add(name);
  }

  /** What is longer than its record is cut to it: the lines after it come again from the store. What is shorter, all do. */
  #mendFlows({ files }: Found): void {
    const shorter = LINES.some((name) => (files.get(name) ?? 0) < (this.#records.get(name)?.bytes ?? 0));
    if (shorter) {
      this.#seq = 0;
      for (const name of LINES) this.#records.delete(name);
    }
    for (const name of LINES) {
      const sizeBytes = files.get(name);
      const known = this.#records.get(name)?.bytes;
      if (sizeBytes === undefined || sizeBytes === known) continue;
      if (known === undefined) remove(join(this.#path, name));
      else cut(join(this.#path, name), known);
    }
  }
}
