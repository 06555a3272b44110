import type { Json } from '../core/entry.ts';
import { HEARTBEAT_MS } from '../core/limits.ts';
import type { Task } from '../core/task.ts';
import { TaskLogger } from '../core/task-logger.ts';
import type { Ending, Logger, RunningTask } from '../core/trail.ts';
import { LineSender, unref } from './sender.ts';

/** What a running task asks of its server. */
export interface TaskServer {
  append(body: string, key: string): Promise<unknown>;
  heartbeat(): Promise<unknown>;
  complete(ending: Ending): Promise<Task>;
  fail(error: string, ending: Ending): Promise<Task>;
}

/** A task that this program reports to a server. It says that it lives until it has ended or is closed. */
export class ServerTask implements RunningTask {
  readonly id: string;
  readonly logger: Logger;
  readonly #server: TaskServer;
  readonly #sender: LineSender;
  readonly #heartbeat: ReturnType<typeof setInterval>;

  constructor(id: string, server: TaskServer) {
    this.id = id;
    this.#server = server;
    this.#sender = new LineSender({ send: (body, key) => server.append(body, key) });
    this.logger = new TaskLogger(this.#sender);
    // A heartbeat that finds no server is no fault of the task: the next one may.
    this.#heartbeat = setInterval(() => void server.heartbeat().catch(() => {}), HEARTBEAT_MS);
    unref(this.#heartbeat);
  }

  async complete(result?: Json, ending: Omit<Ending, 'result'> = {}): Promise<Task> {
    await this.#finishLines();
    return this.#server.complete({ ...ending, ...(result !== undefined && { result }) });
  }

  async fail(error: string | Error, ending: Ending = {}): Promise<Task> {
    await this.#finishLines();
    return this.#server.fail(error instanceof Error ? error.message : error, ending);
  }

  /** Deliver what waits, as far as the server takes it, and fall silent. Safe to call twice. */
  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.#sender.close();
  }

  /** Lines stand before the end. What the server refuses now is tried on: late lines are welcome to it. */
  async #finishLines(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.#sender.flush().catch(() => {});
  }
}
