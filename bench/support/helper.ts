import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A script of `bench/processes/` in a process of its own that sends messages. */
export class Helper {
  readonly #process: ChildProcess;
  readonly #heard: unknown[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(script: string, args: readonly string[]) {
    this.#process = fork(fileURLToPath(new URL(`../processes/${script}`, import.meta.url)), args);
    this.#process.on('message', (message) => {
      this.#heard.push(message);
      this.#wake?.();
    });
    this.#process.on('exit', () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  tell(message: object | string): void {
    this.#process.send(message);
  }

  /** The next message. Throws when the helper ends without one. */
  async told(): Promise<unknown> {
    while (this.#heard.length === 0) {
      if (this.#ended) throw new Error('a helper ended before it was done');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#heard.shift();
  }

  end(): void {
    this.#process.kill();
  }
}
