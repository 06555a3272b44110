import { TrailError } from '../core/error.ts';

export const SERVER_ROLES = ['all', 'api', 'worker', 'consumer'] as const;
export type ServerRole = (typeof SERVER_ROLES)[number];

/** What a server of some role does. Whatever it is, it may become the owner of the data directory. */
export interface Work {
  /** HTTP: the API, the page, webhooks. */
  readonly answers: boolean;
  readonly runsTasks: boolean;
  readonly readsEvents: boolean;
}

const WORK: Readonly<Record<ServerRole, Work>> = {
  all: { answers: true, runsTasks: true, readsEvents: true },
  api: { answers: true, runsTasks: false, readsEvents: false },
  worker: { answers: false, runsTasks: true, readsEvents: false },
  consumer: { answers: false, runsTasks: false, readsEvents: true },
};

interface Roled {
  readonly role: ServerRole;
  readonly redisUrl: string | undefined;
}

/** Throws `invalid_setting` for a part of the work without Redis, which would bring the other parts to nobody. */
export function workOf({ role, redisUrl }: Roled): Work {
  if (role === 'all' || redisUrl !== undefined) return WORK[role];
  throw new TrailError(
    'invalid_setting',
    `TASKTRAIL_ROLE: ${role} shares the work with other servers over Redis; set REDIS_URL, or use all`,
  );
}
