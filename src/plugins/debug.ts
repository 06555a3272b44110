import { stat, statfs } from 'node:fs/promises';
import { arch, availableParallelism, freemem, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../core/entry.ts';
import type { Plugin } from '../core/plugin.ts';
import type { Totals } from '../core/query.ts';

/** What the report cannot find out by itself. */
export interface DebugFacts {
  /** Of tasktrail. */
  readonly version: string;
  readonly dataDir: string;
  /** The database's file in the data directory. */
  readonly databaseFile: string;
  /** The settings that hold, secrets masked. */
  readonly settings: JsonObject;
  totals(): Promise<Totals>;
  /** Whether Redis answers; null when none is configured. */
  redis(): Promise<boolean | null>;
}

type Section = () => JsonObject | Promise<JsonObject>;

/** Reports what a question about a server is answered with: versions, machine, disk, store, Redis, settings. */
export function debugPlugin(facts: DebugFacts): Plugin {
  const sections: Readonly<Record<string, Section>> = {
    versions: () => ({
      tasktrail: facts.version,
      node: process.versions.node,
      sqlite: process.versions.sqlite ?? null,
    }),
    machine: () => ({
      ...{ platform: platform(), release: release(), arch: arch(), cpus: availableParallelism() },
      ...{ memory_bytes: totalmem(), free_memory_bytes: freemem(), rss_bytes: process.memoryUsage.rss() },
      uptime_seconds: Math.round(process.uptime()),
    }),
    disk: () => diskOf(facts.dataDir),
    store: () => storeOf(facts),
    redis: async () => {
      const reachable = await facts.redis();
      return { configured: reachable !== null, reachable: reachable === true };
    },
    settings: () => facts.settings,
  };
  return {
    id: 'debug',
    name: 'Debug report',
    description: 'Reports versions, machine, disk, store, Redis and settings of this server; secrets are masked',
    version: '1.0.0',
    restartable: true,
    parameters: { type: 'object', additionalProperties: false },
    takesContext: true,
    execute: async (_params, { logger, signal }) => {
      const report: Record<string, JsonObject> = {};
      for (const [name, section] of Object.entries(sections)) {
        signal.throwIfAborted();
        const own = logger.withSource(name);
        try {
          report[name] = await section();
          own.info(lineOf(report[name]), report[name]);
        } catch (error) {
          // What is broken is just what such a report is read for: the rest is told as well.
          const reason = error instanceof Error ? error.message : String(error);
          report[name] = { error: reason };
          own.error(`cannot be told: ${reason}`);
        }
      }
      return report;
    },
  };
}

async function diskOf(dataDir: string): Promise<JsonObject> {
  const { bsize, blocks, bavail } = await statfs(dataDir);
  const free = bavail * bsize;
  return { data_dir: dataDir, free_bytes: free, total_bytes: blocks * bsize };
}

async function storeOf({ dataDir, databaseFile, totals }: DebugFacts): Promise<JsonObject> {
  const file = join(dataDir, databaseFile);
  const { entries, lost } = await totals();
  return { entries, lost, database_bytes: await sizeOf(file), wal_bytes: await sizeOf(`${file}-wal`) };
}

/** Null when there is no such file. */
async function sizeOf(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function lineOf(figures: JsonObject): string {
  return Object.entries(figures)
    .map(([name, figure]) => `${name}=${typeof figure === 'string' ? figure : JSON.stringify(figure)}`)
    .join(' ');
}
