import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { asTrailError, TrailError } from '../../core/error.ts';
import { systemClock } from '../../core/time.ts';
import type { Webhooks } from '../../inlet/webhooks/index.ts';
import { createRedactor } from '../../intake/redact.ts';
import type { Health, ServerParts, ServerSettings, TrailServer } from '../../server/parts.ts';
import { createServer } from '../../server/server.ts';
import { currentTask } from '../../task/current.ts';
import { TaskManager } from '../../task/manager.ts';
import type { Workspaces } from '../../task/workspaces.ts';
import { makeDataDir } from '../../trail/data-dir.ts';
import { type TaskDirectories, writeDirectories } from '../../trail/directories.ts';
import { Housekeeping } from '../../trail/housekeeping.ts';
import type { LocalTrail } from '../../trail/local.ts';
import { LoggingSettings } from '../../trail/logging.ts';
import { openTrail } from '../../trail/open.ts';
import { type Owner, takeOwnership } from '../../trail/owner.ts';
import { configuredAgents } from '../agents.ts';
import { checkExposure, secretValues } from '../config.ts';
import { drainAll } from '../delivery.ts';
import { greet, reachable } from '../greeting.ts';
import { type Outlets, serverOutlets } from '../outlets.ts';
import { redocFile, version } from '../package.ts';
import { loadPlugins } from '../plugins.ts';
import { openServerLog, type ServerLog } from '../server-log.ts';
import { type Config, isLoopback } from '../settings.ts';
import { directoryTarget } from '../target.ts';
import type { Terminal } from '../terminal.ts';
import { serverWebhooks, warnUnsigned } from '../webhooks.ts';
import { tellDrained } from '../with-target.ts';

/** Longest time that a stop may take; what hangs longer is left behind. */
const STOP_MS = 8_000;
const HEALTH_MS = 1_000;
const START_AGAIN_MS = 5_000;
/** Where the build puts the page. */
const WEB_DIR = fileURLToPath(new URL('../../../dist/web', import.meta.url));

/** Own the data directory and serve it until a signal says stop. */
export async function serve(terminal: Terminal, config: Config): Promise<number> {
  checkExposure(config);
  // A server lives on when nobody reads what it prints.
  terminal.onClosed(() => {});
  makeDataDir(config.dataDir);
  const owner = await takeOwnership(config.dataDir);
  try {
    const { dataDir, flushMs, bufferBytes, taskLogLevel: taskLevel, compressAfterDays } = config;
    const trail = await openTrail({ dataDir, flushMs, bufferBytes, taskLevel, compressAfterDays, owner });
    try {
      await serveTrail(terminal, config, { owner, trail });
    } finally {
      await trail.close();
    }
  } finally {
    await owner.close();
  }
  // A stop that an exception forced is no success.
  return Number(process.exitCode ?? 0);
}

interface Owned {
  readonly owner: Owner;
  readonly trail: LocalTrail;
}

interface Served extends Owned {
  readonly tasks: TaskManager;
  readonly workspaces: Workspaces;
  readonly webhooks: Webhooks;
  readonly outlets: Outlets;
  readonly logging: LoggingSettings;
  readonly log: ServerLog;
}

async function serveTrail(terminal: Terminal, config: Config, { owner, trail }: Owned): Promise<void> {
  const stopped = stopSignal();
  const stopping = new AbortController();
  const served = await partsBehind(terminal, config, { owner, trail });
  const { tasks, workspaces, logging, log } = served;
  let directories: TaskDirectories | undefined;
  const directoryFailures = (): number => directories?.failures ?? 0;
  const server = await createServer({ ...partsOf(config, served), directoryFailures });
  // What works beside the server, closed after it in this order.
  const beside: { close(): Promise<void> }[] = [tasks, workspaces];
  const letStray = catchStrays(log);
  try {
    const { port } = await listening(server, config);
    const url = `http://${reachable(config.host)}:${port}`;
    await owner.publish(url);
    await greet(terminal, config, { url, logging });
    warnUnsigned(config, log.logger);
    workspaces.start();
    beside.push(housekeepingOf(config, { trail, log }));
    if (config.taskLogsEnabled) {
      directories = directoriesOf(config, log);
      // After what deletes and ends tasks: their directories should say so.
      beside.push(directories);
    }
    served.outlets.start();
    beside.push(served.outlets);
    void startTasks(served, stopping.signal);
    const draining = drainAll(config.dataDir, directoryTarget(trail), stopping.signal).then(
      (drained) => tellDrained(terminal, drained),
      (error) => terminal.tell(`kept lines could not be read: ${asTrailError(error).message}`),
    );
    await stopped;
    stopping.abort();
    await draining;
  } finally {
    await server.close();
    for (const part of beside) await part.close();
    // One that could not start has its reason printed, and nothing to stop.
    if (stopping.signal.aborted) log.logger.info('stopped');
    letStray();
    await log.close();
  }
}

/** What answers and works behind the server. */
async function partsBehind(terminal: Terminal, config: Config, { owner, trail }: Owned): Promise<Served> {
  const { logLevel: level, taskLogLevel, logFile: file, machineId } = config;
  const { intake, store } = trail.parts;
  const logging = await LoggingSettings.open(intake, { level, taskLogLevel, enableBeliefState: true });
  const secrets = [owner.token, ...secretValues(config)];
  // A command that prints its environment must not leave our tokens in a trail.
  await intake.hide(secrets);
  const redactor = createRedactor(secrets);
  const log = openServerLog({ level, file, redactor, print: (line) => terminal.tell(line) });
  logging.listen((current) => log.setLevel(current.level));
  const { plugins, concurrency } = await loadPlugins(config, { totals: () => store.totals(), redis: async () => null });
  const beliefs = (): boolean => logging.current.enableBeliefState;
  const warn = (message: string): void => log.logger.warn(message);
  const { agents, workspaces } = configuredAgents(config, { parts: trail.parts, warn });
  const { agentConcurrency } = config;
  const tasks = new TaskManager(trail, { plugins, concurrency, agents, agentConcurrency, machineId, beliefs });
  const outlets = serverOutlets(config, { parts: trail.parts, log: log.logger });
  const webhooks = await serverWebhooks(config, { store, intake, tasks, acknowledge: outlets.acknowledge });
  return { owner, trail, tasks, workspaces, webhooks, outlets, logging, log };
}

/** Until it works: another process may hold what is needed for a moment. */
async function startTasks({ tasks, log }: Served, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await tasks.start();
      return;
    } catch (error) {
      log.logger.error({ err: error }, `tasks cannot be run; tried again in ${START_AGAIN_MS / 1000} s`);
      await delay(START_AGAIN_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

/**
 * A plugin runs in this process. A promise that it forgot costs a line on its task and in the log; an exception out of nowhere, after
 * which nothing can be trusted, an orderly stop.
 */
function catchStrays({ logger }: ServerLog): () => void {
  const onRejection = (error: unknown): void => {
    currentTask()?.logger.error('A promise was rejected and nobody handled it', { error });
    logger.error({ err: error }, 'a promise was rejected and nobody handled it');
  };
  const onException = (error: unknown): void => {
    currentTask()?.logger.error('An exception was thrown and nobody caught it', { error });
    logger.error({ err: error }, 'an exception was thrown and nobody caught it; the server stops');
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  };
  process.on('unhandledRejection', onRejection);
  process.on('uncaughtException', onException);
  return () => {
    process.off('unhandledRejection', onRejection);
    process.off('uncaughtException', onException);
  };
}

function directoriesOf({ dataDir, taskLogsDir: dir }: Config, { logger }: ServerLog): TaskDirectories {
  return writeDirectories({ dataDir, dir, warn: (message) => logger.warn(message) });
}

function housekeepingOf(config: Config, { trail, log }: Pick<Served, 'trail' | 'log'>): Housekeeping {
  const { retentionDays, maxBytes, staleAfter: staleAfterSeconds } = config;
  const warn = (message: string): void => log.logger.warn(message);
  return new Housekeeping(trail.parts, { retentionDays, maxBytes, staleAfterSeconds, warn });
}

/** Resolves at the first signal to stop. A second one, or a stop that takes too long, ends the process at once. */
function stopSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(1);
      asked = true;
      setTimeout(() => process.exit(1), STOP_MS).unref();
      resolve();
    });
  }
  return promise;
}

async function listening(server: TrailServer, { host, port }: Config): Promise<{ port: number }> {
  try {
    return await server.listen({ host, port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const message = LISTEN_FAULTS[code ?? ''];
    if (message === undefined) throw cause;
    throw new TrailError('invalid_setting', `${host}:${port} ${message}`, { cause });
  }
}

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program; stop it, or choose another port with --port (0 takes a free one)',
  EACCES: 'may not be used by this user; choose a port above 1023 with --port',
  EADDRNOTAVAIL: 'is no address of this machine; choose another with --host',
  ENOTFOUND: 'is no address of this machine; choose another with --host',
};

function partsOf(config: Config, { owner, trail, tasks, webhooks, logging, log }: Served): ServerParts {
  const redoc = redocFile();
  return {
    ...trail.parts,
    tasks,
    webhooks,
    settings: serverSettings(config, owner),
    version: version(),
    health: healthOf(trail),
    logging,
    logger: log.logger,
    clock: systemClock,
    ...(existsSync(WEB_DIR) && { webDir: WEB_DIR }),
    ...(redoc !== undefined && { redocFile: redoc }),
  };
}

function serverSettings(config: Config, owner: Owner): ServerSettings {
  const { publicUrl, allowedHosts, allowedOrigins, tokens, trustProxy } = config;
  // Who may read `owner.json` is us: its token opens the server to the command line.
  const local = { role: 'admin', token: owner.token, name: 'local' } as const;
  return {
    allowedHosts,
    allowedOrigins,
    tokens: tokens.length === 0 ? [] : [...tokens, local],
    loopback: isLoopback(config.host),
    retentionDays: config.retentionDays,
    maxBytes: config.maxBytes,
    ...(publicUrl !== undefined && { publicUrl }),
    ...(trustProxy.length > 0 && { trustProxy }),
  };
}

/** Whether the store can commit, found out at most once a second: the question is open to everybody and costs an fsync. */
function healthOf(trail: LocalTrail): () => Promise<Health> {
  let askedMs = Number.NEGATIVE_INFINITY;
  let answer: Promise<boolean> | undefined;
  const ask = (): Promise<boolean> => {
    askedMs = performance.now();
    return trail.parts.intake.check().then(
      () => true,
      () => false,
    );
  };
  return async () => {
    if (!answer || performance.now() - askedMs > HEALTH_MS) answer = ask();
    return { healthy: await answer, store: 'sqlite', redis: null };
  };
}
