import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, type Fault, TrailError } from '../core/error.ts';

/** What a thread is asked, what it answers, and what it tells by itself. */
export type Ask =
  | { readonly id: number; readonly method: string; readonly args: readonly unknown[]; readonly cancellable?: boolean }
  /** Nobody waits for this answer any more. */
  | { readonly cancel: number };
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }
  | { readonly told: unknown };

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly errors?: readonly Fault[] | undefined;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: TrailError) => void;
}

export interface ThreadOptions {
  readonly workerData: unknown;
  /** What its short-lived objects may take before they are looked through, in MB: without a bound V8 lets them take 96. */
  readonly youngMb: number;
  readonly onTold?: (told: unknown) => void;
}

/**
 * A worker thread that answers calls. It keeps the process alive while an answer is due, and not longer.
 * A thread that dies rejects what was asked of it, and everything after, with `store_unavailable`.
 */
export class Thread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;
  #fault: TrailError | undefined;
  #closing: Promise<void> | undefined;

  constructor(file: URL, options: ThreadOptions) {
    // No standard input, and no flags of the parent that a thread cannot have.
    this.#worker = new Worker(entryOf(file), {
      eval: true,
      workerData: options.workerData,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: options.youngMb },
    });
    this.#worker.on('message', (answer: Answer) => {
      if ('told' in answer) options.onTold?.(answer.told);
      else this.#settle(answer);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the thread ended')));
    this.#worker.unref();
  }

  /** Ask the thread; objects are copied, the buffers in `transfer` change hands. */
  call<T>(method: string, args: readonly unknown[], transfer: readonly ArrayBuffer[] = []): Promise<T> {
    return this.#ask({ method, args }, transfer);
  }

  /** The same for what may take long. When the signal aborts it throws the signal's reason, and the thread is told to stop. */
  async callUntil<T>(method: string, args: readonly unknown[], signal?: AbortSignal): Promise<T> {
    if (!signal) return this.call(method, args);
    signal.throwIfAborted();
    const answer = this.#ask<T>({ method, args, cancellable: true });
    const id = this.#lastId;
    const cancelled = Promise.withResolvers<never>();
    const cancel = (): void => {
      this.#worker.postMessage({ cancel: id } satisfies Ask);
      cancelled.reject(signal.reason);
    };
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await Promise.race([answer, cancelled.promise]);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  /** Let the thread finish what it was asked, then end it. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (!this.#fault) await this.call('close', []).catch(() => {});
    this.#fault ??= new TrailError('store_closed', 'this trail is closed; open it again to use it');
    await this.#worker.terminate();
  }

  #ask<T>(
    ask: { method: string; args: readonly unknown[]; cancellable?: true },
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<T> {
    if (this.#fault) return Promise.reject(this.#fault);
    const id = ++this.#lastId;
    if (this.#waiting.size === 0) this.#worker.ref();
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      try {
        this.#worker.postMessage({ id, ...ask } satisfies Ask, transfer);
      } catch (cause) {
        // A function, or something else that cannot be copied: the thread was never asked.
        const message = cause instanceof Error ? cause.message : String(cause);
        this.#settle({ id, error: { code: 'invalid_request', message: `expected plain values: ${message}` } });
      }
    }) as Promise<T>;
  }

  #settle(answer: Exclude<Answer, { told: unknown }>): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('error' in answer) {
      const { code, message, errors } = answer.error;
      waiting?.reject(new TrailError(code, message, { errors }));
    } else {
      waiting?.resolve(answer.value);
    }
  }

  #fail(cause: Error): void {
    this.#fault ??= new TrailError('store_unavailable', `the thread that owns the store ended: ${cause.message}`, {
      cause,
    });
    for (const { reject } of this.#waiting.values()) reject(this.#fault);
    this.#waiting.clear();
  }
}

/** A thread begins without the compile cache of its process: it is taken over before the first module is loaded, and filled. */
function entryOf(file: URL): string {
  const cacheDir = getCompileCacheDir();
  const enter = `import(${JSON.stringify(file.href)})`;
  if (cacheDir === undefined) return enter;
  const cache = "require('node:module')";
  return `${cache}.enableCompileCache(${JSON.stringify(dirname(cacheDir))});${enter}.then(() => ${cache}.flushCompileCache())`;
}
