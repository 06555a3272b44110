import type { LogEntry } from '../core/entry.ts';
import { ERRORS, type ErrorCode, TrailError } from '../core/error.ts';
import { filterParams } from '../core/filter.ts';
import type { FollowOptions } from '../core/trail.ts';
import { entryOfWire, type WireEntry } from '../core/wire.ts';
import type { Http } from './http.ts';
import { FrameSocket } from './socket.ts';

export interface FollowRequest {
  readonly http: Http;
  readonly WebSocket: typeof globalThis.WebSocket;
  readonly taskId: string;
  readonly options: FollowOptions;
}

const RECONNECT_FIRST_MS = 500;
const RECONNECT_MAX_MS = 15_000;

type Frame =
  | { readonly type: 'entries'; readonly entries: readonly WireEntry[] }
  | { readonly type: 'caught_up'; readonly last_seq: number }
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly error: unknown }
  | { readonly type: 'partial' | 'status' | 'pong' };

/**
 * A task's lines over a WebSocket, stored ones first. A lost connection is made again, with growing delay, and goes on after
 * the last line that came: nothing twice, nothing left out. Ends at the task's end or when `signal` says so.
 */
export async function* follow(request: FollowRequest): AsyncGenerator<LogEntry> {
  const { signal, after, tail } = request.options;
  let cursor = tail === undefined ? (after ?? 0) : after;
  let delayMs = RECONNECT_FIRST_MS;
  while (!signal?.aborted) {
    const socket = socketOf(request, cursor);
    let moved = false;
    for await (const text of socket.frames()) {
      const frame = JSON.parse(text) as Frame;
      if (frame.type === 'end') return;
      if (frame.type === 'error') throwFinal(frame.error);
      if (frame.type === 'caught_up') cursor = Math.max(cursor ?? 0, frame.last_seq);
      if (frame.type !== 'entries') continue;
      for (const wire of frame.entries) {
        if (cursor !== undefined && wire.seq <= cursor) continue;
        cursor = wire.seq;
        moved = true;
        yield entryOfWire(wire);
      }
    }
    if (signal?.aborted) return;
    if (!socket.opened) await probe(request);
    if (moved) {
      delayMs = RECONNECT_FIRST_MS;
      continue;
    }
    await pause(delayMs * (0.5 + Math.random() / 2), signal);
    delayMs = Math.min(delayMs * 2, RECONNECT_MAX_MS);
  }
}

function socketOf({ http, WebSocket, taskId, options }: FollowRequest, cursor: number | undefined): FrameSocket {
  const url = http.urlOf(`ws/logs/${encodeURIComponent(taskId)}`, {
    ...filterParams(options),
    ...(cursor === undefined ? { tail: String(options.tail) } : { after: String(cursor) }),
  });
  url.protocol = url.protocol.replace('http', 'ws');
  return new FrameSocket({ url, token: http.token, WebSocket, signal: options.signal });
}

/** A refused handshake tells a WebSocket nothing. The same question by HTTP tells why; a server that is just away is waited for. */
async function probe({ http, taskId, options }: FollowRequest): Promise<void> {
  try {
    await http.call('GET', `api/tasks/${encodeURIComponent(taskId)}`, { signal: options.signal });
  } catch (error) {
    if (options.signal?.aborted) return;
    if (!(error instanceof TrailError) || !ERRORS[error.code].retry) throw error;
  }
}

/** An error that a retry cannot mend ends the stream; after any other the server closes and we come again. */
function throwFinal(error: unknown): void {
  const told = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {};
  const code = typeof told.code === 'string' && told.code in ERRORS ? (told.code as ErrorCode) : 'internal';
  if (ERRORS[code].retry) return;
  const message = [told.detail, told.message, told.title, error].find((text) => typeof text === 'string');
  throw new TrailError(code, String(message ?? ERRORS[code].title));
}

function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, delayMs);
  signal?.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}
