import type { TestContext } from 'node:test';
import { systemClock } from '../../src/core/time.ts';
import type { Token } from '../../src/server/parts.ts';
import { createServer } from '../../src/server/server.ts';
import { TaskManager } from '../../src/task/manager.ts';
import type { LocalTrail } from '../../src/trail/local.ts';
import { LoggingSettings } from '../../src/trail/logging.ts';
import { openTrail } from '../../src/trail/open.ts';
import { alertsOf } from '../support/alerts.ts';
import { scratch } from '../support/scratch.ts';
import { LOGGING } from '../support/served.ts';
import { webhooksOf } from '../support/webhooks.ts';

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** The trail behind the server, as its own process sees it. */
  readonly trail: LocalTrail;
  close(): Promise<void>;
}

export interface ServeOptions {
  readonly dataDir?: string;
  readonly port?: number;
  readonly tokens?: readonly Token[];
}

/** A real server on a real directory, gone after the test. */
export async function startServer(t: TestContext, options: ServeOptions = {}): Promise<TestServer> {
  const trail = await openTrail({ dataDir: options.dataDir ?? (await scratch(t)) });
  const tasks = new TaskManager(trail);
  await tasks.start();
  const server = await createServer({
    ...trail.parts,
    tasks,
    logging: await LoggingSettings.open(trail.parts.intake, LOGGING),
    webhooks: webhooksOf({ ...trail.parts, tasks }),
    alerts: alertsOf(trail.parts),
    settings: { allowedHosts: [], allowedOrigins: [], tokens: options.tokens ?? [], loopback: true },
    version: '0.0.0',
    health: () => ({ healthy: true, store: 'sqlite', redis: null }),
    clock: systemClock,
    signingKey: Buffer.alloc(32, 1),
  });
  const { url, port } = await server.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  const close = async (): Promise<void> => {
    await server.close();
    await tasks.close();
    await trail.close();
  };
  t.after(close);
  return { url, port, trail, close };
}
