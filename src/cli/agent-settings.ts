import type { Setting } from './setting.ts';
import { Expected, list, whole } from './values.ts';

export interface AgentConfig {
  readonly agentCommand: readonly [string, ...string[]];
  readonly agentTimeoutSeconds: number;
  /** Undefined for the same time. */
  readonly planningTimeoutSeconds: number | undefined;
  readonly agentStallMinutes: number;
  readonly agentConcurrency: number;
  readonly agentTaskUsd: number | null;
  readonly agentDailyUsd: number | null;
  readonly agentTaskTokens: number | null;
  readonly agentDailyTokens: number | null;
  readonly agentEnv: readonly string[];
  /** Undefined for a directory of its own below the data directory. */
  readonly agentCwd: string | undefined;
}

const COMMAND = 'claude -p --output-format stream-json --verbose';
const ENV = ['ANTHROPIC_*', 'CLAUDE_CODE_*', 'DISABLE_*'];

/** Settings of agents that the server runs. */
export const AGENT_SETTINGS: { readonly [K in keyof AgentConfig]: Setting<AgentConfig[K]> } = {
  agentCommand: {
    name: 'TASKTRAIL_AGENT_COMMAND',
    flag: '--agent-command <command>',
    parse: words,
    fallback: () => words(COMMAND),
    shownDefault: COMMAND,
    meaning: 'The default agent, split like shell words and run without a shell; the prompt goes in by standard input.',
  },
  agentTimeoutSeconds: {
    name: 'TASKTRAIL_AGENT_TIMEOUT',
    flag: '--agent-timeout <seconds>',
    parse: whole(1, 2_147_483),
    fallback: () => 300,
    shownDefault: '300',
    meaning: 'Seconds before an agent is ended: SIGTERM, SIGKILL after 10 s.',
  },
  planningTimeoutSeconds: {
    name: 'PLANNING_AGENT_TIMEOUT',
    flag: '--planning-agent-timeout <seconds>',
    parse: whole(1, 2_147_483),
    fallback: () => undefined,
    shownDefault: 'TASKTRAIL_AGENT_TIMEOUT',
    meaning: 'The same while it makes a plan.',
  },
  agentStallMinutes: {
    name: 'TASKTRAIL_AGENT_STALL_MINUTES',
    flag: '--agent-stall-minutes <minutes>',
    parse: whole(0, 10_000),
    fallback: () => 5,
    shownDefault: '5',
    meaning: 'Minutes without output after which a WARNING says so; 0 never.',
  },
  agentConcurrency: {
    name: 'TASKTRAIL_AGENT_CONCURRENCY',
    flag: '--agent-concurrency <count>',
    parse: whole(1, 100),
    fallback: () => 2,
    shownDefault: '2',
    meaning: 'Agents that run at once, 1–100; others wait in the queue.',
  },
  agentTaskUsd: {
    name: 'TASKTRAIL_AGENT_TASK_USD',
    flag: '--agent-task-usd <dollars>',
    parse: dollars,
    fallback: () => null,
    shownDefault: 'none',
    meaning: 'US dollars that one task may cost: warned at 80 %, ended at 100 %.',
  },
  agentDailyUsd: {
    name: 'TASKTRAIL_AGENT_DAILY_USD',
    flag: '--agent-daily-usd <dollars>',
    parse: dollars,
    fallback: () => 20,
    shownDefault: '20',
    meaning: 'US dollars that all agents of a day (UTC) may cost: warned at 80 %, ended at 100 %.',
  },
  agentTaskTokens: {
    name: 'TASKTRAIL_AGENT_TASK_TOKENS',
    flag: '--agent-task-tokens <count>',
    parse: whole(0, Number.MAX_SAFE_INTEGER),
    fallback: () => null,
    shownDefault: 'none',
    meaning: 'Tokens that one task may use, those of caches included: warned at 80 %, ended at 100 %.',
  },
  agentDailyTokens: {
    name: 'TASKTRAIL_AGENT_DAILY_TOKENS',
    flag: '--agent-daily-tokens <count>',
    parse: whole(0, Number.MAX_SAFE_INTEGER),
    fallback: () => null,
    shownDefault: 'none',
    meaning: 'Tokens that all agents of a day (UTC) may use: warned at 80 %, ended at 100 %.',
  },
  agentEnv: {
    name: 'TASKTRAIL_AGENT_ENV',
    flag: '--agent-env <names>',
    parse: list(
      (text) => /^[A-Za-z_][A-Za-z0-9_]*\*?$/.test(text),
      'names of variables, separated by commas; * ends one',
    ),
    fallback: () => ENV,
    shownDefault: ENV.join(','),
    meaning:
      'Variables that an agent gets besides `PATH, HOME, LANG, LC_ALL, TZ, TMPDIR`. Ours with secrets are never among them.',
  },
  agentCwd: {
    name: 'TASKTRAIL_AGENT_CWD',
    flag: '--agent-cwd <dir>',
    parse: (text) => text,
    fallback: () => undefined,
    shownDefault: '<data>/workspaces/<task_id>',
    meaning: 'Where an agent runs.',
  },
};

/** Split as a POSIX shell does: quotes and backslashes, no variables, no patterns, no operators. */
export function words(text: string): readonly [string, ...string[]] {
  const found: string[] = [];
  let word: string | undefined;
  for (const [, space, single, double, escaped, plain] of text.matchAll(TOKEN)) {
    if (space !== undefined) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + (single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? escaped ?? plain ?? '');
    }
  }
  if (word !== undefined) found.push(word);
  const [first, ...rest] = found;
  const whole = [...text.matchAll(TOKEN)].map(([token]) => token).join('') === text;
  if (first === undefined || !whole) throw new Expected('a command line with closed quotes');
  return [first, ...rest];
}

const TOKEN = /(\s+)|'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])|([^\s'"\\]+)/g;

function dollars(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new Expected('a number of US dollars, 0 or more');
}
