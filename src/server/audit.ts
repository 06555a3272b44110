import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Actor, AuditDraft, AuditOutcome } from '../core/audit.ts';
import type { JsonObject } from '../core/entry.ts';
import { asTrailError } from '../core/error.ts';
import { AUDIT_REFUSALS_MINUTE } from '../core/limits.ts';
import type { Intake } from '../core/ports.ts';
import type { Clock } from '../core/time.ts';

/** What a route adds to its record once it knows it. */
export interface AuditNote {
  /** Instead of the route's. */
  readonly action?: string;
  readonly type?: string;
  readonly id?: string;
  readonly details?: JsonObject;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** False: nothing was changed after all. */
    audited: AuditNote | false | null;
    /** Code of the problem that is answered. */
    fault: string | null;
  }
  interface FastifyContextConfig {
    /** What a route that changes something is called in the audit, `task.delete`; or why it is not written there. */
    audit?: string | { readonly none: string };
  }
}

interface AuditParts {
  readonly intake: Pick<Intake, 'audit'>;
  readonly clock: Clock;
}

const MINUTE_MS = 60_000;

/** Write down who changed what, after the change and before its answer: who is answered knows that it is on record. */
export function keepAudit(app: FastifyInstance, { intake, clock }: AuditParts): void {
  const refusals = new Refusals(clock);
  app.decorateRequest('audited', null);
  app.decorateRequest('fault', null);
  app.addHook('onError', async (request, _reply, error) => {
    request.fault = asTrailError(error).code;
  });
  app.addHook('onSend', async (request, { statusCode }) => {
    const { audit: rule, open } = request.routeOptions.config;
    const { audited } = request;
    // Once: an error in here is answered through this hook again.
    request.audited = false;
    if (rule === undefined || audited === false) return;
    // Where people sign in, nobody is refused for a role.
    if (statusCode === 403 || (statusCode === 401 && typeof rule === 'string' && open)) {
      const left = refusals.admit();
      if (left === null) return;
      // Whoever is refused learns that, whether or not it could be written down.
      await intake
        .audit(refusalOf(request, left))
        .catch((error) => request.log.warn({ err: error }, 'not in the audit'));
    } else if (typeof rule === 'string' && (statusCode < 400 || statusCode >= 500)) {
      await intake.audit(recordOf(request, { ...audited, rule }, statusCode < 400 ? 'done' : 'failed'));
    }
  });
}

function recordOf(
  request: FastifyRequest,
  { rule, action = rule, type, id, details }: AuditNote & { readonly rule: string },
  outcome: AuditOutcome,
): AuditDraft {
  return {
    actor: actorOf(request),
    action,
    target: { type: type ?? typeOf(rule), id: id ?? firstParam(request) },
    requestId: request.id,
    outcome,
    details: outcome === 'failed' ? { code: request.fault } : (details ?? null),
  };
}

function refusalOf(request: FastifyRequest, left: number): AuditDraft {
  const { config, url = '' } = request.routeOptions;
  const action = typeof config.audit === 'string' ? config.audit : 'request';
  const route = `${request.method} ${url}`;
  return {
    actor: actorOf(request),
    action,
    target: { type: action === 'request' ? 'route' : typeOf(action), id: firstParam(request) },
    requestId: request.id,
    outcome: 'refused',
    details: { route, code: request.fault, ...(left > 0 && { not_recorded: left }) },
  };
}

/** Who asks, as well as it is known. */
function actorOf({ caller, ip }: FastifyRequest): Actor {
  if (caller === null) return { kind: 'unknown', name: null, role: null, address: ip };
  return { kind: caller.kind, name: caller.name, role: caller.role, address: ip };
}

function typeOf(action: string): string {
  return action.split('.', 1)[0] ?? action;
}

function firstParam({ params }: FastifyRequest): string | null {
  const [first] = Object.values((params ?? {}) as Record<string, string>);
  return first ?? null;
}

/** So many refusals are written in a minute; the next one says how many were not, so that a flood cannot push out what counts. */
class Refusals {
  readonly #clock: Clock;
  #minute = 0;
  #written = 0;
  #left = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many were left out before this one; null: leave out this one too. */
  admit(): number | null {
    const minute = Math.floor(this.#clock.now() / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#written = 0;
    }
    if (this.#written >= AUDIT_REFUSALS_MINUTE) {
      this.#left += 1;
      return null;
    }
    this.#written += 1;
    const left = this.#left;
    this.#left = 0;
    return left;
  }
}
