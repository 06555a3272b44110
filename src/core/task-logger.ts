import { type EntryInput, isSource, type JsonObject } from './entry.ts';
import type { Level } from './level.ts';
import type { LineMetadata, LineOptions, Logger } from './trail.ts';

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

  debug(message: string, metadata?: LineMetadata | null, options?: LineOptions): void {
    this.#log('DEBUG', message, { metadata, options });
  }

  info(message: string, metadata?: LineMetadata | null, options?: LineOptions): void {
    this.#log('INFO', message, { metadata, options });
  }

  warning(message: string, metadata?: LineMetadata | null, options?: LineOptions): void {
    this.#log('WARNING', message, { metadata, options });
  }

  error(message: string, metadata?: LineMetadata | null, options?: LineOptions): void {
    this.#log('ERROR', message, { metadata, options });
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

  #log(level: Level, message: string, { metadata, options }: Rest): void {
    const entry = { message: textOf(message), level };
    if (metadata === undefined || metadata === null) this.#add(entry, options?.source);
    // The packer makes JSON of whatever was given.
    else this.#add({ ...entry, metadata: metadata as JsonObject }, options?.source ?? sourceIn(metadata));
  }

  #add(entry: EntryInput, named?: string): void {
    const source = named ?? this.#source;
    this.#sink.add(source === undefined ? entry : { ...entry, source });
  }
}

interface Rest {
  readonly metadata: LineMetadata | null | undefined;
  readonly options: LineOptions | undefined;
}

/** The source that metadata names, when it can be one. Whatever was given instead of an object names none. */
function sourceIn(metadata: LineMetadata): string | undefined {
  try {
    const { source } = metadata;
    return typeof source === 'string' && isSource(source) ? source : undefined;
  } catch {
    return undefined;
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
