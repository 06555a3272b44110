import type { JsonObject } from '../../core/entry.ts';
import { TrailError } from '../../core/error.ts';

/** Some programs end a line at these too, and JSON may write them as they are. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g;
const OTHER_ENDS = ['\u0085', '\u2028', '\u2029'].map((end) => Buffer.from(end));

/** A document as it stands in its file. */
export function documentText(value: JsonObject): string {
  return `${lineText(value)}\n`;
}

/** A line as it stands in its file, without its newline. */
export function lineText(value: JsonObject): string {
  return oneLine(JSON.stringify(value));
}

/** Lines of JSON that are so many lines for every program. Nearly always they are, and a look at their bytes is enough. */
export function linesOnly(text: Uint8Array): Uint8Array {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  return OTHER_ENDS.some((end) => bytes.includes(end)) ? Buffer.from(oneLine(bytes.toString())) : text;
}

/** JSON that is one line for every program. */
export function oneLine(json: string): string {
  return json.replace(LINE_ENDS, (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** An object as one line of JSON. Throws `invalid_parameter` for what JSON cannot say. */
export function jsonLine(name: string, value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TrailError(
      'invalid_parameter',
      `${name}: expected an object, got ${value === null ? 'null' : typeof value}`,
    );
  }
  try {
    return oneLine(JSON.stringify(value));
  } catch (cause) {
    const message = `${name}: expected values that JSON can say (${(cause as Error).message})`;
    throw new TrailError('invalid_parameter', message, { cause });
  }
}
