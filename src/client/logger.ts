import type { JsonObject } from '../core/entry.ts';
import type { Level } from '../core/level.ts';
import type { Logger } from '../core/trail.ts';
import type { LineSender } from './sender.ts';

/** A task's logger whose lines go to a server. */
export class ServerLogger implements Logger {
  readonly #sender: LineSender;
  readonly #source: string | undefined;

  constructor(sender: LineSender, source?: string) {
    this.#sender = sender;
    this.#source = source;
  }

  debug(message: string, metadata?: JsonObject): void {
    this.#add('DEBUG', message, metadata);
  }

  info(message: string, metadata?: JsonObject): void {
    this.#add('INFO', message, metadata);
  }

  warning(message: string, metadata?: JsonObject): void {
    this.#add('WARNING', message, metadata);
  }

  error(message: string, metadata?: JsonObject): void {
    this.#add('ERROR', message, metadata);
  }

  progress(percent: number, message?: string): void {
    const progress = Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : 0;
    this.#sender.add({
      ...this.#origin(),
      level: 'INFO',
      type: 'progress',
      message: message ?? `${progress} %`,
      metadata: { progress },
    });
  }

  withSource(name: string): Logger {
    return new ServerLogger(this.#sender, name);
  }

  flush(): Promise<void> {
    return this.#sender.flush();
  }

  drain(): Promise<void> {
    return this.#sender.drain();
  }

  #add(level: Level, message: string, metadata: JsonObject | undefined): void {
    this.#sender.add({ ...this.#origin(), level, message: String(message), ...(metadata && { metadata }) });
  }

  #origin(): { source?: string } {
    return this.#source === undefined ? {} : { source: this.#source };
  }
}
