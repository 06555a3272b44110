import type { JsonObject } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import type { AnyPlugin, PluginInfo, RunDraft, TaskRuns } from '../core/plugin.ts';
import type { Task } from '../core/task.ts';
import { answerTask } from '../intake/answer.ts';
import { Children } from './children.ts';
import type { TaskParts } from './parts.ts';
import { type Registered, registered } from './plugin.ts';
import { Queue } from './queue.ts';
import { recover } from './recovery.ts';

/** What a trail offers to a manager: `openTrail` answers one. */
export interface ManagedTrail {
  readonly parts: TaskParts;
  /** Be the one process that runs tasks of this data directory. Throws `owner_exists`. */
  own(): Promise<void>;
}

export interface TaskManagerOptions {
  readonly plugins?: readonly AnyPlugin[];
  /** Runs at once; others wait in the queue (default 4). */
  readonly concurrency?: number;
  /** `machine_id` of the tasks (default none). */
  readonly machineId?: string;
  /** Whether `beliefScope` writes (default always). */
  readonly beliefs?: () => boolean;
  /** How long a task that ended may go on working before its place in the queue is given away (default 10 s). */
  readonly graceMs?: number;
}

const CONCURRENCY = 4;
const GRACE_MS = 10_000;
const RUNNER = 'plugin:';
/** What `metadata.queue` of its tasks says. */
const QUEUE_NAME = 'plugins';

/**
 * Runs plugins as tasks. The tasks table is the queue: what waits in it starts again with the next process, and a task is claimed by
 * a status change that only one can make.
 */
export class TaskManager implements TaskRuns {
  readonly #trail: ManagedTrail;
  readonly #plugins = new Map<string, Registered>();
  readonly #machineId: string | undefined;
  readonly #queue: Queue;
  readonly #children: Children;
  /** Parameters with secrets, of tasks that wait: what is stored of them is masked. */
  readonly #secretParams = new Map<string, JsonObject>();
  #starting: Promise<void> | undefined;

  constructor(trail: ManagedTrail, options: TaskManagerOptions = {}) {
    const { plugins = [], concurrency = CONCURRENCY, machineId, beliefs = () => true, graceMs = GRACE_MS } = options;
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new TrailError('invalid_parameter', `concurrency: expected a whole number from 1, got ${concurrency}`);
    }
    this.#trail = trail;
    this.#machineId = machineId;
    this.#children = new Children(trail.parts.intake);
    this.#queue = new Queue({
      parts: trail.parts,
      children: this.#children,
      concurrency,
      beliefs,
      graceMs,
      prepare: (task) => this.#prepare(task),
    });
    for (const plugin of plugins) this.register(plugin);
  }

  /** Offer a plugin. Throws `invalid_plugin` that names every fault, also when its id is taken. */
  register(plugin: AnyPlugin): this {
    const checked = registered(plugin);
    if (this.#plugins.has(plugin.id)) {
      throw new TrailError('invalid_plugin', `plugin ${plugin.id}: another one has this id; choose another`);
    }
    this.#plugins.set(plugin.id, checked);
    return this;
  }

  plugins(): readonly PluginInfo[] {
    return Array.from(this.#plugins.values(), ({ info }) => info);
  }

  /** Own the data directory, tidy up after an earlier process, and begin to run what waits. Concurrent callers share one start. */
  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async run(pluginId: string, params: JsonObject = {}, draft: RunDraft = {}): Promise<Task> {
    const { info, checked } = this.#find(pluginId);
    const given = checked(params);
    const plan = info.approval ? `Run ${info.name} with ${JSON.stringify(given)}` : undefined;
    const task = await this.#trail.parts.intake.createTask({
      source: 'plugin',
      kind: info.id,
      title: info.name,
      ...(this.#machineId !== undefined && { machineId: this.#machineId }),
      ...draft,
      metadata: { ...draft.metadata, queue: QUEUE_NAME, ...(plan !== undefined && { plan }) },
      status: info.approval ? 'pending_approval' : 'queued',
      runner: `${RUNNER}${info.id}`,
      params: given,
    });
    if (JSON.stringify(task.params) !== JSON.stringify(given)) await this.#keepSecrets(task.taskId, given);
    this.#queue.look();
    return task;
  }

  async rerun(taskId: string, by?: string): Promise<Task> {
    const task = await this.#trail.parts.store.task(taskId);
    if (!task.runner?.startsWith(RUNNER)) {
      throw new TrailError('not_rerunnable', 'an outside program reports this task; start it again there');
    }
    if (task.metadata?.secret_params === true) {
      throw new TrailError('not_rerunnable', 'its parameters held secrets, which are not stored; start it anew');
    }
    const { kind, title, source, tags, priority, input } = task;
    const draft: RunDraft = { kind, title, source, tags, priority, input, metadata: { rerun_of: taskId } };
    return this.run(task.runner.slice(RUNNER.length), task.params ?? {}, { ...draft, ...(by && { userId: by }) });
  }

  /** Throws `not_pausable`, `invalid_transition`. */
  async pause(taskId: string): Promise<Task> {
    const { store, intake } = this.#trail.parts;
    const { runner, startedAt } = await store.task(taskId);
    const plugin = runner?.startsWith(RUNNER) ? this.#plugins.get(runner.slice(RUNNER.length)) : undefined;
    if (startedAt !== null && plugin && !plugin.info.pausable) {
      throw new TrailError(
        'not_pausable',
        `the plugin ${plugin.info.id} cannot pause what it does; cancel the task, or wait`,
      );
    }
    return intake.changeTask(taskId, { status: 'paused' });
  }

  /** Let a paused task go on: at its place in the queue when it had not started. */
  async resume(taskId: string): Promise<Task> {
    const { store, intake } = this.#trail.parts;
    const { runner, startedAt } = await store.task(taskId);
    if (runner === null) return intake.changeTask(taskId, { status: 'executing' });
    return intake.changeTask(taskId, { status: startedAt === null ? 'queued' : 'executing' }, [
      'paused',
      'awaiting_input',
    ]);
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
  async wait(taskId: string): Promise<Task> {
    const { store, live } = this.#trail.parts;
    let poke = (): void => {};
    const stop = live.watch((changed) => changed === taskId && poke());
    try {
      for (;;) {
        const changed = new Promise<void>((resolve) => {
          poke = resolve;
        });
        const task = await store.task(taskId);
        if (task.ended) return task;
        await changed;
      }
    } finally {
      stop();
    }
  }

  /**
   * Claim no more, tell what runs that it ends, and wait a moment for it. What had not ended starts again with the next process where
   * its plugin may run again, else it is `failed`, "server stopped". Safe to call twice.
   */
  async close(): Promise<void> {
    await this.#starting?.catch(() => {});
    await this.#queue.close();
  }

  async #start(): Promise<void> {
    await this.#trail.own();
    await this.#children.endLeftovers();
    await recover(this.#trail.parts, (runner) => this.#plugins.get(runner.slice(RUNNER.length)));
    this.#queue.start();
  }

  /** What a claimed task is run with. Throws why it cannot be. */
  #prepare(task: Task): { registered: Registered; params: JsonObject } {
    const found = this.#find(task.runner?.slice(RUNNER.length) ?? '');
    const secret = this.#secretParams.get(task.taskId);
    this.#secretParams.delete(task.taskId);
    if (!secret && task.metadata?.secret_params === true) {
      throw new TrailError('invalid_params', 'its parameters held secrets, which are not stored; start it anew');
    }
    return { registered: found, params: secret ?? task.params ?? {} };
  }

  async #keepSecrets(taskId: string, params: JsonObject): Promise<void> {
    this.#secretParams.set(taskId, params);
    await this.#trail.parts.intake.changeTask(taskId, { metadata: { secret_params: true } });
  }

  #find(pluginId: string): Registered {
    const found = this.#plugins.get(pluginId);
    if (found) return found;
    const known = [...this.#plugins.keys()].slice(0, 50).join(', ') || 'none is registered';
    throw new TrailError(
      'unknown_plugin',
      `plugin: expected one of: ${known}; got ${JSON.stringify(pluginId.slice(0, 100))}`,
      { errors: [{ path: 'plugin', detail: `expected one of: ${known}` }] },
    );
  }
}
