import type { JsonObject } from '../core/entry.ts';
import { TrailError } from '../core/error.ts';
import type { Intake, StoreReader } from '../core/ports.ts';
import type { Status } from '../core/status.ts';
import type { Task } from '../core/task.ts';

/** Statuses in which something may read what it did not ask for. */
const READING: readonly Status[] = ['executing', 'discovering', 'paused'];

export interface Answer {
  readonly message: string;
  /** Default: that of the question, else `clarification`. */
  readonly questionType?: string | undefined;
  readonly userId?: string | null | undefined;
}

/**
 * What a person says becomes a line of the trail first; then a task that waited for it goes on. An outside task takes input at any
 * time, what runs here only when it asked or says that it reads (`metadata.takes_input`), and nothing that masking would change: it
 * reads the answer from the trail. Throws `invalid_transition` or `invalid_parameter` and stores nothing otherwise.
 */
export async function answerTask(
  { store, intake }: { readonly store: Pick<StoreReader, 'task'>; readonly intake: Intake },
  taskId: string,
  { message, questionType, userId }: Answer,
): Promise<Task> {
  const { status, ended, runner, metadata } = await store.task(taskId);
  const asked = status === 'awaiting_input';
  const reads = READING.includes(status) && metadata?.takes_input === true;
  if (ended || (runner !== null && !asked && !reads)) {
    const cure = ended ? 'it has ended' : 'it has not asked for any, and what runs it reads none';
    throw new TrailError('invalid_transition', `a task that is ${status} takes no input: ${cure}`);
  }
  if (runner !== null && intake.mask(message) !== message) {
    throw new TrailError(
      'invalid_parameter',
      'message: it holds what looks like a secret, which is masked before it is stored, so the task would not get it; give it another way',
      { errors: [{ path: 'message', detail: 'expected a text without a secret' }] },
    );
  }
  const question = metadata?.question as JsonObject | null | undefined;
  const line = {
    message,
    type: 'user_input',
    source: 'user',
    metadata: {
      question_type: questionType ?? question?.question_type ?? 'clarification',
      ...(userId != null && { user_id: userId }),
    },
  };
  await intake.append({ taskId, body: JSON.stringify(line), format: 'json' });
  return asked ? intake.changeTask(taskId, { status: 'executing' }) : store.task(taskId);
}
