import type { Json, JsonObject } from '../../core/entry.ts';
import { isSecretSchema } from '../../core/secret-schema.ts';
import type { Field, TextInput } from './form.ts';
import { visible } from './line.ts';
import { choicesOf, numberIn, objectOf, resolved, shown, textOf, typeOf } from './schema.ts';

/** Where a field's value stands among the parameters, and what it must keep to. */
interface Place {
  /** Names what was entered; of a parameter within an object, the object's key comes first. */
  readonly key: string;
  /** The way to the value; empty for all parameters at once. */
  readonly path: readonly string[];
  readonly rules: JsonObject;
}
/** A field for one value. */
export interface ValueField extends Field, Place {
  /** Not to be seen, nor remembered. */
  readonly secret: boolean;
}
/** A list of simple values: a row for each. */
export interface ListField extends Place, Pick<Field, 'name' | 'label' | 'help' | 'required'> {
  readonly kind: 'list';
  readonly initial: readonly string[];
  readonly secret: boolean;
  readonly row: ValueField;
}
/** The fields of an object. */
export interface GroupField extends Place, Pick<Field, 'name' | 'label' | 'help' | 'required'> {
  readonly kind: 'group';
  readonly fields: readonly ParamField[];
}
/** A parameter of a plugin, as a person fills it in. */
export type ParamField = ValueField | ListField | GroupField;

/** What a person typed: of a boolean `true` or nothing, of a choice its JSON, of a list its rows. */
export type Entered = string | readonly string[];
/** By the keys of fields. */
export type Entries = Readonly<Record<string, Entered>>;

/** A text that may be this long gets more than one line. */
const LONG_CHARS = 200;
/** Objects within an object are typed as JSON. */
const DEPTH = 1;
const INPUTS: Readonly<Record<string, TextInput>> = {
  date: 'date',
  'date-time': 'datetime-local',
  email: 'email',
  uri: 'url',
  url: 'url',
};
/** Where a schema does not say which parameters there are, they are typed at once. */
const ANY_PARAMS: JsonObject = { type: 'object', title: 'Parameters', description: 'a JSON object, if it takes any' };

/** The fields of an object's JSON Schema, in its order. What no field can show is typed as JSON. */
export function fieldsOf(schema: JsonObject): readonly ParamField[] {
  const given = resolved(schema, schema);
  if (objectOf(given.properties)) return membersOf(given, { root: schema, path: [] });
  if (given.additionalProperties === false) return [];
  return [valueField(ANY_PARAMS, { path: [], required: false })];
}

/** Every field that holds something by itself: a group's are in its place. */
export function heldFields(fields: readonly ParamField[]): readonly (ValueField | ListField)[] {
  return fields.flatMap((field) => (field.kind === 'group' ? heldFields(field.fields) : [field]));
}

/** What stands in the fields at first. */
export function initialEntries(fields: readonly ParamField[]): Record<string, Entered> {
  return Object.fromEntries(heldFields(fields).map(({ key, initial }) => [key, initial]));
}

/** What would have to be entered for these parameters. What is secret has to be entered anew. */
export function entriesFrom(fields: readonly ParamField[], params: JsonObject): Record<string, Entered> {
  const open = heldFields(fields).filter(({ secret }) => !secret);
  return Object.fromEntries(open.map((field) => [field.key, enteredOf(field, valueAt(params, field.path))]));
}

export function valueAt(params: JsonObject, path: readonly string[]): Json | undefined {
  let found: Json | undefined = params;
  for (const name of path) {
    const held: JsonObject | undefined = objectOf(found);
    found = held && Object.hasOwn(held, name) ? held[name] : undefined;
  }
  return found;
}

/** The faults that the server named, by field; what names none of them is under the empty name. */
export function faultsByField(
  faults: readonly { readonly path: string; readonly detail: string }[],
  fields: readonly ParamField[],
): Readonly<Record<string, string>> {
  const byKey: Record<string, string> = {};
  for (const { path, detail } of faults) {
    const field = placeOf(path, fields);
    const key = field?.key ?? '';
    const inside = field ? path.slice(wirePath(field).length + 1) : path;
    const row = field?.kind === 'list' ? /^\d+$/.exec(inside)?.[0] : undefined;
    const where = row === undefined ? inside : `row ${Number(row) + 1}`;
    const text = where === '' ? detail : `${where}: ${detail}`;
    byKey[key] = byKey[key] ? `${byKey[key]}; ${text}` : text;
  }
  return byKey;
}

/** The field at a path or around it, the innermost first. */
function placeOf(path: string, fields: readonly ParamField[]): ValueField | ListField | undefined {
  const around = heldFields(fields).filter(
    (field) => field.path.length > 0 && `${path}.`.startsWith(`${wirePath(field)}.`),
  );
  return around.sort((a, b) => b.path.length - a.path.length)[0];
}

function wirePath({ path }: Place): string {
  return ['params', ...path].join('.');
}

interface Around {
  readonly root: JsonObject;
  readonly path: readonly string[];
}
interface Spot {
  readonly path: readonly string[];
  readonly required: boolean;
}

function membersOf(schema: JsonObject, { root, path }: Around): readonly ParamField[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(objectOf(schema.properties) ?? {}).map(([name, given]) =>
    fieldOf(resolved(objectOf(given) ?? {}, root), root, { path: [...path, name], required: required.includes(name) }),
  );
}

function fieldOf(schema: JsonObject, root: JsonObject, spot: Spot): ParamField {
  const type = choicesOf(schema).choices.length > 0 ? undefined : typeOf(schema);
  if (type === 'object' && objectOf(schema.properties) && spot.path.length <= DEPTH) {
    return { ...named(schema, spot), kind: 'group', fields: membersOf(schema, { root, path: spot.path }) };
  }
  const items = type === 'array' ? objectOf(schema.items) : undefined;
  if (items === undefined) return valueField(schema, spot);
  const row = valueField(resolved(items, root), { path: [...spot.path, ''], required: true });
  if (row.kind === 'json' || row.kind === 'boolean') return valueField(schema, spot);
  const bare = { ...named(schema, spot), kind: 'list', secret: row.secret || isSecretSchema(schema), row } as const;
  return { ...bare, initial: rowsOf(row, schema.default) };
}

function valueField(schema: JsonObject, spot: Spot): ValueField {
  const { examples, format, minimum, maximum } = schema;
  const { choices, words } = choicesOf(schema);
  const secret = isSecretSchema(schema);
  const kind = choices.length > 0 ? 'choice' : kindOf(schema, secret);
  const bare: Omit<ValueField, 'initial'> = {
    ...named(schema, spot),
    kind,
    secret,
    choices,
    input: secret ? 'password' : (INPUTS[textOf(format) ?? ''] ?? 'text'),
    ...(Array.isArray(examples) && examples.length > 0 && { example: visible(shown(examples[0] as Json)) }),
    ...(choices.length > 0 && { words: (words ?? choices.map(shown)).map((word) => visible(word)) }),
    min: numberIn(minimum),
    max: numberIn(maximum),
    whole: typeOf(schema) === 'integer',
  };
  return { ...bare, initial: textFor(bare, schema.default) };
}

function named(schema: JsonObject, { path, required }: Spot) {
  const name = path.at(-1) ?? '';
  const place = { key: path.join('\u001f'), path, rules: schema };
  return {
    ...place,
    name,
    required,
    label: visible(textOf(schema.title) ?? name),
    help: visible(textOf(schema.description) ?? ''),
  };
}

function kindOf(schema: JsonObject, secret: boolean): Field['kind'] {
  const type = typeOf(schema);
  if (type === 'boolean') return 'boolean';
  if (type === 'integer' || type === 'number') return 'number';
  if (type !== 'string') return 'json';
  const long = schema.format === 'textarea' || (numberIn(schema.maxLength) ?? 0) > LONG_CHARS;
  return long && !secret ? 'longtext' : 'text';
}

function enteredOf(field: ValueField | ListField, value: Json | undefined): Entered {
  return field.kind === 'list' ? rowsOf(field.row, value) : textFor(field, value);
}

function rowsOf(row: ValueField, value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map((each: Json) => textFor(row, each)) : [];
}

function textFor({ kind, input }: Pick<Field, 'kind' | 'input'>, value: Json | undefined): string {
  if (value === undefined) return '';
  if (kind === 'choice') return JSON.stringify(value);
  if (value === null) return '';
  if (kind === 'json') return JSON.stringify(value, null, 2);
  if (kind === 'boolean') return value === true ? 'true' : '';
  if (typeof value === 'object') return '';
  return input === 'datetime-local' ? localTime(String(value)) : String(value);
}

/** A moment as a field for times has it: in the reader's zone, without naming it. */
function localTime(iso: string): string {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return '';
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
