import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { DirectoryRecords } from '../../core/directory.ts';
import { asTrailError, TrailError } from '../../core/error.ts';
import { PAGE_TASKS_MAX } from '../../core/limits.ts';
import type { StoreReader } from '../../core/ports.ts';
import type { Task } from '../../core/task.ts';
import { compareDirectory, type DirectoryFault } from '../../outlet/directory/compare.ts';
import { removeTree } from '../../outlet/directory/disk.ts';
import { isTaskName } from '../../outlet/directory/place.ts';
import { rewrite } from '../../outlet/directory/projection.ts';
import { DATABASE_FILE } from '../../store/sqlite/database.ts';
import { SqliteDirectoryRecords } from '../../store/sqlite/directories.ts';
import { SqliteReader } from '../../store/sqlite/reader.ts';
import { readOwner, takeOwnership } from '../../trail/owner.ts';
import { COMMAND } from '../package.ts';
import { reindex } from '../reindex.ts';
import type { Config } from '../settings.ts';
import { jsonText, safeText, type Terminal } from '../terminal.ts';

export interface CheckOptions {
  readonly repair?: boolean;
  /** Make the index of the search anew. */
  readonly reindex?: boolean;
  readonly json?: boolean;
}

/** Faults that `--json` lists; all are counted. */
const LISTED = 10_000;
/** A server writes what was just committed: a fault that is gone after this long was none. */
const AGAIN_MS = 1_000;

/** Compare the database and the task directories, and mend the directories if asked to. Exit code 1 while faults remain. */
export async function check(terminal: Terminal, config: Config, options: CheckOptions): Promise<number> {
  const { dataDir } = config;
  if (!existsSync(join(dataDir, DATABASE_FILE))) {
    throw new TrailError(
      'not_found',
      `nothing is stored in ${dataDir}; set TASKTRAIL_DATA_DIR to what is to be checked`,
    );
  }
  // Who mends must be the only one that writes: a server would write the same files.
  const owner = options.repair || options.reindex ? await takeOwnership(dataDir) : undefined;
  try {
    const checking = new Checking(terminal, config, options);
    const sound = await checking.database();
    if (!sound) terminal.tell('the directories can be compared when the database is sound; restore it from a backup');
    else {
      if (options.reindex) await reindex(terminal, dataDir);
      if (config.taskLogsEnabled) await checking.directories();
    }
    return await checking.summary();
  } finally {
    await owner?.close();
  }
}

interface Stores {
  readonly store: SqliteReader;
  readonly records: DirectoryRecords | undefined;
  readonly served: boolean;
}

class Checking {
  readonly #terminal: Terminal;
  readonly #config: Config;
  readonly #repair: boolean;
  readonly #json: boolean;
  readonly #listed: object[] = [];
  #tasks = 0;
  #found = 0;
  #repaired = 0;

  constructor(terminal: Terminal, config: Config, { repair = false, json = false }: CheckOptions) {
    this.#terminal = terminal;
    this.#config = config;
    this.#repair = repair;
    this.#json = json;
  }

  /** Answers whether the database can be trusted. */
  async database(): Promise<boolean> {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(join(this.#config.dataDir, DATABASE_FILE), { timeout: 10_000 });
      const rows = db.prepare('PRAGMA quick_check').all() as { quick_check: string }[];
      for (const { quick_check } of rows) {
        if (quick_check !== 'ok') await this.#tell(DATABASE_FILE, { file: null, line: null, fault: quick_check });
      }
    } catch (error) {
      const fault = `it cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      await this.#tell(DATABASE_FILE, { file: null, line: null, fault });
    } finally {
      db?.close();
    }
    return this.#found === 0;
  }

  async directories(): Promise<void> {
    const { dataDir, taskLogsDir } = this.#config;
    if (!existsSync(taskLogsDir) && !this.#repair) {
      this.#terminal.tell(`there are no task directories in ${taskLogsDir} yet; a server writes them`);
      return;
    }
    const served = !this.#repair && (await readOwner(dataDir)) !== null;
    const store = SqliteReader.open(dataDir);
    const records = this.#repair ? new SqliteDirectoryRecords(dataDir) : undefined;
    try {
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await store.tasks({ limit: PAGE_TASKS_MAX, ...(cursor !== undefined && { cursor }) });
        for (const task of page.tasks) await this.#directory(task, { store, records, served });
        cursor = page.nextCursor;
      }
      await this.#strangers(store);
    } finally {
      await records?.close();
      await store.close();
    }
  }

  async summary(): Promise<number> {
    const remaining = this.#found - this.#repaired;
    if (this.#json) {
      const figures = { tasks: this.#tasks, faults: this.#found, repaired: this.#repaired, remaining };
      await this.#terminal.print(`${jsonText({ ok: remaining === 0, ...figures, found: this.#listed })}\n`);
    } else {
      const hint = remaining > 0 && !this.#repair ? `; ${COMMAND} check --repair mends what it can` : '';
      const mended = this.#repaired > 0 ? `, ${this.#repaired} of them mended` : '';
      await this.#terminal.print(`${this.#tasks} tasks checked: ${this.#found} faults${mended}${hint}\n`);
    }
    return remaining === 0 ? 0 : 1;
  }

  async #directory(task: Task, { store, records, served }: Stores): Promise<void> {
    const { taskId } = task;
    this.#tasks += 1;
    let faults = await this.#compare(store, task, served);
    if (faults.length > 0 && served) {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      faults = await this.#compare(store, task, served);
    }
    for (const fault of faults) await this.#tell(taskId, fault);
    if (faults.length === 0 || !records) return;
    try {
      await rewrite(this.#config.taskLogsDir, { store, records }, taskId);
      const left = await this.#compare(store, task, served);
      this.#repaired += Math.max(0, faults.length - left.length);
    } catch (error) {
      this.#terminal.tell(`${taskId} cannot be mended: ${asTrailError(error).message}`);
    }
  }

  async #compare(store: StoreReader, { taskId, ended }: Task, served: boolean): Promise<readonly DirectoryFault[]> {
    try {
      return await compareDirectory(this.#config.taskLogsDir, store, { taskId, growing: served && !ended });
    } catch (error) {
      const { code, message } = asTrailError(error);
      // Deleted since it was listed.
      if (code === 'task_deleted' || code === 'task_not_found') return [];
      return [{ file: null, line: null, fault: `it cannot be compared: ${message}` }];
    }
  }

  /** Directories of tasks that the store does not have: those of deleted tasks are mended by removing them, the others are told. */
  async #strangers(store: StoreReader): Promise<void> {
    const { taskLogsDir } = this.#config;
    const names = existsSync(taskLogsDir) ? await readdir(taskLogsDir) : [];
    for (const name of names.filter(isTaskName)) {
      const code = await store.task(name).then(
        () => undefined,
        (error) => asTrailError(error).code,
      );
      if (code === 'task_not_found') {
        const fault = `not known to the store; ${COMMAND} import reads it back`;
        await this.#tell(name, { file: null, line: null, fault });
      } else if (code === 'task_deleted') {
        await this.#tell(name, { file: null, line: null, fault: 'left over of a deleted task' });
        if (!this.#repair) continue;
        removeTree(join(taskLogsDir, name));
        this.#repaired += 1;
      }
    }
  }

  async #tell(where: string, { file, line, fault }: DirectoryFault): Promise<void> {
    this.#found += 1;
    if (this.#json) {
      if (this.#listed.length < LISTED) this.#listed.push({ where, file, line, fault });
      return;
    }
    const place = [where, file].filter((part) => part !== null).join('/');
    await this.#terminal.print(
      `${safeText(`${place}${line === null ? '' : `:${line}`}: ${fault}`, { colour: false })}\n`,
    );
  }
}
