import { cutText } from '../../core/text.ts';
import { type Delivery, headerWord, readPayload } from './delivery.ts';
import { at, type Fields, listAt, textAt, told, wordAt } from './fields.ts';
import type { Origin, Provider, Sender, WebhookEvent } from './provider.ts';
import { verifyHmac } from './signature.ts';
import { titleOf, words } from './text.ts';

/** Actions that tell of something new, as an alert that was set off; the rest closes or changes. */
const NEW = ['triggered', 'created', 'critical', 'warning'];

/** Sentry's integration webhooks. */
export const sentry: Provider = {
  name: 'sentry',
  verify: async (delivery, secret) =>
    verifyHmac({
      delivery,
      secret,
      header: 'sentry-hook-signature',
      prefix: '',
      encoding: 'hex',
      signed: [delivery.body],
    }),
  read,
};

function read(delivery: Delivery, origin: Origin = {}): WebhookEvent {
  const payload = readPayload(delivery);
  const event = at(payload, 'data', 'event');
  const action = textAt(payload, 'action');
  const eventType = headerWord(delivery, 'sentry-hook-resource') ?? (event === undefined ? 'unknown' : 'event_alert');
  const deliveryId = headerWord(delivery, 'request-id');
  const title =
    textAt(event, 'title') ?? textAt(payload, 'data', 'issue', 'title') ?? textAt(payload, 'data', 'description_title');
  const said = textAt(event, 'message') ?? textAt(event, 'logentry', 'formatted') ?? title ?? '';
  const sender = senderOf(payload);
  const { cut, message } = words(said, (text) => text);
  return {
    provider: 'sentry',
    deliveryId,
    eventType,
    kind: sender === null ? 'alert' : 'other',
    isNew: action === null || NEW.includes(action),
    sender,
    message,
    // Nobody speaks in an error's message: no word in it is a command.
    spoken: message.replace(/[^\n]/g, ' '),
    title: titleOf(title ?? message),
    sourceMetadata: {
      provider: 'sentry',
      event_type: eventType,
      webhook_id: origin.webhookId ?? null,
      ...told<string | boolean>({
        delivery_id: deliveryId,
        message_cut: cut || null,
        action,
        repo: tagOf(event, 'repository'),
        issue_id: wordAt(event, 'issue_id') ?? wordAt(payload, 'data', 'issue', 'id'),
        event_id: wordAt(event, 'event_id'),
        project: wordAt(event, 'project_slug') ?? wordAt(event, 'project'),
        environment: tagOf(event, 'environment') ?? wordAt(event, 'environment'),
        level: wordAt(event, 'level'),
        culprit: wordAt(event, 'culprit'),
        rule: wordAt(payload, 'data', 'triggered_rule'),
        url: webUrl(textAt(event, 'web_url')) ?? webUrl(textAt(payload, 'data', 'web_url')),
      }),
    },
    payload,
  };
}

/** Tags are pairs in events of the API and objects in those of newer SDKs. */
function tagOf(event: unknown, name: string): string | null {
  for (const tag of listAt(event, 'tags')) {
    const [key, value] = Array.isArray(tag) ? tag : [at(tag, 'key'), at(tag, 'value')];
    if (key === name && typeof value === 'string' && value !== '') return cutText(value, 300);
  }
  return null;
}

/** Alerts come from Sentry itself, an `application`; what a person did in Sentry has them as its actor. */
function senderOf(payload: Fields): Sender | null {
  if (textAt(payload, 'actor', 'type') !== 'user') return null;
  const id = wordAt(payload, 'actor', 'id') ?? 'unknown';
  const name = wordAt(payload, 'actor', 'name') ?? id;
  return { id, name, login: null, isBot: false, standing: 'unknown', association: null };
}

function webUrl(url: string | null): string | null {
  return url !== null && /^https?:\/\/\S{1,1000}$/.test(url) ? url : null;
}
