import type { Json, JsonObject } from '../../core/entry.ts';
import {
  type Entered,
  type Entries,
  type GroupField,
  heldFields,
  type ListField,
  type ParamField,
  type ValueField,
} from './params-form.ts';
import { numberIn, objectOf, textOf, typeOf } from './schema.ts';

/** What was entered, as parameters, and what is wrong with it, by the keys of fields. */
export interface Read {
  readonly params: JsonObject;
  readonly faults: Readonly<Record<string, string>>;
}

/** Read a form. A field that is empty is left out: the plugin's default holds. */
export function readForm(fields: readonly ParamField[], entries: Entries): Read {
  const faults: Record<string, string> = {};
  const params: Record<string, Json> = {};
  for (const field of fields) {
    const value = field.kind === 'group' ? groupValue(field, entries, faults) : heldValue(field, entries, faults);
    if (value === undefined) continue;
    const name = field.path.at(-1);
    // What is typed at once is all parameters.
    if (name === undefined) Object.assign(params, value);
    else setOwn(params, name, value);
  }
  return { params, faults };
}

/** An object that nobody said anything of is left out, unless it must be there. */
function groupValue(group: GroupField, entries: Entries, faults: Record<string, string>): JsonObject | undefined {
  const untouched = heldFields(group.fields).every(({ key }) => (entries[key] ?? '').length === 0);
  if (untouched && !group.required) return undefined;
  const inner = readForm(group.fields, entries);
  Object.assign(faults, inner.faults);
  return inner.params;
}

function heldValue(field: ValueField | ListField, entries: Entries, faults: Record<string, string>): Json | undefined {
  const entered = entries[field.key] ?? '';
  if (field.kind === 'boolean') return entered === 'true';
  const isEmpty = entered.length === 0;
  // What the schema fills in need not be entered.
  if (isEmpty && (!field.required || field.rules.default !== undefined)) return undefined;
  const { value, fault } =
    field.kind === 'list' ? rowsOf(field, entered) : isEmpty ? { fault: 'is required' } : oneOf(field, String(entered));
  if (fault !== undefined) faults[field.key] = fault;
  return value;
}

interface One {
  readonly value?: Json;
  readonly fault?: string | undefined;
}

function rowsOf({ row, rules }: ListField, entered: Entered): One {
  const rows = typeof entered === 'string' ? [] : entered;
  const read = rows.map((text) => (text === '' ? { fault: 'is empty' } : oneOf(row, text)));
  const wrong = read.findIndex(({ fault }) => fault !== undefined);
  const values = read.map(({ value = null }: One) => value);
  const { minItems, maxItems, uniqueItems } = rules;
  const fault =
    (wrong >= 0 ? `row ${wrong + 1}: ${read[wrong]?.fault}` : undefined) ??
    (values.length < (numberIn(minItems) ?? 0) ? `expected ${minItems} or more` : undefined) ??
    (values.length > (numberIn(maxItems) ?? Infinity) ? `expected ${maxItems} at most` : undefined) ??
    (uniqueItems === true && new Set(values).size < values.length ? 'expected no value twice' : undefined);
  return { value: values, fault };
}

function oneOf(field: ValueField, text: string): One {
  if (field.kind === 'choice') return choiceOf(field, text);
  if (field.kind === 'number') return numberOf(field, text);
  if (field.kind === 'json') return jsonOf(field, text);
  return { value: sentText(field, text), fault: textFault(field, text) };
}

function choiceOf({ choices }: ValueField, text: string): One {
  const value = choices.find((choice) => JSON.stringify(choice) === text);
  return value === undefined ? { fault: 'expected one of the choices' } : { value };
}

function numberOf({ rules }: ValueField, text: string): One {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) return { fault: 'expected a number' };
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = rules;
  const fault =
    (typeOf(rules) === 'integer' && !Number.isInteger(value) ? 'expected a whole number' : undefined) ??
    (value < (numberIn(minimum) ?? -Infinity) ? `must be >= ${minimum}` : undefined) ??
    (value > (numberIn(maximum) ?? Infinity) ? `must be <= ${maximum}` : undefined) ??
    (value <= (numberIn(exclusiveMinimum) ?? -Infinity) ? `must be > ${exclusiveMinimum}` : undefined) ??
    (value >= (numberIn(exclusiveMaximum) ?? Infinity) ? `must be < ${exclusiveMaximum}` : undefined);
  return { value, fault };
}

function jsonOf({ rules, path }: ValueField, text: string): One {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return { fault: 'expected JSON: text in quotes, a number, a list, an object' };
  }
  const type = typeOf(rules);
  if ((type === 'object' || path.length === 0) && !objectOf(value)) return { fault: 'expected an object: {"name": …}' };
  if (type === 'array' && !Array.isArray(value)) return { fault: 'expected a list: […]' };
  return { value };
}

/** A moment is sent with its zone. */
function sentText({ input }: ValueField, text: string): string {
  const ms = input === 'datetime-local' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? text : new Date(ms).toISOString();
}

function textFault({ input, rules }: ValueField, text: string): string | undefined {
  const chars = [...text].length;
  const { minLength, maxLength, pattern } = rules;
  if (chars < (numberIn(minLength) ?? 0)) return `expected ${minLength} characters or more`;
  if (chars > (numberIn(maxLength) ?? Infinity)) return `expected ${maxLength} characters at most, these are ${chars}`;
  if (input === 'url' && !URL.canParse(text)) return 'expected an address, such as https://example.org/';
  if (input === 'email' && !/^[^\s@]+@[^\s@]+$/.test(text)) return 'expected a mail address';
  if (input === 'date' && Number.isNaN(Date.parse(text))) return 'expected a date';
  return fits(textOf(pattern), text) ? undefined : `must match ${pattern}`;
}

/** A pattern that this browser cannot read is the server's to check. */
function fits(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined) return true;
  try {
    return new RegExp(pattern, 'u').test(text);
  } catch {
    return true;
  }
}

/** Also a name such as `__proto__` is a parameter's own. */
function setOwn(params: Record<string, Json>, name: string, value: Json): void {
  Object.defineProperty(params, name, { value, enumerable: true, configurable: true, writable: true });
}
