import type { Status } from '../core/status.ts';
import type { Task } from '../core/task.ts';

/** `Completed in 2 min 5 s, $0.1234`: how a task stands, and what it took. */
export function standing({ status, metrics }: Pick<Task, 'status' | 'metrics'>): string {
  const { durationSeconds, costUsd } = metrics;
  const took = durationSeconds === null ? '' : ` in ${duration(durationSeconds)}`;
  const cost = costUsd === null ? '' : `, $${costUsd.toFixed(costUsd < 1 ? 4 : 2)}`;
  return statusWord(status) + took + cost;
}

/** A page of ours; where nobody said how we are reached, the name of what it shows. */
export function linkTo(publicUrl: string | undefined, taskId: string, seq?: number): string {
  const line = seq === undefined ? '' : `?seq=${seq}`;
  if (publicUrl !== undefined) return `${publicUrl.replace(/\/+$/, '')}/t/${encodeURIComponent(taskId)}${line}`;
  return seq === undefined ? taskId : `${taskId}, line ${seq}`;
}

function statusWord(status: Status): string {
  const words = status.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes} min ${whole % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
