import type { EntryInput } from '../core/entry.ts';
import type { Blocks } from '../intake/redact/blocks.ts';
import { maskedValue, type Redactor } from '../intake/redact.ts';

interface Masking {
  readonly redactor: Redactor;
  readonly blocks: Blocks;
  readonly taskId: string;
}

/** What goes to disk must not hold a secret, so lines are masked, in order, before anything else happens to them. */
export function maskedEntry(entry: EntryInput, { redactor, blocks, taskId }: Masking): EntryInput {
  const { source, stream, metadata } = entry;
  const message = blocks.mask(entry.message, { taskId, source, stream });
  if (!metadata) return message === entry.message ? entry : { ...entry, message };
  const masked = maskedValue(metadata, redactor);
  return { ...entry, message, metadata: maskedValue(masked, { mask: (text) => blocks.beside(text) }) };
}
