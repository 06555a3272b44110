import type { Draft, EntryType } from './entry.ts';

/**
 * The fields of a line as they stand in JSON text: `source`, `stream`, `message` and `metadata` are whole values, quoted where they are
 * texts; the others are plain by their grammar, and stand bare.
 */
export interface LineTexts {
  readonly taskId: string;
  readonly seq: string;
  readonly timestamp: string;
  readonly level: string;
  readonly type: string;
  readonly source: string;
  readonly stream: string;
  readonly message: string;
  readonly metadata: string;
}

/**
 * How a line stands in some JSON: a text around its fields, and nothing else. Called with the texts of a line it makes that line; called
 * with the names of columns it tells a store what to put together itself (`store/sqlite/line-json.ts`).
 */
export type LineTemplate = (texts: LineTexts) => string;

/** How lines look that have no metadata, and none of these types. */
export interface PlainLines {
  readonly template: LineTemplate;
  readonly notOf: readonly EntryType[];
}

export function lineTexts(taskId: string, seq: number, draft: Draft): LineTexts {
  const { timestamp, level, type, source, stream, message, metadataJson } = draft;
  return {
    ...{ taskId, seq: String(seq), timestamp, level, type },
    source: JSON.stringify(source),
    stream: stream === null ? 'null' : `"${stream}"`,
    message: JSON.stringify(message),
    metadata: metadataJson ?? 'null',
  };
}
