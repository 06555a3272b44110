import { WEBHOOK_TEXT_CHARS } from '../../core/limits.ts';
import { listAt, textAt } from './fields.ts';

const BLOCKS = ['paragraph', 'heading', 'listItem', 'codeBlock', 'blockquote', 'tableRow', 'panel', 'taskItem'];
const QUOTES = ['codeBlock', 'blockquote'];

/**
 * The text of a document of Atlassian's editor (ADF), and the same with spaces in the place of code and quotes. The depth of
 * what comes in is bounded, and so is the text.
 */
export function documentText(node: unknown): { text: string; spoken: string } {
  const written = { text: '', spoken: '' };
  write(node, false, written);
  return { text: written.text.trimEnd(), spoken: written.spoken.slice(0, written.text.trimEnd().length) };
}

function write(node: unknown, hidden: boolean, written: { text: string; spoken: string }): void {
  if (written.text.length > WEBHOOK_TEXT_CHARS) return;
  const type = textAt(node, 'type') ?? '';
  const code = listAt(node, 'marks').some((mark) => textAt(mark, 'type') === 'code');
  const hides = hidden || code || QUOTES.includes(type);
  const own = type === 'hardBreak' ? '\n' : (textAt(node, 'text') ?? textAt(node, 'attrs', 'text') ?? '');
  add(own.replaceAll('\r\n', '\n'), hides, written);
  for (const child of listAt(node, 'content')) write(child, hides, written);
  if (BLOCKS.includes(type)) add('\n', false, written);
}

function add(piece: string, hidden: boolean, written: { text: string; spoken: string }): void {
  written.text += piece;
  written.spoken += hidden ? piece.replace(/[^\n]/g, ' ') : piece;
}
