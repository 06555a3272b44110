import { type CommandExit, runCommand } from '../capture/command.ts';

export interface ProgramOptions {
  readonly cwd: string;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Ends it, with all that it started. */
  readonly signal: AbortSignal;
  /** Told its process, so that it can be ended when this one dies. */
  readonly onStart: (pid: number) => void;
  /** Told each line of both streams as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface ProgramEnd extends Pick<CommandExit, 'exitCode' | 'timedOut' | 'fault'> {
  /** The first lines of its standard output. */
  readonly output: readonly string[];
  /** The last lines of both streams. */
  readonly last: readonly string[];
}

const OUTPUT_LINES = 1_000;
const LAST_LINES = 10;
const LINE_CHARS = 1_000;
/** Longest line in bytes; a longer one goes on in the next. */
const LINE_BYTES = 64 * 1024;
const KILL_AFTER_MS = 2_000;

/** Run a program to its end, without a shell and without input, in a group of its own. Throws what the signal was aborted with. */
export async function runProgram(
  command: readonly [string, ...string[]],
  options: ProgramOptions,
): Promise<ProgramEnd> {
  const { signal, onStart, onLine, ...rest } = options;
  signal.throwIfAborted();
  const [program, ...args] = command;
  const output: string[] = [];
  const last: string[] = [];
  const run = runCommand({
    ...rest,
    command: program,
    args,
    stdin: 'ignore',
    ownGroup: true,
    lineBytes: LINE_BYTES,
    killAfterMs: KILL_AFTER_MS,
    onLines: (entries, stream) => {
      for (const { message } of entries) {
        const line = message.slice(0, LINE_CHARS);
        if (stream === 'stdout' && output.length < OUTPUT_LINES) output.push(line);
        last.push(line);
        if (last.length > LAST_LINES) last.shift();
        onLine?.(line);
      }
    },
  });
  if (run.pid !== undefined) onStart(run.pid);
  const stop = (): void => run.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const { exitCode, timedOut, fault } = await run.exited;
    signal.throwIfAborted();
    return { exitCode, timedOut, ...(fault !== undefined && { fault }), output, last };
  } finally {
    signal.removeEventListener('abort', stop);
    // What it left running is ended with it.
    run.kill('SIGKILL');
  }
}
