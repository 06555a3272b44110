import type { LogEntry } from '../../core/entry.ts';
import type { StoreReader } from '../../core/ports.ts';
import type { Task } from '../../core/task.ts';
import { approvalButtons, escapedForSlack, type SlackMessage } from '../replies/request.ts';
import { linkTo, standing } from '../words.ts';

/** What a message is about. */
export interface Notice {
  readonly task: Task;
  /** The rule that tells; null when it is the status itself. */
  readonly rule: string | null;
  /** The line in the middle; null when there is none to show. */
  readonly seq: number | null;
  readonly window: readonly LogEntry[];
  /** Messages before this one that were not sent. */
  readonly missed: number;
  readonly publicUrl: string | undefined;
}

const BEFORE = 3;
const AFTER = 5;
const TITLE_CHARS = 300;
const NAME_CHARS = 100;
const LINK_CHARS = 1_000;
/** Slack takes 3,000 characters in a part: the line in the middle gets most of them, and none of its neighbours can take its room. */
const LINE_CHARS = 1_200;
const NEIGHBOUR_CHARS = 170;
const TEXT_CHARS = 2_800;

/** The first line of level ERROR, if any. */
export async function firstError(store: StoreReader, { taskId, log }: Task): Promise<number | null> {
  if (log.byLevel.ERROR === 0) return null;
  for (let after = 0; ; ) {
    const page = await store.read(taskId, { after, filter: { levels: ['ERROR'] }, limit: 1 });
    if (page.firstSeq !== null || page.done) return page.firstSeq;
    after = page.scannedTo;
  }
}

/** The lines around one. */
export async function windowAround(store: StoreReader, taskId: string, seq: number): Promise<readonly LogEntry[]> {
  const entries: LogEntry[] = [];
  const before = seq + AFTER + 1;
  // Long lines come alone.
  for (let after = Math.max(0, seq - BEFORE - 1); after < before - 1; ) {
    const page = await store.read(taskId, { after, before, limit: BEFORE + 1 + AFTER });
    entries.push(...page.entries);
    if (page.done) break;
    after = page.scannedTo;
  }
  return entries;
}

export function noticeMessage(notice: Notice): SlackMessage {
  const { task, rule, seq, missed, publicUrl } = notice;
  const head = `${standing(task)}: ${calm((task.title ?? task.taskId).replace(/\s+/g, ' '), TITLE_CHARS)}`;
  const why = rule === null ? '' : ` (rule ${calm(rule, NAME_CHARS)})`;
  const shown = shownOf(notice);
  const link = escapedForSlack(linkTo(publicUrl, task.taskId, seq ?? undefined), LINK_CHARS);
  const more = missed === 0 ? '' : `\n${missed} more messages before this one were not sent: too many in a minute.`;
  const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });
  return {
    text: head + why,
    blocks: [
      section(head + why),
      ...(shown === '' ? [] : [section(fenced(shown))]),
      section(link + more),
      ...(task.status === 'pending_approval' ? [approvalButtons(task.taskId)] : []),
    ],
  };
}

function shownOf({ task, seq, window }: Notice): string {
  if (seq !== null) return window.map((entry) => row(entry, seq)).join('\n');
  const text = task.status === 'pending_approval' ? task.metadata?.plan : task.error;
  return typeof text === 'string' ? calm(text, TEXT_CHARS) : '';
}

function row({ seq, level, message }: LogEntry, middle: number): string {
  const start = `${seq === middle ? '▶' : ' '} ${seq} ${level} `;
  return start + calm(message, seq === middle ? LINE_CHARS : NEIGHBOUR_CHARS);
}

export function fenced(text: string): string {
  return `\`\`\`\n${text}\n\`\`\``;
}

/** Escaped, without control characters, and with no backticks side by side: these would end the block of code around it. */
export function calm(text: string, chars: number): string {
  const plain = text
    .slice(0, chars * 4)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are made of them
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
    .toWellFormed()
    .replace(/`(?=`)/g, '`\u200b');
  return escapedForSlack(plain, chars);
}
