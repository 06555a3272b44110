import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { DEFAULT_SOURCE, type EntryInput, type Stream } from '../core/entry.ts';
import { PARTIAL_AFTER_MS, PARTIAL_EVERY_MS } from '../core/limits.ts';
import type { Clock } from '../core/time.ts';
import { levelOfText } from './level.ts';
import { type CapturedLine, LineCutter } from './lines.ts';

export interface LinesSink {
  readonly stream: Stream;
  /** All lines of one chunk. The stream is read on when this has resolved: a slow taker slows the printer, not our memory. */
  readonly onLines: (entries: readonly EntryInput[], stream: Stream) => void | Promise<void>;
  /** An unended line that has stood for 500 ms, at most 4 times a second; an empty text when its line has come. */
  readonly onPartial?: ((stream: Stream, text: string) => void) | undefined;
  readonly source?: string | undefined;
  readonly passthrough?: Writable | undefined;
  /** Longest line that is left whole, in bytes (default LINE_BYTES). */
  readonly lineBytes?: number | undefined;
  readonly clock: Clock;
  /** Stop reading and take the unended line as it is. */
  readonly signal: AbortSignal;
  /** Told when reading stops for what was read to be taken, and when it goes on. */
  readonly onBusy?: (busy: boolean) => void;
}

/** Read a stream to its end as entries of type `output`. Resolves when all were taken, rejects with what `onLines` threw. */
export async function readLines(readable: Readable, sink: LinesSink): Promise<void> {
  const cutter = new LineCutter(sink.lineBytes);
  const unended = new UnendedLine(cutter, sink);
  const take = async (lines: readonly CapturedLine[]): Promise<void> => {
    if (lines.length > 0) await sink.onLines(entriesOf(lines, sink), sink.stream);
  };
  const stop = (): void => void readable.destroy();
  sink.signal.addEventListener('abort', stop, { once: true });
  if (sink.signal.aborted) stop();
  try {
    for await (const chunk of readable as AsyncIterable<Buffer>) {
      sink.onBusy?.(true);
      await pass(chunk, sink.passthrough);
      const lines = cutter.push(chunk);
      unended.touched(lines.length > 0);
      await take(lines);
      sink.onBusy?.(false);
    }
  } catch (error) {
    // A pipe that was cut on purpose ends here; its lines so far are whole.
    if (!sink.signal.aborted) throw error;
  } finally {
    sink.signal.removeEventListener('abort', stop);
    unended.close();
  }
  await take(cutter.end());
}

function entriesOf(
  lines: readonly CapturedLine[],
  { stream, source = DEFAULT_SOURCE, clock }: LinesSink,
): EntryInput[] {
  const timestamp = clock.now();
  return lines.map(({ message, metadata }) => ({
    message,
    timestamp,
    level: levelOfText(message),
    source,
    stream,
    // Not `log`: the level gate is for what programs log, and what a process prints is kept whole.
    type: 'output',
    ...(metadata && { metadata }),
  }));
}

async function pass(chunk: Buffer, out: Writable | undefined): Promise<void> {
  if (!out || out.destroyed || out.write(chunk) || out.destroyed) return;
  // A reader that went away never drains; its `close` or `error` lets us go on. The loser of the race stops listening.
  const done = new AbortController();
  const { signal } = done;
  await Promise.race([once(out, 'drain', { signal }), once(out, 'close', { signal })]).catch(() => {});
  done.abort();
}

/** Shows the unended line while it stands, and takes it back when it has ended. */
class UnendedLine {
  readonly #cutter: LineCutter;
  readonly #sink: LinesSink;
  readonly #timer: NodeJS.Timeout | undefined;
  #sinceMs: number | undefined;
  #shown = '';

  constructor(cutter: LineCutter, sink: LinesSink) {
    this.#cutter = cutter;
    this.#sink = sink;
    if (!sink.onPartial) return;
    this.#timer = setInterval(this.#onTick, PARTIAL_EVERY_MS);
    this.#timer.unref();
  }

  touched(ended: boolean): void {
    if (ended) {
      this.#show('');
      this.#sinceMs = undefined;
    }
    if (this.#cutter.unended) this.#sinceMs ??= this.#sink.clock.now();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#show('');
  }

  readonly #onTick = (): void => {
    if (this.#sinceMs === undefined || this.#sink.clock.now() - this.#sinceMs < PARTIAL_AFTER_MS) return;
    this.#show(this.#cutter.partial.slice(0, 4_000));
  };

  #show(text: string): void {
    if (text === this.#shown) return;
    this.#shown = text;
    this.#sink.onPartial?.(this.#sink.stream, text);
  }
}
