import type { WireEntry } from '../../core/wire.ts';
import type { Api } from '../lib/api.ts';
import { type Frame, Link } from './link.svelte.ts';

const PEEK_LINES = 20;

/** The last lines of one task, and those that come. */
export class Peek {
  readonly link: Link;
  lines = $state.raw<readonly WireEntry[]>([]);
  /** What is stored is here. */
  loaded = $state(false);

  constructor(api: Api, taskId: string) {
    this.link = new Link({
      url: () => {
        const last = this.lines.at(-1)?.seq;
        const from: Record<string, string> =
          last === undefined ? { tail: String(PEEK_LINES) } : { after: String(last) };
        return api.socketUrl(`ws/logs/${encodeURIComponent(taskId)}`, new URLSearchParams(from));
      },
      onFrame: (frame) => this.#onFrame(frame),
      onUnauthorized: () => api.onUnauthorized(),
    });
    this.link.open();
  }

  close(): void {
    this.link.close();
  }

  #onFrame(frame: Frame): void {
    if (frame.type === 'entries' && Array.isArray(frame.entries)) {
      this.lines = [...this.lines, ...(frame.entries as readonly WireEntry[])].slice(-PEEK_LINES);
    } else if (frame.type === 'caught_up') this.loaded = true;
    else if (frame.type === 'end') {
      this.loaded = true;
      this.link.close();
    }
  }
}
