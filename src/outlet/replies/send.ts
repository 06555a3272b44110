import { setTimeout as delay } from 'node:timers/promises';
import type { Response } from 'undici';
import { RETRY_FIRST_MS, RETRY_MAX_MS } from '../../core/limits.ts';
import { dispatch, type Outgoing } from '../outbound/dispatch.ts';
import { CLOSED, type NamedBy, type Outbound, Refused } from '../outbound/outbound.ts';

/** `reason` is for people and names neither address nor token. `stopped`: we stopped it, so it may be sent later. */
export type Sent =
  | { readonly ok: true; readonly status: number }
  | { readonly ok: false; readonly reason: string; readonly stopped?: true };

export interface SendOptions {
  /** Whose idea the address is (default: of others). */
  readonly namedBy?: NamedBy;
  /** What may be reached besides the open network (default: nothing). */
  readonly outbound?: Outbound | undefined;
  /** Most redirects that are followed (default: none). */
  readonly redirects?: number;
  readonly signal?: AbortSignal | undefined;
  /** Longest time of one try. */
  readonly timeoutMs?: number;
  /** How often it is tried in all, where another try may help (default 1). */
  readonly tries?: number;
  /** It goes to Slack, which answers 200 to what it refuses and says so in the body. What others say there is their affair. */
  readonly isSlack?: boolean;
}

type Tried = Sent & { readonly again?: true; readonly afterMs?: number | undefined };

const TIMEOUT_MS = 10_000;
/** Who asks for a longer pause than this is not asked again. */
const AFTER_MAX_MS = 30_000;
/** As much of an answer as is looked at. */
const ANSWER_BYTES = 64 * 1024;

/** Send a request, and say what came of it. Never throws. Tokens are for the address that was set, so what bears one follows no redirect. */
export async function send(request: Outgoing, options: SendOptions = {}): Promise<Sent> {
  const { signal, tries = 1 } = options;
  for (let tried = 1; ; tried++) {
    const { again, afterMs, ...sent } = await trySending(request, options);
    if (!again || tried >= tries) return sent;
    const pauseMs = afterMs ?? Math.min(RETRY_FIRST_MS * 2 ** (tried - 1), RETRY_MAX_MS);
    if (pauseMs > AFTER_MAX_MS) return sent;
    try {
      await delay(pauseMs, undefined, signal && { signal });
    } catch {
      return STOPPED;
    }
  }
}

const STOPPED = { ok: false, reason: 'stopped', stopped: true } as const;

async function trySending(request: Outgoing, options: SendOptions): Promise<Tried> {
  const { signal, timeoutMs = TIMEOUT_MS, isSlack = false } = options;
  const { namedBy = 'others', outbound = CLOSED, redirects = 0 } = options;
  const timeout = AbortSignal.timeout(timeoutMs);
  const within = AbortSignal.any([timeout, ...(signal ? [signal] : [])]);
  try {
    return await dispatch(request, { namedBy, outbound, redirects, signal: within }, async (response) => {
      const answer = await answerOf(response);
      return judged(response, isSlack ? slackFault(answer) : null);
    });
  } catch (error) {
    if (signal?.aborted) return STOPPED;
    const refused = [error, (error as Error).cause].find((one) => one instanceof Refused);
    if (refused) return { ok: false, reason: `not sent: ${refused.message}` };
    if (timeout.aborted) return { ok: false, reason: `no answer within ${timeoutMs / 1000} s`, again: true };
    return { ok: false, reason: networkFault(error), again: true };
  }
}

function judged({ ok, status, headers }: Response, fault: string | null): Tried {
  if (ok) return fault === null ? { ok: true, status } : { ok: false, reason: `refused: ${fault}` };
  if (status >= 300 && status < 400) return { ok: false, reason: `HTTP ${status}: such a redirect is not followed` };
  const afterMs = retryAfterMs(headers.get('retry-after'));
  // GitHub says 403 to who asks too often, and when to come again.
  const again = status === 429 || status >= 500 || (status === 403 && afterMs !== undefined);
  return { ok: false, reason: `HTTP ${status}`, ...(again && { again, afterMs }) };
}

/** The start of an answer. Reading it to its end lets the connection be used again. */
async function answerOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_BYTES) break;
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

function slackFault(answer: string): string | null {
  try {
    const said = JSON.parse(answer) as { readonly ok?: unknown; readonly error?: unknown } | null;
    if (said?.ok !== false) return null;
    return typeof said.error === 'string' && /^[a-z0-9_]{1,60}$/.test(said.error) ? said.error : 'no reason given';
  } catch {
    // An incoming webhook says `ok`.
    return null;
  }
}

/** Only the code: a message may hold what was sent. */
function networkFault(error: unknown): string {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return typeof cause?.code === 'string' && /^[A-Z0-9_]{1,60}$/.test(cause.code) ? cause.code : 'it could not be sent';
}

function retryAfterMs(value: string | null): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
