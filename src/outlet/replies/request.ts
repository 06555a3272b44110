import type { JsonObject } from '../../core/entry.ts';
import { BUTTONS, OWN_MARKS } from '../../core/marks.ts';
import { cutText } from '../../core/text.ts';
import type { Outgoing } from '../outbound/dispatch.ts';

/** The request, which nothing here sends, or why there is none: what the stage `immediate_response` says. */
export type Reply =
  | { readonly ok: true; readonly request: Outgoing }
  | { readonly ok: false; readonly reason: 'no_token' | 'no_place' };

/** What opens the providers to us, and where their APIs are. */
export interface Accounts {
  readonly github?: { readonly url: string; readonly token: string } | undefined;
  readonly jira?: { readonly url: string; readonly email: string; readonly token: string } | undefined;
  readonly slack?: { readonly url: string; readonly token: string } | undefined;
  /** An incoming webhook of Slack: for where there is no bot token. It has one channel. */
  readonly slackWebhook?: string | undefined;
}

export interface Said {
  readonly text: string;
  /** What stands below the text, however much of that is cut. */
  readonly foot?: string;
  /** Asks for approval of this task, where the provider has buttons. */
  readonly approve?: string;
}

/** A message of Slack whose texts are escaped already. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks?: readonly object[];
}

/** How long a text may be at each. */
const CHARS = { github: 65_000, jira: 32_000, slack: 2_900 };
const FOOT_CHARS = 1_000;

/**
 * Tell at once, where a command was said, that it was heard: a reaction on GitHub, else a text. `place` is the task's
 * `source_metadata`. Every address is built of checked parts, because what a payload calls its URL may be anybody's.
 */
export function acknowledgement(place: JsonObject, accounts: Accounts, text: string): Reply {
  return place.provider === 'github' ? githubReaction(place, accounts.github) : comment(place, accounts, { text });
}

/** Say something where a command was said: a comment, or a message in the same thread. */
export function comment(place: JsonObject, accounts: Accounts, said: Said): Reply {
  switch (place.provider) {
    case 'github':
      return githubComment(place, accounts.github, said);
    case 'jira':
      return jiraComment(place, accounts.jira, said);
    case 'slack':
      return slackComment(place, accounts, said);
    default:
      return { ok: false, reason: 'no_place' };
  }
}

/** A message to a channel, or into a thread of it; by an incoming webhook it goes to the channel of that. */
export function slackMessage(
  { slack, slackWebhook }: Accounts,
  { text, blocks }: SlackMessage,
  { channel, thread }: { readonly channel: string | null; readonly thread?: string | null },
): Reply {
  // What a task prints makes nobody's server fetch anything.
  const message = { text, unfurl_links: false, unfurl_media: false, ...(blocks && { blocks }) };
  if (slack) {
    if (channel === null) return { ok: false, reason: 'no_place' };
    const body = { channel, ...(thread && { thread_ts: thread }), ...message };
    return post(`${trimmed(slack.url)}/chat.postMessage`, { authorization: `Bearer ${slack.token}` }, body);
  }
  return slackWebhook ? post(slackWebhook, {}, message) : { ok: false, reason: 'no_token' };
}

/** The buttons that approve and reject a task. */
export function approvalButtons(taskId: string): object {
  const elements = Object.entries(BUTTONS).map(([name, verdict]) => ({
    type: 'button',
    action_id: name,
    value: taskId,
    style: verdict === 'approve' ? 'primary' : 'danger',
    text: { type: 'plain_text', text: verdict === 'approve' ? 'Approve' : 'Reject' },
  }));
  return { type: 'actions', block_id: 'tasktrail', elements };
}

/**
 * Without what Slack would read as a mention, a link or an entity: `<!channel>` in an agent's words must wake nobody. Cut after
 * that, because Slack counts what is sent, and not within an entity.
 */
export function escapedForSlack(text: string, chars: number = CHARS.slack): string {
  // More than this is never shown, and there is no need to escape it.
  const whole = cutText(text, chars).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  if (text.length <= chars && whole.length <= chars) return whole;
  return `${cutText(whole, chars).replace(/&[a-z]{0,3}$/, '')}…`;
}

/** Eyes on the comment, else on the issue or pull request. Reviews and discussions have no reactions that REST could make. */
function githubReaction(place: JsonObject, github: Accounts['github']): Reply {
  if (!github?.token) return { ok: false, reason: 'no_token' };
  const repo = repoOf(place);
  const subject = reactedTo(place);
  if (repo === null || subject === null) return { ok: false, reason: 'no_place' };
  const url = `${trimmed(github.url)}/repos/${repo}/${subject}/reactions`;
  return post(url, githubHeaders(github.token), { content: 'eyes' });
}

function reactedTo(place: JsonObject): string | null {
  const id = numberOf(place.comment_id);
  switch (id === null ? undefined : place.comment_kind) {
    case 'issue_comment':
      return `issues/comments/${id}`;
    case 'pull_request_review_comment':
      return `pulls/comments/${id}`;
    case 'commit_comment':
      return `comments/${id}`;
    default: {
      const issue = numberOf(place.issue_number);
      return issue === null ? null : `issues/${issue}`;
    }
  }
}

function githubComment(place: JsonObject, github: Accounts['github'], said: Said): Reply {
  if (!github?.token) return { ok: false, reason: 'no_token' };
  const repo = repoOf(place);
  const issue = numberOf(place.issue_number);
  if (repo === null || issue === null) return { ok: false, reason: 'no_place' };
  // A zero-width space behind it: what an agent says calls nobody.
  const calm = (text: string): string => text.replace(/@(?=[\w-])/g, '@\u200b');
  const body = `${OWN_MARKS.github}\n${footed(said, CHARS.github, calm)}`;
  return post(`${trimmed(github.url)}/repos/${repo}/issues/${issue}/comments`, githubHeaders(github.token), { body });
}

function jiraComment(place: JsonObject, jira: Accounts['jira'], said: Said): Reply {
  if (!jira?.token) return { ok: false, reason: 'no_token' };
  const key = wordOf(place, 'issue_key');
  if (key === null || !/^[A-Za-z][A-Za-z0-9_]{0,99}-\d{1,12}$/.test(key) || !/^https?:\/\//.test(jira.url)) {
    return { ok: false, reason: 'no_place' };
  }
  const authorization = `Basic ${Buffer.from(`${jira.email}:${jira.token}`).toString('base64')}`;
  const calm = (text: string): string => text.replaceAll('[~', '[\u200b~');
  const body = OWN_MARKS.jira + footed(said, CHARS.jira, calm);
  const url = `${trimmed(jira.url)}/rest/api/2/issue/${key}/comment`;
  return post(url, { authorization, accept: 'application/json' }, { body });
}

function slackComment(place: JsonObject, accounts: Accounts, said: Said): Reply {
  const foot = said.foot === undefined ? '' : `\n${escapedForSlack(said.foot, FOOT_CHARS)}`;
  const text = escapedForSlack(said.text, CHARS.slack - foot.length) + foot;
  const blocks =
    said.approve === undefined
      ? undefined
      : [{ type: 'section', text: { type: 'mrkdwn', text } }, approvalButtons(said.approve)];
  const to = { channel: wordOf(place, 'channel'), thread: wordOf(place, 'thread_ts') };
  return slackMessage(accounts, { text, ...(blocks && { blocks }) }, to);
}

function githubHeaders(token: string) {
  return {
    authorization: `Bearer ${token}`,
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
    'user-agent': 'tasktrail',
  };
}

function post(url: string, headers: Readonly<Record<string, string>>, body: object): Reply {
  const own = { ...headers, 'content-type': 'application/json; charset=utf-8' };
  return { ok: true, request: { method: 'POST', url, headers: own, body: JSON.stringify(body) } };
}

/** `owner/name`; `..` is no name. */
function repoOf(place: JsonObject): string | null {
  const repo = wordOf(place, 'repo') ?? '';
  return /^[\w.-]{1,100}\/[\w.-]{1,100}$/.test(repo) && !/(^|\/)\.{1,2}(\/|$)/.test(repo) ? repo : null;
}

function wordOf(place: JsonObject, name: string): string | null {
  const held = place[name];
  return typeof held === 'string' && held !== '' && held.length <= 300 ? held : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '');
}

function footed({ text, foot }: Said, chars: number, calm: (text: string) => string): string {
  const below = foot === undefined ? '' : `\n\n${cutText(foot, FOOT_CHARS)}`;
  const room = chars - below.length;
  const above = calm(cutText(text, room));
  return (text.length <= room && above.length <= room ? above : `${cutText(above, room)}…`) + below;
}
