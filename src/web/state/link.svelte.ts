import { asProblem, Problem } from '../lib/api.ts';
import { backoffMs } from '../lib/backoff.ts';

/*
 *   idle ─open()─▶ connecting ─opened─▶ live ─lost─▶ waiting ─timer, retry()─▶ connecting …
 *                        └─failed─▶ waiting        (offline: waiting, with no network until the browser says otherwise)
 *   any ─the server refuses (4004, 4400, 4401)─▶ refused     any ─close()─▶ idle
 */
export type Phase = 'idle' | 'connecting' | 'live' | 'waiting' | 'offline' | 'refused';

export interface LinkOptions {
  /** The address with the cursor to resume from; asked anew for every try. */
  readonly url: () => string;
  readonly onFrame: (frame: Frame) => void;
  /** Asked when the server does not know who looks; when it answers true, the link is tried again. */
  readonly onUnauthorized?: () => Promise<boolean>;
  /** After each opening; `again` when the link had been live before. */
  readonly onOpen?: (again: boolean) => void;
}

export type Frame = { readonly type: string } & { readonly [key: string]: unknown };

const UNAUTHORIZED = 4401;
const REFUSALS: ReadonlySet<number> = new Set([4004, 4400, UNAUTHORIZED, 4403]);
/** A link that says nothing for this long is asked; when it stays silent it is dead, whatever the operating system thinks. */
const PING_MS = 5_000;
const SILENCE_MS = 20_000;

/** A WebSocket that comes back by itself, with growing pauses, and says how it is. */
export class Link {
  phase = $state<Phase>('idle');
  /** Tries since the link was last live. */
  attempt = $state(0);
  /** When the next try comes, while waiting. */
  retryAtMs = $state(0);
  /** Time of one way there and back, once known. */
  lagMs = $state<number | null>(null);
  problem = $state.raw<Problem | null>(null);
  readonly #options: LinkOptions;
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #beat: ReturnType<typeof setInterval> | undefined;
  #wasLive = false;
  #heardAtMs = 0;
  #pingedAtMs = 0;
  #pings = 0;
  #pongs = 0;
  #waiters: { pongs: number; resolve: () => void }[] = [];
  #refusal: Problem | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  open(): void {
    if (this.phase !== 'idle') return;
    window.addEventListener('online', this.retry);
    window.addEventListener('offline', this.#onOffline);
    this.#connect();
  }

  /** Try at once. */
  readonly retry = (): void => {
    if (this.phase === 'idle' || this.phase === 'live' || this.phase === 'connecting') return;
    this.#connect();
  };

  /** Let go of the socket and take another, with the address as it is now. */
  reopen(): void {
    if (this.phase === 'idle') return;
    this.#drop();
    this.#connect();
  }

  /** Resolves when the server has read everything sent so far, or the link was opened anew with the address as it is then. */
  settled(): Promise<void> {
    this.#ping();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push({ pongs: this.#pings, resolve });
    return promise;
  }

  send(frame: Frame): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  close(): void {
    window.removeEventListener('online', this.retry);
    window.removeEventListener('offline', this.#onOffline);
    this.#drop();
    this.#release(Number.POSITIVE_INFINITY);
    this.phase = 'idle';
  }

  #connect(): void {
    clearTimeout(this.#retry);
    this.#refusal = null;
    this.phase = 'connecting';
    const socket = new WebSocket(this.#options.url());
    this.#socket = socket;
    socket.onopen = () => this.#onOpen();
    socket.onmessage = (event) => this.#onMessage(event.data);
    socket.onclose = (event) => this.#onClose(event.code);
  }

  #onOpen(): void {
    const again = this.#wasLive;
    this.phase = 'live';
    this.attempt = 0;
    this.problem = null;
    this.#wasLive = true;
    this.#heardAtMs = Date.now();
    this.#release(Number.POSITIVE_INFINITY);
    this.#beat = setInterval(this.#onBeat, PING_MS);
    this.#ping();
    this.#options.onOpen?.(again);
  }

  #onMessage(data: unknown): void {
    this.#heardAtMs = Date.now();
    const frame = readFrame(data);
    if (frame === undefined) return;
    if (frame.type === 'pong') this.#onPong();
    if (frame.type === 'error') this.#refusal = problemOfFrame(frame.error);
    this.#options.onFrame(frame);
  }

  #onClose(code: number): void {
    const refusal = this.#refusal;
    this.#drop();
    if (REFUSALS.has(code)) {
      this.phase = 'refused';
      this.problem =
        refusal ?? new Problem({ status: 0, code: `closed_${code}`, message: 'The server refused the connection.' });
      if (code === UNAUTHORIZED) void this.#signedIn();
      return;
    }
    this.#tryLater();
  }

  async #signedIn(): Promise<void> {
    const knows = await this.#options.onUnauthorized?.();
    if (knows && this.phase === 'refused') this.#tryLater();
  }

  #tryLater(): void {
    this.attempt += 1;
    if (!navigator.onLine) {
      this.phase = 'offline';
      return;
    }
    const delayMs = backoffMs(this.attempt);
    this.phase = 'waiting';
    this.retryAtMs = Date.now() + delayMs;
    this.#retry = setTimeout(this.retry, delayMs);
  }

  #drop(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#beat);
    this.lagMs = null;
    this.#pings = 0;
    this.#pongs = 0;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  #ping(): void {
    this.#pingedAtMs = performance.now();
    this.#pings += 1;
    this.send({ type: 'ping' });
  }

  #onPong(): void {
    this.#pongs += 1;
    if (this.#pongs === this.#pings) this.lagMs = Math.round(performance.now() - this.#pingedAtMs);
    this.#release(this.#pongs);
  }

  #release(pongs: number): void {
    for (const waiter of this.#waiters) if (waiter.pongs <= pongs) waiter.resolve();
    this.#waiters = this.#waiters.filter((waiter) => waiter.pongs > pongs);
  }

  readonly #onBeat = (): void => {
    if (Date.now() - this.#heardAtMs < SILENCE_MS) this.#ping();
    else this.#onClose(1006);
  };

  readonly #onOffline = (): void => {
    if (this.phase === 'waiting') {
      clearTimeout(this.#retry);
      this.phase = 'offline';
    }
  };
}

function readFrame(data: unknown): Frame | undefined {
  try {
    const value: unknown = JSON.parse(String(data));
    const known = typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
    return known ? (value as Frame) : undefined;
  } catch {
    return undefined;
  }
}

function problemOfFrame(error: unknown): Problem {
  if (typeof error !== 'object' || error === null) return asProblem(error);
  const { status, code, detail, title, request_id } = error as Record<string, unknown>;
  return new Problem({
    status: typeof status === 'number' ? status : 0,
    code: typeof code === 'string' ? code : 'error',
    message: String(detail ?? title ?? 'The server refused the connection.'),
    requestId: typeof request_id === 'string' ? request_id : null,
  });
}
