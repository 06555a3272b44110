import type { LoggingSettings } from '../trail/logging.ts';
import { COMMAND } from './package.ts';
import type { ServerRole } from './roles.ts';
import type { Config } from './settings.ts';
import type { Terminal } from './terminal.ts';

export interface Greeting {
  /** Undefined for one that does not listen. */
  readonly url: string | undefined;
  readonly logging: LoggingSettings;
}

/** What a server says when it is ready: where it is, what it keeps, and a first thing to try. */
export async function greet(terminal: Terminal, config: Config, { url, logging }: Greeting): Promise<void> {
  const { publicUrl, dataDir, role } = config;
  const { level, taskLogLevel } = logging.current;
  const asSaved = (name: string): string => (logging.saved.includes(name) ? ', as saved by /api/settings/logging' : '');
  await terminal.print(
    `${url === undefined ? SILENT[role] : `tasktrail serves ${publicUrl ?? url}${ROLE_NOTES[role]}`}\n` +
      `  stores in ${dataDir}, keeps lines of level ${taskLogLevel} and above${asSaved('task_log_level')}\n` +
      `  tells of itself at level ${level} and above${asSaved('level')}\n` +
      `  try: ${COMMAND} run -- echo hello\n`,
  );
}

const ROLE_NOTES: Readonly<Record<ServerRole, string>> = {
  all: '',
  api: ' as api: tasks wait for workers, events for consumers',
  worker: '',
  consumer: '',
};
/** Those do not listen. */
const SILENT: Readonly<Record<ServerRole, string>> = {
  all: '',
  api: '',
  worker: 'tasktrail worker runs tasks; it does not listen, ask a server with the role api or all',
  consumer: 'tasktrail consumer reads events; it does not listen, ask a server with the role api or all',
};

/** The address to type: one that means "all addresses" is reached by the loopback one. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
