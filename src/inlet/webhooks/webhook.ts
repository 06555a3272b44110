import { asTrailError, type Fault, TrailError } from '../../core/error.ts';
import { saidWord } from './command.ts';
import { type Check, type Condition, compileCondition } from './condition.ts';
import { customProvider } from './custom.ts';
import type { WebhookCommand, WebhookDefinition } from './definition.ts';
import { github } from './github.ts';
import { jira } from './jira.ts';
import { answered, answerIn, idleReason, ignored, type Match } from './match.ts';
import type { Provider, WebhookEvent } from './provider.ts';
import { sentry } from './sentry.ts';
import { verifyScheme } from './signature.ts';
import { slack } from './slack.ts';
import { compileTemplate, type Rendered, type Template } from './template.ts';

/** The providers that are known without being defined, by the name in their URL. */
export const PROVIDERS: ReadonlyMap<string, Provider> = new Map(
  [github, jira, slack, sentry].map((provider) => [provider.name, provider]),
);

/** Providers that say which person is behind a delivery. */
const TELLS_SENDER = ['github', 'jira', 'slack'];

/** A webhook made at run time, ready to look at deliveries. */
export interface Webhook {
  readonly provider: Provider;
  readonly definition: WebhookDefinition;
  /** What a delivery asks for: the first command that fits. Never throws. */
  match(event: WebhookEvent): Match<WebhookCommand>;
  /** What the agent is told. Never throws; `command` is one that `match` answered. */
  prompt(command: WebhookCommand, event: WebhookEvent, request: string): Rendered;
}

/** Check and prepare a definition before it is kept. Throws `invalid_webhook` whose `errors` name each bad place. */
export function compileWebhook(definition: WebhookDefinition): Webhook {
  const faults: Fault[] = [];
  const conditions = checksOf(definition.conditions, 'conditions', faults);
  const commands = definition.commands.map((command, index): Ready => {
    const place = `commands[${index}]`;
    const twin = definition.commands.findIndex(({ name }) => name === command.name);
    if (twin < index)
      faults.push({ path: `${place}.name`, detail: `expected another name than that of commands[${twin}]` });
    const template = tried(faults, `${place}.prompt`, () => compileTemplate(command.prompt));
    return { command, checks: checksOf(command.conditions, `${place}.conditions`, faults), template };
  });
  const provider = providerOf(definition, faults);
  if (definition.users?.length && !TELLS_SENDER.includes(definition.provider)) {
    faults.push({
      path: 'users',
      detail: `${definition.provider} does not say who sent a delivery; ask for them in a condition`,
    });
  }
  const [first] = faults;
  if (first !== undefined || provider === undefined) {
    throw new TrailError('invalid_webhook', `${first?.path}: ${first?.detail}`, { errors: faults });
  }
  return {
    provider,
    definition,
    match: (event) => matched({ definition, conditions, commands }, event),
    prompt(command, event, request) {
      const template = commands.find((ready) => ready.command === command)?.template;
      return template?.(viewOf(event, request)) ?? { text: '', missing: [], cut: [] };
    },
  };
}

interface Ready {
  readonly command: WebhookCommand;
  readonly checks: readonly Check[];
  readonly template: Template | undefined;
}

interface Compiled {
  readonly definition: WebhookDefinition;
  readonly conditions: readonly Check[];
  readonly commands: readonly Ready[];
}

function providerOf({ provider: name, signature }: WebhookDefinition, faults: Fault[]): Provider | undefined {
  const known = PROVIDERS.get(name);
  if (signature === undefined) {
    if (known === undefined) {
      faults.push({ path: 'signature', detail: `expected how ${name} signs its deliveries, got nothing` });
    }
    return known;
  }
  if (known === undefined) return customProvider(name, signature);
  return { ...known, verify: async (delivery, secret) => verifyScheme(signature, delivery, secret) };
}

function checksOf(conditions: readonly Condition[] | undefined, place: string, faults: Fault[]): readonly Check[] {
  return (conditions ?? []).flatMap(
    (condition, index) => tried(faults, `${place}[${index}]`, () => compileCondition(condition)) ?? [],
  );
}

function tried<T>(faults: Fault[], path: string, make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    faults.push({ path, detail: asTrailError(error).message });
    return undefined;
  }
}

function matched({ definition, conditions, commands }: Compiled, event: WebhookEvent): Match<WebhookCommand> {
  const idle = idleReason(event);
  if (idle !== null) return idle;
  const whole = triggered(definition.trigger, event);
  if (!whole.fits) return untriggered(definition.trigger, event);
  const unmet = firstUnmet(conditions, event);
  if (unmet !== null) return ignored('conditions_not_met', unmet);
  const answer = answerIn(event);
  if (answer !== null) return answered(answer);
  let why = ignored('unsupported_event', `no command looks at ${event.eventType}`);
  for (const { command, checks } of commands) {
    const own = triggered(command.trigger, event);
    const fault = own.fits ? firstUnmet(checks, event) : null;
    if (own.fits && fault === null) {
      return { kind: 'command', command, request: own.request ?? whole.request ?? event.message.trim() };
    }
    if (fault !== null) why = ignored('conditions_not_met', `${command.name}: ${fault}`);
    else if (why.reason !== 'conditions_not_met') why = untriggered(command.trigger, event);
  }
  return why;
}

interface Triggered {
  readonly fits: boolean;
  /** What stands after the word. */
  readonly request?: string;
}

/** Without a trigger every event fits. Words count only in what is new and said by a person. */
function triggered(trigger: WebhookDefinition['trigger'], event: WebhookEvent): Triggered {
  const triggers = trigger === undefined ? ['*'] : [trigger].flat();
  const words = triggers.filter(isWord);
  if (triggers.some((type) => !isWord(type) && isOfType(event.eventType, type))) return { fits: true };
  if (words.length === 0 || !event.isNew) return { fits: false };
  const slash = event.sourceMetadata.command;
  if (event.eventType === 'slash_command' && typeof slash === 'string' && words.includes(slash)) {
    return { fits: true, request: event.message.trim() };
  }
  const said = saidWord(event, words);
  return said === null ? { fits: false } : { fits: true, request: said.request || (event.title ?? '') };
}

function untriggered(trigger: WebhookDefinition['trigger'], event: WebhookEvent) {
  const words = [trigger ?? []].flat().filter(isWord);
  if (words.length === 0) return ignored('unsupported_event', `no command looks at ${event.eventType}`);
  if (!event.isNew) return ignored('not_new', `${event.eventType} is about something that was there before`);
  return ignored('no_command', `nothing in it says ${words.join(' or ')}`);
}

function isWord(trigger: string): boolean {
  return trigger.startsWith('/') || trigger.startsWith('@');
}

/** A `*` stands for any characters. Piece by piece instead of by a pattern, which many stars would make slow. */
function isOfType(eventType: string, type: string): boolean {
  const [first = '', ...rest] = type.split('*');
  const last = rest.pop();
  if (last === undefined) return eventType === type;
  if (!eventType.startsWith(first)) return false;
  let from = first.length;
  for (const piece of rest) {
    const place = eventType.indexOf(piece, from);
    if (place < 0) return false;
    from = place + piece.length;
  }
  return eventType.length - last.length >= from && eventType.endsWith(last);
}

function firstUnmet(checks: readonly Check[], event: WebhookEvent): string | null {
  for (const check of checks) {
    const unmet = check(event.payload);
    if (unmet !== null) return unmet;
  }
  return null;
}

/** What templates see: the payload, and beside it what we made of it. */
function viewOf(event: WebhookEvent, request: string): object {
  const { payload, sourceMetadata, message, title, sender } = event;
  const tasktrail = { ...sourceMetadata, request, message, title, sender: sender?.name ?? null };
  return { ...payload, tasktrail };
}
