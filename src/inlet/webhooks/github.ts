import { verify as verifyText } from '@octokit/webhooks-methods';
import { cutText } from '../../core/text.ts';
import { type Delivery, header, headerWord, readPayload } from './delivery.ts';
import { at, type Fields, numberAt, textAt, told, wordAt } from './fields.ts';
import type { Origin, Provider, Sender, WebhookEvent } from './provider.ts';
import { refused, type Verdict } from './signature.ts';
import { spokenMarkdown } from './spoken.ts';
import { titleOf, words } from './text.ts';

/** Events in which a person says something: where their words lie, and the action that makes them new. */
const SAID: Readonly<Record<string, { readonly place: string; readonly created: string }>> = {
  issues: { place: 'issue', created: 'opened' },
  issue_comment: { place: 'comment', created: 'created' },
  pull_request: { place: 'pull_request', created: 'opened' },
  pull_request_review: { place: 'review', created: 'submitted' },
  pull_request_review_comment: { place: 'comment', created: 'created' },
  commit_comment: { place: 'comment', created: 'created' },
  discussion: { place: 'discussion', created: 'created' },
  discussion_comment: { place: 'comment', created: 'created' },
};
const MEMBERS = ['OWNER', 'MEMBER', 'COLLABORATOR'];

/** GitHub's own webhooks, and those of a GitHub Enterprise Server. */
export const github: Provider = { name: 'github', verify, read };

async function verify(delivery: Delivery, secret: string): Promise<Verdict> {
  if (secret === '') return refused('no_secret');
  const signature = header(delivery, 'x-hub-signature-256');
  if (signature === undefined) return refused('missing_header');
  if (signature === null || !/^sha256=[0-9a-f]{64}$/.test(signature)) return refused('odd_header');
  const text = exactText(delivery.body);
  const ok = text !== undefined && text !== '' && (await verifyText(secret, text, signature));
  return ok ? { ok } : refused('wrong_signature');
}

/** The bytes as a text that encodes to these very bytes again; undefined when there is none, which GitHub never sends. */
function exactText(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}

function read(delivery: Delivery, origin: Origin = {}): WebhookEvent {
  const payload = readPayload(delivery);
  const name = headerWord(delivery, 'x-github-event') ?? 'unknown';
  const action = wordAt(payload, 'action');
  const eventType = action === null ? name : `${name}.${action}`;
  const deliveryId = headerWord(delivery, 'x-github-delivery');
  const said = Object.hasOwn(SAID, name) ? SAID[name] : undefined;
  const subject = said && at(payload, said.place);
  const isNew = said !== undefined && said.created === action;
  const title =
    textAt(payload, 'issue', 'title') ??
    textAt(payload, 'pull_request', 'title') ??
    textAt(payload, 'discussion', 'title');
  const ownTitle = textAt(subject, 'title');
  const { cut, ...text } = words(
    [ownTitle, textAt(subject, 'body')].filter((part) => part !== null).join('\n\n'),
    spokenMarkdown,
  );
  return {
    provider: 'github',
    deliveryId,
    eventType: cutText(eventType, 200),
    kind: name === 'ping' ? 'ping' : subject === undefined ? 'other' : 'said',
    isNew,
    sender: senderOf(payload, subject, isNew),
    ...text,
    title: titleOf(title ?? text.message),
    sourceMetadata: {
      provider: 'github',
      event_type: cutText(eventType, 200),
      webhook_id: origin.webhookId ?? headerWord(delivery, 'x-github-hook-id'),
      ...told({ delivery_id: deliveryId, message_cut: cut || null }),
      ...placeOf(name, payload),
    },
    payload,
  };
}

/** Where it happened, in what the reply builders and the answer to a waiting plan need. */
function placeOf(name: string, payload: Fields) {
  const repo = textAt(payload, 'repository', 'full_name');
  const issue = numberAt(payload, 'issue', 'number');
  const pull = numberAt(payload, 'pull_request', 'number');
  const discussion = numberAt(payload, 'discussion', 'number');
  const number = issue ?? pull ?? discussion;
  const onPull = pull !== null || at(payload, 'issue', 'pull_request') !== undefined;
  const thread =
    repo === null || number === null ? null : `${repo}${discussion === null ? '' : '/discussions'}#${number}`;
  return told<string | number | boolean>({
    repo,
    [discussion === null ? 'issue_number' : 'discussion_number']: number,
    pull_request: onPull || null,
    comment_id: name === 'pull_request_review' ? null : numberAt(payload, 'comment', 'id'),
    comment_kind: numberAt(payload, 'comment', 'id') === null ? null : name,
    url:
      textAt(payload, 'comment', 'html_url') ??
      textAt(payload, 'review', 'html_url') ??
      textAt(payload, 'issue', 'html_url') ??
      textAt(payload, 'pull_request', 'html_url') ??
      textAt(payload, 'discussion', 'html_url'),
    ref: textAt(payload, 'pull_request', 'head', 'ref'),
    sender: wordAt(payload, 'sender', 'login'),
    thread,
  });
}

/**
 * Of new words their author, who may be another than who sent them on: an issue that was transferred is still its author's. Of
 * all else who did it, and how they belong to the project is known only when the words are theirs.
 */
function senderOf(payload: Fields, subject: unknown, isNew: boolean): Sender | null {
  const author = at(subject, 'user');
  const actor = at(payload, 'sender');
  const person = isNew ? (author ?? actor) : (actor ?? author);
  const login = wordAt(person, 'login');
  if (login === null) return null;
  const association = login === wordAt(author, 'login') ? textAt(subject, 'author_association') : null;
  const automatic = [person, actor].some(
    (user) => textAt(user, 'type') === 'Bot' || textAt(user, 'login')?.endsWith('[bot]'),
  );
  const standing = association === null ? 'unknown' : MEMBERS.includes(association) ? 'member' : 'outsider';
  return {
    id: wordAt(person, 'id') ?? login,
    name: login,
    login,
    // An app that writes in a person's name is no person either.
    isBot: automatic || (at(subject, 'performed_via_github_app') ?? null) !== null,
    standing,
    association,
  };
}
