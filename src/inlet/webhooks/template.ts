import { TrailError } from '../../core/error.ts';
import { WEBHOOK_PROMPT_CHARS, WEBHOOK_TEMPLATE_CHARS, WEBHOOK_VALUE_CHARS } from '../../core/limits.ts';
import { cutText } from '../../core/text.ts';
import { type Path, parsePath, valuesAt } from './path.ts';

/** A text made of a template, and what it could not say. */
export interface Rendered {
  readonly text: string;
  /** Places that the payload does not have; they became empty. */
  readonly missing: readonly string[];
  /** Places whose value was too long, or the whole (`*`). */
  readonly cut: readonly string[];
}

/** Never throws, and never looks for a place in what a place became: a payload cannot write templates. */
export type Template = (payload: unknown) => Rendered;

/**
 * A text with places: `Fix {{issue.title}} in {{repository.full_name}}`. A list or an object becomes JSON, several values of
 * `[*]` stand with commas, and `\{{` is `{{` itself. Throws `invalid_webhook` that names line and column.
 */
export function compileTemplate(source: string): Template {
  if (source.length > WEBHOOK_TEMPLATE_CHARS) {
    throw new TrailError(
      'invalid_webhook',
      `expected at most ${WEBHOOK_TEMPLATE_CHARS} characters, got ${source.length}`,
    );
  }
  const parts = partsOf(source);
  return (payload) => render(parts, payload);
}

function partsOf(source: string): readonly (string | Path)[] {
  const parts: (string | Path)[] = [];
  let from = 0;
  let literal = '';
  for (let open = source.indexOf('{{'); open >= 0; open = source.indexOf('{{', from)) {
    if (source[open - 1] === '\\' && open > from) {
      literal += `${source.slice(from, open - 1)}{{`;
      from = open + 2;
      continue;
    }
    const close = source.indexOf('}}', open);
    const again = source.indexOf('{{', open + 2);
    if (close < 0 || (again >= 0 && again < close)) {
      throw badPlace(
        source,
        open,
        `}} after ${JSON.stringify(source.slice(open, open + 20))}; write \\{{ for {{ itself`,
      );
    }
    parts.push(literal + source.slice(from, open), placeAt(source, open, close));
    literal = '';
    from = close + 2;
  }
  return [...parts, literal + source.slice(from)].filter((part) => part !== '');
}

function placeAt(source: string, open: number, close: number): Path {
  const text = source.slice(open + 2, close).trim();
  if (text === '') throw badPlace(source, open, 'a path between {{ and }}, got nothing');
  try {
    return parsePath(text);
  } catch (error) {
    throw badPlace(source, open, error instanceof Error ? error.message : String(error), error);
  }
}

function badPlace(source: string, index: number, what: string, cause?: unknown): TrailError {
  const before = source.slice(0, index).split('\n');
  const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  const text = cause === undefined ? `expected ${what}` : what;
  return new TrailError('invalid_webhook', `${place}: ${text}`, { cause });
}

function render(parts: readonly (string | Path)[], payload: unknown): Rendered {
  const missing = new Set<string>();
  const cut = new Set<string>();
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part;
    } else {
      const found = valuesAt(payload, part);
      const values = found.values.filter((value) => value !== null && value !== undefined);
      if (values.length === 0) missing.add(part.text);
      const whole = values.map(shown).join(', ');
      const value = cutText(whole, WEBHOOK_VALUE_CHARS);
      if (found.cut || value.length < whole.length) cut.add(part.text);
      text += value;
    }
    if (text.length > WEBHOOK_PROMPT_CHARS) {
      return { text: cutText(text, WEBHOOK_PROMPT_CHARS), missing: [...missing], cut: [...cut, '*'] };
    }
  }
  return { text, missing: [...missing], cut: [...cut] };
}

/** Payloads are JSON; anything else that gets here has no text. */
function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}
