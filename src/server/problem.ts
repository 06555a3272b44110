import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, type ErrorCode, type Fault, TrailError } from '../core/error.ts';

/** RFC 9457: how every failure leaves this server. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly request_id: string;
  readonly errors?: readonly Fault[];
}

export const PROBLEM_TYPE = 'application/problem+json';

/** The framework's own errors by our names (https://fastify.dev/docs/latest/Reference/Errors). */
const FRAMEWORK: ReadonlyMap<string, ErrorCode> = new Map([
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', 'unsupported_media_type'],
  ['FST_ERR_CTP_BODY_TOO_LARGE', 'body_too_large'],
  ['FST_ERR_NOT_FOUND', 'not_found'],
]);
/** What else comes with a status only, from the framework or a plugin. */
const BY_STATUS: ReadonlyMap<number, ErrorCode> = new Map([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not_found'],
  [405, 'method_not_allowed'],
  [406, 'not_acceptable'],
  [413, 'body_too_large'],
  [415, 'unsupported_media_type'],
]);

/** Answer a failure. Detail of a fault of ours goes to the log, not to the caller: it may name paths. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = knownError(error);
  const problem = problemOf(known, request.id);
  if (problem.status >= 500) request.log.error({ err: error, code: known.code }, 'request failed');
  if (ERRORS[known.code].retry && !reply.hasHeader('retry-after')) reply.header('retry-after', '1');
  if (known.code === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="tasktrail"');
  return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
}

export function problemOf(error: unknown, requestId: string): Problem {
  const { code, message, errors } = knownError(error);
  const { status, title, retry } = ERRORS[code];
  const hidden = `${title}; ${retry ? 'try again soon' : 'the server log has the cause'} under this request_id`;
  return {
    type: `urn:tasktrail:error:${code}`,
    title,
    status,
    detail: isHidden(code, status) ? hidden : message,
    code,
    request_id: requestId,
    ...(errors && status < 500 && { errors }),
  };
}

/** What went wrong inside is the log's; what we do not offer, or are not set up for, is no secret. */
function isHidden(code: ErrorCode, status: number): boolean {
  return status >= 500 && code !== 'not_implemented' && code !== 'webhook_not_configured';
}

function knownError(error: unknown): TrailError {
  if (error instanceof TrailError) return error;
  const { code = '', statusCode = 500, message = 'unknown' } = error as Partial<FastifyError>;
  const ours =
    FRAMEWORK.get(code) ?? BY_STATUS.get(statusCode) ?? (isCallers(statusCode) ? 'invalid_request' : 'internal');
  const detail = ours === 'unsupported_media_type' ? 'expected the content type application/json' : message;
  return new TrailError(ours, detail, { cause: error });
}

function isCallers(statusCode: number): boolean {
  return statusCode >= 400 && statusCode < 500;
}
