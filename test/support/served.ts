import type { TestContext } from 'node:test';
import type { AnyPlugin } from '../../src/core/plugin.ts';
import type { Wake } from '../../src/core/ports.ts';
import { type Clock, systemClock } from '../../src/core/time.ts';
import type { WebhooksOptions } from '../../src/inlet/webhooks/index.ts';
import { StoreIntake } from '../../src/intake/intake.ts';
import { LiveHub } from '../../src/live/live.ts';
import type { ServerParts, ServerSettings } from '../../src/server/parts.ts';
import { createServer } from '../../src/server/server.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { LoggingSettings } from '../../src/trail/logging.ts';
import { alertsOf } from './alerts.ts';
import { managerOf } from './runs.ts';
import { webhooksOf } from './webhooks.ts';

/** What the environment of a test's server says. */
export const LOGGING = { level: 'INFO', taskLogLevel: 'INFO', enableBeliefState: true } as const;

export interface ServedOptions extends Partial<Omit<ServerParts, 'settings' | 'tasks' | 'webhooks' | 'alerts'>> {
  readonly plugins?: readonly AnyPlugin[];
  readonly agents?: readonly AnyPlugin[];
  readonly settings?: Partial<ServerSettings>;
  readonly webhooks?: Partial<WebhooksOptions>;
  readonly clock?: Clock;
}

/** A server on a free port of loopback, with a store, intake and live delivery of its own; closed after the test. */
export async function served(
  t: TestContext,
  { settings, plugins = [], agents = [], webhooks, ...parts }: ServedOptions = {},
) {
  const clock = parts.clock ?? systemClock;
  const wakes: Wake[] = [];
  const store = new MemoryStore({ clock, onCommit: (task) => wakes.forEach((wake) => void wake(task)) });
  const intake = new StoreIntake(store, { clock });
  const live = new LiveHub(store);
  wakes.push((task) => live.wake(task));
  const logging = await LoggingSettings.open(intake, LOGGING);
  const tasks = managerOf({ store, intake, live }, { plugins, agents });
  await tasks.start();
  const alerts = alertsOf({ store, intake, live }, { clock, publicUrl: settings?.publicUrl });
  const server = await createServer({
    store,
    intake,
    live,
    tasks,
    logging,
    alerts,
    webhooks: webhooksOf({ store, intake, tasks }, { clock, ...webhooks }),
    version: '0.0.0-test',
    signingKey: Buffer.alloc(32, 1),
    health: () => ({ healthy: true, store: 'memory', redis: null }),
    clock,
    ...parts,
    // Tests ask much more than people do; those of the rates set one.
    settings: { allowedHosts: [], allowedOrigins: [], tokens: [], loopback: true, rateLimit: 0, ...settings },
  });
  const { url, port } = await server.listen({ host: '127.0.0.1', port: 0 });
  t.after(async () => {
    await server.close();
    await alerts.close();
    await tasks.close();
    await intake.close();
    await store.close();
  });

  /** Send a request; a plain object or array goes as JSON. */
  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    return fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: raw ? (body as BodyInit) : JSON.stringify(body) }),
    });
  }

  /** Send a request and read its JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every shape
  async function json(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<any> {
    const response = await call(method, path, body, headers);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** A task with lines `line 1` … `line N` of the given make. */
  async function taskWith(taskId: string, count: number, make: (n: number) => object = () => ({})) {
    await intake.createTask({ taskId });
    const lines = Array.from({ length: count }, (_, i) => JSON.stringify({ message: `line ${i + 1}`, ...make(i + 1) }));
    if (count > 0) await intake.append({ taskId, body: lines.join('\n'), format: 'ndjson' });
  }

  return { url, port, server, store, intake, live, tasks, alerts, logging, call, json, taskWith };
}
