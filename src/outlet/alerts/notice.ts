import { createHmac } from 'node:crypto';
import type { AlertTarget } from '../../core/alert.ts';
import type { JsonObject, LogEntry } from '../../core/entry.ts';
import type { StoreReader } from '../../core/ports.ts';
import { cutText } from '../../core/text.ts';
import { isoTime } from '../../core/time.ts';
import { toSnake } from '../../core/wire.ts';
import type { OutletParts } from '../follower.ts';
import { taskOf } from '../replies/answers.ts';
import { type Accounts, escapedForSlack, type Reply, type SlackMessage, slackMessage } from '../replies/request.ts';
import { calm, fenced } from '../slack/message.ts';
import { linkTo } from '../words.ts';
import type { Rule } from './rule.ts';
import type { Firing } from './watch.ts';

/** A notice as a webhook gets it. */
export interface Notice {
  /** The same one when it is sent again. */
  readonly id: string;
  readonly test: boolean;
  readonly alert: { readonly id: string; readonly name: string; readonly severity: string };
  readonly on: string;
  readonly query: string;
  readonly count: number;
  readonly threshold: number;
  readonly window_seconds: number;
  readonly fired_at: string;
  /** Notices before this one that were not sent: too many in a minute. */
  readonly missed: number;
  readonly tasks: readonly { readonly task_id: string; readonly title: string | null; readonly url: string | null }[];
  readonly sample: readonly JsonObject[];
  readonly url: string | null;
}

export interface NoticeFacts {
  readonly id: string;
  readonly firing: Firing;
  readonly missed?: number;
  readonly test?: boolean;
}

export type NoticeParts = Pick<OutletParts, 'publicUrl'> & {
  readonly store: StoreReader;
  readonly intake: { mask(text: string): string };
};

const MESSAGE_CHARS = 2_000;
const METADATA_CHARS = 4_000;
const SLACK_LINE_CHARS = 400;
const SLACK_TITLE_CHARS = 150;
const SLACK_QUERY_CHARS = 600;
/** Slack takes 3,000 characters in a part. */
const SLACK_CHARS = 2_800;

/** What is told, read anew from the store. Tasks that were deleted meanwhile are left out. */
export async function noticeOf(parts: NoticeParts, rule: Rule, facts: NoticeFacts): Promise<Notice> {
  const { store, intake, publicUrl } = parts;
  const { id, definition } = rule;
  const { firing, missed = 0, test = false } = facts;
  const tasks = await Promise.all(firing.taskIds.map((taskId) => taskOf({ store }, taskId)));
  const lines = await Promise.all(firing.lines.map(([taskId, seq]) => lineOf(store, taskId, seq)));
  const query = intake.mask(definition.query);
  return {
    ...{ id: facts.id, test },
    alert: { id, name: intake.mask(definition.name), severity: definition.severity },
    ...{ on: definition.on, query, count: firing.count, threshold: definition.threshold },
    window_seconds: definition.windowSeconds,
    fired_at: isoTime(firing.atMs),
    missed,
    tasks: tasks.flatMap((task) => {
      if (task === null) return [];
      const url = publicUrl === undefined ? null : linkTo(publicUrl, task.taskId);
      return [{ task_id: task.taskId, title: task.title, url }];
    }),
    sample: lines.flatMap((line) => (line ? [shownLine(line)] : [])),
    url: publicUrl === undefined ? null : `${publicUrl.replace(/\/+$/, '')}/search?q=${encodeURIComponent(query)}`,
  };
}

/** A notice on its way to one target, or why there is none. */
export function requestOf(
  notice: Notice,
  target: AlertTarget,
  accounts: Pick<Accounts, 'slack' | 'slackWebhook'>,
): Reply {
  if ('slack' in target) {
    const { slackWebhook } = accounts;
    const byHook = target.slack === 'webhook';
    return slackMessage(byHook ? { slackWebhook } : accounts, slackText(notice), {
      channel: byHook ? null : target.slack,
    });
  }
  const body = JSON.stringify(notice);
  const { secret } = target;
  const signature = secret ? createHmac('sha256', secret).update(body).digest('hex') : null;
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'tasktrail',
    'x-tasktrail-delivery': notice.id,
    ...(signature !== null && { 'x-tasktrail-signature': `sha256=${signature}` }),
  };
  return { ok: true, request: { method: 'POST', url: target.webhook, headers, body } };
}

/** A target in words that hold no secret: the path of an address may be one. */
export function targetName(target: AlertTarget): string {
  if ('slack' in target) return target.slack === 'webhook' ? 'Slack' : `Slack ${target.slack}`;
  return URL.parse(target.webhook)?.origin ?? 'webhook';
}

async function lineOf(store: StoreReader, taskId: string, seq: number): Promise<LogEntry | null> {
  if ((await taskOf({ store }, taskId)) === null) return null;
  const page = await store.read(taskId, { after: seq - 1, before: seq + 1, limit: 1 });
  return page.entries[0] ?? null;
}

function shownLine(entry: LogEntry): JsonObject {
  const small = JSON.stringify(entry.metadata).length <= METADATA_CHARS;
  return {
    ...toSnake(entry),
    message: cutText(entry.message, MESSAGE_CHARS),
    metadata: small ? entry.metadata : null,
  };
}

function slackText(notice: Notice): SlackMessage {
  const { alert, on, count, window_seconds: seconds, tasks, sample, missed, test } = notice;
  const name = calm(alert.name, SLACK_TITLE_CHARS);
  const what = on === 'task' ? 'tasks' : 'lines';
  const head = test
    ? `Test of the alert ${name} (${alert.severity})`
    : `Alert ${name} (${alert.severity}): ${count} ${what} within ${seconds} s`;
  const query = `\`${calm(notice.query, SLACK_QUERY_CHARS).replaceAll('`', "'")}\``;
  const list = tasks.map(({ task_id, title, url }) => {
    const shown = calm((title ?? task_id).replace(/\s+/g, ' '), SLACK_TITLE_CHARS);
    return `• ${shown} ${escapedForSlack(url ?? task_id, 300)}`;
  });
  const lines = sample.map(({ level, message }) => `${level} ${calm(String(message), SLACK_LINE_CHARS)}`).join('\n');
  const more = missed === 0 ? '' : `\n${missed} more alerts before this one were not sent: too many in a minute.`;
  const foot = `${notice.url === null ? '' : escapedForSlack(notice.url, SLACK_CHARS)}${more}`;
  const parts = [`${head}\n${query}`, within(list), lines === '' ? '' : fenced(lines), foot.trim()];
  return {
    text: head,
    blocks: parts.flatMap((text) => (text === '' ? [] : [{ type: 'section', text: { type: 'mrkdwn', text } }])),
  };
}

/** As many rows as one part holds. */
function within(rows: readonly string[]): string {
  let text = '';
  for (const row of rows) {
    if (text.length + row.length + 1 > SLACK_CHARS) break;
    text += text === '' ? row : `\n${row}`;
  }
  return text;
}
