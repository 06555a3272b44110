import { type CommandExit, type CommandRun, runCommand } from '../capture/command.ts';
import type { AgentKind, AgentParser, Parsed } from '../core/agent.ts';
import type { EntryInput, JsonObject } from '../core/entry.ts';
import { CommandFailed, type Plugin, type TaskContext, type Workspace } from '../core/plugin.ts';
import { AgentWatch, type Budget } from './agent-watch.ts';

/** Nothing after the prompt, lines of text, or messages as JSON (https://code.claude.com/docs/en/headless). */
export type AgentInput = 'none' | 'text' | 'stream-json';

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

type Prompt = { readonly prompt: string; readonly workspace?: Workspace };

/** Agents run like plugins: a task is its run, its prompt the only parameter. */
export function agentPlugin(options: AgentOptions): Plugin<Prompt> {
  const { name, kind, timeoutSeconds } = options;
  return {
    id: name,
    name: kind.name,
    pausable: true,
    timeoutSeconds,
    takesContext: true,
    parameters: { type: 'object', required: ['prompt'], properties: { prompt: { type: 'string', minLength: 1 } } },
    execute: ({ prompt }, context) => new AgentRun(options, context).run(prompt),
  };
}

/** One process of an agent: its lines are read as its kind says, its figures and limits are watched while it runs. */
class AgentRun {
  readonly #options: AgentOptions;
  readonly #context: TaskContext<Prompt>;
  readonly #parser: AgentParser;
  #watch: AgentWatch | undefined;
  #model: string | undefined;

  constructor(options: AgentOptions, context: TaskContext<Prompt>) {
    this.#options = options;
    this.#context = context;
    this.#parser = options.kind.createParser();
  }

  async run(prompt: string): Promise<unknown> {
    const { kind, budget, stallMinutes } = this.#options;
    this.#say('[SYSTEM] Task started');
    await budget.check();
    await this.#context.checkpoint();
    const child = await this.#start(prompt);
    if (child.pid !== undefined) {
      this.#say(`${kind.name} process started, PID: ${child.pid}`);
      this.#context.child(child.pid);
    }
    const watch = new AgentWatch({ child, budget, stallMinutes, warn: (message) => this.#warn(message) });
    this.#watch = watch;
    const release = this.#obey(child);
    try {
      return await this.#end(await child.exited, watch);
    } finally {
      release();
      watch.close();
      // What it left running is ended with it: nothing of a task outlives its end.
      child.kill('SIGKILL');
    }
  }

  async #start(prompt: string): Promise<CommandRun> {
    const { command, env, killAfterMs, kind, workspace } = this.#options;
    const { taskId, params, signal } = this.#context;
    const [program, ...args] = command;
    return runCommand({
      command: program,
      args,
      cwd: await workspace(taskId, params.workspace, signal, (message) => this.#say(message)),
      env,
      stdin: { text: prompt },
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
    if (metrics) {
      this.#context.metrics(metrics);
      this.#watch?.spent(metrics);
    }
    if (partial !== undefined) this.#context.partial('stdout', partial);
    if (finished !== undefined) this.#watch?.finished(finished);
    const news: JsonObject = { ...(plan !== undefined && { plan }), ...(sessionId && { session_id: sessionId }) };
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
    if (watch.overspent !== undefined) throw new CommandFailed(watch.overspent, exit.exitCode);
    if (!end.success) throw new CommandFailed(end.error ?? 'the agent failed', exit.exitCode);
    return end.result;
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
