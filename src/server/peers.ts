import type { WebSocket } from 'ws';

/** Waiting to leave by one socket, in bytes: above it nothing but what was asked for is sent. */
const WAITING_BYTES = 64 * 1024;

/** One open socket: sends at its pace and knows when it last gave a sign of life. */
export class Peer {
  readonly socket: WebSocket;
  signAtMs = performance.now();

  constructor(socket: WebSocket) {
    this.socket = socket;
    for (const event of ['message', 'pong'] as const) socket.on(event, () => this.#sign());
  }

  /** Resolves when the frame has left, so that one frame waits at most; false when there is nobody to send to any more. */
  send(frame: string | Buffer): Promise<boolean> {
    return new Promise((resolve) => {
      this.socket.send(frame, { binary: false }, (error) => {
        if (!error) this.#sign();
        resolve(!error);
      });
    });
  }

  /** Answer a small question; a peer that asks without reading gets no more answers than it has room for. */
  answer(frame: string): void {
    if (this.socket.bufferedAmount < WAITING_BYTES) this.socket.send(frame, () => {});
  }

  #sign(): void {
    this.signAtMs = performance.now();
  }
}

/**
 * All open sockets: each is pinged every `everyMs` and ended when it gave no sign for two of them, so that a dead peer is gone
 * after three at most.
 */
export class Peers {
  readonly #peers = new Set<Peer>();
  readonly #everyMs: number;
  readonly #timer: NodeJS.Timeout;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
    this.#timer = setInterval(() => this.#beat(), everyMs);
    this.#timer.unref();
  }

  get size(): number {
    return this.#peers.size;
  }

  add(socket: WebSocket): Peer {
    const peer = new Peer(socket);
    this.#peers.add(peer);
    socket.once('close', () => this.#peers.delete(peer));
    return peer;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#peers) socket.close(1001, 'the server stops');
  }

  #beat(): void {
    const silentSince = performance.now() - 2 * this.#everyMs;
    for (const { socket, signAtMs } of this.#peers) {
      if (signAtMs <= silentSince) socket.terminate();
      else if (socket.readyState === socket.OPEN) socket.ping();
    }
  }
}
