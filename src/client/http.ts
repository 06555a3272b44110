import { ERRORS, type ErrorCode, type Fault, TrailError } from '../core/error.ts';

export interface ServerAddress {
  /** Where the server is, with its path prefix if it has one: `http://127.0.0.1:8000`. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
}

export interface Call {
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** An object goes as JSON. Text goes as `type` says. */
  readonly body?: object | string;
  /** Content type of a text body. */
  readonly type?: string;
  readonly key?: string | undefined;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** How long an answer may take. A commit under load may wait for its turn; a server that is gone should be noticed. */
const ANSWER_MS = 30_000;

/** The server's REST API: one call, one answer. Every failure is a `TrailError`. */
export class Http {
  readonly base: URL;
  readonly token: string | undefined;
  readonly #fetch: typeof globalThis.fetch;

  constructor(address: ServerAddress) {
    this.base = baseOf(address.url);
    this.token = address.token;
    this.#fetch = address.fetch ?? globalThis.fetch.bind(globalThis);
  }

  /**
   * Send a request and read the JSON answer.
   * @param path below the base, without a slash in front
   * @throws the code of the server's problem answer, or `server_unreachable`
   */
  async call<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const url = this.urlOf(path, call.query);
    const { timeoutMs = ANSWER_MS } = call;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = call.signal ? AbortSignal.any([timeout, call.signal]) : timeout;
    try {
      const body = typeof call.body === 'object' ? JSON.stringify(call.body) : call.body;
      const response = await this.#fetch(url, { method, headers: this.#headers(call), body: body ?? null, signal });
      const text = await response.text();
      if (!response.ok) throw problemOf(response.status, text, url);
      return (text === '' ? undefined : parsed(text, url)) as T;
    } catch (error) {
      if (error instanceof TrailError) throw error;
      if (call.signal?.aborted) throw call.signal.reason;
      throw unreachable(url, error, timeout.aborted ? timeoutMs : undefined);
    }
  }

  /** Resolves when a tasktrail server answers here, be it that it is unwell. Whatever else listens counts as no server. */
  async check(timeoutMs = ANSWER_MS): Promise<void> {
    const url = this.urlOf('health');
    const signal = AbortSignal.timeout(timeoutMs);
    let told: Record<string, unknown>;
    try {
      const response = await this.#fetch(url, { headers: this.#headers({}), signal });
      const text = await response.text();
      told = objectOf(text);
      if (!response.ok && 'code' in told) throw problemOf(response.status, text, url);
    } catch (error) {
      if (error instanceof TrailError) throw error;
      throw unreachable(url, error, signal.aborted ? timeoutMs : undefined);
    }
    if (told.service === 'tasktrail') return;
    throw new TrailError('server_unreachable', `expected a tasktrail server at ${url.origin}, something else answers`);
  }

  urlOf(path: string, query: Call['query'] = {}): URL {
    const url = new URL(path, this.base);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    return url;
  }

  #headers({ body, type, key }: Call): Record<string, string> {
    return {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': typeof body === 'object' ? 'application/json' : (type ?? '') }),
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(this.token && { authorization: `Bearer ${this.token}` }),
    };
  }
}

function baseOf(address: string): URL {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TrailError('invalid_setting', `url: expected http://… or https://…, got ${JSON.stringify(address)}`);
  }
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

function parsed(text: string, url: URL): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TrailError(
      'internal',
      `expected JSON from ${url.origin}, got something else; is it a tasktrail server?`,
      {
        cause: error,
      },
    );
  }
}

/** A problem answer (RFC 9457) as the error it stands for; what a proxy in between says is told by its status. */
function problemOf(status: number, text: string, url: URL): TrailError {
  const problem = objectOf(text);
  const { code, detail, title, errors } = problem;
  const message = [detail, title].find((told) => typeof told === 'string') ?? `${url.origin} answered ${status}`;
  const known = typeof code === 'string' && code in ERRORS ? (code as ErrorCode) : codeOfStatus(status);
  return new TrailError(known, String(message), Array.isArray(errors) ? { errors: errors as Fault[] } : {});
}

function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'not_found';
  if (status === 413) return 'body_too_large';
  if (status === 429) return 'buffer_full';
  if (status === 507) return 'storage_full';
  if (status === 502 || status === 503 || status === 504) return 'server_unreachable';
  return status < 500 ? 'invalid_request' : 'internal';
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function unreachable(url: URL, cause: unknown, waitedMs: number | undefined): TrailError {
  const why = waitedMs === undefined ? reason(cause) : `no answer within ${waitedMs / 1000} s`;
  return new TrailError('server_unreachable', `the server at ${url.origin} does not answer (${why}); is it running?`, {
    cause,
  });
}

/** `fetch` says only "fetch failed"; what happened stands in its cause. */
function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (typeof cause === 'object' && cause !== null && 'code' in cause) return String(cause.code);
  return cause instanceof Error ? cause.message : String(cause);
}
