import type { FastifyBaseLogger, FastifyContextConfig, FastifyInstance } from 'fastify';
import type { AlertControl } from '../core/alert.ts';
import type { Role } from '../core/credential.ts';
import type { Live } from '../core/live.ts';
import type { LoggingControl } from '../core/logging.ts';
import type { TaskRuns } from '../core/plugin.ts';
import type { Intake, StoreReader } from '../core/ports.ts';
import type { RedactionRule } from '../core/redaction.ts';
import type { Clock } from '../core/time.ts';
import type { Webhooks } from '../inlet/webhooks/index.ts';

export interface Token {
  readonly role: Role;
  readonly token: string;
  readonly name?: string;
}

export interface ServerSettings {
  /** Base of links, with its path prefix. */
  readonly publicUrl?: string;
  /** Host names that are answered besides the loopback ones, without port. */
  readonly allowedHosts: readonly string[];
  /** Origins that may send besides our own. */
  readonly allowedOrigins: readonly string[];
  /** Addresses of proxies whose `X-Forwarded-*` headers count. */
  readonly trustProxy?: string | readonly string[];
  /** Requests a minute of one caller, by which all rates are measured (default RATE_REQUESTS); 0 counts none. */
  readonly rateLimit?: number;
  /** How long a request may take to come in, and its headers (default REQUEST_MS, HEADERS_MS). */
  readonly requestMs?: number;
  readonly headersMs?: number;
  /** After how long a reader is cut that takes nothing (default STALLED_MS). */
  readonly stalledMs?: number;
  /** Empty: a caller on loopback is admin, unless stored tokens close that too (`auth/access.ts`). */
  readonly tokens: readonly Token[];
  /** Admin token of this run, for programs of the same user. */
  readonly localToken?: string;
  /** The server listens on loopback only. */
  readonly loopback: boolean;
  /** Deletes by age and by size, as the owner's housekeeping does (default 0: neither). */
  readonly retentionDays?: number;
  readonly maxBytes?: number;
  /** Compresses so many days after the end (default 0: never). */
  readonly compressAfterDays?: number;
  /** Rules of one's own for what is masked. */
  readonly redactionRules?: readonly RedactionRule[];
  /** How often streams send a heartbeat and sockets a ping (default HEARTBEAT_MS). */
  readonly heartbeatMs?: number;
}

/** How the parts are doing. `healthy` is false when the store cannot commit. */
export interface Health {
  readonly healthy: boolean;
  /** Name of the store, such as `sqlite`. */
  readonly store: string;
  /** State of Redis; null when it is not switched on. */
  readonly redis: string | null;
}

/** What lies beside the store; null is what cannot be told, or is not there. */
export interface Room {
  readonly diskBytes: number | null;
  readonly diskFreeBytes: number | null;
  readonly walBytes: number | null;
  /** Batches of `tasktrail run` that wait to be delivered. */
  readonly spoolBatches: number | null;
}

/** Events of other systems; null is what cannot be told now, or not here. */
export interface EventFigures {
  /** Delivered, and not yet acknowledged. */
  readonly pending: number | null;
  /** Not yet delivered. */
  readonly lag: number | null;
  /** Put aside, because they cannot be applied. */
  readonly dead: number | null;
  /** Counted by this process. */
  readonly processed: number | null;
  readonly lost: number | null;
}

export interface ServerParts {
  readonly store: StoreReader;
  readonly intake: Intake;
  readonly live: Live;
  /** Runs plugins as tasks. */
  readonly tasks: TaskRuns;
  readonly logging: LoggingControl;
  readonly webhooks: Webhooks;
  readonly alerts: AlertControl;
  readonly settings: ServerSettings;
  readonly version: string;
  health(): Health | Promise<Health>;
  readonly clock: Clock;
  /** Signs links to tasks; kept beside the data. */
  readonly signingKey: Buffer;
  /** Writes of task directories that failed since the start; null where none are written here. */
  readonly directoryFailures?: () => number | null;
  /** Nothing where the store lies in memory. */
  readonly room?: () => Promise<Room>;
  /** What there is of events of other systems; nothing where none are taken in. */
  readonly eventFigures?: () => Promise<EventFigures>;
  /** Directory of the built page; without it `/` says how to get it. */
  readonly webDir?: string;
  /** ReDoc's bundle; without it `/redoc` is not offered. */
  readonly redocFile?: string;
  readonly logger?: FastifyBaseLogger;
}

/** A route, with what it says of itself. */
export interface RouteFacts {
  readonly method: string;
  readonly url: string;
  config(): FastifyContextConfig;
}

export interface TrailServer {
  /** The Fastify instance, for what wants to inject or to add routes. */
  readonly app: FastifyInstance;
  /** What it answers, and to whom. */
  readonly routes: readonly RouteFacts[];
  /** Answers where it really listens: port 0 takes a free one. */
  listen(at: {
    readonly host: string;
    readonly port: number;
  }): Promise<{ readonly url: string; readonly port: number }>;
  /** Tell followers, finish requests under way, let go of the port. Safe to call twice. */
  close(): Promise<void>;
}
