import { ALERT_SEVERITIES, ALERT_SUBJECTS } from '../../core/alert.ts';
import type { Json, JsonObject } from '../../core/entry.ts';
import type { Fault } from '../../core/error.ts';
import type { WireAlert, WireAlertPreview } from '../../core/wire-alert.ts';
import type { Field } from './form.ts';

/** What the form of an alert holds, as it is typed. */
export interface AlertDraft {
  id: string;
  name: string;
  query: string;
  on: string;
  threshold: string;
  window: string;
  coolDown: string;
  severity: string;
  /** Channels, by comma. */
  slack: string;
  /** Addresses, one a line. */
  webhooks: string;
  /** Signs what is posted to each address. */
  secret: string;
}

const plain = {
  help: '',
  required: false,
  kind: 'text',
  initial: '',
  choices: [],
  min: undefined,
  max: undefined,
  whole: false,
} as const;

export const ALERT_FIELDS = {
  id: { ...plain, name: 'id', label: 'Id', help: 'empty: one is made' },
  name: { ...plain, name: 'name', label: 'Name', required: true },
  query: {
    ...plain,
    ...{ name: 'query', label: 'Query', required: true },
    help: 'such as level:error source:git; of tasks, status:failed agent:planner',
  },
  on: {
    ...plain,
    ...{ name: 'on', label: 'What is counted', required: true, kind: 'choice', initial: 'lines' },
    ...{ choices: ALERT_SUBJECTS, words: ['Lines that match', 'Tasks that come to match, each once'] },
  },
  threshold: {
    ...plain,
    name: 'threshold',
    label: 'Fires at',
    help: 'so many matches',
    required: true,
    kind: 'number',
  },
  window: { ...plain, name: 'window_seconds', label: 'Within', help: 'seconds', required: true, kind: 'number' },
  coolDown: {
    ...plain,
    name: 'cool_down_seconds',
    label: 'Then silent for',
    help: 'seconds',
    required: true,
    kind: 'number',
  },
  severity: {
    ...plain,
    ...{
      name: 'severity',
      label: 'Severity',
      required: true,
      kind: 'choice',
      initial: 'warning',
      choices: ALERT_SEVERITIES,
    },
  },
  slack: {
    ...plain,
    name: 'to',
    label: 'Slack channels',
    help: 'such as #ops, by comma; webhook: that of the settings',
  },
  webhooks: { ...plain, name: 'to', label: 'Addresses to post to', help: 'one a line', kind: 'longtext' },
  secret: {
    ...plain,
    name: 'secret',
    label: 'Secret of the addresses',
    help: 'signs what is posted; at least 8 characters',
  },
  keptSecret: { ...plain, name: 'secret', label: 'New secret of the addresses', help: 'empty: the old ones stay' },
} as const satisfies Record<string, Field>;

export function draftOfAlert(alert: WireAlert | null): AlertDraft {
  if (!alert) {
    const numbers = { threshold: '1', window: '300', coolDown: '900' };
    return {
      id: '',
      name: '',
      query: '',
      on: 'lines',
      ...numbers,
      severity: 'warning',
      slack: '',
      webhooks: '',
      secret: '',
    };
  }
  const { id, name, query, on, severity, to } = alert;
  return {
    ...{ id, name, query, on, severity, secret: '' },
    threshold: String(alert.threshold),
    window: String(alert.window_seconds),
    coolDown: String(alert.cool_down_seconds),
    slack: to.flatMap((target) => ('slack' in target ? [target.slack] : [])).join(', '),
    webhooks: to.flatMap((target) => ('webhook' in target ? [target.webhook] : [])).join('\n'),
  };
}

/** The rule as the server takes it; what is no number stays text, for the server to name. */
export function ruleOfDraft(draft: AlertDraft, enabled: boolean): JsonObject {
  const { name, query, on, severity, secret } = draft;
  const slack = draft.slack.split(',').map((part) => part.trim());
  const addresses = draft.webhooks.split('\n').map((part) => part.trim());
  return {
    ...{ name: name.trim(), query, on, severity, enabled },
    threshold: numberIn(draft.threshold),
    window_seconds: numberIn(draft.window),
    cool_down_seconds: numberIn(draft.coolDown),
    to: [
      ...slack.flatMap((channel) => (channel === '' ? [] : [{ slack: channel }])),
      ...addresses.flatMap((webhook) => (webhook === '' ? [] : [{ webhook, ...(secret !== '' && { secret }) }])),
    ],
  };
}

/** The same rule, on or off. */
export function switchedRule(alert: WireAlert): JsonObject {
  return ruleOfDraft(draftOfAlert(alert), !alert.enabled);
}

/** What the server found wrong, by field; what has no field is under the empty name. */
export function alertFaults(faults: readonly Fault[]): Readonly<Record<string, string>> {
  const names = new Set<string>(Object.values(ALERT_FIELDS).map(({ name }) => name));
  const found: Record<string, string> = {};
  for (const { path, detail } of faults) {
    const name = path.replace(/^rule\./, '').split(/[.[]/, 1)[0] ?? '';
    const key = names.has(name) ? name : '';
    const text = key === '' ? `${path}: ${detail}` : detail;
    found[key] = found[key] ? `${found[key]}; ${text}` : text;
  }
  return found;
}

export function previewWords({ fired_total: total, matches, complete }: WireAlertPreview): string {
  const times = total === 1 ? 'once' : `${total} times`;
  const found = matches === 1 ? '1 match' : `${matches} matches`;
  const rest = complete ? '' : ' There was no time to look at the older part.';
  return `In the last 7 days it would have fired ${times}: ${found}.${rest}`;
}

function numberIn(text: string): Json {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text) : text;
}
