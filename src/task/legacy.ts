import type { JsonObject } from '../core/entry.ts';
import { parseLevel } from '../core/level.ts';
import type { LineMetadata, Logger } from '../core/trail.ts';

/**
 * Parameters for a plugin that knows no context. It logs through `params._task_log(message, level?, metadata?)`; the older order
 * `(level, message, metadata?)` is understood as well. Neither key is stored, nor seen by `JSON.stringify`.
 */
export function legacyParams(params: JsonObject, taskId: string, logger: Logger): JsonObject {
  const log = (first: unknown, second?: unknown, metadata?: LineMetadata): void => {
    const levelFirst = typeof second === 'string' && parseLevel(second) === undefined ? parseLevel(first) : undefined;
    const level = levelFirst ?? parseLevel(second) ?? 'INFO';
    const message = levelFirst ? second : first;
    const write = { DEBUG: logger.debug, INFO: logger.info, WARNING: logger.warning, ERROR: logger.error }[level];
    write.call(logger, message as string, metadata);
  };
  return Object.defineProperties({ ...params }, { _task_log: { value: log }, _task_id: { value: taskId } });
}
