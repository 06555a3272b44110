import type { DeliveryOutcome } from '../../core/webhook.ts';
import type { WireDelivery, WireSignature, WireWebhook } from '../../core/wire-webhook.ts';

/** How an outcome looks: a shape and a word, so that no one needs the colour. */
export interface OutcomeLook {
  readonly word: string;
  readonly tone: 'good' | 'bad' | 'wait' | 'quiet';
  readonly icon: 'check' | 'cross' | 'hand' | 'stop';
}

const LOOKS: Readonly<Record<DeliveryOutcome, OutcomeLook>> = {
  accepted: { word: 'Started a task', tone: 'good', icon: 'check' },
  answered: { word: 'Answered a task', tone: 'good', icon: 'check' },
  ignored: { word: 'Ignored', tone: 'quiet', icon: 'stop' },
  refused: { word: 'Refused', tone: 'wait', icon: 'hand' },
  failed: { word: 'Failed', tone: 'bad', icon: 'cross' },
};

/** What a reason means, and what to do about it. */
const REASONS: Readonly<Record<string, string>> = {
  ping: 'The provider only tried whether we are here.',
  challenge: 'The provider wanted its challenge back, and got it.',
  unsupported_event: 'No command looks at events of this type.',
  not_new: 'It is an edit, a closing, or about something old; only what is new starts a task.',
  own_message: 'tasktrail wrote it itself.',
  no_command: 'No command word is said in it.',
  conditions_not_met: 'A condition of the webhook or of its command does not hold.',
  not_allowed: 'Its sender may not start an agent.',
  disabled: 'The webhook is switched off.',
  nothing_waits: 'It answers, but no task waits for an answer there.',
  not_its_place: 'It answers a task that was asked for somewhere else.',
  approved: 'It approved a task that waited.',
  rejected: 'It rejected a task that waited.',
  approve: 'It would approve a task that waits.',
  reject: 'It would reject a task that waits.',
  not_configured: 'No secret is set here, so nothing can be checked. Set the secret and send it again.',
  webhook_not_configured: 'No secret is set here, so nothing can be checked. Set the secret and send it again.',
  no_secret: 'No secret is set here, so nothing can be checked. Set the secret and send it again.',
  missing_header: 'It bears no signature. Set the secret at the sender.',
  odd_header: 'Its signature has another form than the provider uses. Look at the signature scheme.',
  wrong_signature: 'It was signed with another secret, or changed on its way. Compare both secrets.',
  too_old: 'It was signed more than five minutes ago, or in the future. Look at both clocks.',
  invalid_json: 'Its body cannot be read as the provider writes it.',
  budget_spent: 'The budget of the day is spent.',
  unknown_agent: 'Its command names an agent that is not in the config.',
  store_unavailable: 'It could not be stored; the provider sends it again.',
  storage_full: 'The disk is full.',
};

/** Reasons for which the signature is to blame. */
const SIGNATURE_FAULTS = ['missing_header', 'odd_header', 'wrong_signature', 'too_old'];

export function outcomeLook(outcome: DeliveryOutcome): OutcomeLook {
  return LOOKS[outcome];
}

/** A reason as a sentence; one that is not known is told as it is. */
export function reasonText(reason: string | null): string {
  if (reason === null) return '';
  return Object.hasOwn(REASONS, reason) ? (REASONS[reason] ?? '') : `${reason.replaceAll('_', ' ')}.`;
}

/** Why a delivery became what it is, with what the server said of this very one. */
export function whyText({ reason, detail }: Pick<WireDelivery, 'reason' | 'detail'>): string {
  const sentence = reasonText(reason);
  return [sentence, detail && !sentence.toLowerCase().includes(detail.toLowerCase()) ? detail : '']
    .filter((part) => part !== '')
    .join(' ');
}

const NAMES: Readonly<Record<string, string>> = { github: 'GitHub', jira: 'Jira', slack: 'Slack', sentry: 'Sentry' };

export function providerName(provider: string): string {
  return Object.hasOwn(NAMES, provider) ? (NAMES[provider] ?? provider) : provider;
}

export interface SecretLook {
  readonly word: string;
  readonly help: string;
  readonly tone: 'good' | 'wait' | 'bad';
}

const SETTINGS: Readonly<Record<string, string>> = {
  github: 'GITHUB_WEBHOOK_SECRET',
  jira: 'JIRA_WEBHOOK_SECRET',
  slack: 'SLACK_SIGNING_SECRET',
  sentry: 'SENTRY_CLIENT_SECRET',
};

/** Whether deliveries of a webhook can be checked, and what to do where they cannot. */
export function secretLook(
  webhook: Pick<WireWebhook, 'configured' | 'secret_set' | 'signature' | 'origin' | 'provider'>,
): SecretLook {
  const { configured, secret_set: isSet, signature, origin, provider } = webhook;
  if (signature?.type === 'none') {
    return {
      word: 'unsigned',
      tone: 'wait',
      help: 'Anybody who knows the URL may send. That was allowed in so many words.',
    };
  }
  if (isSet) return { word: 'configured', tone: 'good', help: signatureText(signature, provider) };
  const cure =
    origin === 'builtin' ? `Set ${SETTINGS[provider] ?? 'its secret'} and start the server again.` : 'Set a secret.';
  if (configured) {
    return { word: 'no secret', tone: 'wait', help: `Deliveries are taken unsigned, from this machine alone. ${cure}` };
  }
  return { word: 'not configured', tone: 'bad', help: `Deliveries are refused. ${cure}` };
}

export function signatureText(signature: WireSignature | null, provider: string): string {
  switch (signature?.type) {
    case undefined:
      return `Signed as ${providerName(provider)} does.`;
    case 'hmac-sha256':
      return `HMAC-SHA256 in ${signature.header}.`;
    case 'bearer':
      return `Bearer token in ${signature.header ?? 'Authorization'}.`;
    case 'header-token':
      return `Token in ${signature.header}.`;
    case 'none':
      return 'Unsigned.';
  }
}

/** What to look at when the last delivery was refused for its signature; empty when it was not. */
export function signatureHint(last: WireWebhook['last_delivery']): string {
  if (last?.outcome !== 'refused' || !SIGNATURE_FAULTS.includes(last.reason ?? '')) return '';
  return `The signature of the last delivery was refused. ${reasonText(last.reason)}`;
}

/** What the built-in commands start on. */
const BUILT_IN: Readonly<Record<string, string>> = {
  github: '/agent or @agent in a new issue, comment or pull request',
  jira: '/agent or @agent in a new issue or comment',
  slack: 'a mention or a slash command',
  sentry: 'an event alert',
};

/** What starts a webhook's commands, one text for each. */
export function startsOn({
  commands,
  provider,
  trigger: whole,
}: Pick<WireWebhook, 'commands' | 'provider' | 'trigger'>): readonly string[] {
  if (commands.length === 0) return [BUILT_IN[provider] ?? 'the built-in command'];
  return commands.map(({ name, trigger, agent, approval }) => {
    const words = [trigger ?? whole ?? 'any event'].flat().join(', ');
    return `${words}: ${name}${agent ? `, agent ${agent}` : ''}${approval ? ', after approval' : ''}`;
  });
}

/** What a click on "replay" came to. */
export function receivedText(told: {
  readonly status?: string;
  readonly reason?: string | null;
  readonly detail?: string | null;
}): string {
  const { status, reason = null, detail = null } = told;
  if (status === undefined) return 'It started a task.';
  if (status === 'ignored') return `It was ignored. ${whyText({ reason, detail })}`;
  return status === 'duplicate' ? 'It was done before.' : `${reasonText(status)}`;
}
