import { DEFAULT_SOURCE, type JsonObject } from '../core/entry.ts';
import type { Level } from '../core/level.ts';
import type { Logger } from '../core/trail.ts';
import type { LogBuffer } from '../intake/log-buffer.ts';

/** Writes lines of one task under one source. Nothing it is given makes it throw. */
export class TaskLogger implements Logger {
  readonly #buffer: LogBuffer;
  readonly #taskId: string;
  readonly #source: string;

  constructor(buffer: LogBuffer, taskId: string, source: string = DEFAULT_SOURCE) {
    this.#buffer = buffer;
    this.#taskId = taskId;
    this.#source = source;
  }

  debug(message: string, metadata?: JsonObject): void {
    this.#log('DEBUG', message, metadata);
  }

  info(message: string, metadata?: JsonObject): void {
    this.#log('INFO', message, metadata);
  }

  warning(message: string, metadata?: JsonObject): void {
    this.#log('WARNING', message, metadata);
  }

  error(message: string, metadata?: JsonObject): void {
    this.#log('ERROR', message, metadata);
  }

  progress(percent: number, message?: string): void {
    const progress = Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : 0;
    this.#buffer.add(this.#taskId, {
      message: message ?? `${progress} %`,
      level: 'INFO',
      type: 'progress',
      source: this.#source,
      metadata: { progress },
    });
  }

  withSource(name: string): Logger {
    return new TaskLogger(this.#buffer, this.#taskId, name);
  }

  flush(): Promise<void> {
    return this.#buffer.flush(this.#taskId);
  }

  drain(): Promise<void> {
    return this.#buffer.drain(this.#taskId);
  }

  #log(level: Level, message: string, metadata: JsonObject | undefined): void {
    const entry = { message: String(message), level, source: this.#source };
    this.#buffer.add(this.#taskId, metadata === undefined ? entry : { ...entry, metadata });
  }
}
