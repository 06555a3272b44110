import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { Stream } from '../core/entry.ts';
import { type Clock, systemClock } from '../core/time.ts';
import { type LinesSink, readLines } from './read-lines.ts';

export interface CommandOptions extends Pick<LinesSink, 'onLines' | 'onPartial'> {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** Default: this process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** The terminal or pipe that we were given, nothing, or this text; left open, more may follow it. */
  readonly stdin: 'inherit' | 'ignore' | { readonly text: string; readonly open?: boolean };
  /** A process group of its own, so that it can be ended with all that it started. Not at a terminal: it could not read there. */
  readonly ownGroup: boolean;
  /** Where its output goes unchanged, besides being captured. */
  readonly passthrough?: Readonly<Record<Stream, Writable>>;
  /** End it after this time. Default: never. */
  readonly timeoutMs?: number;
  /** Time between SIGTERM and SIGKILL (default 10 s). */
  readonly killAfterMs?: number;
  /** After its exit, a grandchild may hold the pipes open: they are read until this much silence (default 2 s). */
  readonly drainMs?: number;
  /** Longest line that is left whole, in bytes (default LINE_BYTES); a longer one goes on in following lines. */
  readonly lineBytes?: number;
  /** Source of its lines (default `system`). */
  readonly source?: string;
  readonly clock?: Clock;
}

export interface CommandExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** As a shell says it: the code, 128+n for a signal, 127 when it was not found, 126 when it cannot be run. */
  readonly exitCode: number;
  readonly timedOut: boolean;
  /** Why it could not be started. */
  readonly fault?: string;
}

export interface CommandRun {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Send a signal to it, and to its group when it has one of its own. */
  kill(signal: NodeJS.Signals): void;
  /** Ask it to end, and after `killAfterMs` make it. */
  stop(): void;
  /** Add to a standard input that was left open. Answers, when it is in the pipe, whether it could be written. */
  write(text: string): Promise<boolean>;
  /** End its standard input. Safe to call twice. */
  endInput(): void;
  /** Resolves when it has ended and all its lines were taken. Rejects only with what `onLines` threw. */
  readonly exited: Promise<CommandExit>;
}

const KILL_AFTER_MS = 10_000;
const DRAIN_MS = 2_000;

/** Run a command and take its output as lines. Both streams are read apart; neither is read faster than its lines are taken. */
export function runCommand(options: CommandOptions): CommandRun {
  const { killAfterMs = KILL_AFTER_MS, timeoutMs } = options;
  const child = start(options);
  if (!('stdout' in child)) return notRunning(child);
  const timers: NodeJS.Timeout[] = [];
  let timedOut = false;
  const kill = (signal: NodeJS.Signals): void => signalTo(child, signal, options.ownGroup);
  const stop = (): void => {
    kill('SIGTERM');
    timers.push(setTimeout(() => kill('SIGKILL'), killAfterMs));
  };
  if (timeoutMs !== undefined) {
    const end = (): void => {
      timedOut = true;
      stop();
    };
    timers.push(setTimeout(end, timeoutMs));
  }
  const exited = finished(child, options).then((exit) => ({ ...exit, timedOut }));
  const clear = (): void => {
    for (const timer of timers) clearTimeout(timer);
    // What ignored the end of its parent is ended with the group, not left behind.
    if (timedOut) kill('SIGKILL');
  };
  exited.then(clear, clear);
  const { stdin } = child;
  const write = (text: string): Promise<boolean> =>
    new Promise((resolve) => {
      if (!stdin?.writable) resolve(false);
      else stdin.write(text, (error) => resolve(!error));
    });
  return { pid: child.pid, kill, stop, write, endInput: () => stdin?.end(), exited };
}

function notRunning(exit: CommandExit): CommandRun {
  const nothing = (): void => {};
  const write = async (): Promise<boolean> => false;
  return { pid: undefined, kill: nothing, stop: nothing, write, endInput: nothing, exited: Promise.resolve(exit) };
}

type Piped = ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };

function start(options: CommandOptions): Piped | CommandExit {
  const { command, args, cwd, env, stdin, ownGroup } = options;
  try {
    const child = spawn(command, args, {
      cwd,
      env,
      detached: ownGroup,
      stdio: [typeof stdin === 'string' ? stdin : 'pipe', 'pipe', 'pipe'],
    }) as Piped;
    if (typeof stdin === 'object') {
      // A command that does not read its input closes the pipe; that is its right.
      child.stdin?.on('error', () => {});
      if (stdin.open) child.stdin?.write(stdin.text);
      else child.stdin?.end(stdin.text);
    }
    return child;
  } catch (error) {
    // An argument with a NUL, a list that is too long: refused before there is a process.
    return notStarted(error as NodeJS.ErrnoException);
  }
}

async function finished(child: Piped, options: CommandOptions): Promise<Omit<CommandExit, 'timedOut'>> {
  const { drainMs = DRAIN_MS } = options;
  const ended = exitOf(child);
  const watches = { stdout: new Silence(), stderr: new Silence() };
  const read = (stream: Stream): Promise<void> => {
    const { onLines, onPartial, source, passthrough, lineBytes, clock = systemClock } = options;
    const { signal, onBusy } = watches[stream];
    return readLines(child[stream], {
      ...{ stream, onLines, onPartial, source, lineBytes, clock, signal, onBusy },
      passthrough: passthrough?.[stream],
    });
  };
  const pipes = Promise.all([read('stdout'), read('stderr')]);
  // A taker that fails must not leave the command blocked on a full pipe for ever.
  pipes.catch(() => {
    for (const watch of Object.values(watches)) watch.cut();
  });
  const exit = await ended;
  for (const watch of Object.values(watches)) watch.start(drainMs);
  try {
    await pipes;
  } finally {
    for (const watch of Object.values(watches)) watch.stop();
  }
  return exit;
}

/**
 * Waits for a pipe to fall silent. Only time spent reading counts: while what was read is being taken, nobody listens, and the
 * pipe may be full.
 */
class Silence {
  readonly #cut = new AbortController();
  readonly signal = this.#cut.signal;
  #busy = false;
  #sinceMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  readonly onBusy = (busy: boolean): void => {
    this.#busy = busy;
    this.#sinceMs = performance.now();
  };

  start(drainMs: number): void {
    this.#sinceMs = performance.now();
    const look = (): void => {
      if (!this.#busy && performance.now() - this.#sinceMs >= drainMs) this.cut();
    };
    this.#timer = setInterval(look, Math.min(drainMs, 100));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  cut(): void {
    this.#cut.abort();
  }
}

function exitOf(child: Piped): Promise<Omit<CommandExit, 'timedOut'>> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      // The same event says that a signal could not be sent; only without a pid was there no start.
      if (child.pid === undefined) resolve(notStarted(error));
    });
    child.once('exit', (code, signal) => {
      const number = signal === null ? 0 : (constants.signals[signal] ?? 0);
      resolve({ code, signal, exitCode: signal === null ? (code ?? 0) : 128 + number });
    });
  });
}

function notStarted(error: NodeJS.ErrnoException): CommandExit {
  const exitCode = error.code === 'ENOENT' ? 127 : 126;
  return { code: null, signal: null, exitCode, timedOut: false, fault: `it could not be started: ${error.message}` };
}

function signalTo(child: ChildProcess, signal: NodeJS.Signals, ownGroup: boolean): void {
  if (child.pid === undefined) return;
  try {
    // A negative pid is the whole group, also when its first process has ended already.
    if (ownGroup) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // It is gone: there is nothing left to signal.
  }
}
