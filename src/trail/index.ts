export { connectTrail } from '../client/index.ts';
export type { Analytics, AnalyticsAsked, AnalyticsGroup, FigureGroup, Figures } from '../core/analytics.ts';
export type { EntryInput, EntryType, Json, JsonObject, LogEntry, Stream } from '../core/entry.ts';
export { type ErrorCode, TrailError } from '../core/error.ts';
export type { LogFilter } from '../core/filter.ts';
export type { FoundLine, SearchOptions, SearchResult } from '../core/found.ts';
export type { Level } from '../core/level.ts';
export {
  type AnyPlugin,
  CommandFailed,
  type Plugin,
  type PluginInfo,
  type RunDraft,
  type TaskContext,
} from '../core/plugin.ts';
export type { AskedTasks as TaskQuery, Histogram, LogStats, Receipt, TaskPage } from '../core/query.ts';
export type { Status } from '../core/status.ts';
export type { Metrics, Task, TaskChange, TaskDraft } from '../core/task.ts';
export type {
  FollowOptions,
  LineMetadata,
  LineOptions,
  Logger,
  LogPage,
  LogQuery,
  RunningTask,
  Trail,
} from '../core/trail.ts';
export { openTaskDirectory, type TaskDirectory } from '../outlet/directory/writer.ts';
export { type BeliefScope, beliefScope } from '../task/belief.ts';
export { type Current, currentTask, logger, withTask } from '../task/current.ts';
export { TaskManager, type TaskManagerOptions } from '../task/manager.ts';
export { type OpenOptions, openTrail } from './open.ts';
