import { existsSync } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import type { EntryInput } from '../../core/entry.ts';
import { asTrailError, TrailError } from '../../core/error.ts';
import { checkTaskId } from '../../core/id.ts';
import type { Task, TaskDraft } from '../../core/task.ts';
import { FILES } from '../../core/task-files.ts';
import { taskBack } from '../../core/task-files-back.ts';
import { COMPRESSED_OUTPUT } from '../../outlet/directory/compression.ts';
import { isTaskName } from '../../outlet/directory/place.ts';
import { type Bad, readDocuments, readEntries } from '../../outlet/directory/read.ts';
import type { Config } from '../settings.ts';
import { openTarget, type Target } from '../target.ts';
import { safeText, type Terminal } from '../terminal.ts';

export interface ImportOptions {
  readonly dryRun?: boolean;
}

const BATCH_LINES = 1_000;
const BATCH_CHARS = 512 * 1024;
/** Progress is told this often. */
const TELL_EVERY_MS = 2_000;
/** The owner of a task whose lines are not all read yet: a later import goes on with it. */
const UNFINISHED = 'tasktrail import';

/** Read task directories back into the store. Exit code 1 when one of them could not be read. */
export async function importTasks(
  terminal: Terminal,
  config: Config,
  dir: string,
  options: ImportOptions,
): Promise<number> {
  const paths = await taskPaths(resolve(dir));
  // What was kept once is kept again, whatever the level is now.
  const target = await openTarget({ ...config, taskLogLevel: 'DEBUG' }, { write: true });
  try {
    await refuseServed(target, config, dir);
    const importing = new Importing(terminal, target, options.dryRun ?? false);
    for (const [index, path] of paths.entries()) await importing.directory(path, `${index + 1} of ${paths.length}`);
    return await importing.summary();
  } finally {
    await target.close();
  }
}

/** The directory itself, or those in it. */
async function taskPaths(dir: string): Promise<readonly string[]> {
  if (!existsSync(dir)) throw new TrailError('invalid_usage', `${dir}: expected a directory, there is none`);
  if (isTaskDirectory(dir)) return [dir];
  const names = (await readdir(dir)).filter(isTaskName).sort();
  const paths = names.map((name) => join(dir, name)).filter(isTaskDirectory);
  if (paths.length > 0) return paths;
  const message = `${dir}: expected a task's directory with ${FILES.metadata}, or a directory of such; found none`;
  throw new TrailError('invalid_usage', message);
}

function isTaskDirectory(path: string): boolean {
  return [...Object.values(FILES), COMPRESSED_OUTPUT].some((name) => existsSync(join(path, name)));
}

/** A server would begin to write the very files that are being read. */
async function refuseServed({ kind, to }: Target, { taskLogsDir, url }: Config, dir: string): Promise<void> {
  if (kind !== 'server' || url !== undefined || !existsSync(taskLogsDir)) return;
  const [own, given] = await Promise.all([realpath(taskLogsDir), realpath(dir)]);
  if (given !== own && !given.startsWith(`${own}${sep}`)) return;
  const message = `${dir} belongs to the ${to} server that is running; stop it, import, and start it again`;
  throw new TrailError('invalid_usage', message);
}

class Importing {
  readonly #terminal: Terminal;
  readonly #target: Target;
  readonly #dryRun: boolean;
  #toldMs = performance.now();
  #tasks = 0;
  #lines = 0;
  #existing = 0;
  #bad = 0;
  #failed = 0;

  constructor(terminal: Terminal, target: Target, dryRun: boolean) {
    this.#terminal = terminal;
    this.#target = target;
    this.#dryRun = dryRun;
  }

  async directory(path: string, place: string): Promise<void> {
    try {
      await this.#import(path, place);
    } catch (error) {
      this.#failed += 1;
      this.#terminal.tell(`${shown(path)} is not imported: ${shown(asTrailError(error).message)}`);
    }
  }

  async summary(): Promise<number> {
    const did = this.#dryRun ? 'would be imported' : 'imported';
    const parts = [
      `${this.#tasks} tasks with ${this.#lines} lines ${did}`,
      ...(this.#existing > 0 ? [`${this.#existing} exist already`] : []),
      ...(this.#bad > 0 ? [`${this.#bad} bad lines or files left out`] : []),
      ...(this.#failed > 0 ? [`${this.#failed} failed`] : []),
    ];
    await this.#terminal.print(`${parts.join(', ')}\n`);
    return this.#failed > 0 ? 1 : 0;
  }

  async #import(path: string, place: string): Promise<void> {
    const onBad = ({ file, line, reason }: Bad): void => {
      this.#bad += 1;
      this.#terminal.tell(`${shown(path)}/${file}${line === null ? '' : `:${line}`}: ${reason}`);
    };
    const back = taskBack(await readDocuments(path, onBad));
    const draft = { ...back, taskId: checkTaskId(back.taskId ?? basename(path)) };
    const existing = await this.#existingTask(draft.taskId);
    if (existing && existing.owner !== UNFINISHED) {
      this.#existing += 1;
      this.#terminal.tell(`${draft.taskId} exists already and stays as it is`);
      return;
    }
    const batches = batched(readEntries(path, onBad));
    let lines = 0;
    try {
      // The files are open from here on: a server that begins to write this task cannot take them away.
      let batch = await batches.next();
      if (!this.#dryRun && !existing) await this.#target.trail.create({ ...draft, owner: UNFINISHED });
      for (let number = 0; !batch.done; number++) {
        if (!this.#dryRun) await this.#target.append(draft.taskId, batch.value.join('\n'), `import:${number}`);
        lines += batch.value.length;
        this.#tellProgress(`${place}: ${draft.taskId}, ${lines} lines`);
        batch = await batches.next();
      }
    } finally {
      await batches.return(undefined);
    }
    if (!this.#dryRun) await this.#finish(draft, lines);
    this.#tasks += 1;
    this.#lines += lines;
  }

  async #finish(draft: TaskDraft & { readonly taskId: string }, lines: number): Promise<void> {
    const { trail } = this.#target;
    const { log } = await trail.change(draft.taskId, { owner: draft.owner ?? null });
    if (log.total >= lines) return;
    const left = lines - log.total;
    this.#terminal.tell(`${draft.taskId}: ${left} lines are below the level that the server keeps, and were left out`);
  }

  async #existingTask(taskId: string): Promise<Task | undefined> {
    try {
      return await this.#target.trail.get(taskId);
    } catch (error) {
      if (asTrailError(error).code === 'task_not_found') return undefined;
      throw error;
    }
  }

  #tellProgress(text: string): void {
    if (performance.now() - this.#toldMs < TELL_EVERY_MS) return;
    this.#toldMs = performance.now();
    this.#terminal.tell(text);
  }
}

/** Entries as lines of JSON, many to a batch. */
async function* batched(entries: AsyncIterable<EntryInput>): AsyncGenerator<readonly string[]> {
  let lines: string[] = [];
  let chars = 0;
  for await (const entry of entries) {
    const line = JSON.stringify(entry);
    lines.push(line);
    chars += line.length;
    if (lines.length < BATCH_LINES && chars < BATCH_CHARS) continue;
    yield lines;
    lines = [];
    chars = 0;
  }
  if (lines.length > 0) yield lines;
}

function shown(text: string): string {
  return safeText(text, { colour: false });
}
