import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Access } from './auth/access.ts';
import type { Inflow } from './inflow.ts';
import type { Streams } from './limits/streams.ts';
import type { ServerParts } from './parts.ts';
import type { Turns } from './turns.ts';

/** What every route file gets. */
export interface Context extends ServerParts {
  /** Aborts when the server closes: streams end, so that their readers come back to its successor. */
  readonly closing: AbortSignal;
  readonly heartbeatMs: number;
  /** Who may in. */
  readonly access: Access;
  readonly inflow: Inflow;
  /** What is open for long. */
  readonly streams: Streams;
  /** Searches, of which few run at a time. */
  readonly searches: Turns;
  /** Lines that came in by HTTP since the start. */
  readonly counters: { filtered: number };
}

/** A place for routes whose schemas are TypeBox. */
export type Scope = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export type Routes = (scope: Scope, context: Context) => void;
