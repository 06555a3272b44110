/** A server that leaves a kept store as it is: nothing is compressed, deleted or failed behind the measurement. */
export const QUIET: NodeJS.ProcessEnv = {
  TASK_LOGS_COMPRESS_AFTER_DAYS: '0',
  TASK_LOGS_RETENTION_DAYS: '0',
  TASKTRAIL_STALE_AFTER: '0',
  TASKTRAIL_LOG_FILE: '',
};
