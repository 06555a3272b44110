import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { Redis } from 'ioredis';
import { missing } from './programs.ts';
import { scratch } from './scratch.ts';

/** Why tests of Redis are skipped, or false when they can run. */
export const noRedis = missing('redis-server');

export interface TestRedis {
  readonly url: string;
  readonly port: number;
  /** A client of the test's own; closed with it. */
  readonly redis: Redis;
  /** End it as a power cut would; what was written stays on disk. */
  kill(): Promise<void>;
  /** Start it again on the same port, with what it had on disk. */
  start(): Promise<void>;
}

/** A real Redis on a free port, which writes each command to disk before it answers; ended with the test. */
export async function startRedis(t: TestContext): Promise<TestRedis> {
  const dir = await scratch(t);
  const port = await freePort();
  let child: ChildProcess | undefined;
  async function start(): Promise<void> {
    const own = spawn(
      'redis-server',
      [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', ''],
        ...['--appendonly', 'yes', '--appendfsync', 'always', '--daemonize', 'no'],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    child = own;
    let printed = '';
    own.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    while (!printed.includes('Ready to accept connections')) {
      if (own.exitCode !== null) throw new Error(`redis-server ended with ${own.exitCode}: ${printed}`);
      await once(own.stdout, 'data');
    }
  }
  async function kill(): Promise<void> {
    const own = child;
    if (!own || own.exitCode !== null || own.signalCode !== null) return;
    const gone = once(own, 'close');
    own.kill('SIGKILL');
    await gone;
  }
  t.after(kill);
  await start();
  const url = `redis://127.0.0.1:${port}/0`;
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => {});
  t.after(() => redis.disconnect());
  return { url, port, redis, kill, start };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
