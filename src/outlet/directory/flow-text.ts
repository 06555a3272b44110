import type { NumberedLine } from '../../core/directory.ts';
import { entryId, type JsonObject } from '../../core/entry.ts';
import { FILES, type FlowName, flowLine, flowOf } from '../../core/task-files.ts';
import { lineText, oneLine } from './json-line.ts';

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
    return { file, text: oneLine(outputText(line)) };
  }
  const metadata = metadataJson === null ? null : (JSON.parse(metadataJson) as JsonObject);
  return { file, text: lineText(flowLine({ ...rest, id: entryId(taskId, line.seq), taskId, metadata }).line) };
}

function outputText({ timestamp, seq, type, level, source, stream, message, metadataJson }: NumberedLine): string {
  // Times, types, levels and streams are plain by their grammar; only the rest needs escaping.
  return (
    `{"timestamp":"${timestamp}","seq":${seq},"type":"${type}","level":"${level}","source":${JSON.stringify(source)},` +
    `"stream":${stream === null ? 'null' : `"${stream}"`},"content":${JSON.stringify(message)},"metadata":${metadataJson ?? 'null'}}`
  );
}
