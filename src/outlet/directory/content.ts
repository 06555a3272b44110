import type { JsonObject, LogEntry } from '../../core/entry.ts';
import type { Task } from '../../core/task.ts';
import { toSnake } from '../../core/wire.ts';

export const DOCUMENTS = ['metadata.json', '01-input.json', '04-final-result.json'] as const;
export const FLOWS = ['02-webhook-flow.jsonl', '03-agent-output.jsonl', '03-user-inputs.jsonl'] as const;

export function metadataOf(task: Task): JsonObject {
  const { taskId, source, provider, createdAt, startedAt, completedAt, status } = task;
  return {
    ...task.metadata,
    task_id: taskId,
    source,
    provider,
    created_at: createdAt,
    started_at: startedAt,
    completed_at: completedAt,
    status: status === 'executing' ? 'running' : status,
    assigned_agent: task.assignedAgent,
    agent_type: task.agentType,
    model: task.model,
    user_id: task.userId,
    machine_id: task.machineId,
  };
}
export function inputOf(task: Task): JsonObject | null {
  return task.input && { message: task.input.message, source_metadata: task.input.sourceMetadata ?? {} };
}
export function finalResultOf(task: Task): JsonObject | null {
  if (!task.ended) return null;
  const { status, result, error, exitCode, metrics, completedAt } = task;
  return {
    success: status === 'completed',
    status,
    result,
    error,
    exit_code: exitCode,
    metrics: toSnake(metrics) as unknown as JsonObject,
    completed_at: completedAt,
  };
}
export function lineOf(entry: LogEntry): { file: string; line: JsonObject } {
  const { timestamp, seq, type, level, source, stream, message, metadata } = entry;
  if (type === 'webhook') return { file: FLOWS[0], line: { timestamp, seq, stage: message, ...metadata } };
  if (type === 'user_input')
    return {
      file: FLOWS[2],
      line: { timestamp, seq, type: 'user_response', question_type: 'clarification', content: message },
    };
  return { file: FLOWS[1], line: { timestamp, seq, type, level, source, stream, content: message, metadata } };
}
