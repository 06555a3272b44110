import type { FastifySchemaCompiler } from 'fastify';
import type { Static, TObject, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { type ErrorCode, TrailError } from '../core/error.ts';
import { nearest } from '../core/nearest.ts';
import { wrongFields } from './wrong-fields.ts';

type Shape = { readonly [key: string]: unknown };

/** A checker of query strings: texts become what the schema says they are; unknown names and wrong values are named, each one. */
export function queryReader<T extends TObject>(schema: T): (raw: unknown) => Static<T> {
  const compiled = compiledOnce(schema);
  const properties = schema.properties as Record<string, Shape>;
  const known = Object.keys(properties);
  return (raw) => {
    const given = Object.entries(raw as Record<string, unknown>);
    refuseUnknown(
      'unknown_parameter',
      'parameter',
      given.map(([name]) => name),
      known,
    );
    const read: Record<string, unknown> = {};
    for (const [name, value] of given) {
      const typed = typedValue(value, properties[name] ?? {});
      if (typed !== undefined) read[name] = typed;
    }
    if (!compiled().Check(read)) throw wrongFields('invalid_parameter', compiled().Errors(read));
    return read as Static<T>;
  };
}

/** A checker of JSON bodies: nothing is converted; unknown and wrong fields are named. */
export function bodyReader<T extends TObject>(schema: T, code: ErrorCode): (raw: unknown) => Static<T> {
  const compiled = compiledOnce(schema);
  const known = Object.keys(schema.properties);
  return (raw) => {
    if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) {
      refuseUnknown(code, 'field', Object.keys(raw), known);
    }
    if (!compiled().Check(raw)) throw wrongFields(code, compiled().Errors(raw));
    return raw as Static<T>;
  };
}

/** When it is first needed: a server has some hundred routes, and should be ready soon. */
function compiledOnce<T extends TObject>(schema: T): () => Validator<Record<never, never>, T> {
  let compiled: Validator<Record<never, never>, T> | undefined;
  return () => (compiled ??= Compile(schema));
}

/** The framework's door to both: a body schema may name its error code as `x-error`. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const shape = schema as TObject & { readonly 'x-error'?: ErrorCode };
  if (httpPart === 'params') return (value: unknown) => ({ value });
  const read = httpPart === 'body' ? bodyReader(shape, shape['x-error'] ?? 'invalid_request') : queryReader(shape);
  return (value: unknown) => {
    try {
      return { value: read(value) };
    } catch (error) {
      return { error: error as Error };
    }
  };
};

function refuseUnknown(code: ErrorCode, noun: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const errors = unknown.slice(0, 20).map((name) => {
    const meant = nearest(name, known);
    return { path: name.slice(0, 100), detail: `unknown ${noun}${meant ? `; did you mean ${meant}?` : ''}` };
  });
  const first = errors.map(({ path, detail }) => `${path}: ${detail}`).join('; ');
  const all = known.length > 0 ? `known: ${known.join(', ')}` : `none is known here`;
  throw new TrailError(code, `${first}; ${all}`, { errors });
}

/**
 * A text of a query string as its schema's type; what does not fit stays text, for the check to refuse. Empty means left out, except
 * where the schema says `x-empty`: the route tells what it means.
 */
function typedValue(value: unknown, schema: Shape): unknown {
  if (schema.type === 'array') {
    const texts = (Array.isArray(value) ? value : [value]).filter((text) => text !== '' || 'x-empty' in schema);
    return texts.length === 0 ? undefined : texts;
  }
  if (value === '') return undefined;
  if (typeof value !== 'string') return value;
  if (schema.type === 'integer') return /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  if (schema.type === 'number') return /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value;
  if (schema.type === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  return value;
}
