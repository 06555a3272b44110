import { connect, type Socket } from 'node:net';

/** Bytes of a frame's beginning and end that are looked at; the first and the last line's number stand there. */
const EDGE_BYTES = 512;
/** Shared by all sockets of the process: what came is looked at before the next is read. */
const SHARED = Buffer.allocUnsafeSlow(256 * 1024);
const SEQ = /"seq":(\d+)/;

/** A frame of lines. `text` only where it was asked for. */
export interface Frame {
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
  readonly text: string;
}

export interface ViewerOptions {
  readonly url: string;
  /** `sse`: chunks of an HTTP answer; a server that pours pages makes one of each. */
  readonly way: 'ws' | 'sse';
  readonly take: (frame: Frame) => void;
  /** Keep the text of frames. */
  readonly whole?: boolean;
}

/**
 * A viewer that costs little: it finds the first and the last number of each frame and skips what is between, so that hundreds
 * of them in one process do not measure their own parsing.
 */
export class Viewer {
  readonly socket: Socket;
  /** Resolves when the server has answered that it streams. */
  readonly opened: Promise<void>;
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
  readonly #options: ViewerOptions;
  readonly #opening = Promise.withResolvers<void>();
  readonly #head = Buffer.alloc(EDGE_BYTES);
  #headBytes = 0;
  #tail = Buffer.alloc(0);
  #parts: Buffer[] = [];
  /** Undefined until the answer's own header is over. */
  #left: number | undefined;
  #bytes = 0;
  #counts = false;
  #waiting = Buffer.alloc(0);

  constructor(options: ViewerOptions) {
    this.#options = options;
    const { host, hostname, port, pathname, search } = new URL(options.url);
    this.socket = connect({ host: hostname, port: Number(port), onread: { buffer: SHARED, callback: this.#onBytes } });
    this.opened = this.#opening.promise;
    this.ended = new Promise((resolve) => this.socket.once('close', () => resolve()));
    this.socket.on('error', this.#opening.reject);
    const headers =
      options.way === 'ws'
        ? [
            'Upgrade: websocket',
            'Connection: Upgrade',
            'Sec-WebSocket-Version: 13',
            'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          ]
        : ['Accept: text/event-stream'];
    this.socket.write([`GET ${pathname}${search} HTTP/1.1`, `Host: ${host}`, ...headers, '', ''].join('\r\n'));
  }

  readonly #onBytes = (length: number): boolean => {
    let bytes: Buffer = SHARED.subarray(0, length);
    if (this.#waiting.length > 0) {
      bytes = Buffer.concat([this.#waiting, bytes]);
      this.#waiting = Buffer.alloc(0);
    }
    for (let at = 0; at < bytes.length; ) {
      if (this.#left === undefined || this.#left === 0) {
        const start = this.#left === undefined ? this.#answer(bytes) : this.#frame(bytes, at);
        if (start === undefined) {
          this.#waiting = Buffer.from(bytes.subarray(at));
          return true;
        }
        at = start;
      } else {
        const part = bytes.subarray(at, at + this.#left);
        this.#payload(part);
        at += part.length;
      }
    }
    return true;
  };

  /** Over the header of the answer; undefined when it is not whole. */
  #answer(bytes: Buffer): number | undefined {
    const end = bytes.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const status = bytes.toString('latin1', 9, 12);
    if (status === '101' || status === '200') this.#opening.resolve();
    else this.#opening.reject(new Error(`expected a stream, got ${bytes.toString()}`));
    this.#left = 0;
    return end + 4;
  }

  /** Over the header of a frame. */
  #frame(bytes: Buffer, at: number): number | undefined {
    return this.#options.way === 'ws' ? this.#wsFrame(bytes, at) : this.#chunk(bytes, at);
  }

  #wsFrame(bytes: Buffer, at: number): number | undefined {
    if (bytes.length < at + 2) return undefined;
    const opcode = (bytes[at] ?? 0) & 0x0f;
    const short = bytes[at + 1] ?? 0;
    const start = at + (short === 127 ? 10 : short === 126 ? 4 : 2);
    if (bytes.length < start) return undefined;
    const length = short === 127 ? bytes.readUIntBE(at + 4, 6) : short === 126 ? bytes.readUInt16BE(at + 2) : short;
    if (opcode === 8) this.socket.destroy();
    this.#begin(length, opcode === 1);
    return start;
  }

  #chunk(bytes: Buffer, at: number): number | undefined {
    // Each chunk ends with a line break of its own.
    const from = bytes[at] === 0x0d ? at + 2 : at;
    const end = bytes.indexOf('\r\n', from);
    if (end === -1) return undefined;
    const length = Number.parseInt(bytes.toString('latin1', from, end), 16);
    if (length === 0) this.socket.destroy();
    this.#begin(length, true);
    return length === 0 ? bytes.length : end + 2;
  }

  #begin(length: number, counts: boolean): void {
    this.#left = length;
    this.#bytes = length;
    this.#counts = counts;
    this.#headBytes = 0;
    this.#tail = Buffer.alloc(0);
    this.#parts = [];
  }

  #payload(part: Buffer): void {
    this.#left = (this.#left ?? 0) - part.length;
    if (this.#headBytes < EDGE_BYTES) this.#headBytes += part.copy(this.#head, this.#headBytes);
    if (this.#left < EDGE_BYTES) {
      this.#tail = Buffer.concat([this.#tail, part.subarray(-EDGE_BYTES - this.#left)]);
    }
    if (this.#options.whole) this.#parts.push(Buffer.from(part));
    if (this.#left === 0 && this.#counts) this.#whole();
  }

  #whole(): void {
    const first = SEQ.exec(this.#head.toString('latin1', 0, this.#headBytes))?.[1];
    // A frame of control has no lines.
    if (first === undefined) return;
    const tail = this.#tail.toString('latin1');
    const last = SEQ.exec(tail.slice(tail.lastIndexOf('"seq":')))?.[1];
    const text = Buffer.concat(this.#parts).toString();
    this.#options.take({ first: Number(first), last: Number(last), bytes: this.#bytes, text });
  }
}

/** Milliseconds of a clock that all processes of the machine share. */
export function sharedMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
