import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** Text, or its bytes. */
type Piece = string | Uint8Array;

/** Up to here an answer is gathered and sent as one piece; what is longer leaves while it is made. */
const GATHERED_LENGTH = 1024 * 1024;

/**
 * Answer with text that is made while it is taken. Whatever fails before the first megabyte is whole still becomes a problem
 * answer; a later fault cuts the connection, so that no one takes a part for the whole.
 */
export async function sendText(reply: FastifyReply, chunks: AsyncGenerator<Piece>): Promise<FastifyReply> {
  const gathered: Piece[] = [];
  for (let length = 0; length < GATHERED_LENGTH; ) {
    const { value, done } = await chunks.next();
    if (done) return reply.send(joined(gathered));
    gathered.push(value);
    length += value.length;
  }
  return reply.send(Readable.from(followed(joined(gathered), chunks), { objectMode: false }));
}

function joined(pieces: readonly Piece[]): Piece {
  if (pieces.every((piece) => typeof piece === 'string')) return pieces.join('');
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
}

async function* followed(first: Piece, rest: AsyncGenerator<Piece>): AsyncGenerator<Piece> {
  yield first;
  yield* rest;
}

/**
 * Take over the connection and write each chunk at the reader's pace: nothing is made before the last one has left, so a slow
 * reader holds one chunk.
 */
export async function pour(
  reply: FastifyReply,
  headers: Readonly<Record<string, string>>,
  chunks: AsyncIterable<Piece>,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...headers });
  raw.flushHeaders();
  try {
    if (reply.request.method !== 'HEAD') {
      for await (const chunk of chunks) if (!(await write(raw, chunk))) return;
    }
    raw.end();
  } catch (error) {
    reply.request.log.warn({ err: error }, 'stream cut');
    raw.destroy();
  }
}

/** Resolves when there is room for more; false when there is nobody to write to any more. */
async function write(raw: ServerResponse, chunk: Piece): Promise<boolean> {
  if (raw.destroyed) return false;
  if (raw.write(chunk)) return true;
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(raw, 'drain', { signal }), once(raw, 'close', { signal })]);
    return !raw.destroyed;
  } finally {
    settled.abort();
  }
}
