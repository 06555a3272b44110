import { existsSync } from 'node:fs';
import { type CommandExit, runCommand } from '../capture/command.ts';
import { isSource, type JsonObject } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import { CommandFailed, type Plugin, type TaskContext } from '../core/plugin.ts';

/** A command that may be run, as its operator wrote it down. */
export interface ShellCommand {
  /** The program and its arguments, passed on as they are: no shell reads them. */
  readonly run: readonly [string, ...string[]];
  readonly description?: string | undefined;
  /** Where it runs (default: `cwd` of the options). */
  readonly cwd?: string | undefined;
  /** Variables that it gets besides those of the options. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Ended after this time (default never). */
  readonly timeoutSeconds?: number | undefined;
  /** A person must approve each run (default false). */
  readonly approval?: boolean | undefined;
}

export interface ShellOptions {
  readonly cwd: string;
  /** The environment of every command; nothing of this process's own is added. */
  readonly env: Readonly<Record<string, string>>;
  /** Time between SIGTERM and SIGKILL (default 10 s). */
  readonly killAfterMs?: number;
}

export interface ShellParams {
  readonly command: string;
  /** What the command reads from standard input; without it there is nothing to read. */
  readonly input?: string;
}

/** Longest text for standard input, in characters. */
const INPUT_CHARS = 512 * 1024;

/**
 * Runs commands from a fixed list, by name. What a caller gives chooses among them and may be their standard input; it never becomes
 * part of a command line. Throws `invalid_plugin` when a name cannot be a source of lines, or there is no command.
 */
export function shellPlugin(
  commands: Readonly<Record<string, ShellCommand>>,
  options: ShellOptions,
): Plugin<ShellParams> {
  const known = new Map(Object.entries(commands));
  const names = [...known.keys()];
  const bad = names.find((name) => !isSource(name));
  if (bad !== undefined || names.length === 0) {
    throw new TrailError(
      'invalid_plugin',
      `plugin shell: expected commands with names of 1–64 characters without comma, got ${JSON.stringify(bad ?? {})}`,
    );
  }
  return {
    id: 'shell',
    name: 'Shell',
    description: `Runs one of the commands that this server's operator listed: ${names.join(', ')}`,
    version: '1.0.0',
    pausable: true,
    parameters: {
      type: 'object',
      additionalProperties: false,
      required: ['command'],
      properties: {
        command: { type: 'string', enum: names, description: described(known) },
        input: { type: 'string', maxLength: INPUT_CHARS, description: 'What it reads from standard input' },
      },
    },
    execute: async ({ command: name, input }, context) => {
      const command = known.get(name);
      // The schema lets only these names in; a task of before a change of the list may bear another.
      if (!command) throw new TrailError('invalid_params', `params.command: expected ${names.join(', ')}; got ${name}`);
      return runListed(name, command, { context, options, input });
    },
  };
}

interface Running {
  readonly context: TaskContext<ShellParams>;
  readonly options: ShellOptions;
  readonly input: string | undefined;
}

async function runListed(name: string, command: ShellCommand, running: Running): Promise<JsonObject> {
  const { context, options, input } = running;
  const { logger, signal } = context;
  const [program, ...args] = command.run;
  const shown = command.run.map(shownWord).join(' ');
  if (command.approval) await context.approval(`Run ${name}: ${shown}`);
  await context.checkpoint();
  logger.info(`Running ${name}: ${shown}`);
  const cwd = command.cwd ?? options.cwd;
  // The system would say of the program that it is not there.
  if (!existsSync(cwd)) throw new CommandFailed(`${name}: expected a directory to run in, ${cwd} is not there`, 126);
  const child = runCommand({
    command: program,
    args,
    cwd,
    env: { ...options.env, ...command.env },
    stdin: input === undefined ? 'ignore' : { text: input },
    ownGroup: true,
    source: name,
    ...(command.timeoutSeconds !== undefined && { timeoutMs: command.timeoutSeconds * 1000 }),
    ...(options.killAfterMs !== undefined && { killAfterMs: options.killAfterMs }),
    onLines: (entries) => {
      context.append(entries);
      return logger.drain();
    },
    onPartial: (stream, text) => context.partial(stream, text),
  });
  if (child.pid !== undefined) void context.child(child.pid);
  const end = (): void => {
    child.stop();
    // A group that stands still would not see that it is asked to end.
    child.kill('SIGCONT');
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  context.onPause((paused) => child.kill(paused ? 'SIGSTOP' : 'SIGCONT'));
  try {
    return resultOf(name, command, await child.exited);
  } finally {
    signal.removeEventListener('abort', end);
    // What outlived its parent and did not heed the end is not left behind.
    if (signal.aborted) child.kill('SIGKILL');
  }
}

function resultOf(name: string, { timeoutSeconds }: ShellCommand, exit: CommandExit): JsonObject {
  const { exitCode, fault, signal, timedOut } = exit;
  if (fault !== undefined) throw new CommandFailed(`${name}: ${fault}`, exitCode);
  if (timedOut) throw new CommandFailed(`${name} was ended after ${timeoutSeconds} s`, exitCode);
  if (signal !== null) throw new CommandFailed(`${name} was ended by ${signal}`, exitCode);
  if (exitCode !== 0) throw new CommandFailed(`${name} exited with code ${exitCode}`, exitCode);
  return { exit_code: exitCode };
}

/** A word as one would type it, for people only. */
function shownWord(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function described(commands: ReadonlyMap<string, ShellCommand>): string {
  return Array.from(commands, ([name, { description }]) => (description ? `${name}: ${description}` : name)).join('; ');
}
