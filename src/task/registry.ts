import { TrailError } from '../core/error.ts';
import type { AnyPlugin, PluginInfo } from '../core/plugin.ts';
import type { Task } from '../core/task.ts';
import { type Registered, registered } from './plugin.ts';

/** The kinds of what can be run. A task's runner is `<kind>:<id>`; `queue` is what its `metadata.queue` says. */
export const KINDS = {
  plugin: { prefix: 'plugin:', queue: 'plugins', code: 'unknown_plugin' },
  agent: { prefix: 'agent:', queue: 'agents', code: 'unknown_agent' },
} as const;
export type Kind = keyof typeof KINDS;

/** What a task's runner names. */
export interface Runner {
  readonly kind: Kind;
  readonly id: string;
}

/** Plugins and agents by their runner. */
export class Registry {
  readonly #known = new Map<string, Registered>();

  /** Throws `invalid_plugin` that names every fault, also when its id is taken. */
  add(kind: Kind, plugin: AnyPlugin): void {
    const checked = registered(plugin);
    const runner = `${KINDS[kind].prefix}${plugin.id}`;
    if (this.#known.has(runner)) {
      throw new TrailError('invalid_plugin', `${kind} ${plugin.id}: another one has this id; choose another`);
    }
    this.#known.set(runner, checked);
  }

  list(kind: Kind): readonly PluginInfo[] {
    const ours = [...this.#known].filter(([runner]) => runner.startsWith(KINDS[kind].prefix));
    return ours.map(([, { info }]) => info);
  }

  /** What runs a task with this runner; undefined when it is not known (any more), or nothing of ours. */
  of(runner: string | null): Registered | undefined {
    return runner === null ? undefined : this.#known.get(runner);
  }

  /** Throws `unknown_plugin` or `unknown_agent`, with the names that are known. */
  find(kind: Kind, id: string): Registered {
    const found = this.of(`${KINDS[kind].prefix}${id}`);
    if (found) return found;
    const names = this.list(kind).map((info) => info.id);
    const known = names.slice(0, 50).join(', ') || 'none is registered';
    const detail = `expected one of: ${known}; got ${JSON.stringify(id.slice(0, 100))}`;
    throw new TrailError(KINDS[kind].code, `${kind}: ${detail}`, { errors: [{ path: kind, detail }] });
  }
}

/** Whether an agent of ours does a task. */
export function isAgent({ runner }: Pick<Task, 'runner'>): boolean {
  return runner?.startsWith(KINDS.agent.prefix) ?? false;
}

/** The kind and the id that a runner names; undefined for an outside task. */
export function partsOfRunner(runner: string | null): Runner | undefined {
  for (const kind of Object.keys(KINDS) as Kind[]) {
    const { prefix } = KINDS[kind];
    if (runner?.startsWith(prefix)) return { kind, id: runner.slice(prefix.length) };
  }
  return undefined;
}
