import type { JsonObject } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import { newTaskId } from '../core/id.ts';
import type { AgentRun, AnyPlugin, PluginInfo, RunDraft, TaskRuns } from '../core/plugin.ts';
import type { Task } from '../core/task.ts';
import { answerTask } from '../intake/answer.ts';
import { Children } from './children.ts';
import type { Distribution, SharedDistribution, SharedWork } from './distribution.ts';
import { Leading } from './leading.ts';
import { LocalDistribution } from './local.ts';
import type { TaskParts } from './parts.ts';
import { prepare } from './preparing.ts';
import { lives } from './process-id.ts';
import { Queue } from './queue.ts';
import { recover } from './recovery.ts';
import { KINDS, type Kind, partsOfRunner, Registry, type Runner } from './registry.ts';
import { SecretParams } from './secret-params.ts';
import { isWaiting, stepOf, withoutMarks } from './steps.ts';
import { waitForEnd } from './wait.ts';

/** What a trail offers to a manager: `openTrail` answers one. */
export interface ManagedTrail {
  readonly parts: TaskParts;
  /** Be the one process that runs tasks of this data directory. Throws `owner_exists`. */
  own(): Promise<void>;
}

export interface TaskManagerOptions {
  /** What can be run as `agent:<id>`; see `agentPlugin`. */
  readonly agents?: readonly AnyPlugin[];
  /** Runs of agents at once (default 2). */
  readonly agentConcurrency?: number;
  readonly plugins?: readonly AnyPlugin[];
  /** Runs at once; others wait in the queue (default 4). */
  readonly concurrency?: number;
  /** `machine_id` of the tasks (default none). */
  readonly machineId?: string;
  /** Whether `beliefScope` writes (default always). */
  readonly beliefs?: () => boolean;
  /** How long a task that ended may go on working before its place in the queue is given away (default 10 s). */
  readonly graceMs?: number;
  /** First wait before a failed agent is tried again (default AGENT_RETRY_FIRST_MS). */
  readonly retryFirstMs?: number;
  /** Where several processes run the tasks of the data directory (default: this one alone does). */
  readonly shared?: SharedWork | undefined;
}

const CONCURRENCY = 4;
const AGENT_CONCURRENCY = 2;
const GRACE_MS = 10_000;
const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * Runs plugins and agents as tasks. The tasks table is the queue: what waits in it starts again with the next process, and a task is
 * claimed by a status change that only one can make.
 */
export class TaskManager implements TaskRuns {
  readonly #trail: ManagedTrail;
  readonly #registry = new Registry();
  readonly #machineId: string | undefined;
  readonly #queues: Readonly<Record<Kind, Queue>>;
  readonly #children: Children;
  readonly #secretParams: SecretParams;
  readonly #shared: SharedWork | undefined;
  readonly #distributions: Partial<Record<Kind, SharedDistribution>> = {};
  #leading: Leading | undefined;
  #starting: Promise<void> | undefined;
  #alive: NodeJS.Timeout | undefined;

  constructor(trail: ManagedTrail, options: TaskManagerOptions = {}) {
    const { plugins = [], agents = [], machineId, beliefs = () => true, graceMs = GRACE_MS } = options;
    const { concurrency = CONCURRENCY, agentConcurrency = AGENT_CONCURRENCY, retryFirstMs, shared } = options;
    this.#trail = trail;
    this.#machineId = machineId;
    this.#shared = shared;
    this.#secretParams = new SecretParams(shared?.vault);
    const worker = shared?.workers.id ?? null;
    this.#children = new Children(trail.parts.intake, 'children', worker);
    const queue = (kind: Kind, places: number): Queue =>
      new Queue({
        parts: trail.parts,
        prefix: KINDS[kind].prefix,
        children: this.#children,
        concurrency: wholeFrom1(places),
        beliefs,
        graceMs,
        retryFirstMs,
        worker,
        distribution: this.#distribution(kind),
        prepare: (task) => prepare(task, this.#registry, this.#secretParams),
        ended: (task) => this.#secretParams.forget(task.metadata?.secret_params),
      });
    this.#queues = { plugin: queue('plugin', concurrency), agent: queue('agent', agentConcurrency) };
    for (const plugin of plugins) this.#registry.add('plugin', plugin);
    for (const agent of agents) this.#registry.add('agent', agent);
  }

  /** Offer a plugin. Throws `invalid_plugin` that names every fault, also when its id is taken. */
  register(plugin: AnyPlugin): this {
    this.#registry.add('plugin', plugin);
    return this;
  }

  plugins(): readonly PluginInfo[] {
    return this.#registry.list('plugin');
  }

  agents(): readonly PluginInfo[] {
    return this.#registry.list('agent');
  }

  /**
   * Own the data directory, tidy up after an earlier process, and begin to run what waits. From then on it keeps the process alive, like
   * a server that listens, until `close`. Concurrent callers share one start.
   */
  start(): Promise<void> {
    // One that failed may be tried again: another owner may have gone, the store may commit again.
    this.#starting ??= this.#start().catch((error) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  async run(pluginId: string, params: JsonObject = {}, draft: RunDraft = {}): Promise<Task> {
    const { info } = this.#registry.find('plugin', pluginId);
    return this.#enqueue({ kind: 'plugin', id: pluginId }, params, {
      source: 'plugin',
      kind: info.id,
      title: info.name,
      ...draft,
    });
  }

  async runAgent(name: string, draft: RunDraft, how: AgentRun = {}): Promise<Task> {
    const { info } = this.#registry.find('agent', name);
    const { prompt = draft.input?.message, create, ...rest } = how;
    if (rest.planner !== undefined) this.#registry.find('agent', rest.planner);
    if (!prompt) {
      const detail = 'expected a message: it is what the agent is asked';
      throw new TrailError('invalid_task', `input: ${detail}`, { errors: [{ path: 'input', detail }] });
    }
    const title = prompt.split('\n', 1)[0]?.slice(0, 200) || info.name;
    const params = JSON.parse(JSON.stringify({ prompt, ...rest })) as JsonObject;
    const more = { kind: 'agent', title, assignedAgent: name, ...draft };
    return this.#enqueue({ kind: 'agent', id: name }, params, more, create);
  }

  async rerun(taskId: string, by?: string): Promise<Task> {
    const task = await this.#trail.parts.store.task(taskId);
    const runner = partsOfRunner(task.runner);
    if (!runner) {
      throw new TrailError('not_rerunnable', 'an outside program reports this task; start it again there');
    }
    if (task.metadata?.secret_params !== undefined) {
      throw new TrailError('not_rerunnable', 'its parameters held secrets, which are not stored; start it anew');
    }
    const { kind, title, source, provider, assignedAgent, agentType, tags, priority, input } = task;
    const draft: RunDraft = { kind, title, source, provider, assignedAgent, agentType, tags, priority, input };
    const more = { metadata: { rerun_of: taskId }, ...(by !== undefined && { userId: by }) };
    return this.#enqueue(runner, task.params ?? {}, { ...draft, ...more });
  }

  /** Throws `not_pausable`, `invalid_transition`. */
  async pause(taskId: string): Promise<Task> {
    const { store, intake } = this.#trail.parts;
    const { runner, startedAt } = await store.task(taskId);
    const found = this.#registry.of(runner);
    if (!found || found.info.pausable) return intake.changeTask(taskId, { status: 'paused' });
    if (startedAt !== null) {
      const { id } = found.info;
      throw new TrailError('not_pausable', `the plugin ${id} cannot pause what it does; cancel the task, or wait`);
    }
    // It may have begun a moment ago.
    return intake.changeTask(taskId, { status: 'paused' }, ['queued']);
  }

  /** Let a paused task go on: at its place in the queue when it had not started. */
  async resume(taskId: string): Promise<Task> {
    const { store, intake } = this.#trail.parts;
    const task = await store.task(taskId);
    const { runner, startedAt } = task;
    if (runner === null) return intake.changeTask(taskId, { status: 'executing' });
    const status = startedAt === null ? 'queued' : stepOf(task);
    return intake.changeTask(taskId, { status }, ['paused', 'awaiting_input']);
  }

  cancel(taskId: string): Promise<Task> {
    return this.#trail.parts.intake.changeTask(taskId, { status: 'cancelled' });
  }

  approve(taskId: string): Promise<Task> {
    return this.#trail.parts.intake.changeTask(taskId, { status: 'approved' });
  }

  reject(taskId: string): Promise<Task> {
    return this.#trail.parts.intake.changeTask(taskId, { status: 'rejected' });
  }

  /** Answer a task that asked. */
  input(taskId: string, message: string): Promise<Task> {
    return answerTask(this.#trail.parts, taskId, { message });
  }

  /** The task when it has ended. Throws when it is deleted. */
  wait(taskId: string): Promise<Task> {
    return waitForEnd(this.#trail.parts, taskId);
  }

  /**
   * Do for all who run tasks of the data directory what its owner does: offer what waits, settle what those left who are gone. Ends with
   * `close`.
   */
  lead(warn: (message: string) => void): void {
    const workers = this.#shared?.workers;
    if (!workers || this.#leading) return;
    const distributions = this.#distributions;
    const { parts } = this.#trail;
    this.#leading = new Leading({ parts, workers, distributions, plugin: (runner) => this.#registry.of(runner), warn });
  }

  /**
   * Claim no more, tell what runs that it ends, and wait a moment for it. What had not ended starts again with the next process where
   * its plugin may run again, else it is `failed`, "server stopped". Safe to call twice.
   */
  async close(): Promise<void> {
    await this.#starting?.catch(() => {});
    clearInterval(this.#alive);
    await this.#leading?.close();
    await Promise.all(Object.values(this.#queues).map((queue) => queue.close()));
    await this.#shared?.workers.close();
  }

  async #start(): Promise<void> {
    if (this.#shared) {
      if (!this.#shared.runs) return;
      this.#shared.workers.start();
    } else {
      await this.#trail.own();
      await this.#children.endLeftovers();
      await recover(this.#trail.parts, {
        plugin: (runner) => this.#registry.of(runner),
        isAlive: async (worker) => (await lives(worker)) ?? false,
      });
    }
    for (const queue of Object.values(this.#queues)) queue.start();
    // A task may wait for a person, and for nothing else that would keep the process alive.
    this.#alive = setInterval(() => {}, TIMER_MAX_MS);
  }

  #distribution(kind: Kind): Distribution {
    if (!this.#shared) return new LocalDistribution(this.#trail.parts);
    const distribution = this.#shared.distribution(KINDS[kind].queue);
    this.#distributions[kind] = distribution;
    return distribution;
  }

  async #enqueue(
    { kind, id }: Runner,
    params: JsonObject,
    draft: RunDraft,
    create: AgentRun['create'] = (task) => this.#trail.parts.intake.createTask(task),
  ): Promise<Task> {
    const { info, checked } = this.#registry.find(kind, id);
    const { intake } = this.#trail.parts;
    // Before the task is there: it may be claimed as soon as it is.
    const taken = await this.#secretParams.take(checked(params), { schema: info.parameters, intake });
    const { shown, text, mark } = taken;
    const { prefix, queue } = KINDS[kind];
    try {
      const task = await create({
        taskId: newTaskId(),
        ...(this.#machineId !== undefined && { machineId: this.#machineId }),
        ...draft,
        metadata: {
          ...withoutMarks(draft.metadata),
          queue,
          ...(info.approval && { plan: `Run ${info.name} with ${text}` }),
          ...(mark !== undefined && { secret_params: mark }),
        },
        status: info.approval ? 'pending_approval' : 'queued',
        runner: `${prefix}${id}`,
        params: shown,
      });
      if (isWaiting(task)) void this.#distributions[kind]?.offer([task]).catch(() => {});
      this.#queues[kind].look();
      return task;
    } catch (error) {
      this.#secretParams.forget(mark);
      throw error;
    }
  }
}

function wholeFrom1(places: number): number {
  if (Number.isInteger(places) && places >= 1) return places;
  throw new TrailError('invalid_parameter', `concurrency: expected a whole number from 1, got ${places}`);
}
