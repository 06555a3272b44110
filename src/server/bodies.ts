import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { TrailError } from '../core/error.ts';
import { BODY_BYTES, BUFFER_BYTES, INFLATION_FREE_BYTES, INFLATION_RATIO, JSON_DEPTH } from '../core/limits.ts';
import { deeper } from '../intake/normalise.ts';

/** 8 MiB. */
const ZSTD_WINDOW_LOG = 23;
/** A longer body is gathered as it comes, whatever length it claims. */
const AT_ONCE_BYTES = 8 * 1024 * 1024;
const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

/** JSON bodies become values; no other content type is read. */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', async (request: FastifyRequest, payload: Readable) => {
    const bytes = await readBody(payload, request.headers);
    return bytes.length === 0 ? undefined : parseJson(bytes);
  });
}

/** JSON and NDJSON bodies stay bytes: the thread that stores them reads them. */
export function keepBodiesAsBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(['application/json', ...NDJSON_TYPES], async (request: FastifyRequest, payload: Readable) =>
    readBody(payload, request.headers),
  );
}

/**
 * Any body stays bytes, whatever it says that it is: what is signed is not parsed before. Strangers may send here, so nothing is
 * inflated, and what is being read at once is bounded.
 */
export function keepAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  let reading = 0;
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: Readable) => {
    if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new TrailError('unsupported_media_type', 'Content-Encoding: expected none, as providers send');
    }
    // Without a length it may be as long as any.
    const bytes = Number(request.headers['content-length'] ?? BODY_BYTES);
    if (reading > 0 && reading + bytes > BUFFER_BYTES) {
      throw new TrailError('buffer_full', 'too much is being received; send it again in a second');
    }
    reading += bytes;
    try {
      return await readBody(payload, request.headers);
    } finally {
      reading -= bytes;
    }
  });
}

/** For routes whose fields may all be left out: no body is an empty object. */
export async function emptyBodyAllowed(request: FastifyRequest): Promise<void> {
  if (request.body === undefined) request.body = {};
}

export function isNdjson(request: FastifyRequest): boolean {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  return NDJSON_TYPES.includes(type ?? '');
}

/** All bytes of a body, inflated. A body that grows over the limit is given up at once, however small it came. */
async function readBody(payload: Readable, headers: IncomingHttpHeaders): Promise<Buffer> {
  if (Number(headers['content-length']) > BODY_BYTES) throw tooLarge();
  const inflater = inflaterOf(headers['content-encoding']);
  if (inflater) return inflated(payload, inflater);
  const bytes = Number(headers['content-length']);
  return bytes <= AT_ONCE_BYTES ? collectedIn(Buffer.allocUnsafeSlow(bytes), payload) : collected(payload, payload);
}

/** A body whose length is told, put into its place as it comes: gathered first, it would take twice the memory. */
function collectedIn(body: Buffer, payload: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    const settle = (error?: Error): void => {
      payload.off('data', onData).off('end', onEnd).off('error', settle).off('close', onClose);
      payload.on('error', () => {});
      if (error) reject(error);
      else resolve(body);
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.copy(body, bytes);
    };
    const onClose = (): void => settle(new TrailError('invalid_request', 'the body ended before it was whole'));
    const onEnd = (): void => (bytes === body.length ? settle() : onClose());
    payload.on('data', onData).on('end', onEnd).on('error', settle).on('close', onClose);
  });
}

async function inflated(payload: Readable, inflater: Inflater): Promise<Buffer> {
  payload.on('error', (error) => inflater.destroy(error));
  payload.pipe(inflater);
  try {
    return await collected(inflater, payload);
  } catch (error) {
    if (error instanceof TrailError) throw error;
    throw new TrailError(
      'invalid_request',
      'expected a body in the encoding that Content-Encoding names, got damaged data',
      {
        cause: error,
      },
    );
  } finally {
    payload.unpipe(inflater);
    inflater.destroy();
  }
}

type Inflater = ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>;

function inflaterOf(encoding: string | undefined): Inflater | undefined {
  switch (encoding?.trim().toLowerCase() ?? 'identity') {
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'zstd':
      // A stranger's window is memory of ours: no larger than https://www.rfc-editor.org/rfc/rfc9659 lets it be.
      return createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } });
    default:
      throw new TrailError(
        'unsupported_media_type',
        `Content-Encoding: expected gzip or zstd, got ${JSON.stringify(encoding)}`,
      );
  }
}

/** `payload` is left whole when the limit bites, so that the answer can still leave by its socket. */
function collected(source: Readable, payload: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (error?: Error): void => {
      source.off('data', onData).off('end', onEnd).off('error', settle).off('close', onClose);
      payload.off('data', onEncoded);
      // A late error of the same stream must not be an uncaught one.
      source.on('error', () => {});
      if (error) reject(error);
      else resolve(Buffer.concat(chunks, bytes));
    };
    let encodedBytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > BODY_BYTES) settle(tooLarge());
      else if (source !== payload && bytes > allowedBytes(encodedBytes)) settle(inflatesTooFar());
      else chunks.push(chunk);
    };
    const onEncoded = (chunk: Buffer): void => {
      encodedBytes += chunk.length;
      if (encodedBytes > BODY_BYTES) settle(tooLarge());
    };
    const onEnd = (): void => settle();
    const onClose = (): void => settle(new TrailError('invalid_request', 'the body ended before it was whole'));
    source.on('data', onData).on('end', onEnd).on('error', settle).on('close', onClose);
    if (source !== payload) payload.on('data', onEncoded);
  });
}

/** What so many encoded bytes may inflate to. */
function allowedBytes(encodedBytes: number): number {
  return Math.max(INFLATION_FREE_BYTES, encodedBytes * INFLATION_RATIO);
}

function inflatesTooFar(): TrailError {
  return new TrailError(
    'body_inflates_too_far',
    `expected a body that inflates to at most ${INFLATION_RATIO} times its size; send it uncompressed`,
  );
}

function tooLarge(): TrailError {
  return new TrailError(
    'body_too_large',
    `expected a body of at most ${BODY_BYTES} bytes when inflated; send it in parts`,
  );
}

/** Parse without taking `__proto__` for anything but a name: `JSON.parse` keeps it as a key of its own. */
function parseJson(bytes: Buffer): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    // The parser quotes the text around the fault; only the place leaves.
    const place = /position \d+/.exec(message)?.[0] ?? 'its end';
    throw new TrailError('invalid_json', `expected JSON, got something else at ${place}`, { cause: error });
  }
  if (deeper(value, JSON_DEPTH)) {
    throw new TrailError('nested_too_deep', `expected at most ${JSON_DEPTH} levels of nesting, got more`);
  }
  return value;
}
