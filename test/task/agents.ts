import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { agentOf } from '../../src/agents/index.ts';
import type { AgentRun, RunDraft } from '../../src/core/plugin.ts';
import { type AgentOptions, agentPlugin } from '../../src/task/agent.ts';
import { Budget, type BudgetOptions } from '../../src/task/agent-watch.ts';
import { TaskManager, type TaskManagerOptions } from '../../src/task/manager.ts';
import { managed } from './support.ts';

const PROGRAM = fileURLToPath(new URL('../fixtures/programs/fake-agent.js', import.meta.url));
const CHAT = fileURLToPath(new URL('../fixtures/programs/fake-chat.js', import.meta.url));
const NO_BUDGET = { taskUsd: null, dailyUsd: null, taskTokens: null, dailyTokens: null };

export const recording = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/claude/${name}`, import.meta.url));

/** The command of a fake agent that plays a recording (`none`), ends with a code, and behaves as it is told. */
export const plays = (...args: string[]): readonly [string, ...string[]] => [process.execPath, PROGRAM, ...args];
/** The command of one that talks. */
export const talks = (mode: 'text' | 'stream-json'): readonly [string, ...string[]] => [process.execPath, CHAT, mode];
/** A command of any kind. */
export const shell = (script: string) => ({ kind: agentOf('generic'), command: ['sh', '-c', script] as const });

export interface FakeAgent extends Partial<Omit<AgentOptions, 'name' | 'budget'>> {
  readonly budget?: Partial<BudgetOptions>;
}

interface Options extends Pick<TaskManagerOptions, 'agentConcurrency' | 'retryFirstMs' | 'graceMs'> {
  readonly dataDir?: string;
  readonly idle?: boolean;
}

/** A manager with these agents; `run` runs `default` to its end. */
export async function withAgents(t: TestContext, agents: Readonly<Record<string, FakeAgent>>, options: Options = {}) {
  const { idle = false, dataDir, ...rest } = options;
  const hidden: string[] = [];
  const parts = await managed(t, { idle: true, ...(dataDir !== undefined && { dataDir }) });
  const optionsOf = (name: string, { budget, ...given }: FakeAgent): AgentOptions => ({
    name,
    ...{ type: null, model: null, input: 'none', timeoutSeconds: 60, stallMinutes: 5, killAfterMs: 200 },
    kind: agentOf('claude'),
    command: plays(recording('success.jsonl')),
    env: { PATH: String(process.env.PATH) },
    workspace: async (taskId) => {
      const dir = join(parts.dataDir, 'workspaces', taskId);
      await mkdir(dir, { recursive: true });
      return dir;
    },
    budget: new Budget({ ...NO_BUDGET, spentToday: async () => ({ usd: 0, tokens: 0 }), ...budget }),
    hide: (values) => void hidden.push(...values),
    ...given,
  });
  const plugins = Object.entries(agents).map(([name, given]) => agentPlugin(optionsOf(name, given)));
  const tasks = new TaskManager(parts.trail, { agents: plugins, graceMs: 2_000, retryFirstMs: 1, ...rest });
  t.after(() => tasks.close());
  if (!idle) await tasks.start();
  const run = async (message: string, draft: RunDraft = {}, how: AgentRun = {}) => {
    const { taskId } = await tasks.runAgent('default', { input: { message }, ...draft }, how);
    return tasks.wait(taskId);
  };
  /** Queue a run of `default` that needs a person's leave, and wait for its plan. */
  const planned = async (message: string, how: AgentRun = {}) => {
    const { taskId } = await tasks.runAgent('default', { input: { message } }, { approval: true, ...how });
    return parts.when(taskId, ({ status, ended }) => status === 'pending_approval' || ended);
  };
  /** What a task has stored until now, what waits in memory included. */
  const written = async (taskId: string) => {
    await parts.trail.parts.lines(taskId).flush();
    return parts.lines(taskId);
  };
  return { ...parts, tasks, run, planned, written, hidden };
}

/** The process that a line tells of; 0 when none does. */
export function pidIn(lines: readonly { readonly message: string }[]): number {
  const line = lines.findLast(({ message }) => message.includes('PID: '))?.message ?? '';
  return Number(/PID: (\d+)/.exec(line)?.[1] ?? 0);
}

/** A zombie, which nobody has looked after yet, counts as gone. */
export function isAlive(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return /^[^Z\s]/.test(stdout);
}

export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 20));
}
