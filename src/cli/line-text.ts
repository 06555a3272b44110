import type { LogEntry } from '../core/entry.ts';
import type { Span } from '../core/found.ts';
import type { Level } from '../core/level.ts';
import { type Style, safeText, styled } from './terminal.ts';

interface Look {
  readonly colour: boolean;
  /** The message as it came, with its escape sequences. */
  readonly raw?: boolean | undefined;
  /** Parts of the message that stand out; its own colours are left out then. */
  readonly highlights?: readonly Span[];
  /** Said before the source: the task, where lines of several are mixed. */
  readonly task?: string;
}

const LEVEL_STYLES: Readonly<Record<Level, Style | undefined>> = {
  DEBUG: 'dim',
  INFO: undefined,
  WARNING: 'yellow',
  ERROR: 'red',
};

/** A stored line as a line of text. */
export function lineText({ timestamp, level, source, message }: LogEntry, look: Look): string {
  const { colour, task } = look;
  const time = styled(timestamp, 'dim', colour);
  const name = styled(level.padEnd(7), LEVEL_STYLES[level], colour);
  const origin = styled(`[${safeText(source, { colour: false })}]`, 'cyan', colour);
  const words = [time, ...(task === undefined ? [] : [task]), name, origin, messageText(message, look)];
  return `${words.join(' ')}\n`;
}

function messageText(message: string, { colour, raw, highlights = [] }: Look): string {
  if (raw) return message;
  if (highlights.length === 0 || !colour) return safe(message, colour);
  const parts: string[] = [];
  let at = 0;
  for (const [start, end] of highlights) {
    parts.push(safe(message.slice(at, start), false), styled(safe(message.slice(start, end), false), 'mark', true));
    at = end;
  }
  return parts.join('') + safe(message.slice(at), false);
}

/** Further lines of a message are set in, so that none can pass for a line of its own. */
function safe(text: string, colour: boolean): string {
  return safeText(text.replaceAll('\r\n', '\n'), { colour }).replaceAll('\n', '\n    ');
}
