import type { Live } from '../core/live.ts';
import type { Intake, StoreReader } from '../core/ports.ts';
import type { LineSink } from '../core/task-logger.ts';

/** What tasks are run with. */
export interface TaskParts {
  readonly store: StoreReader;
  readonly intake: Intake;
  readonly live: Live;
  /** Where the lines go that loggers of this task write. */
  readonly lines: (taskId: string) => LineSink;
}
