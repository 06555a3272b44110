import type { JsonObject } from '../../core/entry.ts';
import { wordAt } from './fields.ts';
import { BUTTONS } from './slack.ts';
import { cutText, OWN_MARKS } from './text.ts';

/** A request that somebody may send. Nothing here sends it. */
export interface Outgoing {
  readonly method: 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The request, or why there is none: what the stage `immediate_response` says. */
export type Reply =
  | { readonly ok: true; readonly request: Outgoing }
  | { readonly ok: false; readonly reason: 'no_token' | 'no_place' };

export interface ReplyTokens {
  readonly github?: string;
  readonly jira?: { readonly url: string; readonly email: string; readonly token: string };
  readonly slack?: string;
  /** An incoming webhook of Slack: for where there is no bot token. It has one channel. */
  readonly slackWebhook?: string;
}

export interface Said {
  readonly text: string;
  /** Asks for approval of this task, where the provider has buttons. */
  readonly approve?: string;
}

const GITHUB_URL = 'https://api.github.com';
const SLACK_URL = 'https://slack.com/api/chat.postMessage';
/** How long a text may be at each. */
const CHARS = { github: 65_000, jira: 32_000, slack: 2_900 };

/**
 * Tell at once, where a command was said, that it was heard: a reaction on GitHub, else a text. `place` is the task's
 * `source_metadata`. Every address is built of checked parts, because what a payload calls its URL may be anybody's.
 */
export function acknowledgement(place: JsonObject, tokens: ReplyTokens, text: string): Reply {
  return place.provider === 'github' ? githubReaction(place, tokens.github) : comment(place, tokens, { text });
}

/** Say something where a command was said: a comment, or a message in the same thread. */
export function comment(place: JsonObject, tokens: ReplyTokens, said: Said): Reply {
  switch (place.provider) {
    case 'github':
      return githubComment(place, tokens.github, said);
    case 'jira':
      return jiraComment(place, tokens.jira, said);
    case 'slack':
      return slackMessage(place, tokens, said);
    default:
      return { ok: false, reason: 'no_place' };
  }
}

/** Eyes on the comment, else on the issue or pull request. Reviews and discussions have no reactions that REST could make. */
function githubReaction(place: JsonObject, token: string | undefined): Reply {
  if (!token) return { ok: false, reason: 'no_token' };
  const repo = repoOf(place);
  const subject = reactedTo(place);
  if (repo === null || subject === null) return { ok: false, reason: 'no_place' };
  return post(`${GITHUB_URL}/repos/${repo}/${subject}/reactions`, githubHeaders(token), { content: 'eyes' });
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

function githubComment(place: JsonObject, token: string | undefined, { text }: Said): Reply {
  if (!token) return { ok: false, reason: 'no_token' };
  const repo = repoOf(place);
  const issue = numberOf(place.issue_number);
  if (repo === null || issue === null) return { ok: false, reason: 'no_place' };
  const body = `${OWN_MARKS.github}\n${short(text, CHARS.github)}`;
  return post(`${GITHUB_URL}/repos/${repo}/issues/${issue}/comments`, githubHeaders(token), { body });
}

function jiraComment(place: JsonObject, jira: ReplyTokens['jira'], { text }: Said): Reply {
  if (!jira?.token) return { ok: false, reason: 'no_token' };
  const key = wordAt(place, 'issue_key');
  if (key === null || !/^[A-Za-z][A-Za-z0-9_]{0,99}-\d{1,12}$/.test(key) || !/^https?:\/\//.test(jira.url)) {
    return { ok: false, reason: 'no_place' };
  }
  const authorization = `Basic ${Buffer.from(`${jira.email}:${jira.token}`).toString('base64')}`;
  const url = `${jira.url.replace(/\/+$/, '')}/rest/api/2/issue/${key}/comment`;
  return post(url, { authorization, accept: 'application/json' }, { body: OWN_MARKS.jira + short(text, CHARS.jira) });
}

function slackMessage(place: JsonObject, { slack, slackWebhook }: ReplyTokens, said: Said): Reply {
  const text = escaped(said.text);
  const channel = wordAt(place, 'channel');
  const message = { text, ...(said.approve !== undefined && { blocks: approvalBlocks(text, said.approve) }) };
  if (slack) {
    if (channel === null) return { ok: false, reason: 'no_place' };
    const thread = wordAt(place, 'thread_ts');
    const body = { channel, ...(thread !== null && { thread_ts: thread }), ...message };
    return post(SLACK_URL, { authorization: `Bearer ${slack}` }, body);
  }
  return slackWebhook ? post(slackWebhook, {}, message) : { ok: false, reason: 'no_token' };
}

function approvalBlocks(text: string, taskId: string) {
  const buttons = Object.entries(BUTTONS).map(([name, verdict]) => ({
    type: 'button',
    action_id: name,
    value: taskId,
    style: verdict === 'approve' ? 'primary' : 'danger',
    text: { type: 'plain_text', text: verdict === 'approve' ? 'Approve' : 'Reject' },
  }));
  return [
    { type: 'section', text: { type: 'mrkdwn', text } },
    { type: 'actions', block_id: 'tasktrail', elements: buttons },
  ];
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
  const repo = wordAt(place, 'repo') ?? '';
  return /^[\w.-]{1,100}\/[\w.-]{1,100}$/.test(repo) && !/(^|\/)\.{1,2}(\/|$)/.test(repo) ? repo : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function short(text: string, chars: number): string {
  return text.length <= chars ? text : `${cutText(text, chars)}…`;
}

/**
 * Without what Slack would read as a mention, a link or an entity: `<!channel>` in an agent's words must wake nobody. Cut after
 * that, because Slack counts what is sent, and not within an entity.
 */
function escaped(text: string): string {
  // More than this is never shown, and there is no need to escape it.
  const whole = text
    .slice(0, CHARS.slack + 1)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
  return whole.length <= CHARS.slack ? whole : `${cutText(whole, CHARS.slack).replace(/&[a-z]{0,3}$/, '')}…`;
}
