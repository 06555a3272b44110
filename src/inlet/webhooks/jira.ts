import { TEXT_CHARS } from '../../core/limits.ts';
import { cutText } from '../../core/text.ts';
import { documentText } from './atlassian-document.ts';
import { type Delivery, headerWord, readPayload } from './delivery.ts';
import { at, type Fields, textAt, told, wordAt } from './fields.ts';
import type { Origin, Provider, Sender, WebhookEvent } from './provider.ts';
import { verifyHmac } from './signature.ts';
import { spokenWiki } from './spoken.ts';
import { titleOf, words } from './text.ts';

const NEW = ['jira:issue_created', 'comment_created'];

/** Jira Cloud, by webhooks that an administrator made with a secret. */
export const jira: Provider = {
  name: 'jira',
  // On old webhooks of GitHub the same header means SHA-1: only the method sha256 is taken.
  verify: async (delivery, secret) =>
    verifyHmac({
      delivery,
      secret,
      header: 'x-hub-signature',
      prefix: 'sha256=',
      encoding: 'hex',
      signed: [delivery.body],
    }),
  read,
};

function read(delivery: Delivery, origin: Origin = {}): WebhookEvent {
  const payload = readPayload(delivery);
  const eventType = cutText(textAt(payload, 'webhookEvent') ?? 'unknown', 200);
  const deliveryId = headerWord(delivery, 'x-atlassian-webhook-identifier');
  const comment = at(payload, 'comment');
  const summary = textAt(payload, 'issue', 'fields', 'summary');
  const { cut, ...text } = comment === undefined ? issueWords(payload) : wordsOf(at(comment, 'body'));
  return {
    provider: 'jira',
    deliveryId,
    eventType,
    kind: text.message === '' ? 'other' : 'said',
    isNew: NEW.includes(eventType),
    sender: senderOf(at(comment, 'author') ?? at(payload, 'user')),
    ...text,
    title: titleOf(summary ?? text.message),
    sourceMetadata: {
      provider: 'jira',
      event_type: eventType,
      webhook_id: origin.webhookId ?? null,
      ...told<string | boolean>({
        delivery_id: deliveryId,
        message_cut: cut || null,
        issue_key: wordAt(payload, 'issue', 'key'),
        issue_id: wordAt(payload, 'issue', 'id'),
        issue_type: wordAt(payload, 'issue', 'fields', 'issuetype', 'name'),
        project: wordAt(payload, 'issue', 'fields', 'project', 'key'),
        comment_id: wordAt(comment, 'id'),
        thread: wordAt(payload, 'issue', 'key'),
      }),
    },
    payload,
  };
}

function issueWords(payload: Fields) {
  const summary = textAt(payload, 'issue', 'fields', 'summary');
  const { message, spoken, cut } = wordsOf(at(payload, 'issue', 'fields', 'description'));
  const head = summary === null ? '' : `${cutText(summary, TEXT_CHARS)}${message === '' ? '' : '\n\n'}`;
  return { message: head + message, spoken: head + spoken, cut };
}

/** Wiki markup, or a document of Atlassian's editor. */
function wordsOf(body: unknown) {
  if (typeof body === 'string') return words(body, spokenWiki);
  const { text, spoken } = documentText(body);
  const { message, cut } = words(text, (whole) => whole);
  return { message, spoken: spoken.slice(0, message.length), cut };
}

function senderOf(person: unknown): Sender | null {
  // A Jira of one's own has no account ids; its users must be named.
  const id = wordAt(person, 'accountId') ?? wordAt(person, 'key') ?? wordAt(person, 'name');
  if (id === null) return null;
  const accountType = textAt(person, 'accountType');
  const standing = accountType === 'atlassian' ? 'member' : accountType === 'customer' ? 'guest' : 'unknown';
  return {
    id,
    name: wordAt(person, 'displayName') ?? id,
    login: null,
    isBot: accountType === 'app',
    standing,
    association: accountType,
  };
}
