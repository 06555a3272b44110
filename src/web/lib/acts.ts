import { MOVES } from '../../core/status.ts';
import type { WireTask } from '../../core/wire.ts';

/** What a person may do to a task, as the API names it. */
export type Act = 'pause' | 'resume' | 'rerun' | 'cancel' | 'approve' | 'reject' | 'input';

/** Whether what runs a task can pause; unknown while the plugins are not read. */
export type Pausable = (runner: string) => boolean;

/** What may be done to a task now, by the one table of moves and by who runs it. A question and a request for leave have their card. */
export function actsOf(task: Pick<WireTask, 'status' | 'ended' | 'runner' | 'started_at'>, pausable: Pausable): Act[] {
  const { status, ended, runner, started_at: startedAt } = task;
  const moves = MOVES[status];
  const acts: Act[] = [];
  const waitsInQueue = runner !== null && startedAt === null;
  const canPause = runner === null || waitsInQueue || pausable(runner);
  if (status === 'paused') acts.push('resume');
  else if (!ended && moves.includes('paused') && canPause) acts.push('pause');
  if (ended && runner !== null) acts.push('rerun');
  if (!ended && moves.includes('cancelled')) acts.push('cancel');
  return acts;
}

/** What a task asks a person, or takes from one while it works (`say`); null when it is neither. */
export type Question =
  | { readonly kind: 'say'; readonly text: '' }
  | { readonly kind: 'input'; readonly text: string; readonly type: string | null }
  | { readonly kind: 'approval'; readonly text: string };

export function questionOf({ status, metadata }: Pick<WireTask, 'status' | 'metadata'>): Question | null {
  if (status === 'pending_approval') return { kind: 'approval', text: textOf(metadata?.plan) ?? '' };
  if (status !== 'awaiting_input') {
    const works = status === 'executing' || status === 'discovering';
    return works && metadata?.takes_input === true ? { kind: 'say', text: '' } : null;
  }
  const asked = metadata?.question;
  if (typeof asked !== 'object' || asked === null) return { kind: 'input', text: textOf(asked) ?? '', type: null };
  const { question, question_type: type } = asked as Record<string, unknown>;
  return { kind: 'input', text: textOf(question) ?? '', type: textOf(type) };
}

function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? null : JSON.stringify(value, null, 2);
}
