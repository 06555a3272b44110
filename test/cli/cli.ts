import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectTrail } from '../../src/client/client.ts';
import type { Trail } from '../../src/core/trail.ts';
import { scratch } from '../support/scratch.ts';

const BIN = fileURLToPath(new URL('../../bin/tasktrail.js', import.meta.url));

/** What a command printed, and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly stdoutBytes: Buffer;
}

export interface RunningCli {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<Ran>;
  /** Resolves when this text was printed on either stream, with everything printed so far. */
  seen(text: string): Promise<string>;
}

/** A directory to work in, with the environment that a command there gets: nothing of ours but PATH. */
export interface Place {
  readonly cwd: string;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
}

export async function place(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Place> {
  const cwd = await scratch(t);
  return { cwd, dataDir: join(cwd, 'data'), env: { PATH: String(process.env.PATH), ...env } };
}

/** Start a real `tasktrail` in a place; with `input` null its standard input stays open. It is killed after the test. */
export function start(
  t: TestContext,
  { cwd, env }: Place,
  words: readonly string[],
  input: string | null = '',
): RunningCli {
  const child = spawn(process.execPath, [BIN, ...words], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  if (input !== null) child.stdin.end(input);
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let printed = '';
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      chunks[name].push(chunk);
      printed += chunk.toString();
      for (const look of waiting) look();
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => {
    const [stdoutBytes, stderrBytes] = [Buffer.concat(chunks.stdout), Buffer.concat(chunks.stderr)];
    return { code, signal, stdoutBytes, stdout: stdoutBytes.toString(), stderr: stderrBytes.toString() } as Ran;
  });
  const seen = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!printed.includes(text)) return;
        waiting.delete(look);
        resolve(printed);
      };
      waiting.add(look);
      look();
      void ended.then(() =>
        reject(new Error(`expected to see ${JSON.stringify(text)}, got ${JSON.stringify(printed)}`)),
      );
    });
  return { child, ended, seen };
}

/** Run `tasktrail` to its end. */
export function tasktrail(t: TestContext, at: Place, ...words: readonly string[]): Promise<Ran> {
  return start(t, at, words).ended;
}

export interface ServedPlace extends RunningCli {
  readonly url: string;
}

/** Start `tasktrail serve` in a place and wait until it listens. */
export async function serve(t: TestContext, at: Place, ...flags: readonly string[]): Promise<ServedPlace> {
  const running = start(t, at, ['serve', '--port', '0', ...flags]);
  const printed = await running.seen('try: ');
  const url = /tasktrail serves (\S+)/.exec(printed)?.[1];
  if (url === undefined) throw new Error(`expected the server's URL, got ${printed}`);
  return { ...running, url };
}

/** The server's trail, closed after the test. */
export async function reach(t: TestContext, url: string, token?: string): Promise<Trail> {
  const trail = await connectTrail({ url, token });
  t.after(() => trail.close());
  return trail;
}

/** A task's messages, however many there are. */
export async function messages(trail: Trail, taskId: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (let after = 0, more = true; more; ) {
    const page = await trail.logs(taskId, { after, limit: 10_000, count: 'none' });
    found.push(...page.logs.map(({ message }) => message));
    more = page.hasMore;
    after = page.logs.at(-1)?.seq ?? after;
  }
  return found;
}
