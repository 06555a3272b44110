import type { NumberedLine } from '../../core/directory.ts';
import { entryId, type JsonObject } from '../../core/entry.ts';
import { lineTexts, type PlainLines } from '../../core/line-text.ts';
import { FILES, type FlowName, flowLine, flowOf, OUTPUT_TEMPLATE } from '../../core/task-files.ts';
import { lineText, oneLine } from './json-line.ts';

/** Lines that all go to the file of output, as they are. */
export const PLAIN_OUTPUT = {
  template: OUTPUT_TEMPLATE,
  notOf: ['webhook', 'user_input'],
} as const satisfies PlainLines;

/** Metadata that stands beside the text as well; where none of these is, metadata goes as it is. */
const LIFTED = /"(?:tool|args|metrics)"/;

/**
 * The file that a line belongs to, and its text there: the JSON of `flowLine`. A line of output, as nearly all are, is written by hand
 * from what is stored, because every line of every task comes by here.
 */
export function flowText(taskId: string, line: NumberedLine): { readonly file: FlowName; readonly text: string } {
  const { metadataJson, ...rest } = line;
  const file = flowOf(line.type);
  if (file === FILES.agentOutput && (metadataJson === null || !LIFTED.test(metadataJson))) {
    return { file, text: oneLine(OUTPUT_TEMPLATE(lineTexts(taskId, line.seq, line))) };
  }
  const metadata = metadataJson === null ? null : (JSON.parse(metadataJson) as JsonObject);
  return { file, text: lineText(flowLine({ ...rest, id: entryId(taskId, line.seq), taskId, metadata }).line) };
}
