import type { Json, JsonObject } from '../../core/entry.ts';

/** One parameter of a plugin, as a field that a person fills in. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly help: string;
  readonly required: boolean;
  readonly kind: 'text' | 'longtext' | 'number' | 'boolean' | 'choice' | 'json';
  /** What stands in the field at first, as text; of a boolean `true` or empty. */
  readonly initial: string;
  readonly choices: readonly Json[];
  /** How the choices are told to people, where not as they are. */
  readonly words?: readonly string[];
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** A whole number. */
  readonly whole: boolean;
}

/** A text that may be this long gets more than one line. */
const LONG_CHARS = 200;

/** The fields of an object's JSON Schema, in its order. What no field can show is typed as JSON. */
export function fieldsOf(schema: JsonObject): readonly Field[] {
  const properties = objectOf(schema.properties);
  if (!properties) return [];
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(properties).map(([name, given]) =>
    fieldOf(name, objectOf(given) ?? {}, required.includes(name)),
  );
}

/** What was typed as parameters. A field that is empty is left out: the plugin's default holds. Throws `FieldFault`. */
export function paramsOf(fields: readonly Field[], typed: Readonly<Record<string, string>>): JsonObject {
  const params: Record<string, Json> = {};
  for (const field of fields) {
    const text = typed[field.name] ?? '';
    if (field.kind === 'boolean') params[field.name] = text === 'true';
    else if (text !== '') params[field.name] = valueFrom(field, text);
  }
  return params;
}

/** A field that does not hold what it should. */
export class FieldFault extends Error {
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** The faults that the server named, by field; what names none of them is under the empty name. */
export function faultsByField(
  faults: readonly { readonly path: string; readonly detail: string }[],
  fields: readonly Field[],
): Readonly<Record<string, string>> {
  const byField: Record<string, string> = {};
  for (const { path, detail } of faults) {
    const [, name = ''] = path.split('.');
    const known = fields.some((field) => field.name === name) ? name : '';
    const text = known === '' ? `${path}: ${detail}` : detail;
    byField[known] = byField[known] ? `${byField[known]}; ${text}` : text;
  }
  return byField;
}

function fieldOf(name: string, schema: JsonObject, required: boolean): Field {
  const { title, description, default: initial, minimum, maximum } = schema;
  const choices = Array.isArray(schema.enum) ? schema.enum : [];
  const kind = kindOf(schema, choices);
  return {
    name,
    label: typeof title === 'string' ? title : name,
    help: typeof description === 'string' ? description : '',
    required,
    kind,
    initial: initialText(kind, initial),
    choices,
    min: typeof minimum === 'number' ? minimum : undefined,
    max: typeof maximum === 'number' ? maximum : undefined,
    whole: schema.type === 'integer',
  };
}

function kindOf({ type, format, maxLength }: JsonObject, choices: readonly Json[]): Field['kind'] {
  if (choices.length > 0) return 'choice';
  if (type === 'boolean') return 'boolean';
  if (type === 'integer' || type === 'number') return 'number';
  if (type !== 'string') return 'json';
  return format === 'textarea' || (typeof maxLength === 'number' && maxLength > LONG_CHARS) ? 'longtext' : 'text';
}

function initialText(kind: Field['kind'], value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  if (kind === 'choice' || kind === 'json') return JSON.stringify(value);
  return kind === 'boolean' ? (value === true ? 'true' : '') : String(value);
}

function valueFrom({ name, kind, choices }: Field, text: string): Json {
  if (kind === 'choice') return choices.find((choice) => JSON.stringify(choice) === text) ?? text;
  if (kind === 'number') return numberOf(name, text);
  if (kind !== 'json') return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new FieldFault(name, 'expected JSON: text in quotes, a number, a list, an object');
  }
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new FieldFault(name, 'expected a number');
  return value;
}

function objectOf(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}
