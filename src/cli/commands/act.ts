import { text as textOf } from 'node:stream/consumers';
import { TrailError } from '../../core/error.ts';
import { checkTaskId } from '../../core/id.ts';
import type { Task } from '../../core/task.ts';
import type { Trail } from '../../core/trail.ts';
import { taskToWire } from '../../core/wire.ts';
import { ACTS, type Act } from '../acts.ts';
import type { Config } from '../settings.ts';
import { jsonText, type Terminal } from '../terminal.ts';
import { withTarget } from '../with-target.ts';

export interface ActOptions {
  readonly json?: boolean;
}

export function act(
  terminal: Terminal,
  config: Config,
  id: string,
  options: ActOptions & { act: Act },
): Promise<number> {
  const { status } = ACTS[options.act];
  return change(terminal, config, { id, options, work: (trail, taskId) => trail.change(taskId, { status }) });
}

/** Answer a task that asked. Without a message it is read from standard input. */
export async function input(
  terminal: Terminal,
  config: Config,
  id: string,
  options: ActOptions & { message: string | undefined },
): Promise<number> {
  const message = options.message ?? (await typed());
  if (message === '') throw new TrailError('invalid_usage', 'expected a message, got none; type it behind the id');
  return change(terminal, config, { id, options, work: (trail, taskId) => trail.input(taskId, message) });
}

interface Change {
  readonly id: string;
  readonly options: ActOptions;
  readonly work: (trail: Trail, taskId: string) => Promise<Task>;
}

async function change(terminal: Terminal, config: Config, { id, options, work }: Change): Promise<number> {
  const taskId = checkTaskId(id);
  await withTarget(terminal, config, async ({ trail }) => {
    const task = await work(trail, taskId);
    await terminal.print(options.json ? `${jsonText(taskToWire(task))}\n` : `${taskId} is ${task.status}\n`);
  });
  return 0;
}

/** What comes on standard input, without its last line break. At a terminal nobody would know that we wait. */
async function typed(): Promise<string> {
  if (process.stdin.isTTY)
    throw new TrailError('invalid_usage', 'expected a message behind the id, or on standard input');
  return (await textOf(process.stdin)).replace(/\r?\n$/, '');
}
