import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { asTrailError, TrailError } from '../core/error.ts';
import { systemClock } from '../core/time.ts';
import type { Webhooks } from '../inlet/webhooks/index.ts';
import { maskedJson } from '../intake/redact.ts';
import type { Health, ServerParts, ServerSettings, TrailServer } from '../server/parts.ts';
import { createServer } from '../server/server.ts';
import { TaskManager } from '../task/manager.ts';
import type { LocalTrail } from '../trail/local.ts';
import { LoggingSettings } from '../trail/logging.ts';
import type { Owner } from '../trail/owner.ts';
import { signingKey } from '../trail/shared-key.ts';
import { configuredAgents } from './agents.ts';
import { serverAlerts } from './alerts.ts';
import { readSections } from './config-file.ts';
import { drainAll } from './delivery.ts';
import { Duties, type DutyParts } from './duties.ts';
import { greet, reachable } from './greeting.ts';
import { serverOutlets } from './outlets.ts';
import { redocFile, version } from './package.ts';
import { loadPlugins } from './plugins.ts';
import type { RedisParts, RedisSurroundings } from './redis-parts.ts';
import { workOf } from './roles.ts';
import { roomOf } from './room.ts';
import { secretEnvValues } from './secret-env.ts';
import { openServerLog } from './server-log.ts';
import { type Config, isLoopback } from './settings.ts';
import { catchStrays, stopSignal } from './signals.ts';
import { directoryTarget } from './target.ts';
import type { Terminal } from './terminal.ts';
import { serverWebhooks, warnUnsigned } from './webhooks.ts';
import { tellDrained } from './with-target.ts';

const HEALTH_MS = 1_000;
const START_AGAIN_MS = 5_000;
/** How often a server looks what others have saved. */
const REFRESH_MS = 5_000;
/** Where the build puts the page. */
const WEB_DIR = fileURLToPath(new URL('../../dist/web', import.meta.url));

export interface Owned {
  readonly owner: Owner;
  readonly trail: LocalTrail;
}

interface Served extends Owned, DutyParts {
  readonly webhooks: Webhooks;
  readonly logging: LoggingSettings;
}

/** Serve an opened trail until a signal says stop. */
export async function serveTrail(terminal: Terminal, config: Config, { owner, trail }: Owned): Promise<void> {
  const stopped = stopSignal();
  const stopping = new AbortController();
  const served = await partsBehind(terminal, config, { owner, trail });
  const { tasks, workspaces, redis, logging, log } = served;
  const duties = new Duties(config, served);
  const directoryFailures = (): number | null => duties.directoryFailures;
  const { answers } = workOf(config);
  const parts = answers && { ...partsOf(config, served), signingKey: await signingKey(config.dataDir) };
  const server = parts ? await createServer({ ...parts, directoryFailures }) : undefined;
  const letStray = catchStrays(log);
  try {
    const url = server && (await listening(server, config));
    // bin/tasktrail.js has held it back.
    setFlagsFromString('--semi-space-growth-factor=2');
    if (url !== undefined) await owner.publish(url);
    await greet(terminal, config, { url, logging });
    if (server) warnUnsigned(config, log.logger);
    redis?.start();
    if (owner.isOwner) duties.begin();
    else void owner.elected.then(() => takeOver(served, duties));
    void startTasks(served, stopping.signal);
    const draining = drainAll(config.dataDir, directoryTarget(trail), stopping.signal).then(
      (drained) => tellDrained(terminal, drained),
      (error) => terminal.tell(`kept lines could not be read: ${asTrailError(error).message}`),
    );
    const refreshing = redis && setInterval(() => void refresh(served), REFRESH_MS);
    await stopped;
    clearInterval(refreshing);
    stopping.abort();
    await draining;
  } finally {
    await server?.close();
    await redis?.stop();
    // What works beside the server, closed after it in this order.
    for (const part of [tasks, workspaces, duties]) await part.close();
    await redis?.close();
    // One that could not start has its reason printed, and nothing to stop.
    if (stopping.signal.aborted) log.logger.info('stopped');
    letStray();
    await log.close();
  }
}

function takeOver({ log }: Served, duties: Duties): void {
  log.logger.info('the owner of the data directory is gone; this server does its work from now on');
  duties.begin();
}

/** What is said and done behind the server. */
async function partsBehind(terminal: Terminal, config: Config, { owner, trail }: Owned): Promise<Served> {
  const { logLevel: level, taskLogLevel, logFile: file, machineId } = config;
  const { intake, store } = trail.parts;
  const logging = await LoggingSettings.open(intake, { level, taskLogLevel, enableBeliefState: true });
  const { shell } = readSections(config.sections);
  await intake.hide([owner.token, ...Object.values(shell).flatMap(({ env }) => secretEnvValues(env ?? {}))]);
  // What is hidden later is hidden here as well.
  const redactor = { maskJson: (json: string) => maskedJson(json, (text) => intake.mask(text)) };
  const log = openServerLog({ level, file, redactor, print: (line) => terminal.tell(line) });
  logging.listen((current) => log.setLevel(current.level));
  const warn = (message: string): void => log.logger.warn(message);
  const redis = await redisParts(config, { parts: trail.parts, log: log.logger });
  const shared = redis?.work;
  const facts = { totals: () => store.totals(), redis: async () => (redis ? redis.state() === 'connected' : null) };
  const { plugins, concurrency } = await loadPlugins(config, facts);
  const beliefs = (): boolean => logging.current.enableBeliefState;
  const worker = shared?.workers.id ?? null;
  const { agents, workspaces } = configuredAgents(config, { parts: trail.parts, warn, worker });
  const { agentConcurrency } = config;
  const options = { plugins, concurrency, agents, agentConcurrency, machineId, beliefs, shared };
  const tasks = new TaskManager(trail, options);
  const outlets = serverOutlets(config, { parts: trail.parts, log: log.logger });
  const alerts = serverAlerts(config, { ...trail.parts, log: log.logger });
  const webhooks = await serverWebhooks(config, { store, intake, tasks, acknowledge: outlets.acknowledge });
  return { owner, trail, tasks, workspaces, webhooks, outlets, alerts, redis, logging, log };
}

/** Nothing of it is loaded where there is no Redis. */
async function redisParts(config: Config, surroundings: RedisSurroundings): Promise<RedisParts | undefined> {
  const { redisUrl } = config;
  if (redisUrl === undefined) return undefined;
  const { RedisParts: Parts } = await import('./redis-parts.ts');
  return Parts.open({ ...config, redisUrl }, surroundings);
}

/** What was changed at another server: how much is logged, alerts, and secrets of webhooks, which must not stand in a trail. */
async function refresh({ logging, alerts, trail }: Served): Promise<void> {
  const { store, intake } = trail.parts;
  try {
    await logging.refresh();
    await alerts.refresh();
    await intake.hide((await store.webhooks()).flatMap(({ secret }) => secret ?? []));
  } catch {
    // A store that cannot be read now is read again at the next turn.
  }
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

/** Answers where it is reached. */
async function listening(server: TrailServer, { host, port }: Config): Promise<string> {
  try {
    const at = await server.listen({ host, port });
    return `http://${reachable(host)}:${at.port}`;
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

function partsOf(config: Config, served: Served): Omit<ServerParts, 'signingKey'> {
  const { owner, trail, tasks, webhooks, alerts, redis, logging, log } = served;
  const redoc = redocFile();
  return {
    ...trail.parts,
    tasks,
    webhooks,
    alerts,
    settings: serverSettings(config, owner),
    version: version(),
    health: healthOf(served),
    room: () => roomOf(config.dataDir),
    ...(redis && { eventFigures: () => redis.figures() }),
    logging,
    logger: log.logger,
    clock: systemClock,
    ...(existsSync(WEB_DIR) && { webDir: WEB_DIR }),
    ...(redoc !== undefined && { redocFile: redoc }),
  };
}

function serverSettings(config: Config, owner: Owner): ServerSettings {
  const { publicUrl, allowedHosts, allowedOrigins, tokens, trustProxy } = config;
  return {
    allowedHosts,
    allowedOrigins,
    tokens,
    // Who may read `owner.json` is us: its token opens the server to the command line.
    localToken: owner.token,
    loopback: isLoopback(config.host),
    retentionDays: config.retentionDays,
    maxBytes: config.maxBytes,
    compressAfterDays: config.compressAfterDays,
    rateLimit: config.rateLimit,
    redactionRules: readSections(config.sections).redaction,
    ...(publicUrl !== undefined && { publicUrl }),
    ...(trustProxy.length > 0 && { trustProxy }),
  };
}

/** Whether the store can commit, found out at most once a second: the question is open to everybody and costs an fsync. */
function healthOf({ trail, redis }: Served): () => Promise<Health> {
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
    return { healthy: await answer, store: 'sqlite', redis: redis?.state() ?? null };
  };
}
