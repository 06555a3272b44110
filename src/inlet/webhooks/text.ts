import { TEXT_CHARS, WEBHOOK_TEXT_CHARS } from '../../core/limits.ts';
import type { WebhookEvent } from './provider.ts';

type Words = Pick<WebhookEvent, 'message' | 'spoken'> & { readonly cut: boolean };

/** The marks of what we write ourselves: our own words are never a command to us. GitHub does not show its mark. */
export const OWN_MARKS = { github: '<!-- tasktrail -->', jira: 'tasktrail: ' } as const;

/** A text of a delivery within its limit, and the part of it that counts as spoken. */
export function words(text: string, spokenOf: (text: string) => string): Words {
  // Whoever types on Windows sends \r\n; no pattern here needs to know.
  const whole = text.replaceAll('\r\n', '\n');
  const message = cutText(whole, WEBHOOK_TEXT_CHARS);
  return { message, spoken: spokenOf(message), cut: message.length < whole.length };
}

/** One line for people: the first that is not empty. */
export function titleOf(text: string): string | null {
  const line = /\S[^\n]*/.exec(text)?.[0].trim();
  return line ? cutText(line, TEXT_CHARS) : null;
}

/** The start of a text; a character of two code units at the edge stays whole or stays out. */
export function cutText(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const start = text.slice(0, chars);
  return start.isWellFormed() || !text.isWellFormed() ? start : start.slice(0, -1);
}
