export type { EntryInput, LogEntry } from '../core/entry.ts';
export { type ErrorCode, TrailError } from '../core/error.ts';
export type { LogFilter } from '../core/filter.ts';
export type { ListedLine } from '../core/list.ts';
export type { Task, TaskDraft } from '../core/task.ts';
export type { Logger, RunningTask, Trail } from '../core/trail.ts';
export { type ConnectOptions, connectTrail } from './client.ts';
export { type EventRedis, type PublishOptions, publishEvent, type TrailEvent } from './publish.ts';
export { appendTaskLog, getTaskLogs, type ListedPage, type ListRedis } from './redis-list.ts';
