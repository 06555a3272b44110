import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { agentOf } from '../agents/index.ts';
import type { AnyPlugin } from '../core/plugin.ts';
import type { Intake, StoreReader } from '../core/ports.ts';
import { systemClock } from '../core/time.ts';
import { agentPlugin } from '../task/agent.ts';
import { Budget, type Spent, tokensOf } from '../task/agent-watch.ts';
import { agentEnv } from './config.ts';
import type { Config } from './settings.ts';

/** Agents whose program has the name of one that is understood are read as it; any other as any command is. */
const PARSERS = ['claude'];

/** The agents that a server runs: `default`. */
export function configuredAgents(
  config: Config,
  { store, intake }: { readonly store: StoreReader; readonly intake: Intake },
): readonly AnyPlugin[] {
  const { agentCommand, agentTimeoutSeconds, agentStallMinutes, agentTaskUsd, agentDailyUsd, agentCwd } = config;
  const program = agentCommand[0].split('/').at(-1) ?? '';
  const options = {
    name: 'default',
    type: null,
    model: null,
    input: 'none' as const,
    kind: agentOf(PARSERS.includes(program) ? program : 'generic'),
    command: agentCommand,
    env: agentEnv(config.agentEnv),
    workspace: async (taskId: string): Promise<string> => {
      if (agentCwd !== undefined) return resolve(agentCwd);
      const dir = join(config.dataDir, 'workspaces', taskId);
      await mkdir(dir, { recursive: true, mode: 0o700 });
      return dir;
    },
    timeoutSeconds: agentTimeoutSeconds,
    stallMinutes: agentStallMinutes,
    budget: new Budget({
      ...{ taskUsd: agentTaskUsd, dailyUsd: agentDailyUsd, taskTokens: null, dailyTokens: null },
      spentToday: () => spentToday(store),
    }),
    // What fails to be hidden fails to be stored as well: both go to the same thread.
    hide: (values: readonly string[]) => void intake.hide(values).catch(() => {}),
  };
  return [agentPlugin(options)];
}

/** What the agents' tasks that were made today (UTC) have cost. */
async function spentToday(store: StoreReader): Promise<Spent> {
  const from = `${new Date(systemClock.now()).toISOString().slice(0, 10)}T00:00:00.000Z`;
  let usd = 0;
  let tokens = 0;
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await store.tasks({ from, limit: 1_000, ...(cursor && { cursor }) });
    for (const { runner, metrics } of page.tasks) {
      if (!runner?.startsWith('agent:')) continue;
      usd += metrics.costUsd ?? 0;
      tokens += tokensOf(metrics);
    }
    cursor = page.nextCursor;
  }
  return { usd, tokens };
}
