import type { Json } from '../core/entry.ts';
import type { Intake } from '../core/ports.ts';
import { startOf } from './process-id.ts';

/** Time between SIGTERM and SIGKILL, and how often it is looked whether a process has gone. */
const KILL_AFTER_MS = 10_000;
const LOOK_MS = 50;

/** Who starts them: runs, and the making of workspaces. Each keeps its own. */
const CHILD_KINDS = ['children', 'workspace_children'] as const;
type ChildKind = (typeof CHILD_KINDS)[number];

/** A process with what tells it from a later one of the same pid. */
interface Child {
  readonly taskId: string;
  readonly pid: number;
  readonly startedAt: string;
}

/**
 * The child processes of the tasks that run here, kept durably: a server that died finds and ends, when it starts again, what it
 * left behind. A pid alone may belong to another process by then, so the time that the process started is kept with it.
 */
export class Children {
  readonly #intake: Pick<Intake, 'setting' | 'setSetting'>;
  readonly #setting: string;
  #children: readonly Child[] = [];
  #last: Promise<void> = Promise.resolve();

  /** @param worker  the process that they belong to, where several run tasks */
  constructor(intake: Pick<Intake, 'setting' | 'setSetting'>, kind: ChildKind, worker: string | null = null) {
    this.#intake = intake;
    this.#setting = worker === null ? kind : `${kind}:${worker}`;
  }

  /** End all that a process left behind which is gone. */
  static async endAll(intake: Pick<Intake, 'setting' | 'setSetting'>, worker: string | null): Promise<void> {
    await Promise.all(CHILD_KINDS.map((kind) => new Children(intake, kind, worker).endLeftovers()));
  }

  add(taskId: string, pid: number): Promise<void> {
    return this.#inTurn(async () => {
      const startedAt = await startOf(pid);
      if (startedAt !== undefined) await this.#set([...this.#children, { taskId, pid, startedAt }]);
    });
  }

  remove(taskId: string): Promise<void> {
    return this.#inTurn(async () => {
      const left = this.#children.filter((child) => child.taskId !== taskId);
      if (left.length < this.#children.length) await this.#set(left);
    });
  }

  /** End what an earlier server left behind. Answers how many there were. */
  async endLeftovers(): Promise<number> {
    const kept = await this.#intake.setting(this.#setting);
    const children = (Array.isArray(kept) ? kept : []).filter(isChild);
    const ended = await Promise.all(children.map(endChild));
    if (kept !== null) await this.#set([]);
    return ended.filter((alive) => alive).length;
  }

  /** One after another: a child that ends at once is removed after it was added. What cannot be written is not known to the next start. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(step).catch(() => {});
    return this.#last;
  }

  async #set(children: readonly Child[]): Promise<void> {
    this.#children = children;
    const kept = children.length === 0 ? null : children.map((child) => ({ ...child }));
    await this.#intake.setSetting(this.#setting, kept);
  }
}

/** Whether it was still there; resolves when it is gone. */
async function endChild({ pid, startedAt }: Child): Promise<boolean> {
  const isThere = async (): Promise<boolean> => (await startOf(pid)) === startedAt;
  if (!(await isThere())) return false;
  signalTo(pid, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < KILL_AFTER_MS; waitedMs += LOOK_MS) {
    if (!(await isThere())) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  signalTo(pid, 'SIGKILL');
  return true;
}

/** The group that it leads, and so all that it started; it alone when it leads none. */
function signalTo(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // No such group, or gone meanwhile.
    }
  }
}

function isChild(value: Json): value is Json & Child {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { taskId, pid, startedAt } = value as Record<string, Json>;
  return typeof taskId === 'string' && Number.isInteger(pid) && Number(pid) > 1 && typeof startedAt === 'string';
}
