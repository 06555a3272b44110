import { allowedOf } from '../outlet/outbound/allowed.ts';
import type { Setting } from './setting.ts';
import { list, webUrl } from './values.ts';

/** Undefined where it is not set. */
export interface WebhookConfig {
  readonly githubWebhookSecret: string | undefined;
  readonly jiraWebhookSecret: string | undefined;
  readonly slackSigningSecret: string | undefined;
  readonly sentryClientSecret: string | undefined;
  readonly githubToken: string | undefined;
  readonly githubApiUrl: string;
  readonly jiraUrl: string | undefined;
  readonly jiraEmail: string | undefined;
  readonly jiraApiToken: string | undefined;
  readonly slackBotToken: string | undefined;
  readonly slackApiUrl: string;
  readonly slackWebhookUrl: string | undefined;
  readonly outboundAllow: readonly string[];
}

const GITHUB_API = 'https://api.github.com';
const SLACK_API = 'https://slack.com/api';

/** Settings of webhooks, and of who is answered. Secrets have no flag: every user of a machine can read what its programs are started with. */
export const WEBHOOK_SETTINGS: { readonly [K in keyof WebhookConfig]: Setting<WebhookConfig[K]> } = {
  githubWebhookSecret: secret('GITHUB_WEBHOOK_SECRET', 'Secret of the webhooks at GitHub.'),
  jiraWebhookSecret: secret('JIRA_WEBHOOK_SECRET', 'Secret of the webhooks at Jira.'),
  slackSigningSecret: secret('SLACK_SIGNING_SECRET', 'Signing secret of the Slack app.'),
  sentryClientSecret: secret('SENTRY_CLIENT_SECRET', 'Client secret of the integration at Sentry.'),
  githubToken: secret('GITHUB_TOKEN', 'With it a reaction and the answer at the end are sent to GitHub.'),
  githubApiUrl: api('GITHUB_API_URL', GITHUB_API, 'Where GitHub answers; another one for GitHub Enterprise Server.'),
  jiraUrl: {
    name: 'JIRA_URL',
    parse: webUrl,
    fallback: () => undefined,
    shownDefault: 'none',
    meaning: 'The Jira site, as `https://example.atlassian.net`; with the next two, comments are sent there.',
  },
  jiraEmail: {
    name: 'JIRA_EMAIL',
    parse: (text) => text,
    fallback: () => undefined,
    shownDefault: 'none',
    meaning: 'Whose API token it is.',
  },
  jiraApiToken: secret('JIRA_API_TOKEN', 'API token for that site.'),
  slackBotToken: secret('SLACK_BOT_TOKEN', 'With it messages are sent to Slack, in the thread that asked.'),
  slackApiUrl: api('SLACK_API_URL', SLACK_API, 'Where Slack answers.'),
  slackWebhookUrl: secret(
    'SLACK_WEBHOOK_URL',
    'An incoming webhook of Slack, for messages where there is no bot token.',
    webUrl,
  ),
  outboundAllow: {
    name: 'TASKTRAIL_OUTBOUND_ALLOW',
    flag: '--outbound-allow <places>',
    parse: list(
      (text) => allowedOf(text) !== null,
      'host names, addresses (both with a port, if wanted) or ranges like 10.0.0.0/8, separated by commas',
    ),
    fallback: () => [],
    shownDefault: 'none',
    meaning:
      'Private places that alerts made at run time may post to: `alarms.internal:8080`, `10.1.2.3`, `10.0.0.0/8`.',
  },
};

function secret(name: string, meaning: string, parse: (text: string) => string = (text) => text) {
  return { name, parse, fallback: () => undefined, shownDefault: 'none', meaning, secret: true } as const;
}

function api(name: string, url: string, meaning: string): Setting<string> {
  return {
    name,
    parse: webUrl,
    fallback: () => url,
    shownDefault: url,
    meaning,
  };
}
