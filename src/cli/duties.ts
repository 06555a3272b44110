import type { Alerts } from '../outlet/alerts/alerts.ts';
import type { TaskManager } from '../task/manager.ts';
import type { Workspaces } from '../task/workspaces.ts';
import { type TaskDirectories, writeDirectories } from '../trail/directories.ts';
import { Housekeeping } from '../trail/housekeeping.ts';
import type { LocalTrail } from '../trail/local.ts';
import type { Outlets } from './outlets.ts';
import type { RedisParts } from './redis-parts.ts';
import type { ServerLog } from './server-log.ts';
import type { Config } from './settings.ts';

export interface DutyParts {
  readonly trail: LocalTrail;
  readonly tasks: TaskManager;
  readonly workspaces: Workspaces;
  readonly outlets: Outlets;
  readonly alerts: Alerts;
  readonly redis: RedisParts | undefined;
  readonly log: ServerLog;
}

/** What is done once for a data directory, by its owner, however many servers it has. */
export class Duties {
  readonly #config: Config;
  readonly #parts: DutyParts;
  /** In the order in which they are closed. */
  readonly #begun: { close(): Promise<void> }[] = [];
  #directories: TaskDirectories | undefined;
  #closed = false;

  constructor(config: Config, parts: DutyParts) {
    this.#config = config;
    this.#parts = parts;
  }

  /** Writes of task directories that failed; null where another server writes them. */
  get directoryFailures(): number | null {
    return this.#directories?.failures ?? null;
  }

  begin(): void {
    if (this.#closed) return;
    const { trail, tasks, workspaces, outlets, alerts, redis, log } = this.#parts;
    const { compressAfterDays, taskLogsEnabled } = this.#config;
    const warn = (message: string): void => log.logger.warn(message);
    if (compressAfterDays > 0) {
      trail.keepCompressed(compressAfterDays).catch((error: Error) => warn(`compression: ${error.message}`));
    }
    workspaces.start();
    tasks.lead(warn);
    this.#begun.push(this.#housekeeping(warn));
    if (redis) this.#begun.push(redis.mirror());
    if (taskLogsEnabled) {
      this.#directories = this.#writeDirectories(warn);
      // After what deletes and ends tasks: their directories should say so.
      this.#begun.push(this.#directories);
    }
    outlets.start();
    alerts.start();
    this.#begun.push(outlets, alerts);
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const part of this.#begun) await part.close();
  }

  #housekeeping(warn: (message: string) => void): Housekeeping {
    const { retentionDays, maxBytes, staleAfter: staleAfterSeconds } = this.#config;
    return new Housekeeping(this.#parts.trail.parts, { retentionDays, maxBytes, staleAfterSeconds, warn });
  }

  #writeDirectories(warn: (message: string) => void): TaskDirectories {
    const { dataDir, taskLogsDir: dir } = this.#config;
    return writeDirectories({ dataDir, dir, warn });
  }
}
