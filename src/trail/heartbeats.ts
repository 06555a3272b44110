import { HEARTBEAT_MS } from '../core/limits.ts';
import type { Intake } from '../core/ports.ts';
import { isEnded, STATUSES } from '../core/status.ts';

const UNENDED = STATUSES.filter((status) => !isEnded(status));

/** Says of the tasks that this program reports that it is still there, until they end: a server would else take it for vanished. */
export class Heartbeats {
  readonly #intake: Pick<Intake, 'changeTask'>;
  readonly #tasks = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(intake: Pick<Intake, 'changeTask'>) {
    this.#intake = intake;
  }

  add(taskId: string): void {
    this.#tasks.add(taskId);
    this.#timer ??= setInterval(() => void this.#beat(), HEARTBEAT_MS).unref();
  }

  delete(taskId: string): void {
    this.#tasks.delete(taskId);
    if (this.#tasks.size === 0) this.close();
  }

  /** Safe to call twice. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #beat(): Promise<void> {
    for (const taskId of this.#tasks) {
      try {
        await this.#intake.changeTask(taskId, {}, UNENDED);
      } catch (error) {
        // Ended or deleted by somebody else; whatever else is wrong may be right at the next beat.
        if (GONE.has((error as { code?: string }).code ?? '')) this.delete(taskId);
      }
    }
  }
}

const GONE: ReadonlySet<string> = new Set(['invalid_transition', 'task_deleted', 'task_not_found']);
