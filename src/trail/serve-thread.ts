import type { MessagePort } from 'node:worker_threads';
import { asTrailError } from '../core/error.ts';
import type { Answer, Ask } from './thread.ts';

/** What a thread can be asked, by name. One that can be cancelled gets a signal behind its arguments. */
export type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;

/** An answer with buffers that change hands instead of being copied. */
export class Moved<T> {
  readonly value: T;
  readonly buffers: readonly ArrayBuffer[];

  constructor(value: T, buffers: readonly ArrayBuffer[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

/**
 * Answer calls from the other side of the port, each when it is ready. When the methods cannot be made (the database does not
 * open), every call is answered with the reason, so that the asker learns it.
 */
export function serveThread(port: MessagePort, makeMethods: () => Methods): void {
  let methods: Methods | undefined;
  let fault: unknown;
  try {
    methods = makeMethods();
  } catch (error) {
    fault = error;
  }
  const send = (answer: Answer, buffers?: readonly ArrayBuffer[]): void => port.postMessage(answer, buffers);
  const underWay = new Map<number, AbortController>();
  port.on('message', async (ask: Ask) => {
    if ('cancel' in ask) {
      underWay.get(ask.cancel)?.abort();
      return;
    }
    const { id, method } = ask;
    let { args } = ask;
    if (ask.cancellable) {
      const controller = new AbortController();
      underWay.set(id, controller);
      args = [...args, controller.signal];
    }
    try {
      if (!methods) throw fault;
      const call = methods[method] as (...args: readonly unknown[]) => unknown;
      const value = await call(...args);
      if (value instanceof Moved) send({ id, value: value.value }, value.buffers);
      else send({ id, value });
    } catch (error) {
      const { code, message, errors } = asTrailError(error);
      send({ id, error: { code, message, errors } });
    } finally {
      underWay.delete(id);
    }
  });
}
