import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { ActorKind } from '../core/audit.ts';
import { TrailError } from '../core/error.ts';
import type { Level } from '../core/level.ts';
import type { RedactionRule } from '../core/redaction.ts';
import { LiveHub } from '../live/live.ts';
import { makeDataDir } from './data-dir.ts';
import { LocalTrail } from './local.ts';
import { LoggingSettings } from './logging.ts';
import { type Owner, takeOwnership } from './owner.ts';
import { ThreadIntake } from './sqlite.ts';
import { ThreadReader } from './thread-reader.ts';

export interface OpenOptions {
  /** Directory of the database; made when it is not there (default `./data`). */
  readonly dataDir?: string | undefined;
  /** Longest time that a line nobody awaits stays unwritten, in ms (default 25). */
  readonly flushMs?: number | undefined;
  /** Memory one task's unwritten lines may take, in bytes (default 16 MiB). */
  readonly bufferBytes?: number | undefined;
  /** Lowest level kept for lines of type `log` (default INFO); one that was saved over the API of a server beats it. */
  readonly taskLevel?: Level | undefined;
  /** Values to mask wherever they stand, besides the known shapes of tokens. */
  readonly secrets?: readonly string[] | undefined;
  /** What else is masked: see docs/redaction.md. */
  readonly redactionRules?: readonly RedactionRule[] | undefined;
  /** Days after its end at which a task's lines are compressed, by the owner only (default 0: never). */
  readonly compressAfterDays?: number | undefined;
  /** What the audit calls the user of this machine who works here (default `library`). */
  readonly actor?: ActorKind | undefined;
  /** The directory is owned already, by whoever opens it: a server. */
  readonly owner?: Owner | undefined;
}

/**
 * Open the trail of a data directory in this process. Other processes, a server among them, may have it open too.
 * Throws `store_unavailable`, `unsafe_sqlite` or `unknown_schema` when the database cannot be used.
 */
export async function openTrail(options: OpenOptions = {}): Promise<LocalTrail> {
  const { flushMs, bufferBytes, taskLevel, secrets, redactionRules } = options;
  const dataDir = resolve(options.dataDir ?? 'data');
  try {
    makeDataDir(dataDir);
  } catch (cause) {
    throw new TrailError('store_unavailable', `the data directory cannot be used: ${(cause as Error).message}`, {
      cause,
    });
  }
  let live: LiveHub | undefined;
  const intake = new ThreadIntake(
    {
      dataDir,
      taskLevel,
      secrets,
      redactionRules,
      taskBytes: bufferBytes,
      ...(options.owner && { compressAfterDays: options.compressAfterDays }),
    },
    (task) => live?.wake(task),
  );
  try {
    await intake.ready();
    // What was saved over the API of a server holds for every program that appends to the directory.
    await LoggingSettings.open(intake, { level: 'INFO', taskLogLevel: taskLevel ?? 'INFO', enableBeliefState: true });
  } catch (error) {
    await intake.close();
    throw error;
  }
  // The reader comes after the writer has made or brought up to date what it reads.
  const store = new ThreadReader(dataDir);
  live = new LiveHub(store);
  let owning: Promise<Owner> | undefined = options.owner && Promise.resolve(options.owner);
  return new LocalTrail(
    { store, intake, live },
    {
      ...(flushMs !== undefined && { flushMs }),
      actor: { kind: options.actor ?? 'library', name: userName(), role: null, address: null },
      ...(bufferBytes !== undefined && { taskBytes: bufferBytes }),
      keepCompressed: (afterDays) => intake.keepCompressed(afterDays),
      own: async () => {
        owning ??= takeOwnership(dataDir);
        await owning.catch((error) => {
          // Another process owns it now; it may be gone when this is asked again.
          owning = undefined;
          throw error;
        });
      },
      release: async () => {
        await intake.close();
        await store.close();
        if (!options.owner) await (await owning?.catch(() => undefined))?.close();
      },
    },
  );
}

/** In a container a user may have no name. */
export function userName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}
