import { TrailError } from '../core/error.ts';
import { type Delivery, readPayload } from '../inlet/webhooks/delivery.ts';
import { at, type Fields } from '../inlet/webhooks/fields.ts';

/** Events of GitHub by the fields that their payloads have; the first that has them all. */
const GITHUB: readonly (readonly [event: string, ...fields: readonly string[]])[] = [
  ['pull_request_review_comment', 'pull_request', 'comment'],
  ['pull_request_review', 'pull_request', 'review'],
  ['pull_request_review_thread', 'pull_request', 'thread'],
  ['issue_comment', 'issue', 'comment'],
  ['discussion_comment', 'discussion', 'comment'],
  ['commit_comment', 'comment'],
  ['ping', 'zen'],
  ['push', 'ref', 'commits'],
  ['workflow_job', 'workflow_job'],
  ['workflow_run', 'workflow_run'],
  ['check_run', 'check_run'],
  ['check_suite', 'check_suite'],
  ['deployment_status', 'deployment_status'],
  ['release', 'release'],
  ['pull_request', 'pull_request'],
  ['issues', 'issue'],
  ['discussion', 'discussion'],
];

/** What Sentry tells of, by the field of `data` that holds it. */
const SENTRY: readonly (readonly [resource: string, field: string])[] = [
  ['event_alert', 'event'],
  ['metric_alert', 'metric_alert'],
  ['comment', 'comment'],
  ['error', 'error'],
  ['issue', 'issue'],
  ['installation', 'installation'],
];

export interface Named {
  readonly provider: string;
  /** As the caller says; else it is guessed. */
  readonly event: string | undefined;
  readonly id: string;
}

/** The headers in which a provider names the event and the delivery. */
export function eventHeaders(delivery: Delivery, { provider, event, id }: Named): Readonly<Record<string, string>> {
  if (provider === 'github') {
    return { 'X-GitHub-Event': event ?? guessed(provider, githubEvent(delivery)), 'X-GitHub-Delivery': id };
  }
  if (provider === 'sentry') {
    return { 'Sentry-Hook-Resource': event ?? guessed(provider, sentryResource(delivery)), 'Request-ID': id };
  }
  if (event !== undefined) {
    throw new TrailError(
      'invalid_usage',
      `--event: the type of an event of ${provider} stands in its payload, not beside it`,
    );
  }
  // Slack names its deliveries in the payload alone.
  if (provider === 'slack') return {};
  return provider === 'jira' ? { 'X-Atlassian-Webhook-Identifier': id } : { 'Webhook-Id': id };
}

function guessed(provider: string, event: string | undefined): string {
  if (event !== undefined) return event;
  throw new TrailError(
    'invalid_usage',
    `the payload does not tell which event of ${provider} it is; say it with --event`,
  );
}

function githubEvent(delivery: Delivery): string | undefined {
  const payload = readPayload(delivery);
  return GITHUB.find(([, ...fields]) => fields.every((field) => isThere(payload, field)))?.[0];
}

function sentryResource(delivery: Delivery): string | undefined {
  const data = at(readPayload(delivery), 'data');
  return SENTRY.find(([, field]) => at(data, field) !== undefined)?.[0];
}

function isThere(payload: Fields, field: string): boolean {
  return (at(payload, field) ?? null) !== null;
}
