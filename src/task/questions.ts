import type { EntryInput } from '../core/entry.ts';
import { asTrailError } from '../core/error.ts';
import type { StoreReader } from '../core/ports.ts';
import type { Status } from '../core/status.ts';
import type { Task, TaskChange } from '../core/task.ts';
import { type LineSink, textOf } from '../core/task-logger.ts';
import type { Sight } from './sight.ts';

export interface QuestionParts {
  readonly taskId: string;
  readonly store: Pick<StoreReader, 'read'>;
  readonly sink: LineSink;
  readonly sight: Sight;
  /** Change the task, by default from any status of work. */
  readonly change: (change: TaskChange, from?: readonly Status[]) => Promise<Task>;
}

/** A run asks while it works. */
const ASKING: readonly Status[] = ['executing', 'discovering', 'approved'];

/** What one run asks people, one question at a time: a task has one status. */
export class Questions {
  readonly #parts: QuestionParts;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: QuestionParts) {
    this.#parts = parts;
  }

  /** Ask, wait as `awaiting_input`, answer what was said. */
  input(question: EntryInput, questionType: string): Promise<string> {
    return this.#inTurn(async () => {
      const { sink, sight, change } = this.#parts;
      sink.add({ ...question, type: 'output', metadata: { question_type: questionType } });
      await sink.flush();
      const text = textOf(question.message);
      const asked = { question: text, question_type: questionType, asked_at: new Date().toISOString() };
      const task = await this.#ask({ status: 'awaiting_input', metadata: { question: asked } });
      const answer = await sight.until(({ status }) => this.#answer(status, task.log.lastSeq));
      await change({ metadata: { question: null } });
      return answer;
    });
  }

  /** Ask for leave, wait as `pending_approval`. */
  approval(plan: EntryInput): Promise<void> {
    return this.#inTurn(async () => {
      const { sink, sight, change } = this.#parts;
      sink.add({ ...plan, type: 'output', metadata: { plan: true } });
      await sink.flush();
      await this.#ask({ status: 'pending_approval', metadata: { plan: textOf(plan.message) } });
      await sight.until(({ status }) => (status === 'approved' ? true : undefined));
      await change({ status: 'executing' }, ['approved']);
    });
  }

  /** A person may have paused the task just now: the question waits until it goes on. */
  async #ask(change: TaskChange): Promise<Task> {
    const { sight } = this.#parts;
    for (;;) {
      await sight.until(({ status }) => (status === 'paused' ? undefined : true));
      try {
        return await this.#parts.change(change, ASKING);
      } catch (error) {
        if (asTrailError(error).code !== 'invalid_transition') throw error;
        await sight.look();
      }
    }
  }

  /** What was said behind the question, when the task goes on. */
  async #answer(status: Status, after: number): Promise<string | undefined> {
    if (status === 'awaiting_input' || status === 'paused') return undefined;
    const { taskId, store, change } = this.#parts;
    const { entries } = await store.read(taskId, { filter: { types: ['user_input'] }, after, limit: 1 });
    const [line] = entries;
    // Somebody let it go on without an answer: the question stands.
    if (!line) await change({ status: 'awaiting_input' }, ['executing']);
    return line?.message;
  }

  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(ask);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
