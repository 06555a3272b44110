import { unref } from './sender.ts';

export interface SocketOptions {
  readonly url: URL;
  readonly token?: string | undefined;
  readonly WebSocket: typeof globalThis.WebSocket;
  readonly signal?: AbortSignal | undefined;
}

/** Frames that wait for a slow reader: beyond this the socket is closed, and the reader comes back for the rest. */
const QUEUE_CHARS = 8 * 1024 * 1024;
/** A quiet connection is asked whether it lives; no word for three times this long and it counts as dead. */
const PING_MS = 15_000;

/**
 * The frames of one WebSocket connection as texts, in order. Ends when the connection does, whoever ended it: the caller
 * connects again. `opened` tells whether it was ever there.
 */
export class FrameSocket {
  opened = false;
  /** The code the server closed with (https://www.rfc-editor.org/rfc/rfc6455#section-7.4). */
  closeCode: number | undefined;
  readonly #options: SocketOptions;
  readonly #queue: string[] = [];
  #queuedChars = 0;
  #over = false;
  #heardAt = Date.now();
  #wake: () => void = () => {};

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  async *frames(): AsyncGenerator<string> {
    const { url, token, signal } = this.#options;
    const socket = new this.#options.WebSocket(url, token ? ['tasktrail', bearerProtocol(token)] : []);
    const pinging = setInterval(() => this.#ping(socket), PING_MS);
    unref(pinging);
    const onAbort = (): void => this.#end();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#listen(socket);
    try {
      for (;;) {
        for (let text = this.#queue.shift(); text !== undefined; text = this.#queue.shift()) {
          this.#queuedChars -= text.length;
          yield text;
          if (signal?.aborted) return;
        }
        if (this.#over || signal?.aborted) return;
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
    } finally {
      clearInterval(pinging);
      signal?.removeEventListener('abort', onAbort);
      this.#over = true;
      socket.close();
    }
  }

  #listen(socket: WebSocket): void {
    socket.addEventListener('open', () => {
      this.opened = true;
    });
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      this.#heardAt = Date.now();
      if (this.#over || typeof data !== 'string') return;
      this.#queue.push(data);
      this.#queuedChars += data.length;
      if (this.#queuedChars > QUEUE_CHARS) {
        this.#end();
        socket.close();
      }
      this.#wake();
    });
    socket.addEventListener('close', ({ code }: CloseEvent) => {
      this.closeCode = code;
      this.#end();
    });
    // What went wrong stands nowhere in the event; the `close` that follows ends the frames.
    socket.addEventListener('error', () => this.#end());
  }

  #ping(socket: WebSocket): void {
    if (Date.now() - this.#heardAt > 3 * PING_MS) this.#end();
    else if (socket.readyState === socket.OPEN) socket.send('{"type":"ping"}');
  }

  #end(): void {
    this.#over = true;
    this.#wake();
  }
}

/**
 * Browsers send no header with a WebSocket, so the token goes as a subprotocol, never in the URL. It is offered beside a plain
 * name, so that the server has something else to answer.
 */
function bearerProtocol(token: string): string {
  const binary = Array.from(new TextEncoder().encode(token), (byte) => String.fromCharCode(byte)).join('');
  return `tasktrail.bearer.${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}
