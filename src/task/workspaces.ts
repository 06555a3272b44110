import { lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TrailError } from '../core/error.ts';
import { checkTaskId } from '../core/id.ts';
import type { Live } from '../core/live.ts';
import { CommandFailed, type Workspace } from '../core/plugin.ts';
import type { Intake, StoreReader } from '../core/ports.ts';
import type { Clock } from '../core/time.ts';
import { Children } from './children.ts';
import { runProgram } from './program.ts';
import { type CloneRun, Repositories, shownRepo } from './repositories.ts';

export interface WorkspacesOptions {
  /** The data directory: `workspaces/` and `repos/` lie in it. */
  readonly dataDir: string;
  readonly store: Pick<StoreReader, 'task'>;
  readonly intake: Pick<Intake, 'setting' | 'setSetting'>;
  readonly live: Pick<Live, 'watch'>;
  /** The environment of git: what it needs to find its user's configuration and keys. */
  readonly gitEnv: Readonly<Record<string, string>>;
  /** The environment of the programs that prepare a clone. They may be the repository's own, and get no keys. */
  readonly env: Readonly<Record<string, string>>;
  /** Told what could not be removed; it is tried again later. */
  readonly warn: (message: string) => void;
  /** This process, where several run tasks. */
  readonly worker?: string | null | undefined;
  readonly clock?: Clock;
}

/** What a workspace is made for. */
export interface WorkspaceRequest {
  readonly taskId: string;
  /** The repository that it shall hold (default: it is empty). */
  readonly wanted?: Workspace | undefined;
  readonly signal: AbortSignal;
  /** Told what is being done, for the task's trail. */
  readonly say: (message: string) => void;
}

type Making = CloneRun & Pick<WorkspaceRequest, 'say'>;

const SWEEP_EVERY_MS = 60 * 60 * 1000;
/** Changes of tasks are looked at together. */
const GATHER_MS = 200;
const PREPARE_MS = 10 * 60 * 1000;
/** Lines of one program that are told; of the others how many they are. */
const PREPARE_LINES = 200;
/** In `.git`: the clone is complete and prepared. */
const READY = 'tasktrail-ready';

/**
 * The directories that agents run in, one for each task: made before the run, kept for its retries and for people to look at, and
 * removed when the task is deleted. Nothing outside of `<data>/workspaces` is removed, and no link is followed.
 */
export class Workspaces {
  readonly #options: WorkspacesOptions;
  readonly #dir: string;
  readonly #repositories: Repositories;
  readonly #children: Children;
  /** What an earlier server left at work is ended before anything is made. */
  #leftovers: Promise<void> = Promise.resolve();
  /** Tasks with a directory, as far as is known. */
  readonly #known = new Set<string>();
  readonly #changed = new Set<string>();
  #unwatch = (): void => {};
  #gathering: NodeJS.Timeout | undefined;
  #sweeping: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: WorkspacesOptions) {
    const { dataDir, intake, gitEnv: env, worker, clock } = options;
    this.#options = options;
    this.#dir = resolve(dataDir, 'workspaces');
    this.#children = new Children(intake, 'workspace_children', worker);
    this.#repositories = new Repositories({ dir: resolve(dataDir, 'repos'), env, ...(clock && { clock }) });
  }

  /** End what an earlier server left at work, and remove what belongs to deleted tasks, now and whenever one is deleted. */
  start(): void {
    if (this.#sweeping || this.#closed) return;
    // Where several run tasks, this one may be at work already, and what others left is ended when they are found to be gone.
    if (this.#options.worker == null) this.#leftovers = this.#endLeftovers();
    this.#unwatch = this.#options.live.watch((taskId) => this.#onChange(taskId));
    this.#sweeping = setInterval(() => this.#do(() => this.#sweep()), SWEEP_EVERY_MS).unref();
    this.#do(() => this.#sweep());
  }

  /**
   * The directory of a task; the same one again for the next step or attempt of the task. Throws when its repository cannot be had,
   * and `CommandFailed` when a program that prepares it fails.
   */
  async make(request: WorkspaceRequest): Promise<string> {
    const { taskId, wanted, signal } = request;
    await this.#leftovers;
    signal.throwIfAborted();
    const path = this.#path(taskId);
    this.#known.add(taskId);
    await makeOwn(this.#dir);
    if (!wanted || (await isReady(path))) {
      await makeOwn(path);
      return path;
    }
    const onStart = (pid: number): void => void this.#children.add(taskId, pid);
    try {
      await this.#clone(path, wanted, { ...request, onStart });
    } finally {
      await this.#children.remove(taskId);
    }
    return path;
  }

  /** Resolves when what was to be removed by now is gone. */
  settled(): Promise<void> {
    if (this.#changed.size > 0) this.#look();
    return this.#work;
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    clearInterval(this.#sweeping);
    clearTimeout(this.#gathering);
    await this.#work;
  }

  async #endLeftovers(): Promise<void> {
    try {
      await this.#children.endLeftovers();
    } catch (error) {
      const { message } = error as Error;
      this.#options.warn(`workspaces: what an earlier server left at work cannot be read: ${message}`);
    }
  }

  async #clone(path: string, wanted: Workspace, making: Making): Promise<void> {
    const { say } = making;
    const { repo, ref, prepare = [] } = wanted;
    // Half a clone, of a run that was stopped in the middle.
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
    await makeOwn(path);
    say(`Cloning ${shownRepo(repo)}${ref === undefined ? '' : ` at ${ref}`}`);
    await this.#repositories.clone(wanted, path, making);
    for (const command of prepare) await this.#prepare(command, path, making);
    await writeFile(join(path, '.git', READY), '');
  }

  async #prepare(command: readonly [string, ...string[]], cwd: string, making: Making): Promise<void> {
    const { signal, onStart, say } = making;
    const { env } = this.#options;
    const shown = command.join(' ').slice(0, 200);
    say(`Preparing: ${shown}`);
    let lines = 0;
    const onLine = (line: string): void => {
      lines += 1;
      if (lines <= PREPARE_LINES) say(line);
    };
    const end = await runProgram(command, { cwd, env, signal, onStart, onLine, timeoutMs: PREPARE_MS });
    if (lines > PREPARE_LINES) say(`… and ${lines - PREPARE_LINES} more lines`);
    if (end.exitCode === 0 && !end.timedOut) return;
    const why = end.timedOut
      ? `took longer than ${PREPARE_MS / 60_000} minutes`
      : (end.fault ?? `ended with exit code ${end.exitCode}`);
    throw new CommandFailed([`${shown}: ${why}`, ...end.last].join('\n'), end.exitCode);
  }

  /** An id has no slash and does not begin with a dot, so it cannot lead elsewhere. */
  #path(taskId: string): string {
    return join(this.#dir, checkTaskId(taskId));
  }

  #onChange(taskId: string): void {
    // Where several run tasks, any may have one.
    if (!this.#known.has(taskId) && this.#options.worker == null) return;
    this.#changed.add(taskId);
    this.#gathering ??= setTimeout(() => this.#look(), GATHER_MS).unref();
  }

  #look(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#do(() => this.#removeDeleted(changed));
  }

  /** One thing after the other. */
  #do(work: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      try {
        if (!this.#closed) await work();
      } catch (error) {
        if (!this.#closed) this.#options.warn(`workspaces: ${(error as Error).message}; it is tried again later`);
      }
    });
  }

  async #sweep(): Promise<void> {
    const found = (await isDirectory(this.#dir)) ? await readdir(this.#dir) : [];
    const ids = found.filter(isTaskId);
    for (const taskId of ids) this.#known.add(taskId);
    await this.#removeDeleted(ids);
    if (!this.#closed) await this.#repositories.sweep();
  }

  async #removeDeleted(taskIds: readonly string[]): Promise<void> {
    for (const taskId of taskIds) {
      if (this.#closed) return;
      if (!(await exists(this.#path(taskId))) || !(await this.#isDeleted(taskId))) continue;
      // A link in its place goes, what it leads to stays.
      if (await isDirectory(this.#dir)) await rm(this.#path(taskId), { recursive: true, force: true, maxRetries: 3 });
      this.#known.delete(taskId);
    }
  }

  /** One that the store never knew is not ours to remove: it may be all that is left. */
  async #isDeleted(taskId: string): Promise<boolean> {
    try {
      await this.#options.store.task(taskId);
      return false;
    } catch (error) {
      if (error instanceof TrailError && error.code === 'task_deleted') return true;
      if (error instanceof TrailError && error.code === 'task_not_found') return false;
      throw error;
    }
  }
}

/** Make a directory for its owner only. A link in its place is not followed: what it leads to is not ours. */
async function makeOwn(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (await isDirectory(path)) return;
  throw new TrailError('store_unavailable', `expected a directory at ${path}, got something else; move it away`);
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

async function isDirectory(path: string): Promise<boolean> {
  const stat = await lstat(path).catch(() => undefined);
  return stat?.isDirectory() ?? false;
}

async function isReady(path: string): Promise<boolean> {
  if (!(await isDirectory(path)) || !(await isDirectory(join(path, '.git')))) return false;
  const stat = await lstat(join(path, '.git', READY)).catch(() => undefined);
  return stat?.isFile() ?? false;
}

function isTaskId(name: string): boolean {
  try {
    return checkTaskId(name) === name;
  } catch {
    return false;
  }
}
