import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** Up to here an answer is gathered and sent as one piece; what is longer leaves while it is made. */
const GATHERED_CHARS = 1024 * 1024;

/**
 * Answer with text that is made while it is taken. Whatever fails before the first megabyte is whole still becomes a problem
 * answer; a later fault cuts the connection, so that no one takes a part for the whole.
 */
export async function sendText(reply: FastifyReply, chunks: AsyncGenerator<string>): Promise<FastifyReply> {
  let gathered = '';
  while (gathered.length < GATHERED_CHARS) {
    const { value, done } = await chunks.next();
    if (done) return reply.send(gathered);
    gathered += value;
  }
  return reply.send(Readable.from(joined(gathered, chunks), { objectMode: false }));
}

async function* joined(first: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
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
  chunks: AsyncIterable<string>,
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
async function write(raw: ServerResponse, chunk: string): Promise<boolean> {
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
