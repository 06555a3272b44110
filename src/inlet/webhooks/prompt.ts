import { cutText } from '../../core/text.ts';
import { at, listAt, textAt, wordAt } from './fields.ts';
import type { WebhookEvent } from './provider.ts';

const FRAMES = 20;
const CONTEXT_CHARS = 20_000;

/** What a built-in command tells the agent: the request, then where it comes from and what was there. */
export function builtInPrompt(event: WebhookEvent, request: string): string {
  const context = event.provider === 'sentry' ? alertContext(event) : placeContext(event);
  return [request, context].filter((part) => part !== '').join('\n\n');
}

function placeContext({ payload, sourceMetadata: place, title, message }: WebhookEvent): string {
  const body =
    textAt(payload, 'issue', 'body') ??
    textAt(payload, 'pull_request', 'body') ??
    textAt(payload, 'issue', 'fields', 'description');
  const known = body !== null && !message.includes(body) ? body : null;
  return lines({
    Repository: place.repo,
    Issue: place.issue_key ?? place.issue_number,
    Title: title,
    Branch: place.ref,
    URL: place.url,
    Description: known === null ? null : `\n${cutText(known, CONTEXT_CHARS)}`,
  });
}

function alertContext({ payload, sourceMetadata: place, title }: WebhookEvent): string {
  const event = at(payload, 'data', 'event');
  const thrown = listAt(event, 'exception', 'values').at(-1);
  const kind = [wordAt(thrown, 'type'), textAt(thrown, 'value')].filter((part) => part !== null).join(': ');
  const frames = listAt(thrown, 'stacktrace', 'frames').slice(-FRAMES).reverse().map(frameLine);
  const stack = frames.length === 0 ? null : `\n${cutText(frames.join('\n'), CONTEXT_CHARS)}`;
  return lines({
    Title: title,
    Repository: place.repo,
    Project: place.project,
    Environment: place.environment,
    Level: place.level,
    Culprit: place.culprit,
    URL: place.url,
    Exception: kind === '' ? null : cutText(kind, CONTEXT_CHARS),
    'Stack, newest first': stack,
  });
}

function frameLine(frame: unknown): string {
  const file = wordAt(frame, 'filename') ?? wordAt(frame, 'module') ?? '?';
  return `  ${file}:${wordAt(frame, 'lineno') ?? '?'} in ${wordAt(frame, 'function') ?? '?'}`;
}

function lines(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}
