import { asTrailError } from '../../core/error.ts';
import type { Intake, StoreReader } from '../../core/ports.ts';
import type { Task } from '../../core/task.ts';
import type { Answer, WebhookEvent } from './provider.ts';

export type Given =
  | { readonly taskId: string; readonly verdict: 'approved' | 'rejected' }
  | { readonly taskId: null; readonly reason: 'nothing_waits' | 'not_its_place'; readonly detail: string };

/** Tasks that may wait for people at once; among so many the right one is looked for. */
const WAITING = 1_000;

/** Approve or reject the task that a person's answer is about: the one they name, else the one that waits where they said it. */
export async function giveVerdict(
  { store, intake }: { readonly store: StoreReader; readonly intake: Intake },
  event: WebhookEvent,
  { verdict, taskId, comment }: Answer,
): Promise<Given> {
  const waiting = await store.runs(['pending_approval'], WAITING);
  const named =
    taskId === null
      ? waiting.filter((task) => isOfThread(task, event))
      : waiting.filter((task) => task.taskId === taskId);
  // Of several in one place the newest is what they saw last.
  const task = named.toSorted((a, b) => a.createdAt.localeCompare(b.createdAt)).at(-1);
  if (task === undefined) return { taskId: null, reason: 'nothing_waits', detail: nothing(taskId) };
  if (!mayAnswer(task, event)) {
    return { taskId: null, reason: 'not_its_place', detail: `${task.taskId} was not asked for here` };
  }
  const status = verdict === 'approve' ? 'approved' : 'rejected';
  const by = event.sender?.name ?? null;
  const line = {
    message: comment || verdict,
    type: 'user_input',
    source: 'user',
    metadata: { question_type: 'approval', verdict, user_id: by, provider: event.provider },
  };
  try {
    const reason = status === 'rejected' ? { error: comment || `rejected by ${by ?? 'a person'}` } : {};
    await intake.changeTask(task.taskId, { status, ...reason }, ['pending_approval']);
  } catch (error) {
    // Somebody else was faster.
    if (asTrailError(error).code !== 'invalid_transition') throw error;
    return { taskId: null, reason: 'nothing_waits', detail: nothing(task.taskId) };
  }
  await intake.audit({
    actor: { kind: 'webhook', name: by, role: null, address: null },
    action: `task.${verdict}`,
    target: { type: 'task', id: task.taskId },
    requestId: null,
    outcome: 'done',
    details: { provider: event.provider },
  });
  await intake.append({ taskId: task.taskId, body: JSON.stringify(line), format: 'json' });
  return { taskId: task.taskId, verdict: status };
}

function nothing(taskId: string | null): string {
  return taskId === null ? 'no task of this place waits for an approval' : `${taskId} does not wait for an approval`;
}

function isOfThread({ provider, input }: Task, event: WebhookEvent): boolean {
  const { thread } = event.sourceMetadata;
  return provider === event.provider && thread !== undefined && input?.sourceMetadata?.thread === thread;
}

/**
 * A workspace of Slack is one place, and its buttons stand under what was sent there about any task but another workspace's. At GitHub and Jira a member of one
 * project is none of another.
 */
function mayAnswer({ provider, input }: Task, event: WebhookEvent): boolean {
  if (event.provider === 'slack') {
    const team = input?.sourceMetadata?.team_id;
    return team === undefined || team === event.sourceMetadata.team_id;
  }
  const place = event.provider === 'github' ? 'repo' : event.provider === 'jira' ? 'project' : 'webhook_id';
  const theirs = event.sourceMetadata[place];
  return provider === event.provider && theirs !== undefined && input?.sourceMetadata?.[place] === theirs;
}
