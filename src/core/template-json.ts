/** How the text of a kept value becomes its template, in at most so many characters. */
export type TextTemplate = (text: string, maxChars: number) => string;

/** Values of these keys say what kind of line it is: they stay, as text does. */
const KEPT = /^(?:level|severity|type|subtype|kind|event|status|msg|message|error|reason|method)$/i;
const KEY_CHARS = 40;
const VALUE_CHARS = 100;
const DEPTH = 8;

export interface JsonTemplate {
  readonly template: string;
  /** Where the text goes on as text: behind the object, or where it is no JSON any more. */
  readonly end: number;
  /** The object was left before its end: what is around it is left with it. */
  readonly left: boolean;
}

/** True when an object begins here that has a key. */
export function isObjectStart(text: string, at: number): boolean {
  const key = skipSpace(text, at + 1);
  const end = text.charCodeAt(key) === 34 ? stringEnd(text, key) : undefined;
  return end !== undefined && text.charCodeAt(skipSpace(text, end)) === 58;
}

/** The template of the object that begins here: its keys stay, its values go. When there is no room for more, `…` ends it. */
export function objectTemplate(
  text: string,
  at: number,
  { room, depth = DEPTH, of }: { room: number; depth?: number; of: TextTemplate },
): JsonTemplate {
  let template = '{';
  let comma = '';
  for (let next = skipSpace(text, at + 1); ; ) {
    if (next >= text.length) return { template: template + comma, end: next, left: true };
    const code = text.charCodeAt(next);
    if (code === 125) return { template: `${template}}`, end: next + 1, left: false };
    if (code === 44) {
      comma = ',';
      next = skipSpace(text, next + 1);
      continue;
    }
    const pair = pairAt(text, next, { room: room - template.length - 1, depth, of });
    if (pair === undefined) return { template: `${template}${comma} `, end: next, left: true };
    const glue = template === '{' ? '' : ',';
    if (template.length + glue.length + pair.template.length > room) {
      return { template: `${template}${glue} …`, end: text.length, left: true };
    }
    template += glue + pair.template;
    if (pair.left) return { ...pair, template };
    comma = '';
    next = skipSpace(text, pair.end);
  }
}

type Options = { room: number; depth: number; of: TextTemplate };

function pairAt(text: string, at: number, options: Options): JsonTemplate | undefined {
  if (text.charCodeAt(at) !== 34) return undefined;
  const keyEnd = stringEnd(text, at);
  if (keyEnd === undefined) return undefined;
  const colon = skipSpace(text, keyEnd);
  if (text.charCodeAt(colon) !== 58) return undefined;
  const key = text.slice(at + 1, keyEnd - 1);
  const name = `"${keptText(key, KEY_CHARS, options.of) ?? '<value>'}":`;
  const start = skipSpace(text, colon + 1);
  const value = valueAt(text, start, { ...options, room: options.room - name.length, kept: KEPT.test(key) });
  return { ...value, template: name + value.template };
}

function valueAt(text: string, at: number, { kept, ...options }: Options & { kept: boolean }): JsonTemplate {
  const code = text.charCodeAt(at);
  if (code === 34) {
    const end = stringEnd(text, at) ?? text.length;
    const inside = kept && end - at > 1 ? keptText(text.slice(at + 1, end - 1), VALUE_CHARS, options.of) : undefined;
    const ended = stringEnd(text, at) !== undefined;
    return { template: ended && inside !== undefined ? `"${inside}"` : '<value>', end, left: false };
  }
  if (code === 123 && options.depth > 0) {
    const inner = text.charCodeAt(skipSpace(text, at + 1));
    if (inner === 34 || inner === 125) return objectTemplate(text, at, { ...options, depth: options.depth - 1 });
  }
  if (code === 123 || code === 91) return { template: '<value>', end: nestedEnd(text, at), left: false };
  const end = scalarEnd(text, at);
  return { template: end > at ? '<value>' : '', end, left: false };
}

/** A string as its template, escaped as it was. Undefined: its escapes are none of JSON. */
function keptText(raw: string, maxChars: number, of: TextTemplate): string | undefined {
  if (!raw.includes('\\')) return of(raw, maxChars);
  try {
    return JSON.stringify(of(JSON.parse(`"${raw}"`) as string, maxChars)).slice(1, -1);
  } catch {
    return undefined;
  }
}

function stringEnd(text: string, from: number): number | undefined {
  for (let at = from + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 92) at += 1;
    else if (code === 34) return at + 1;
  }
  return undefined;
}

function nestedEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      at = stringEnd(text, at) ?? text.length;
      continue;
    }
    if (code === 123 || code === 91) depth += 1;
    if (code === 125 || code === 93) depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return text.length;
}

function scalarEnd(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code <= 32 || code === 44 || code === 125) break;
  }
  return at;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= 32) at += 1;
  return at;
}
