import type { EntryInput, JsonObject } from './entry.ts';
import type { Level } from './level.ts';
import type { Logger } from './trail.ts';

/** Where a logger's lines go: a buffer in this process, or the way to a server. */
export interface LineSink {
  add(entry: EntryInput): unknown;
  flush(): Promise<void>;
  drain(): Promise<void>;
}

/** Writes lines of one task under one source. Nothing it is given makes it throw. */
export class TaskLogger implements Logger {
  readonly #sink: LineSink;
  readonly #source: string | undefined;

  constructor(sink: LineSink, source?: string) {
    this.#sink = sink;
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
    this.#add({ message: textOf(message ?? `${progress} %`), level: 'INFO', type: 'progress', metadata: { progress } });
  }

  withSource(name: string): Logger {
    return new TaskLogger(this.#sink, textOf(name));
  }

  flush(): Promise<void> {
    return this.#sink.flush();
  }

  drain(): Promise<void> {
    return this.#sink.drain();
  }

  #log(level: Level, message: string, metadata: JsonObject | undefined): void {
    const entry = { message: textOf(message), level };
    this.#add(metadata === undefined ? entry : { ...entry, metadata });
  }

  #add(entry: EntryInput): void {
    this.#sink.add(this.#source === undefined ? entry : { ...entry, source: this.#source });
  }
}

/** Any value as text. A value whose own `toString` throws, or that has none, is named by its kind. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
