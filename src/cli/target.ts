import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { ServerTrail } from '../client/client.ts';
import { Http, type ServerAddress } from '../client/http.ts';
import type { Stream } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import type { Pruned, PruneRequest, Storage } from '../core/query.ts';
import type { Trail } from '../core/trail.ts';
import type { WireAuditPage } from '../core/wire-audit.ts';
import { type AskedAudit, askedAudit, auditPage } from '../query/audit.ts';
import type { LocalTrail } from '../trail/local.ts';
import { readOwner } from '../trail/owner.ts';
import { COMMAND } from './package.ts';
import { redactionOf } from './redaction.ts';
import type { Config } from './settings.ts';
import { LOCAL } from './spool.ts';

/** The store that a command works on, with what a running task needs besides the trail. */
export interface Target {
  /** Whom kept lines are meant for: a server's URL, or `local` for the data directory and its server. */
  readonly to: string;
  readonly kind: 'server' | 'directory';
  readonly trail: Trail;
  append(taskId: string, body: string, key: string): Promise<void>;
  heartbeat(taskId: string): Promise<void>;
  /** Show an unended line to those who follow now. */
  partial(taskId: string, stream: Stream, text: string): Promise<void>;
  /** Where a person finds the task: a link, or the command to type. */
  hint(taskId: string): string;
  /** What goes by age and size. In a directory nothing is set: the caller says it all. */
  readonly keeping: Keeping;
  /** A page of who changed what. */
  audit(asked: AskedAudit): Promise<WireAuditPage>;
  close(): Promise<void>;
}

export interface Keeping {
  storage(): Promise<Storage>;
  prune(request: PruneRequest): Promise<Pruned>;
  /** Resolves when what is deleted is cleared away. */
  tidied(): Promise<void>;
}

/** A server that is there answers at once; one that is not must not hold a command back. */
const ALIVE_MS = 3_000;
/** Time one call may take before its lines are rather kept on disk. */
const CALL_MS = 10_000;
/** How often is looked whether a server has cleared away what it deleted. */
const LOOK_MS = 250;

/** Who a command's lines are meant for, whether it can be reached or not. */
export function targetName(config: Config): string {
  return config.url ?? LOCAL;
}

/**
 * The store by the order that the docs give: the server that `TASKTRAIL_URL` names and no other, else the server that owns the
 * data directory, else the directory itself.
 */
export async function openTarget(config: Config, mode: { readonly write: boolean }): Promise<Target> {
  const server = await openServer(config);
  if (server) return server;
  if (!mode.write && !existsSync(config.dataDir)) {
    throw new TrailError(
      'not_found',
      `nothing is stored in ${config.dataDir} yet; try: ${COMMAND} run -- echo hello, or set TASKTRAIL_URL`,
    );
  }
  // Loaded late: a command that talks to a server needs no database.
  const { openTrail } = await import('../trail/open.ts');
  const { dataDir, flushMs, bufferBytes, taskLogLevel: taskLevel } = config;
  const redaction = mode.write ? await redactionOf(config) : {};
  const options = { dataDir, flushMs, bufferBytes, taskLevel, actor: 'cli', ...redaction } as const;
  return directoryTarget(await openTrail(options));
}

/** The server by the same order; undefined when the directory itself is what is left. */
export async function openServer(config: Config): Promise<Target | undefined> {
  const found = await findServer(config);
  return found && serverTarget(new ServerTrail(found.address), found);
}

export interface FoundServer {
  readonly address: ServerAddress;
  readonly to: string;
  /** Where a person reaches it. */
  readonly base: string;
}

/** A server that answers, by the same order. Throws `server_unreachable` when the one that is named does not. */
export async function findServer(config: Config): Promise<FoundServer | undefined> {
  if (config.url !== undefined) {
    const address = { url: config.url, token: config.token };
    await new Http(address).check(ALIVE_MS);
    return { address, to: config.url, base: config.url };
  }
  const owner = await readOwner(config.dataDir);
  if (owner === null) return undefined;
  const address = { url: owner.url, token: owner.token };
  try {
    await new Http(address).check(ALIVE_MS);
  } catch {
    return undefined;
  }
  return { address, to: LOCAL, base: config.publicUrl ?? owner.url };
}

/** The server that a command is about. Throws `server_unreachable` where there is none. */
export async function serverOf(config: Config, what: string): Promise<FoundServer> {
  const server = await findServer(config);
  if (server) return server;
  throw new TrailError(
    'server_unreachable',
    `no server runs on ${config.dataDir}, and ${what} are a server's affair; start one with: ${COMMAND} serve`,
  );
}

function serverTarget(trail: ServerTrail, { to, base }: FoundServer): Target {
  return {
    to,
    kind: 'server',
    trail,
    append: async (taskId, body, key) => {
      await trail.appendBody(taskId, body, { key, timeoutMs: CALL_MS });
    },
    heartbeat: (taskId) => trail.heartbeat(taskId),
    partial: (taskId, stream, text) => trail.partial(taskId, stream, text),
    hint: (taskId) => `${base}/t/${taskId}`,
    keeping: {
      storage: () => trail.storage(),
      prune: (request) => trail.prune(request),
      tidied: async () => {
        while ((await trail.storage()).deletingBytes > 0) await setTimeout(LOOK_MS);
      },
    },
    audit: (asked) => trail.audit(asked),
    close: () => trail.close(),
  };
}

export function directoryTarget(trail: LocalTrail): Target {
  const { store, intake, live } = trail.parts;
  return {
    to: LOCAL,
    kind: 'directory',
    trail,
    append: async (taskId, body, key) => {
      // As bytes, which cross to the writer uncopied.
      const bytes = new TextEncoder().encode(body);
      await intake.append({ taskId, body: bytes, format: 'ndjson', key, captured: true });
    },
    heartbeat: async (taskId) => {
      await intake.changeTask(taskId, {});
    },
    partial: async (taskId, stream, text) => live.partial(taskId, stream, text),
    keeping: {
      storage: () => store.storage(),
      prune: (request) => trail.prune(request),
      tidied: () => intake.tidied(),
    },
    audit: async (asked) => auditPage(store, askedAudit(asked)),
    hint: (taskId) => `kept without a server, read it with: ${COMMAND} logs ${taskId}`,
    close: () => trail.close(),
  };
}
