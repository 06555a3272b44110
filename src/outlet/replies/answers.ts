import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';
import type { Task } from '../../core/task.ts';
import { isoTime, systemClock } from '../../core/time.ts';
import { ChangeFollower, type OutletParts } from '../follower.ts';
import { Slots } from '../slots.ts';
import { linkTo, standing } from '../words.ts';
import type { Outcome, Replier } from './replier.ts';
import type { Said } from './request.ts';

export interface AnswersParts extends OutletParts {
  readonly replier: Replier;
}

/** Something to say about a task. */
interface Occasion {
  readonly about: 'plan' | 'end';
  /** Tells this plan or end from another of the same task. */
  readonly mark: string;
  readonly said: Said;
}

const SENDING = 4;
/** Nobody waits for the answer of what ended longer ago: the server stood still, or had no token. */
const NEWS_MS = 24 * 60 * 60 * 1000;
const REMEMBERED = 10_000;

/**
 * Answers where a command was said: with the plan when that waits for a person, and with the result when the task ends. What was said
 * is marked in the task (`metadata.answered`), so that it is said once; after a crash between the two it is said again.
 */
export class Answers {
  readonly #parts: AnswersParts;
  readonly #follower: ChangeFollower;
  readonly #slots = new Slots(SENDING);
  /** Tasks that nobody asked for by a webhook: most of them. */
  readonly #others = new Set<string>();
  /** What was said and may not be marked yet. */
  readonly #said = new Map<string, Outcome>();

  constructor(parts: AnswersParts) {
    const { store, live, intake, log, clock = systemClock } = parts;
    this.#parts = parts;
    const look = (taskId: string, signal: AbortSignal): Promise<void> => this.#look(taskId, signal);
    this.#follower = new ChangeFollower({ store, live, intake, log, clock, name: 'answers', lines: false, look });
  }

  start(): void {
    this.#follower.start();
  }

  /** Resolves when everything that was committed before the call is answered. */
  settled(): Promise<void> {
    return this.#follower.settled();
  }

  /** Send what is under way, unless that takes too long, and stop. Safe to call twice. */
  close(): Promise<void> {
    return this.#follower.close();
  }

  async #look(taskId: string, signal: AbortSignal): Promise<void> {
    if (this.#others.has(taskId)) return;
    const task = await taskOf(this.#parts, taskId);
    if (task === null) return;
    const place = placeOf(task);
    if (place === null) return this.#forget(taskId);
    const occasion = occasionOf(task, this.#parts.publicUrl);
    if (occasion === null || !this.#parts.replier.reaches(place) || this.#isPast(task)) return;
    if (answeredOf(task)[occasion.about] === occasion.mark) return;
    // Marked before the next is sent: a crash repeats no more than what was under way.
    await this.#slots.run(async () => {
      const outcome = await this.#say(`${taskId} ${occasion.mark}`, { place, occasion, signal });
      await this.#mark(task, occasion, outcome);
    });
  }

  #forget(taskId: string): void {
    if (this.#others.size >= REMEMBERED) this.#others.clear();
    this.#others.add(taskId);
  }

  /** It ended before anybody looked. */
  #isPast({ completedAt }: Task): boolean {
    if (completedAt === null) return false;
    const { clock = systemClock } = this.#parts;
    return completedAt < this.#follower.since || completedAt < isoTime(clock.now() - NEWS_MS);
  }

  async #say(
    key: string,
    { place, occasion, signal }: { place: JsonObject; occasion: Occasion; signal: AbortSignal },
  ): Promise<Outcome> {
    const before = this.#said.get(key);
    if (before) return before;
    const outcome = await this.#parts.replier.say(place, occasion.said, signal);
    if (outcome.stopped) throw new Error('stopped before it was said');
    if (this.#said.size >= REMEMBERED) this.#said.clear();
    this.#said.set(key, outcome);
    return outcome;
  }

  /** What could not be sent is marked too: it was tried often enough. */
  async #mark(task: Task, { about, mark }: Occasion, outcome: Outcome): Promise<void> {
    const { intake } = this.#parts;
    const { taskId } = task;
    try {
      await intake.changeTask(taskId, { metadata: { answered: { ...answeredOf(task), [about]: mark } } });
      const line = {
        ...{ message: 'answer', type: 'webhook', source: 'webhook' },
        level: outcome.status === 'failed' ? 'WARNING' : 'INFO',
        metadata: { stage: 'answer', about, ...outcome },
      };
      await intake.append({ taskId, body: JSON.stringify(line), format: 'json' });
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

/** The task, unless it is deleted. */
export async function taskOf({ store }: Pick<OutletParts, 'store'>, taskId: string): Promise<Task | null> {
  try {
    return await store.task(taskId);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof TrailError && (error.code === 'task_deleted' || error.code === 'task_not_found');
}

/** Where its command was said. Only of what a delivery started: others could name any place, and our tokens open many. */
function placeOf({ source, runner, input, metadata }: Task): JsonObject | null {
  const delivered = source === 'webhook' && runner !== null && (metadata?.delivery ?? null) !== null;
  return delivered ? (input?.sourceMetadata ?? null) : null;
}

function occasionOf(task: Task, publicUrl: string | undefined): Occasion | null {
  const link = linkTo(publicUrl, task.taskId);
  if (task.ended) {
    const text = [`${standing(task)}.`, textOf(task.error ?? task.result)].join('\n\n').trimEnd();
    return { about: 'end', mark: task.completedAt ?? '', said: { text, foot: link } };
  }
  if (task.status !== 'pending_approval') return null;
  const plan = textOf(task.metadata?.plan ?? null);
  const digest = createHash('sha256').update(plan).digest('hex').slice(0, 12);
  const how =
    task.input?.sourceMetadata?.provider === 'slack'
      ? link
      : `Comment \`/approve\` to have it done, or \`/reject\` with a reason.\n\n${link}`;
  return {
    about: 'plan',
    mark: `${task.startedAt ?? task.createdAt} ${digest}`,
    said: { text: `The plan:\n\n${plan}`, foot: how, approve: task.taskId },
  };
}

function answeredOf({ metadata }: Task): JsonObject {
  const answered = metadata?.answered;
  return typeof answered === 'object' && answered !== null && !Array.isArray(answered) ? (answered as JsonObject) : {};
}

function textOf(value: Json): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
