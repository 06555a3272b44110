import type { Draft } from '../../core/entry.ts';
import { SOURCE_CHARS } from '../../core/limits.ts';
import { fittingMetadata } from '../normalise.ts';
import { maskedJson, type Redactor } from '../redact.ts';
import { Blocks } from './blocks.ts';

/** Whose lines are masked, with the masked names of their sources: there are few of them, and many lines. */
export interface Drafting {
  readonly taskId: string;
  readonly sources: Map<string, string>;
}

/** Masks lines on their way in, in the order in which they come. */
export class DraftMasker {
  readonly #redactor: Redactor;
  readonly #blocks: Blocks;

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
    this.#blocks = new Blocks(redactor);
  }

  /** The same draft when there is nothing to hide in it. */
  mask(draft: Draft, { taskId, sources }: Drafting): Draft {
    const message = this.#blocks.mask(draft.message, { taskId, source: draft.source, stream: draft.stream });
    const metadataJson = draft.metadataJson && this.#metadata(draft.metadataJson);
    const source = this.#source(draft.source, sources);
    if (message === draft.message && metadataJson === draft.metadataJson && source === draft.source) return draft;
    return { ...draft, message, source, metadataJson: metadataJson && fittingMetadata(metadataJson) };
  }

  /** Mask what this makes. When it is not taken, it comes again, and the blocks that it began in are open again. */
  async retryable<T>(make: () => Promise<T>): Promise<T> {
    const before = this.#blocks.snapshot();
    try {
      return await make();
    } catch (error) {
      this.#blocks.restore(before);
      throw error;
    }
  }

  #metadata(json: string): string {
    const masked = this.#redactor.maskJson(json);
    return this.#blocks.hidden === null ? masked : maskedJson(masked, (text) => this.#blocks.beside(text));
  }

  #source(source: string, sources: Map<string, string>): string {
    const known = sources.get(source);
    if (known !== undefined) return known;
    const masked = this.#redactor.mask(source).slice(0, SOURCE_CHARS).toWellFormed();
    sources.set(source, masked);
    return masked;
  }
}
