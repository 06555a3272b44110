import { TEXT_CHARS, WEBHOOK_TEXT_CHARS } from '../../core/limits.ts';
import { cutText } from '../../core/text.ts';
import type { WebhookEvent } from './provider.ts';

type Words = Pick<WebhookEvent, 'message' | 'spoken'> & { readonly cut: boolean };

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
