import { WEBHOOK_AGE_MS } from '../../core/limits.ts';
import { BUTTONS } from '../../core/marks.ts';
import { plainAnswer } from './command.ts';
import { type Delivery, header, headerWord, isForm, parseJson, readForm, readPayload } from './delivery.ts';
import { at, type Fields, listAt, textAt, told, wordAt } from './fields.ts';
import type { Answer, EventKind, Origin, Provider, Sender, WebhookEvent } from './provider.ts';
import { refused, type Verdict, verifyHmac } from './signature.ts';
import { spokenMrkdwn } from './spoken.ts';
import { titleOf, words } from './text.ts';

/** Slack: the Events API, slash commands and buttons. */
export const slack: Provider = { name: 'slack', verify, clean, read };

async function verify(delivery: Delivery, secret: string): Promise<Verdict> {
  const time = header(delivery, 'x-slack-request-timestamp');
  if (time === undefined) return refused('missing_header');
  if (time === null || !/^\d{1,12}$/.test(time)) return refused('odd_header');
  const verdict = verifyHmac({
    delivery,
    secret,
    header: 'x-slack-signature',
    prefix: 'v0=',
    encoding: 'hex',
    signed: [`v0:${time}:`, delivery.body],
  });
  // Only who signed rightly learns that it was too late.
  return verdict.ok && Math.abs(delivery.nowMs - Number(time) * 1000) > WEBHOOK_AGE_MS ? refused('too_old') : verdict;
}

/** An old token that proves nothing any more but is still a secret, and addresses at which anybody may answer for a while. */
const OPENERS = ['token', 'response_url', 'response_urls'];

function clean(delivery: Delivery): Delivery {
  if (!isForm(delivery))
    return { ...delivery, body: cleanJson(new TextDecoder().decode(delivery.body)) ?? delivery.body };
  const form = readForm(delivery);
  for (const name of OPENERS) form.delete(name);
  const payload = form.get('payload');
  const cleaned = payload === null ? undefined : cleanJson(payload);
  if (cleaned) form.set('payload', new TextDecoder().decode(cleaned));
  return { ...delivery, body: new TextEncoder().encode(form.toString()) };
}

/** Undefined when there is nothing to take out, or it is no JSON: who reads it next says so. */
function cleanJson(text: string): Uint8Array | undefined {
  let fields: Fields;
  try {
    fields = parseJson(text);
  } catch {
    return undefined;
  }
  if (!OPENERS.some((name) => name in fields)) return undefined;
  const kept = Object.entries(fields).filter(([name]) => !OPENERS.includes(name));
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(kept)));
}

function read(delivery: Delivery, origin: Origin = {}): WebhookEvent {
  const form = isForm(delivery) ? readForm(delivery) : null;
  if (form === null) return eventOf(readPayload(delivery), delivery, origin);
  const payload = form.get('payload');
  return payload === null ? slashOf(form, origin) : clickOf(parseJson(payload), origin);
}

/** What the three kinds of deliveries have in common. */
interface Parts {
  readonly payload: Fields;
  readonly eventType: string;
  readonly deliveryId: string | null;
  readonly kind: EventKind;
  readonly text?: string;
  readonly isNew: boolean;
  readonly sender: Sender | null;
  readonly place: Readonly<Record<string, string | null>>;
  readonly answer?: Answer | null;
  readonly challenge?: string | null;
}

function eventOf(payload: Fields, delivery: Delivery, origin: Origin): WebhookEvent {
  const outer = textAt(payload, 'type');
  const event = at(payload, 'event');
  const eventType = wordAt(event, 'type') ?? outer ?? 'unknown';
  const challenge = outer === 'url_verification' ? textAt(payload, 'challenge') : null;
  const text = textAt(event, 'text') ?? '';
  // A subtype is a change, a message of a bot, or the like; a mention may bear one and still be new.
  const edited = at(event, 'edited') !== undefined || (eventType === 'message' && textAt(event, 'subtype') !== null);
  const said = eventType === 'app_mention' || eventType === 'message';
  const ts = wordAt(event, 'ts');
  return made(origin, {
    payload,
    eventType,
    deliveryId: wordAt(payload, 'event_id'),
    kind: challenge !== null ? 'ping' : said ? 'said' : 'other',
    text: plain(eventType === 'app_mention' ? stripped(text) : text),
    isNew: said && !edited,
    sender: eventSender(payload, event),
    place: {
      team_id: wordAt(payload, 'team_id'),
      channel: wordAt(event, 'channel') ?? wordAt(event, 'item', 'channel'),
      user: wordAt(event, 'user'),
      ts,
      thread_ts: wordAt(event, 'thread_ts') ?? (said ? ts : null),
      retry: headerWord(delivery, 'x-slack-retry-num'),
    },
    // Without a mention only an answer in a thread is meant for us.
    answer:
      eventType === 'app_mention' || textAt(event, 'thread_ts') !== null ? plainAnswer(plain(stripped(text))) : null,
    challenge,
  });
}

function slashOf(form: URLSearchParams, origin: Origin): WebhookEvent {
  const payload: Fields = Object.fromEntries([...form].slice(0, 100));
  const text = plain(textAt(payload, 'text') ?? '');
  const id = wordAt(payload, 'user_id');
  const isCommand = wordAt(payload, 'command') !== null;
  return made(origin, {
    payload,
    eventType: isCommand ? 'slash_command' : 'unknown',
    deliveryId: wordAt(payload, 'trigger_id'),
    // Slack looks with `ssl_check` whether the certificate is good.
    kind: isCommand ? 'said' : payload.ssl_check === '1' ? 'ping' : 'other',
    text,
    isNew: isCommand,
    sender: id === null ? null : person(id, { name: wordAt(payload, 'user_name'), standing: 'member' }),
    place: {
      team_id: wordAt(payload, 'team_id'),
      channel: wordAt(payload, 'channel_id'),
      channel_name: wordAt(payload, 'channel_name'),
      user: id,
      command: wordAt(payload, 'command'),
    },
    answer: plainAnswer(text),
  });
}

function clickOf(payload: Fields, origin: Origin): WebhookEvent {
  const action = listAt(payload, 'actions')[0];
  const name = wordAt(action, 'action_id') ?? '';
  const verdict = Object.hasOwn(BUTTONS, name) ? BUTTONS[name as keyof typeof BUTTONS] : null;
  const user = at(payload, 'user');
  const id = wordAt(user, 'id');
  const trigger = wordAt(payload, 'trigger_id');
  const home = wordAt(user, 'team_id');
  const foreign = home !== null && home !== (wordAt(payload, 'team', 'id') ?? home);
  return made(origin, {
    payload,
    eventType: wordAt(payload, 'type') ?? 'unknown',
    deliveryId: trigger,
    kind: 'click',
    isNew: true,
    sender:
      id === null
        ? null
        : person(id, {
            name: wordAt(user, 'username') ?? wordAt(user, 'name'),
            standing: foreign ? 'outsider' : 'member',
          }),
    place: {
      team_id: wordAt(payload, 'team', 'id'),
      channel: wordAt(payload, 'channel', 'id') ?? wordAt(payload, 'container', 'channel_id'),
      user: id,
      ts: wordAt(payload, 'container', 'message_ts'),
      thread_ts: wordAt(payload, 'container', 'thread_ts') ?? wordAt(payload, 'container', 'message_ts'),
    },
    answer: verdict === null ? null : { verdict, taskId: wordAt(action, 'value'), comment: '' },
  });
}

function made(origin: Origin, parts: Parts): WebhookEvent {
  const { payload, eventType, deliveryId, kind, isNew, sender, place, answer, challenge } = parts;
  const { cut, ...text } = words(parts.text ?? '', spokenMrkdwn);
  const thread = place.channel && place.thread_ts ? `${place.channel}:${place.thread_ts}` : null;
  return {
    provider: 'slack',
    deliveryId,
    eventType,
    kind,
    isNew,
    sender,
    ...text,
    title: titleOf(text.message),
    sourceMetadata: {
      provider: 'slack',
      event_type: eventType,
      webhook_id: origin.webhookId ?? null,
      ...told<string | boolean>({ delivery_id: deliveryId, message_cut: cut || null, ...place, thread }),
    },
    payload,
    ...(answer && { answer }),
    ...(challenge && { challenge }),
  };
}

function eventSender(payload: Fields, event: unknown): Sender | null {
  const id = wordAt(event, 'user') ?? wordAt(event, 'bot_id');
  if (id === null) return null;
  const profile = at(event, 'user_profile');
  const guest = at(profile, 'is_restricted') === true || at(profile, 'is_ultra_restricted') === true;
  // In a channel shared with another company, its people are no members of this workspace.
  const team = wordAt(payload, 'team_id');
  const foreign = [wordAt(event, 'user_team'), wordAt(event, 'source_team'), wordAt(profile, 'team')].some(
    (home) => home !== null && home !== team,
  );
  const isBot =
    wordAt(event, 'bot_id') !== null || textAt(event, 'subtype') === 'bot_message' || at(profile, 'is_bot') === true;
  const standing = foreign || at(profile, 'is_stranger') === true ? 'outsider' : guest ? 'guest' : 'member';
  return person(id, { name: wordAt(profile, 'name'), standing, isBot });
}

function person(id: string, who: { name: string | null; standing: Sender['standing']; isBot?: boolean }): Sender {
  const isBot = who.isBot === true || id === 'USLACKBOT';
  return { id, name: who.name ?? id, login: null, isBot, standing: who.standing, association: null };
}

function stripped(text: string): string {
  return text.replace(/^\s*(?:<@[A-Z0-9]+(?:\|[^>]*)?>[\s:,]*)+/, '');
}

/** Slack writes three characters as entities; `&amp;` last, so that `&amp;lt;` becomes `&lt;` and no more. */
function plain(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
