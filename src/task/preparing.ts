import { TrailError } from '../core/error.ts';
import type { Task } from '../core/task.ts';
import type { Registered } from './plugin.ts';
import type { Prepared } from './queue.ts';
import { partsOfRunner, type Registry, type Runner } from './registry.ts';
import type { SecretParams } from './secret-params.ts';

/** What a claimed task is run with. Throws why it cannot be. */
export async function prepare(task: Task, registry: Registry, secretParams: SecretParams): Promise<Prepared> {
  const runner = partsOfRunner(task.runner) ?? { kind: 'plugin', id: task.runner ?? '' };
  const registered = doerOf(runner, task, registry);
  const params = (await secretParams.of(task)) ?? task.params ?? {};
  if (runner.kind === 'plugin') return { registered, params, retries: 0 };
  const plan = params.approval === true ? task.metadata?.plan : undefined;
  return {
    registered,
    params: { ...params, ...(plan !== undefined && { plan }) },
    retries: typeof params.retries === 'number' ? params.retries : 0,
  };
}

/** Who does the step that a task was claimed for. */
function doerOf({ kind, id }: Runner, { status, params }: Task, registry: Registry): Registered {
  if (status !== 'discovering') return registry.find(kind, id);
  const planner = typeof params?.planner === 'string' ? params.planner : id;
  const { planning } = registry.find(kind, planner);
  if (planning) return planning;
  throw new TrailError('unknown_agent', `${kind}: ${planner} makes no plans; name another planner`);
}
