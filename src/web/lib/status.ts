import type { Status } from '../../core/status.ts';

/** How a status looks: a shape and a word, so that no one needs the colour. */
export interface StatusLook {
  readonly word: string;
  readonly tone: 'run' | 'wait' | 'good' | 'bad' | 'quiet';
  readonly icon: 'spin' | 'clock' | 'check' | 'cross' | 'hand' | 'stop' | 'pause';
}

const LOOKS: Readonly<Record<Status, StatusLook>> = {
  queued: { word: 'Queued', tone: 'quiet', icon: 'clock' },
  discovering: { word: 'Discovering', tone: 'run', icon: 'spin' },
  pending_approval: { word: 'Needs approval', tone: 'wait', icon: 'hand' },
  approved: { word: 'Approved', tone: 'quiet', icon: 'clock' },
  rejected: { word: 'Rejected', tone: 'quiet', icon: 'stop' },
  executing: { word: 'Running', tone: 'run', icon: 'spin' },
  awaiting_input: { word: 'Needs input', tone: 'wait', icon: 'hand' },
  paused: { word: 'Paused', tone: 'wait', icon: 'pause' },
  completed: { word: 'Completed', tone: 'good', icon: 'check' },
  failed: { word: 'Failed', tone: 'bad', icon: 'cross' },
  cancelled: { word: 'Cancelled', tone: 'quiet', icon: 'stop' },
  timed_out: { word: 'Timed out', tone: 'bad', icon: 'clock' },
};

export function statusLook(status: Status): StatusLook {
  return LOOKS[status];
}
