import { type EntryInput, isEntryType, isSource, isStream, type JsonObject } from './entry.ts';
import type { Level } from './level.ts';
import type { LineMetadata, LineOptions, Logger } from './trail.ts';

/** Where a logger's lines go: a buffer in this process, or the way to a server. */
export interface LineSink {
  add(entry: EntryInput): unknown;
  flush(): Promise<void>;
  drain(): Promise<void>;
}

/**
 * Writes lines of one task under one source. Nothing it is given makes it throw. Its methods are properties of its own, so that they
 * may be handed on: `promise.catch(logger.error)`.
 */
export class TaskLogger implements Logger {
  readonly #sink: LineSink;
  readonly #source: string | undefined;

  constructor(sink: LineSink, source?: string) {
    this.#sink = sink;
    this.#source = source;
  }

  readonly debug = (message: string, metadata?: LineMetadata | null, options?: LineOptions): void =>
    this.#log('DEBUG', message, { metadata, options });

  readonly info = (message: string, metadata?: LineMetadata | null, options?: LineOptions): void =>
    this.#log('INFO', message, { metadata, options });

  readonly warning = (message: string, metadata?: LineMetadata | null, options?: LineOptions): void =>
    this.#log('WARNING', message, { metadata, options });

  readonly error = (message: string, metadata?: LineMetadata | null, options?: LineOptions): void =>
    this.#log('ERROR', message, { metadata, options });

  readonly progress = (percent: number, message?: string): void => {
    const progress = clamped(percent);
    this.#add({ message: textOf(message ?? `${progress} %`), level: 'INFO', type: 'progress', metadata: { progress } });
  };

  readonly withSource = (name: string): Logger => new TaskLogger(this.#sink, textOf(name));

  readonly flush = (): Promise<void> => this.#sink.flush();

  readonly drain = (): Promise<void> => this.#sink.drain();

  #log(level: Level, message: string, { metadata, options }: Rest): void {
    const line = { message: textOf(message), level };
    const named = options ? namedIn(options) : undefined;
    const entry = named ? { ...line, ...named } : line;
    if (metadata === undefined || metadata === null) this.#add(entry, named?.source);
    // The packer makes JSON of whatever was given.
    else this.#add({ ...entry, metadata: metadata as JsonObject }, named?.source ?? sourceIn(metadata));
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

/** What a call says of its line; whatever else was given there says nothing. */
function namedIn(options: LineOptions): LineOptions {
  try {
    const { source, type, stream } = options;
    return { ...(source && { source }), ...(isEntryType(type) && { type }), ...(isStream(stream) && { stream }) };
  } catch {
    return {};
  }
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

/** 0–100; what is no number is 0. */
function clamped(percent: unknown): number {
  const number = typeof percent === 'symbol' ? Number.NaN : Number(textOf(percent));
  return Number.isNaN(number) ? 0 : Math.min(100, Math.max(0, number));
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
