import { OWN_MARKS } from '../../core/marks.ts';
import { saidAnswer, saidWord } from './command.ts';
import type { Answer, WebhookEvent } from './provider.ts';

/** What a delivery asks for. Whether its sender may ask is another question: `mayStart`. */
export type Match<Command = BuiltIn> =
  | { readonly kind: 'command'; readonly command: Command; readonly request: string }
  | { readonly kind: 'answer'; readonly answer: Answer }
  | Ignored;

export interface Ignored {
  readonly kind: 'ignored';
  readonly reason: IgnoreReason;
  readonly detail: string;
}

/**
 * - `ping`, `challenge`: the provider tries whether we are here; a challenge must be sent back
 * - `unsupported_event`: no command looks at this kind of event
 * - `not_new`: an edit, a closing, or something old
 * - `own_message`: we wrote it
 * - `no_command`: nobody said a command
 * - `conditions_not_met`: a condition of the webhook or of every command that would fit does not hold
 */
export type IgnoreReason =
  | 'ping'
  | 'challenge'
  | 'unsupported_event'
  | 'not_new'
  | 'own_message'
  | 'no_command'
  | 'conditions_not_met';

/** The commands that are there until the config names others. */
export type BuiltIn = 'agent';

const WORDS = ['/agent', '@agent'];

/** What a delivery asks for where the config names no commands. */
export function matchBuiltIn(event: WebhookEvent): Match {
  const idle = idleReason(event);
  if (idle !== null) return idle;
  const found = event.provider === 'github' || event.provider === 'jira' ? saidIn(event) : addressed(event);
  return found ?? ignored('no_command', `nothing in it says ${WORDS.join(' or ')}`);
}

/** Why a delivery can start nothing, whatever the commands are. */
export function idleReason(event: WebhookEvent): Ignored | null {
  if (event.challenge !== undefined) return ignored('challenge', 'its challenge is sent back');
  if (event.kind === 'ping') return ignored('ping', 'the provider tries whether we are here');
  if (isOwn(event)) return ignored('own_message', 'it was written by tasktrail');
  return null;
}

export function ignored(reason: IgnoreReason, detail: string): Ignored {
  return { kind: 'ignored', reason, detail };
}

/** An answer in an event, however its provider lets people answer. */
export function answerIn(event: WebhookEvent): (Answer & { readonly index: number }) | null {
  if (!event.isNew) return null;
  if (event.answer) return { ...event.answer, index: 0 };
  return event.provider === 'slack' || event.kind !== 'said' ? null : saidAnswer(event);
}

/** GitHub and Jira: the first word in a new text that is a command or an answer. */
function saidIn(event: WebhookEvent): Match | null {
  if (event.kind !== 'said') return unsupported(event);
  if (!event.isNew) return notNew(event);
  const command = saidWord(event, WORDS);
  const answer = answerIn(event);
  if (answer !== null && (command === null || answer.index < command.index)) return answered(answer);
  // The word alone means: do what stands here.
  return command && { kind: 'command', command: 'agent', request: command.request || (event.title ?? '') };
}

/** Slack and Sentry: an event of the right kind is a command by itself. */
function addressed(event: WebhookEvent): Match | null {
  const answer = answerIn(event);
  if (answer !== null) return answered(answer);
  const types = event.provider === 'sentry' ? ['event_alert'] : ['app_mention', 'slash_command'];
  if (!types.includes(event.eventType)) return unsupported(event);
  if (!event.isNew) return notNew(event);
  if (event.message.trim() === '') return ignored('no_command', 'it has no text');
  return { kind: 'command', command: 'agent', request: event.message.trim() };
}

export function answered({ verdict, taskId, comment }: Answer): Match<never> {
  return { kind: 'answer', answer: { verdict, taskId, comment } };
}

function unsupported(event: WebhookEvent): Ignored {
  return ignored('unsupported_event', `no command looks at ${event.eventType}`);
}

function notNew(event: WebhookEvent): Ignored {
  return ignored('not_new', `${event.eventType} is about something that was there before`);
}

function isOwn({ provider, message }: WebhookEvent): boolean {
  if (provider === 'github') return message.startsWith(OWN_MARKS.github);
  return provider === 'jira' && message.startsWith(OWN_MARKS.jira);
}
