import type { Answer } from './provider.ts';

/** A command word that somebody said, and what they said after it. */
export interface Said {
  readonly word: string;
  readonly request: string;
  readonly index: number;
}

const ANSWERS = ['/approve', '/reject'] as const;

/**
 * The first of these words that stands in a text outside code and quotes: `/word` at the start of a line, `@word` anywhere on
 * its own. The request is all that comes after it, code and quotes included.
 */
export function saidWord(text: { message: string; spoken: string }, words: readonly string[]): Said | null {
  const found = words.flatMap((word) => {
    const match = pattern(word).exec(text.spoken);
    return match === null ? [] : [{ word, start: match.index, end: match.index + match[0].length }];
  });
  const first = found.sort((a, b) => a.start - b.start)[0];
  if (first === undefined) return null;
  const request = text.message
    .slice(first.end)
    .replace(/^[\s:,]+/, '')
    .trimEnd();
  return { word: first.word, request, index: first.end };
}

/** `/approve` and `/reject` with a reason, or with the task that is meant. */
export function saidAnswer(text: { message: string; spoken: string }): (Answer & { readonly index: number }) | null {
  const said = saidWord(text, ANSWERS);
  if (said === null) return null;
  return { ...answerOf(said.word === '/approve' ? 'approve' : 'reject', said.request), index: said.index };
}

/**
 * An answer in a talk with a bot, where no word needs a slash: `approve` or `reject` and nothing more, or a task's id, or a
 * reason after a colon. "approve the new icons" is a request.
 */
export function plainAnswer(text: string): Answer | null {
  const match = /^\/?(approve|reject)(?:$|[.!]*$|\s*:\s*|\s+(?=task-[A-Za-z0-9._:-]))/i.exec(text.trim());
  if (match === null) return null;
  const verdict = match[1]?.toLowerCase() === 'approve' ? 'approve' : 'reject';
  return answerOf(verdict, text.trim().slice(match[0].length));
}

function answerOf(verdict: Answer['verdict'], rest: string): Answer {
  const taskId = /^task-[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,120}[A-Za-z0-9_-])?/.exec(rest)?.[0] ?? null;
  const comment = rest
    .slice(taskId?.length ?? 0)
    .replace(/^[\s:,]+/, '')
    .trim();
  return { verdict, taskId, comment };
}

/** No look-behind over spaces, which would read a run of them again for each of them. */
function pattern(word: string): RegExp {
  const escaped = word.replace(/[^A-Za-z0-9_]/g, '\\$&');
  const before = word.startsWith('@') ? '(?<![^\\s(,;:])' : '^[ \\t]*';
  return new RegExp(`${before}${escaped}(?=\\s|$|[,.:;!?)](?:\\s|$))`, 'im');
}
