import { TrailError } from './error.ts';

export const STATUSES = [
  'queued',
  'discovering',
  'pending_approval',
  'approved',
  'rejected',
  'executing',
  'awaiting_input',
  'paused',
  'completed',
  'failed',
  'cancelled',
  'timed_out',
] as const;
export type Status = (typeof STATUSES)[number];

const ENDED: ReadonlySet<Status> = new Set(['rejected', 'completed', 'failed', 'cancelled', 'timed_out']);
const ALIASES: ReadonlyMap<string, Status> = new Map([
  ...STATUSES.map((status) => [status, status] as const),
  ['pending', 'queued'],
  ['running', 'executing'],
  ['success', 'completed'],
  ['waiting_input', 'awaiting_input'],
]);

const ENDINGS: readonly Status[] = ['completed', 'failed', 'cancelled', 'timed_out'];
/** Which status may follow which. An ended task moves only when it is reopened: a reporter that was thought gone comes back. */
export const MOVES: Readonly<Record<Status, readonly Status[]>> = {
  queued: ['discovering', 'pending_approval', 'executing', 'paused', ...ENDINGS],
  discovering: ['pending_approval', 'executing', 'awaiting_input', 'paused', 'queued', ...ENDINGS],
  pending_approval: ['approved', 'rejected', 'queued', ...ENDINGS],
  approved: ['queued', 'executing', ...ENDINGS],
  executing: ['pending_approval', 'awaiting_input', 'paused', 'queued', ...ENDINGS],
  awaiting_input: ['executing', 'discovering', 'paused', 'queued', ...ENDINGS],
  paused: ['executing', 'discovering', 'pending_approval', 'awaiting_input', 'queued', ...ENDINGS],
  rejected: [],
  completed: ['executing'],
  failed: ['executing', 'queued'],
  cancelled: ['executing'],
  timed_out: ['executing', 'queued'],
};

/** What nobody but the run itself may do: go back to where an approved plan waits, for a further attempt. */
const OWN_MOVES: Readonly<Partial<Record<Status, readonly Status[]>>> = {
  executing: ['approved'],
  paused: ['approved'],
};

export function isEnded(status: Status): boolean {
  return ENDED.has(status);
}

/** Read a status in any case, with the older names (`pending`, `running`, `success`, `waiting_input`). */
export function parseStatus(value: unknown): Status {
  const status = typeof value === 'string' ? ALIASES.get(value.trim().toLowerCase()) : undefined;
  if (status === undefined) throw new TrailError('invalid_status', `Invalid status: ${String(value).slice(0, 100)}`);
  return status;
}

/** Throw unless `to` may follow `from`, for the run's own moves too with `own`. Repeating a status is allowed and changes nothing. */
export function checkMove(from: Status, to: Status, own = false): void {
  if (from === to || MOVES[from].includes(to) || (own && OWN_MOVES[from]?.includes(to))) return;
  const allowed = MOVES[from].length === 0 ? 'it has ended for good' : `it may become ${MOVES[from].join(', ')}`;
  throw new TrailError('invalid_transition', `a task that is ${from} cannot become ${to}; ${allowed}`);
}
