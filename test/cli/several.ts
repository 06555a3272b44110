import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Task } from '../../src/core/task.ts';
import type { Trail } from '../../src/core/trail.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type Place, place, type RunningCli, start } from './cli.ts';

/** What workers can run: each waits for a file of its task's id that says `go`. */
const PLUGINS = `
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

async function turn({ dir }, { taskId, signal, logger }) {
  logger.info('at work in ' + process.pid);
  while (!existsSync(dir + '/' + taskId + '.go')) await setTimeout(20, undefined, { signal });
  return process.pid;
}
const params = { type: 'object' };
export default [
  { id: 'again', name: 'again', restartable: true, parameters: params, takesContext: true, execute: turn },
  { id: 'once', name: 'once', parameters: params, takesContext: true, execute: turn },
  { id: 'quick', name: 'quick', parameters: params, takesContext: true, execute: async () => {
    await setTimeout(30);
    return process.pid;
  } },
  { id: 'ask', name: 'ask', parameters: params, pausable: true, takesContext: true, execute: async (_, context) => {
    const said = await context.input('what?');
    await context.checkpoint();
    return said;
  } },
  { id: 'secret', name: 'secret', parameters: params, takesContext: true, execute: async ({ token }) => token.length },
];
`;

export interface Several {
  readonly at: Place;
  readonly redis: TestRedis;
  /** Start a server of some role; resolves when it is ready. */
  server(role: string, ...flags: readonly string[]): Promise<RunningCli & { readonly url: string | undefined }>;
  /** Queue a run of a plugin at a server. */
  run(url: string, plugin: string, params?: object): Promise<string>;
  /** Let a task that waits for it go on. */
  go(taskId: string): Promise<void>;
}

/** A data directory with a Redis, for servers of several roles; `sections` are added to their config file. */
export async function several(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
  sections: object = {},
): Promise<Several> {
  const redis = await startRedis(t);
  const at = await place(t, { REDIS_URL: redis.url, ...env });
  await writeFile(join(at.cwd, 'plugins.mjs'), PLUGINS);
  await writeFile(
    join(at.cwd, 'tasktrail.config.json'),
    JSON.stringify({ plugins: ['plugins.mjs'], concurrency: 2, ...sections }),
  );
  return {
    at,
    redis,
    async server(role, ...flags) {
      const running = start(t, at, ['serve', '--port', '0', '--role', role, ...flags]);
      const printed = await running.seen('try: ');
      return { ...running, url: /tasktrail serves (http\S+)/.exec(printed)?.[1] };
    },
    async run(url, plugin, params = {}) {
      const body = JSON.stringify({ plugin, params: { dir: at.cwd, ...params } });
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${url}/api/tasks`, { method: 'POST', headers, body });
      if (!response.ok) throw new Error(`expected a task, got ${response.status} ${await response.text()}`);
      return ((await response.json()) as { task_id: string }).task_id;
    },
    go: (taskId) => writeFile(join(at.cwd, `${taskId}.go`), ''),
  };
}

/** Resolves when the task fits. */
export async function until(trail: Trail, taskId: string, fits: (task: Task) => boolean): Promise<Task> {
  for (;;) {
    const task = await trail.get(taskId);
    if (fits(task)) return task;
    if (task.ended) throw new Error(`expected another state of the task, it is ${task.status}: ${task.error}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
