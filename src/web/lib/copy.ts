import type { WireEntry } from '../../core/wire.ts';
import { plainLine } from './line.ts';

/** How lines are copied. */
export const COPY_FORMATS = {
  plain: 'Text only',
  prefix: 'With time, level and source',
  json: 'JSON, one line each',
  fence: 'Markdown block',
} as const;
export type CopyFormat = keyof typeof COPY_FORMATS;

/** Lines as text for the clipboard, without a line break at the end. */
export function linesText(lines: readonly WireEntry[], format: CopyFormat): string {
  if (format === 'fence') return fenced(linesText(lines, 'plain'));
  return lines.map((line) => lineText(line, format)).join('\n');
}

function lineText(line: WireEntry, format: Exclude<CopyFormat, 'fence'>): string {
  if (format === 'json') return JSON.stringify(line);
  const text = plainLine(line.message);
  return format === 'plain' ? text : `${line.timestamp} ${line.level} [${line.source}] ${text}`;
}

/** A block of code; its fence is longer than any run of backticks within. */
function fenced(text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = '`'.repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return `${fence}\n${text}\n${fence}`;
}
