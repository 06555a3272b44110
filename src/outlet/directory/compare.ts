import { constants, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../core/entry.ts';
import { READ_ROWS } from '../../core/limits.ts';
import type { StoreReader } from '../../core/ports.ts';
import { FILES, type FlowName, finalResultFile, flowLine, inputFile, metadataFile } from '../../core/task-files.ts';
import { COMPRESSED_OUTPUT } from './compression.ts';
import { look } from './disk.ts';
import { type FileLine, fileLines } from './file-lines.ts';
import { documentText, lineText } from './json-line.ts';
import { taskPath } from './place.ts';
import { isOurs } from './projection.ts';
import { objectOf } from './read.ts';

/** What is wrong with a directory. */
export interface DirectoryFault {
  /** Null: the directory as a whole. */
  readonly file: string | null;
  /** From 1 on; null: the file as a whole. */
  readonly line: number | null;
  readonly fault: string;
}

/** Faults that are told of one file; what comes after them in it is not compared. */
const FAULTS = 20;

/**
 * Compare a task's directory with the store, byte by byte: what `tasktrail check` tells. With `growing` lines that are missing at
 * the end are no fault: a server is about to write them.
 */
export async function compareDirectory(
  dir: string,
  store: StoreReader,
  { taskId, growing = false }: { taskId: string; growing?: boolean },
): Promise<readonly DirectoryFault[]> {
  const path = taskPath(dir, taskId);
  // The directory before the task: what is written meanwhile is then in the task as well.
  const found = existsSync(path) ? look(path) : undefined;
  if (!found) return [{ file: null, line: null, fault: 'missing' }];
  const faults: DirectoryFault[] = found.leftovers.map((file) => ({ file, line: null, fault: 'left over by a crash' }));
  for (const file of found.others.filter(isOurs)) faults.push({ file, line: null, fault: 'no regular file' });
  const names = new Set(found.files.keys());
  const task = await store.task(taskId);
  const documents: readonly (readonly [string, JsonObject | null])[] = [
    [FILES.metadata, metadataFile(task)],
    [FILES.input, inputFile(task)],
    [FILES.finalResult, finalResultFile(task)],
  ];
  for (const [file, value] of documents) {
    const fault = await documentFault(join(path, file), value, names.has(file));
    if (fault !== undefined) faults.push({ file, line: null, fault });
  }
  faults.push(...(await compareLines(path, store, { taskId, growing, names })));
  return faults;
}

async function documentFault(path: string, value: JsonObject | null, isThere: boolean): Promise<string | undefined> {
  if (!isThere) return value === null ? undefined : 'missing';
  if (value === null) return 'not of this task';
  const text = await readFile(path, { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NOFOLLOW });
  if (text === documentText(value)) return undefined;
  return objectOf(text) ? 'not what the store holds' : 'not a JSON object';
}

interface Lines {
  readonly taskId: string;
  readonly growing: boolean;
  readonly names: ReadonlySet<string>;
}

async function compareLines(path: string, store: StoreReader, { taskId, growing, names }: Lines) {
  // Lines lie in one of the two; when a crash left both, the plain one goes.
  const both = names.has(COMPRESSED_OUTPUT) && names.has(FILES.agentOutput);
  const output = names.has(COMPRESSED_OUTPUT) ? COMPRESSED_OUTPUT : FILES.agentOutput;
  const flows = new Map<FlowName, FlowCheck>();
  for (const [flow, file] of [
    [FILES.webhookFlow, FILES.webhookFlow],
    [FILES.agentOutput, output],
    [FILES.userInputs, FILES.userInputs],
  ] as const) {
    flows.set(flow, new FlowCheck(path, file));
  }
  try {
    for (let after = 0, done = false; !done; ) {
      const page = await store.read(taskId, { after, limit: READ_ROWS });
      for (const entry of page.entries) {
        const { file, line } = flowLine(entry);
        await flows.get(file)?.expect(lineText(line), entry.seq);
      }
      after = page.scannedTo;
      done = page.done;
    }
    for (const flow of flows.values()) await flow.end(growing);
  } finally {
    for (const flow of flows.values()) await flow.close();
  }
  const faults = [...flows.values()].flatMap((flow) => flow.faults);
  if (both) faults.push({ file: FILES.agentOutput, line: null, fault: 'there beside the compressed one' });
  return faults;
}

/** One file beside the lines that should be in it. After a difference the two find together again by the seqs. */
class FlowCheck {
  readonly faults: DirectoryFault[] = [];
  readonly #file: string;
  readonly #lines: AsyncGenerator<FileLine>;
  #line: FileLine | undefined;
  /** Expected lines that the file does not have: the first and the last of a row of them. */
  #missing: { readonly from: number; to: number } | undefined;

  constructor(path: string, file: string) {
    this.#file = file;
    this.#lines = fileLines(join(path, file));
  }

  async expect(text: string, seq: number): Promise<void> {
    if (this.#isFull) return;
    for (;;) {
      const line = await this.#current();
      if (line?.text === text && !line.torn) {
        this.#tellMissing();
        return this.#step();
      }
      if (!line) return this.#miss(seq);
      const has = line.torn ? undefined : objectOf(line.text ?? '')?.seq;
      if (typeof has === 'number' && has > seq) return this.#miss(seq);
      this.#tellMissing();
      this.#tell(line.number, faultOf(line, has === seq));
      this.#step();
      if (has === seq || this.#isFull) return;
    }
  }

  /** No more lines are expected. */
  async end(growing: boolean): Promise<void> {
    if (!growing) this.#tellMissing();
    for (let line = await this.#current(); line && !this.#isFull; line = await this.#current()) {
      this.#tell(line.number, line.torn ? faultOf(line, false) : 'after the last line that the store holds');
      this.#step();
    }
  }

  async close(): Promise<void> {
    await this.#lines.return(undefined);
  }

  get #isFull(): boolean {
    return this.faults.length >= FAULTS;
  }

  async #current(): Promise<FileLine | undefined> {
    this.#line ??= (await this.#lines.next()).value ?? undefined;
    return this.#line;
  }

  #step(): void {
    this.#line = undefined;
  }

  #miss(seq: number): void {
    if (this.#missing) this.#missing.to = seq;
    else this.#missing = { from: seq, to: seq };
  }

  #tellMissing(): void {
    if (!this.#missing) return;
    const { from, to } = this.#missing;
    this.#missing = undefined;
    this.#tell(null, from === to ? `line with seq ${from} is missing` : `lines with seq ${from}–${to} are missing`);
  }

  #tell(line: number | null, fault: string): void {
    this.faults.push({ file: this.#file, line, fault });
  }
}

function faultOf({ text, torn, reason }: FileLine, sameSeq: boolean): string {
  if (torn) return `torn${reason ? `: ${reason}` : ''}`;
  if (text === null || !objectOf(text)) return reason ?? 'not a JSON object';
  return sameSeq ? 'not what the store holds' : 'not a line of this task';
}
