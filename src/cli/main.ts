import { type Command, CommanderError } from 'commander';
import { asTrailError, type ErrorCode } from '../core/error.ts';
import { wantsColour } from './config.ts';
import { program } from './program.ts';
import { Terminal } from './terminal.ts';

/** Faults of the one who typed, or of what they set: exit code 2. */
const USAGE: ReadonlySet<ErrorCode> = new Set([
  'invalid_usage',
  'invalid_setting',
  'invalid_filter',
  'invalid_query',
  'query_too_long',
  'invalid_cursor',
  'invalid_parameter',
  'invalid_task_id',
  'invalid_task',
  'invalid_status',
  'owner_exists',
]);

const HOUR_MS = 3_600_000;

/** Run the command line and end the process. Never throws: every failure is one line on standard error. */
export async function main(argv: readonly string[]): Promise<void> {
  const terminal = new Terminal(process.stdout, process.stderr, { colour: wantsColour() });
  const root = program(terminal);
  for (const command of withSubcommands(root)) command.exitOverride().configureOutput({ outputError: printUsage });
  // What a command waits for may hang on timers and threads that let a program end; it has not ended before it says so.
  const working = setInterval(() => {}, HOUR_MS);
  try {
    await root.parseAsync(argv);
  } catch (error) {
    await terminal.flush();
    terminal.exitCode = error instanceof CommanderError ? usageExit(error) : failed(terminal, error, argv);
  }
  await terminal.end();
  clearInterval(working);
  // A heartbeat to a server that hangs must not hold back a command whose work is done.
  process.exit(terminal.exitCode);
}

function withSubcommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function failed(terminal: Terminal, error: unknown, argv: readonly string[]): number {
  const fault = asTrailError(error);
  terminal.tell(fault.message);
  for (let cause = isVerbose(argv) ? fault.cause : undefined; cause instanceof Error; cause = cause.cause) {
    terminal.tell(`caused by: ${cause.stack ?? cause.message}`);
  }
  return USAGE.has(fault.code) ? 2 : 1;
}

/** The words after `--` are another program's. */
function isVerbose(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? undefined : end).includes('--verbose');
}

/** Help and version that were asked for are no mistake; all else that commander stops for is. */
function usageExit(error: CommanderError): number {
  return error.exitCode === 0 ? 0 : 2;
}

function printUsage(text: string, write: (text: string) => void): void {
  write(text.replace(/^error: /, 'tasktrail: '));
}
