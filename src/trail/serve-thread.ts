import type { MessagePort } from 'node:worker_threads';
import { asTrailError } from '../core/error.ts';
import type { Answer, Ask } from './thread.ts';

/** What a thread can be asked, by name. */
export type Methods = Readonly<Record<string, (...args: never[]) => unknown>>;

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
  const send = (answer: Answer): void => port.postMessage(answer);
  port.on('message', async ({ id, method, args }: Ask) => {
    try {
      if (!methods) throw fault;
      const call = methods[method] as (...args: readonly unknown[]) => unknown;
      send({ id, value: await call(...args) });
    } catch (error) {
      const { code, message, errors } = asTrailError(error);
      send({ id, error: { code, message, errors } });
    }
  });
}
