import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from './scratch.ts';

/** The checked-in command that users run. */
export const TASKTRAIL = fileURLToPath(new URL('../../bin/tasktrail.js', import.meta.url));
const READY_MS = 30_000;

export interface Server {
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  readonly dataDir: string;
  readonly process: ChildProcess;
  /** What it has printed so far, on both streams. */
  output(): string;
  /** Ask it to stop, and wait until it has. Answers its exit code. Safe to call twice. */
  stop(): Promise<number | null>;
  /** End it as a power cut would, and wait until it is gone. */
  kill(): Promise<void>;
}

/** Start `tasktrail serve` as a user does, on a free port, and wait until it prints its URL. It is ended with the test. */
export async function startServer(
  t: TestContext,
  options: { env?: NodeJS.ProcessEnv; dataDir?: string; command?: string } = {},
): Promise<Server> {
  const dataDir = options.dataDir ?? (await scratch(t));
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const child = spawn(process.execPath, [options.command ?? TASKTRAIL, 'serve'], {
    cwd: dataDir,
    env: { ...withoutOurSettings(), TASKTRAIL_PORT: '0', TASKTRAIL_DATA_DIR: dataDir, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gone = once(child, 'close');
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await gone;
  }
  t.after(() => end('SIGKILL'));
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  }
  return {
    url: await printedUrl(child, () => printed),
    dataDir,
    process: child,
    output: () => printed,
    stop: async () => {
      await end('SIGTERM');
      return child.exitCode;
    },
    kill: () => end('SIGKILL'),
  };
}

/** Settings of the machine that runs the tests are not the test's. */
export function withoutOurSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(TASKTRAIL|TASK_LOGS|TASK_EVENTS|REDIS|GITHUB|JIRA|SLACK|SENTRY)_/.test(name),
    ),
  );
}

function printedUrl(child: ChildProcess, printed: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const tooLate = setTimeout(() => finish(new Error(`no URL after ${READY_MS} ms; printed: ${printed()}`)), READY_MS);
    function look(): void {
      const url = /(http:\/\/[\w.[\]:-]+:\d+)\b/.exec(printed())?.[1];
      if (url !== undefined) finish(url);
    }
    function gone(): void {
      finish(
        new Error(`the server ended with ${child.exitCode ?? child.signalCode} before it was ready: ${printed()}`),
      );
    }
    function finish(result: string | Error): void {
      clearTimeout(tooLate);
      child.stdout?.off('data', look);
      child.stderr?.off('data', look);
      child.off('close', gone);
      if (typeof result === 'string') resolve(result);
      else reject(result);
    }
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.on('close', gone);
  });
}
