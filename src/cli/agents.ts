import { resolve } from 'node:path';
import { agentOf } from '../agents/index.ts';
import type { AnyPlugin } from '../core/plugin.ts';
import { type AgentOptions, agentPlugin } from '../task/agent.ts';
import { Budget } from '../task/agent-watch.ts';
import type { TaskParts } from '../task/parts.ts';
import { Workspaces } from '../task/workspaces.ts';
import type { ConfiguredAgent } from './agent-section.ts';
import { agentEnv, commandEnv } from './config.ts';
import { readSections } from './config-file.ts';
import { DaySpending } from './day-spending.ts';
import type { Config } from './settings.ts';

/** Agents whose program has the name of one that is understood are read as it; any other as any command is. */
const PARSERS = ['claude'];
/** Where git finds its user's keys and settings. */
const GIT_ENV = ['SSH_AUTH_SOCK', 'XDG_CONFIG_HOME'];

export interface Agents {
  readonly agents: readonly AnyPlugin[];
  /** Where they run. */
  readonly workspaces: Workspaces;
}

/** What agents need of the server. */
interface Surroundings {
  readonly parts: Pick<TaskParts, 'store' | 'intake' | 'live'>;
  readonly warn: (message: string) => void;
  /** This process, where several run tasks. */
  readonly worker?: string | null;
}

/**
 * The agents that a server runs: `default`, and those of the config file.
 * Throws `invalid_setting` that names the place and what is wrong there.
 */
export function configuredAgents(config: Config, { parts, warn, worker }: Surroundings): Agents {
  const { store, intake } = parts;
  const environments = { gitEnv: agentEnv(GIT_ENV), env: commandEnv() };
  const workspaces = new Workspaces({ dataDir: config.dataDir, ...parts, warn, worker, ...environments });
  const spending = new DaySpending(store);
  const budget = new Budget({
    taskUsd: config.agentTaskUsd,
    dailyUsd: config.agentDailyUsd,
    taskTokens: config.agentTaskTokens,
    dailyTokens: config.agentDailyTokens,
    spentToday: () => spending.today(),
  });
  const named = { default: builtIn(config), ...readSections(config.sections).agents };
  const agents = Object.entries(named).map(([name, agent]) =>
    agentPlugin({
      ...agentOptions(name, agent, config),
      workspace: workspaceOf(agent.cwd ?? (config.agentCwd && resolve(config.agentCwd)), { workspaces, spending }),
      budget,
      // What fails to be hidden fails to be stored as well: both go to the same thread.
      hide: (values) => void intake.hide(values, 'outside').catch(() => {}),
    }),
  );
  return { agents, workspaces };
}

/** `default`, unless the config file defines it anew. */
function builtIn({ agentCommand: command }: Config): ConfiguredAgent {
  return {
    ...{ command, env: [], type: undefined, parser: undefined, model: undefined, timeoutSeconds: undefined },
    ...{ planCommand: undefined, planTimeoutSeconds: undefined, input: undefined, cwd: undefined },
  };
}

/** What is said of an agent by its section and the settings. */
export function agentOptions(
  name: string,
  agent: ConfiguredAgent,
  config: Config,
): Omit<AgentOptions, 'workspace' | 'budget' | 'hide'> {
  const { command, type, parser, model, timeoutSeconds = config.agentTimeoutSeconds, input, env } = agent;
  const kind = agentOf(parser ?? parserOf(command));
  const planning = agent.planTimeoutSeconds ?? config.planningTimeoutSeconds ?? timeoutSeconds;
  return {
    ...{ name, kind, command, timeoutSeconds, stallMinutes: config.agentStallMinutes },
    type: type ?? null,
    model: model ?? null,
    plan: { command: agent.planCommand ?? planCommandOf(kind.id, command), timeoutSeconds: planning },
    input: input ?? (optionOf(command, '--input-format') === 'stream-json' ? 'stream-json' : 'none'),
    env: agentEnv([...config.agentEnv, ...env]),
  };
}

function parserOf([program]: readonly string[]): string {
  const name = program?.split('/').at(-1) ?? '';
  return PARSERS.includes(name) ? name : 'generic';
}

/** https://code.claude.com/docs/en/permission-modes: in plan mode it reads, and changes nothing. */
function planCommandOf(kind: string, command: AgentOptions['command']): AgentOptions['command'] {
  if (kind !== 'claude' || optionOf(command, '--permission-mode') !== undefined) return command;
  return [...command, '--permission-mode', 'plan'];
}

/** Of `--name value` and `--name=value`. */
function optionOf(command: readonly string[], name: string): string | undefined {
  const joined = command.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const at = command.indexOf(name);
  return joined ?? (at === -1 ? undefined : (command[at + 1] ?? ''));
}

function workspaceOf(
  cwd: string | undefined,
  { workspaces, spending }: { readonly workspaces: Workspaces; readonly spending: DaySpending },
): AgentOptions['workspace'] {
  return async (taskId, wanted, signal, say) => {
    spending.add(taskId);
    if (cwd === undefined) return workspaces.make({ taskId, wanted, signal, say });
    if (wanted) say(`Its repository is not cloned: the settings say that it runs in ${cwd}`);
    return cwd;
  };
}
