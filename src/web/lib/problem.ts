import type { Fault } from '../../core/error.ts';

/** What went wrong with a request, in the server's words where it had any. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  /** Each field that is wrong, and why. */
  readonly faults: readonly Fault[];

  constructor(
    facts: { status: number; code: string; message: string; requestId?: string | null; faults?: readonly Fault[] },
    options?: ErrorOptions,
  ) {
    super(facts.message, options);
    this.status = facts.status;
    this.code = facts.code;
    this.requestId = facts.requestId ?? null;
    this.faults = facts.faults ?? [];
  }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Problem({ status: 0, code: 'internal', message }, { cause: error });
}

/** A problem answer (RFC 9457); a proxy in between may answer something else. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  const { detail, title, code, request_id, errors } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  return new Problem({
    status: response.status,
    code: typeof code === 'string' ? code : `http_${response.status}`,
    message: [detail, title].find((text) => typeof text === 'string') ?? `The server answered ${response.status}.`,
    requestId: typeof request_id === 'string' ? request_id : null,
    faults: Array.isArray(errors) ? (errors as readonly Fault[]) : [],
  });
}
