import { type CommandExit, type CommandRun, runCommand } from '../capture/command.ts';
import type { AgentKind, AgentParser, Parsed } from '../core/agent.ts';
import type { EntryInput, JsonObject } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import { PLAN_CHARS } from '../core/limits.ts';
import { CommandFailed, type TaskContext, type Workspace } from '../core/plugin.ts';
import { textOf } from '../core/task-logger.ts';
import { executingPrompt, planningPrompt } from './agent-prompt.ts';
import { type AgentInput, AgentStdin, stdinText } from './agent-stdin.ts';
import { AgentWatch, type Budget } from './agent-watch.ts';
import type { Planner } from './plugin.ts';

export type { AgentInput };

export interface AgentOptions {
  /** Its name in the config; `default` is built in. */
  readonly name: string;
  /** What it is there for, as the config says it: `agent_type` of its tasks. */
  readonly type: string | null;
  /** The model that it is configured for; what it reports itself takes its place. */
  readonly model: string | null;
  /** What its output is read as. */
  readonly kind: AgentKind;
  /** The program and its arguments; it is run without a shell, and the prompt goes in by standard input. */
  readonly command: readonly [string, ...string[]];
  readonly timeoutSeconds: number;
  /** How it makes a plan (default: with the same command and time). */
  readonly plan?: { readonly command: readonly [string, ...string[]]; readonly timeoutSeconds: number };
  /** What its standard input takes while it runs, besides the prompt. */
  readonly input: AgentInput;
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Make the directory that it runs in, with what the task wants in it; `say` tells what is done for that. */
  readonly workspace: (
    taskId: string,
    wanted: Workspace | undefined,
    signal: AbortSignal,
    say: (message: string) => void,
  ) => Promise<string>;
  /** Minutes without output after which a WARNING says so. */
  readonly stallMinutes: number;
  readonly budget: Budget;
  /** Keep these values out of everything that is stored from now on. */
  readonly hide: (values: readonly string[]) => void;
  /** Time between SIGTERM and SIGKILL (default 10 s). */
  readonly killAfterMs?: number;
}

type Prompt = {
  readonly prompt: string;
  /** What a person has approved: it is carried out. */
  readonly plan?: string;
  readonly workspace?: Workspace;
};

const PARAMETERS: JsonObject = {
  type: 'object',
  required: ['prompt'],
  properties: {
    prompt: { type: 'string', minLength: 1 },
    approval: { type: 'boolean' },
    planner: { type: 'string' },
    retries: { type: 'integer', minimum: 0, maximum: 10 },
    workspace: { type: 'object', required: ['repo'] },
  },
};

/** Agents run like plugins: a task is its run, what it is asked the parameters. */
export function agentPlugin(options: AgentOptions): Planner<Prompt> {
  const { name, kind, plan = options } = options;
  const both = { id: name, name: kind.name, pausable: true, takesContext: true, parameters: PARAMETERS };
  const working = { command: options.command, planning: false };
  const planning = { command: plan.command, planning: true };
  return {
    ...both,
    timeoutSeconds: options.timeoutSeconds,
    execute: (asked, context) => new AgentRun(options, working, context).run(promptOf(asked)),
    planning: {
      ...both,
      timeoutSeconds: plan.timeoutSeconds,
      // It changes nothing, so it may begin again.
      restartable: true,
      execute: ({ prompt }, context) => new AgentRun(options, planning, context).run(planningPrompt(prompt)),
    },
  };
}

function promptOf({ prompt, plan }: Prompt): string {
  return plan === undefined ? prompt : executingPrompt(prompt, plan);
}

/** What one process of an agent is there for. */
interface Doing {
  readonly command: readonly [string, ...string[]];
  readonly planning: boolean;
}

/** One process of an agent: its lines are read as its kind says, its figures and limits are watched while it runs. */
class AgentRun {
  readonly #options: AgentOptions;
  readonly #doing: Doing;
  readonly #context: TaskContext<Prompt>;
  readonly #parser: AgentParser;
  #watch: AgentWatch | undefined;
  #stdin: AgentStdin | undefined;
  #finished = false;
  #model: string | null;
  /** What it printed while it planned: the plan of a program that gives no result. */
  #printed = '';

  constructor(options: AgentOptions, doing: Doing, context: TaskContext<Prompt>) {
    this.#options = options;
    this.#doing = doing;
    this.#context = context;
    this.#model = options.model;
    this.#parser = options.kind.createParser();
  }

  async run(prompt: string): Promise<unknown> {
    const { kind, budget, stallMinutes } = this.#options;
    this.#say('[SYSTEM] Task started');
    await this.#introduce();
    const limits = await budget.limits(this.#context.metrics({}));
    await this.#context.checkpoint();
    const child = await this.#start(prompt);
    if (child.pid !== undefined) {
      this.#say(`${kind.name} process started, PID: ${child.pid}`);
      void this.#context.child(child.pid);
    }
    const watch = new AgentWatch({ child, limits, stallMinutes, warn: (message) => this.#warn(message) });
    this.#watch = watch;
    const release = this.#obey(child);
    try {
      await this.#listen(child);
      return await this.#end(await child.exited, watch);
    } finally {
      release();
      watch.close();
      // What it left running is ended with it: nothing of a task outlives its end.
      child.kill('SIGKILL');
      await this.#stdin?.close();
    }
  }

  /** Who works now: another agent may have planned. */
  async #introduce(): Promise<void> {
    const { name, type, model } = this.#options;
    const again = this.#context.params.plan !== undefined;
    const facts = { ...((again || type !== null) && { agentType: type }), ...((again || model !== null) && { model }) };
    await this.#context.report({ assignedAgent: name, ...facts }).catch(() => {});
  }

  async #start(prompt: string): Promise<CommandRun> {
    const { env, input, killAfterMs, kind, workspace } = this.#options;
    const { taskId, params, signal } = this.#context;
    const [program, ...args] = this.#doing.command;
    return runCommand({
      command: program,
      args,
      cwd: await workspace(taskId, params.workspace, signal, (message) => this.#say(message)),
      env,
      stdin: { text: stdinText(input, prompt), open: input !== 'none' },
      ownGroup: true,
      source: kind.id,
      lineBytes: kind.lineBytes,
      ...(killAfterMs !== undefined && { killAfterMs }),
      onLines: async (entries) => {
        this.#watch?.heard();
        for (const entry of entries) await this.#take(this.#parser.line(entry));
        await this.#context.logger.drain();
      },
      onPartial: (stream, text) => {
        this.#watch?.heard();
        // A piece of JSON tells nobody anything; the parser shows what is being written.
        if (!text.startsWith('{')) this.#context.partial(stream, text);
      },
    });
  }

  /** What people say goes to its standard input, where it reads one. */
  async #listen(child: CommandRun): Promise<void> {
    const { input } = this.#options;
    if (input === 'none' || child.pid === undefined) return;
    const unread = (): void => this.#warn('The agent reads no more: what was said last did not reach it');
    this.#stdin = await AgentStdin.open({ child, input, context: this.#context, unread });
    if (this.#finished) void this.#stdin.close();
  }

  /** Cancelled, timed out, paused. */
  #obey(child: CommandRun): () => void {
    const { signal, onPause } = this.#context;
    const stop = (): void => {
      child.stop();
      // A group that stands still would not see that it is asked to end.
      child.kill('SIGCONT');
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    onPause((paused) => {
      this.#watch?.pause(paused);
      child.kill(paused ? 'SIGSTOP' : 'SIGCONT');
    });
    return () => signal.removeEventListener('abort', stop);
  }

  async #take(parsed: Parsed): Promise<void> {
    const { entries, metrics, model, secrets, partial, plan, sessionId, finished } = parsed;
    // Before the lines of this very event are stored.
    if (secrets && secrets.length > 0) this.#options.hide(secrets);
    this.#context.append(entries.map((entry) => this.#sourced(entry)));
    if (this.#doing.planning) this.#keepPrinted(entries);
    if (metrics) {
      this.#context.metrics(metrics);
      this.#watch?.spent(metrics);
    }
    if (partial !== undefined) this.#context.partial('stdout', partial);
    if (finished !== undefined) this.#watch?.finished(finished);
    // It waits for the end of its input alone; what was said until now is still given to it.
    this.#finished ||= finished === true;
    if (this.#finished) void this.#stdin?.close();
    // The plan of a planning step is told when it is complete.
    const news: JsonObject = {
      ...(plan !== undefined && !this.#doing.planning && { plan }),
      ...(sessionId && { session_id: sessionId }),
    };
    if (model !== undefined || Object.keys(news).length > 0) await this.#report(model, news);
  }

  async #report(model: string | undefined, metadata: JsonObject): Promise<void> {
    const changed = model !== undefined && model !== this.#model;
    this.#model = model ?? this.#model;
    if (!changed && Object.keys(metadata).length === 0) return;
    // The run goes on when it cannot be written; the end is written in any case.
    await this.#context.report({ ...(changed && { model }), metadata }).catch(() => {});
  }

  async #end(exit: CommandExit, watch: AgentWatch): Promise<unknown> {
    const end = this.#parser.end({ ...exit, signal: exit.signal });
    this.#context.append(end.entries.map((entry) => this.#sourced(entry)));
    this.#context.metrics(end.metrics);
    if (watch.overspent !== undefined) throw new TrailError('budget_spent', watch.overspent);
    if (!end.success) throw new CommandFailed(end.error ?? 'the agent failed', exit.exitCode);
    if (!this.#doing.planning) {
      await this.#context.report({ exitCode: exit.exitCode }).catch(() => {});
      return end.result;
    }
    const plan = end.plan ?? (end.result === null ? this.#printed.trim() : textOf(end.result));
    if (plan.trim() === '') throw new CommandFailed('the planning step made no plan', exit.exitCode);
    return plan;
  }

  #keepPrinted(entries: readonly EntryInput[]): void {
    for (const { stream, message } of entries) {
      const room = PLAN_CHARS - this.#printed.length;
      if (stream === 'stdout' && room > 0) this.#printed += `${message.slice(0, room)}\n`;
    }
  }

  #sourced(entry: EntryInput): EntryInput {
    return entry.source === undefined ? { ...entry, source: this.#options.kind.id } : entry;
  }

  #say(message: string): void {
    this.#context.append([{ message, type: 'output', source: 'system' }]);
  }

  #warn(message: string): void {
    this.#context.append([{ message, level: 'WARNING', type: 'output', source: 'system' }]);
  }
}
