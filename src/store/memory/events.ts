import { isVanished } from '../../core/change.ts';
import { TrailError } from '../../core/error.ts';
import type { Refusal } from '../../core/event.ts';
import { checkPlace, checkWaiting, forgottenMs, keptRefusals, refusalsOf } from '../../core/event-place.ts';
import { eventTask, taskAfterEvent } from '../../core/event-task.ts';
import type { Applied, Batch, EventCommit, EventCommitStep } from '../../core/ports.ts';
import type { Task } from '../../core/task.ts';
import { isoTime } from '../../core/time.ts';
import type { Held } from './held.ts';

type Lines = EventCommitStep['batch'];
type Waiting = Lines & { readonly atMs: number };

/** What events need of the store they are in. */
interface EventWork {
  /** The task, made by `make` when it is not known. Throws `task_deleted`. */
  readonly held: (taskId: string, make: () => Task) => Held;
  readonly append: (batch: Batch) => void;
  readonly changed: Set<Held>;
  readonly nowMs: number;
}

/** Places of streams, and webhook events whose task is looked for. */
export class EventLog {
  readonly #places = new Map<string, { readonly place: string; readonly refused: readonly Refusal[] }>();
  readonly #waiting = new Map<string, readonly Waiting[]>();
  readonly #tasks = new Map<string, { readonly taskId: string; readonly atMs: number }>();

  place(stream: string): string | null {
    return this.#places.get(stream)?.place ?? null;
  }

  refusals(stream: string): readonly Refusal[] {
    return this.#places.get(stream)?.refused ?? [];
  }

  setPlace(stream: string, place: string | null): void {
    if (place === null) this.#places.delete(stream);
    else this.#places.set(stream, { place, refused: [] });
  }

  apply({ stream, from, to, steps, refused = [], buried = [] }: EventCommit, work: EventWork): readonly Applied[] {
    checkPlace(stream, { from, found: this.place(stream) });
    const applied = steps.map((step): Applied => {
      try {
        this.#step(step, work);
        return {};
      } catch (error) {
        if (error instanceof TrailError) return { error };
        throw error;
      }
    });
    const now = [...refused, ...refusalsOf(steps, applied)];
    this.#places.set(stream, { place: to, refused: keptRefusals(this.refusals(stream), { refused: now, buried }) });
    return applied;
  }

  sweep(nowMs: number): void {
    const untilMs = forgottenMs(nowMs);
    for (const [eventId, { atMs }] of this.#tasks) if (atMs <= untilMs) this.#tasks.delete(eventId);
    for (const eventId of this.#waiting.keys()) {
      const waiting = this.#waitingOf(eventId, nowMs);
      if (waiting.length > 0) this.#waiting.set(eventId, waiting);
      else this.#waiting.delete(eventId);
    }
  }

  #step(step: EventCommitStep, work: EventWork): void {
    const { webhookEventId, batch } = step;
    const { nowMs } = work;
    const taskId = step.taskId ?? (webhookEventId === null ? undefined : this.#taskOf(webhookEventId, nowMs));
    if (taskId === undefined) {
      if (webhookEventId !== null) this.#keep(webhookEventId, { ...batch, atMs: nowMs });
      return;
    }
    // Without a task of its own a step speaks of lines alone, also when its task is known by now.
    const said = step.taskId === null ? {} : step;
    const now = isoTime(nowMs);
    let made = false;
    const held = work.held(taskId, () => {
      made = true;
      return eventTask(taskId, said, now);
    });
    const after = made ? held.task : taskAfterEvent(held.task, said, { now, vanished: held.vanished });
    if (made || after !== held.task) work.changed.add(held);
    held.task = after;
    held.vanished &&= isVanished(after);
    if (step.taskId !== null && webhookEventId !== null) {
      for (const { atMs: _, ...waiting } of this.#waitingOf(webhookEventId, nowMs)) work.append({ taskId, ...waiting });
      this.#waiting.delete(webhookEventId);
      this.#tasks.set(webhookEventId, { taskId, atMs: nowMs });
    }
    work.append({ taskId, ...batch });
  }

  #taskOf(eventId: string, nowMs: number): string | undefined {
    const known = this.#tasks.get(eventId);
    return known && known.atMs > forgottenMs(nowMs) ? known.taskId : undefined;
  }

  #waitingOf(eventId: string, nowMs: number): readonly Waiting[] {
    const untilMs = forgottenMs(nowMs);
    return (this.#waiting.get(eventId) ?? []).filter(({ atMs }) => atMs > untilMs);
  }

  #keep(eventId: string, { drafts, lost, atMs }: Waiting): void {
    if (drafts.length === 0 && lost === 0) return;
    const all = [...this.#waitingOf(eventId, atMs), { drafts, filtered: 0, lost, atMs }];
    checkWaiting({
      lines: all.reduce((sum, waiting) => sum + waiting.drafts.length, 0),
      chars: all.reduce((sum, waiting) => sum + JSON.stringify(waiting.drafts).length, 0),
    });
    this.#waiting.set(eventId, all);
  }
}
