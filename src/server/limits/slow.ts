import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { TrailError } from '../../core/error.ts';
import { HEADER_BYTES, HEADERS_MS, REQUEST_CHECK_MS, REQUEST_MS, STALLED_MS } from '../../core/limits.ts';
import { BARE_HEADERS } from '../headers.ts';
import type { ServerSettings } from '../parts.ts';
import { PROBLEM_TYPE, problemOf } from '../problem.ts';

/** How long a request may take to come in, as the framework wants to be told. */
export function arrivalTimes({ requestMs = REQUEST_MS, headersMs = HEADERS_MS }: ServerSettings) {
  const connectionsCheckingInterval = Math.min(REQUEST_CHECK_MS, headersMs / 4);
  return {
    requestTimeout: requestMs,
    http: { headersTimeout: headersMs, connectionsCheckingInterval, maxHeaderSize: HEADER_BYTES },
  };
}

/**
 * Cut readers that take nothing of what waits for them. A slow one takes a little now and then, and stays. The system moves the
 * timer on while bytes leave, so a dead one is found out after twice the time at most.
 */
export function cutStalled(app: FastifyInstance, { stalledMs = STALLED_MS }: ServerSettings): void {
  app.addHook('onRequest', async (_request, { raw }) => {
    raw.setTimeout(stalledMs, () => {
      // Nothing waits: it is our turn, not the reader's.
      if (raw.writableLength > 0) raw.destroy();
    });
  });
}

/** What is no HTTP, or came too slowly, never reaches a route. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(faultOf(error.code), randomUUID());
  const body = JSON.stringify(problem);
  const headers = {
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
    ...BARE_HEADERS,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines.join('')}\r\n${body}`);
}

function faultOf(code: string | undefined): TrailError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new TrailError('request_timeout', 'expected the whole request soon; send it faster, or in parts');
    case 'HPE_HEADER_OVERFLOW':
      return new TrailError('headers_too_large', `expected at most ${HEADER_BYTES} bytes of headers`);
    default:
      return new TrailError('invalid_request', 'expected HTTP/1.1, got something that cannot be parsed');
  }
}
