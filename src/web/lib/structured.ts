import type { Json, JsonObject } from '../../core/entry.ts';
import type { Expr } from '../../core/expr.ts';
import type { LogFilter } from '../../core/filter.ts';
import { printExpr } from '../../query/print.ts';
import { queryText, readText, withQuery } from './query.ts';

/** Longest message that is looked at, and the fields and characters of its summary. */
const JSON_CHARS = 64_000;
const FIELDS = 12;
const VALUE_CHARS = 120;

/** What a structured line says in one line: its text, then its fields. */
export interface Summary {
  readonly text: string;
  readonly fields: readonly { readonly path: string; readonly value: string }[];
  /** Fields that have no room. */
  readonly more: number;
}

/** Fields that loggers put their text in, by precedence; and those that the row shows itself. */
const TEXTS = ['message', 'msg', 'text', 'event', 'body', '@message'];
const SHOWN = ['level', 'severity', 'lvl', 'loglevel', 'time', 'timestamp', 'ts', '@timestamp', 'pid', 'hostname', 'v'];

/** The JSON object that a message is; undefined when it is none. */
export function structuredOf(message: string): JsonObject | undefined {
  if (message.length > JSON_CHARS || !/^\s*\{/.test(message) || !/\}\s*$/.test(message)) return undefined;
  try {
    const value = JSON.parse(message) as Json;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

export function summaryOf(value: JsonObject): Summary {
  const name = TEXTS.find((key) => typeof value[key] === 'string' && value[key] !== '');
  const fields = Object.entries(value).filter(([key]) => key !== name && !SHOWN.includes(key.toLowerCase()));
  return {
    text: name === undefined ? '' : String(value[name]),
    fields: fields.slice(0, FIELDS).map(([path, held]) => ({ path, value: shortJson(held) })),
    more: Math.max(0, fields.length - FIELDS),
  };
}

/** A value on one line: text as it is, anything else as JSON, the start of what is long. */
export function shortJson(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= VALUE_CHARS ? text : `${text.slice(0, VALUE_CHARS).toWellFormed()}…`;
}

/** Where a value stands, as people write it: `user.roles[0]`, `["odd key"]`. */
export function pathText(path: readonly (string | number)[]): string {
  return path
    .map((part) =>
      typeof part === 'number'
        ? `[${part}]`
        : /^[A-Za-z_$][\w$-]*$/.test(part)
          ? `.${part}`
          : `[${JSON.stringify(part)}]`,
    )
    .join('')
    .replace(/^\./, '');
}

/**
 * What a line has that has this value: in metadata by its path; in a message by its text there, which is how messages are searched.
 * Undefined for what cannot be asked.
 */
export function valueExpr(path: readonly (string | number)[], value: Json, message: string | null): Expr | undefined {
  if (typeof value === 'object' && value !== null) return undefined;
  if (message === null) {
    const keys = path.filter((part) => typeof part === 'string');
    return value === null || keys.length === 0
      ? undefined
      : { op: 'meta', path: keys.join('.'), test: '=', value: String(value) };
  }
  const [key, json] = [JSON.stringify(path.at(-1) ?? ''), JSON.stringify(value)];
  const text = [`${key}:${json}`, `${key}: ${json}`, json].find((each) => message.includes(each));
  return text === undefined ? undefined : { op: 'text', text };
}

/** The filter that also asks for what is said, or for its opposite. */
export function withExpr(filter: LogFilter, expr: Expr, exclude: boolean): LogFilter {
  const shown = queryText(filter);
  const words = printExpr(exclude ? { op: 'not', part: expr } : expr);
  const { query } = readText(shown === '' ? words : `(${shown}) ${words}`, 'lines');
  return query ? withQuery(filter, query) : filter;
}
