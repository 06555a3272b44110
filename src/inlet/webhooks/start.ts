import type { JsonObject } from '../../core/entry.ts';
import { newTaskId } from '../../core/id.ts';
import type { AgentRun, RunDraft, TaskRuns, Workspace } from '../../core/plugin.ts';
import type { Intake } from '../../core/ports.ts';
import { type Clock, isoTime } from '../../core/time.ts';
import type { DeliveryDraft } from '../../core/webhook.ts';
import type { Wanted } from './hook.ts';
import { stageLine, within } from './stages.ts';
import type { Taken } from './taken.ts';

/** What became of telling that a command was heard. */
export interface Acknowledged {
  readonly status: 'sent' | 'failed' | 'skipped';
  /** What was sent: a reaction, a comment, a message. */
  readonly what?: string;
  readonly reason?: string;
}
/** Never rejects. `place` is the task's `source_metadata`. */
export type Acknowledge = (
  place: JsonObject,
  heard: { readonly taskId: string; readonly command: string },
) => Promise<Acknowledged>;

export interface StartParts {
  readonly intake: Intake;
  readonly tasks: Pick<TaskRuns, 'runAgent'>;
  readonly acknowledge: Acknowledge;
  readonly clock: Clock;
}

export interface Start {
  readonly taken: Taken;
  readonly wanted: Wanted;
  readonly draft: (taskId: string) => DeliveryDraft;
}

export interface Started {
  /** Another delivery started it. */
  readonly duplicate: boolean;
  readonly taskId: string;
}

/** The sender waits for our answer: who acknowledges more slowly is not waited for. */
const ACKNOWLEDGE_MS = 300;
const DEFAULT_AGENT = 'default';

/** Acknowledge a command, and commit its task, the stages so far and the delivery at once. */
export async function startTask(parts: StartParts, { taken, wanted, draft }: Start): Promise<Started> {
  const { intake, tasks, acknowledge, clock } = parts;
  const { event, stages, key } = taken;
  const { command } = wanted;
  const agent = command.agent ?? DEFAULT_AGENT;
  stages.add('command_matching', {
    ...{ command: command.name, matched: true, agent },
    ...(command.approval && { approval: true }),
    ...(wanted.missing.length > 0 && { missing: wanted.missing }),
    ...(wanted.cut.length > 0 && { cut: wanted.cut }),
  });
  const taskId = newTaskId();
  const acknowledging = acknowledge(event.sourceMetadata, { taskId, command: command.name });
  const acknowledged = await within(acknowledging, ACKNOWLEDGE_MS);
  stages.add('immediate_response', { ...(acknowledged ?? { status: 'pending' }) }, { level: levelOf(acknowledged) });
  try {
    await tasks.runAgent(agent, runDraft(taskId, { taken, wanted }), {
      prompt: wanted.prompt,
      ...howOf(command),
      async create(task) {
        stages.add('task_created', { task_id: taskId, status: task.status ?? 'queued' });
        stages.add('queue_push', { status: 'queued', queue: 'agents', priority: command.priority ?? 0 });
        // Only what a delivery started is answered where it came from: nobody else can say that of a task.
        const started = { ...task, metadata: { ...task.metadata, delivery: event.deliveryId ?? true } };
        const delivered = await intake.deliver({ delivery: draft(taskId), key, task: started, lines: stages.lines });
        if (!delivered.duplicate && delivered.task) return delivered.task;
        throw new Repeated((delivered.duplicate && delivered.taskId) || taskId);
      },
    });
  } catch (error) {
    if (error instanceof Repeated) return { duplicate: true, taskId: error.taskId };
    throw error;
  }
  if (acknowledged === undefined) void noteLate({ intake, clock }, taskId, acknowledging);
  return { duplicate: false, taskId };
}

function runDraft(
  taskId: string,
  { taken: { event, hook }, wanted: { command, request } }: Pick<Start, 'taken' | 'wanted'>,
): RunDraft {
  const { provider, title, sender, message, sourceMetadata } = event;
  return {
    ...{ taskId, source: 'webhook', provider, priority: command.priority ?? 0 },
    title: title ?? command.name,
    userId: sender?.name ?? null,
    input: {
      message: message.trim() || request || command.name,
      sourceMetadata: { ...sourceMetadata, webhook_id: sourceMetadata.webhook_id ?? hook.id },
    },
    metadata: { webhook: hook.id, command: command.name },
  };
}

/** Thrown to leave a task unmade that another delivery has made already. */
class Repeated extends Error {
  readonly taskId: string;

  constructor(taskId: string) {
    super('the delivery came before');
    this.taskId = taskId;
  }
}

function howOf({ approval, planner, retries, workspace }: Wanted['command']): AgentRun {
  return {
    ...(approval !== undefined && { approval }),
    ...(planner !== undefined && { planner }),
    ...(retries !== undefined && { retries }),
    // A list of at least one, by its schema.
    ...(workspace && { workspace: workspace as Workspace }),
  };
}

function levelOf(acknowledged: Acknowledged | undefined): 'INFO' | 'WARNING' {
  return acknowledged?.status === 'failed' ? 'WARNING' : 'INFO';
}

/** What became of it is one more line of the same stage. */
async function noteLate(
  { intake, clock }: Pick<StartParts, 'intake' | 'clock'>,
  taskId: string,
  acknowledging: Promise<Acknowledged>,
): Promise<void> {
  const acknowledged = await acknowledging;
  const timestamp = isoTime(clock.now());
  const line = stageLine({ stage: 'immediate_response', ...acknowledged }, { timestamp, level: levelOf(acknowledged) });
  // The task may be deleted by now: then nobody wants to know.
  await intake.append({ taskId, body: JSON.stringify(line), format: 'json' }).catch(() => {});
}
