import type { EntryInput } from '../../core/entry.ts';
import { type Fields, fieldsOf, idOf, textOf } from '../json.ts';
import { entriesOf } from '../made.ts';
import type { Usage } from './usage.ts';

/** As much as a `partial` frame shows. */
const SHOWN_CHARS = 4_000;
/** As much as is kept of a message that never ended. */
const KEPT_CHARS = 64 * 1024;

/**
 * The message being written, told piece by piece in `stream_event`s (`--include-partial-messages`). Each block comes again as a
 * whole, so the pieces make no entries; only what is left of them when the agent dies does.
 */
export class Unended {
  readonly #usage: Usage;
  #message: { readonly id: unknown; readonly model: unknown } | undefined;
  #type: 'output' | 'thinking' = 'output';
  #text = '';
  #cut = 0;
  #line: EntryInput | undefined;

  constructor(usage: Usage) {
    this.#usage = usage;
  }

  /** Answers the text as it looks now, when it has changed. */
  event(event: Fields, line: EntryInput): string | undefined {
    const { type, message, delta, usage } = event;
    if (type === 'message_start') {
      const { id, model, usage: first } = fieldsOf(message) ?? {};
      this.#message = { id: idOf(id), model: idOf(model) };
      this.#count(first);
    }
    if (type === 'message_delta') this.#count(usage);
    if (type === 'content_block_start') return this.ended();
    if (type !== 'content_block_delta') return undefined;
    const { text, thinking } = fieldsOf(delta) ?? {};
    const piece = textOf(text) ?? textOf(thinking);
    if (piece === undefined) return undefined;
    this.#type = textOf(text) ? 'output' : 'thinking';
    this.#line = line;
    const { length } = this.#text;
    const kept = piece.slice(0, Math.max(0, KEPT_CHARS - length));
    this.#text += kept;
    this.#cut += piece.length - kept.length;
    return length < SHOWN_CHARS ? this.#text.slice(0, SHOWN_CHARS) : undefined;
  }

  /** The block has come as a whole. Answers the empty text when something was shown of it. */
  ended(): string | undefined {
    if (this.#text === '') return undefined;
    this.#text = '';
    this.#cut = 0;
    return '';
  }

  /** What is left of a block that never came as a whole. */
  rest(): readonly EntryInput[] {
    if (this.#text === '' || !this.#line) return [];
    const metadata = { unended: true, ...(this.#cut > 0 && { _cut: this.#cut }) };
    return entriesOf({ ...this.#line, metadata: null }, { type: this.#type, message: this.#text, metadata });
  }

  #count(value: unknown): void {
    const usage = fieldsOf(value);
    if (usage && this.#message) this.#usage.add(usage, this.#message);
  }
}
