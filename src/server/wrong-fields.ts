import { type ErrorCode, type Fault, TrailError } from '../core/error.ts';

/** What a schema's check says of a wrong value. */
export interface SchemaFault {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

/** An error that names each wrong place once. */
export function wrongFields(code: ErrorCode, found: readonly SchemaFault[]): TrailError {
  const faults = new Map<string, Fault>();
  const note = (path: string, detail: string): void => {
    if (!faults.has(path)) faults.set(path, { path, detail });
  };
  // A field that is not known is mostly named by itself too.
  const namesUnknown = found.some(({ keyword }) => keyword === 'boolean');
  for (const fault of meant(found)) {
    if (fault.keyword === 'additionalProperties' && namesUnknown) continue;
    const { requiredProperties } = fault.params as { requiredProperties?: readonly string[] };
    if (fault.keyword === 'required' && requiredProperties) {
      for (const name of requiredProperties) note(pathOf(`${fault.instancePath}/${name}`), 'is missing');
    } else note(pathOf(fault.instancePath), detailOf(fault));
  }
  const errors = [...faults.values()];
  return new TrailError(code, errors.map(({ path, detail }) => `${path}: ${detail}`).join('; '), { errors });
}

/**
 * Of a value that fits no form of a union: only what is wrong with the form that was meant, the one whose type it has and whose
 * required keys are there. When none was meant, only that.
 */
function meant(found: readonly SchemaFault[]): readonly SchemaFault[] {
  // The outer ones are named after what is in them.
  const union = found.findLast(({ keyword }) => keyword === 'anyOf');
  if (!union) return found;
  const { schemaPath, instancePath } = union;
  const within = `${schemaPath}/anyOf/`;
  const isWithin = (fault: SchemaFault): boolean =>
    fault.schemaPath.startsWith(within) &&
    (fault.instancePath === instancePath || fault.instancePath.startsWith(`${instancePath}/`));
  const forms = new Map<string, SchemaFault[]>();
  for (const fault of found.filter(isWithin)) {
    const [form = ''] = fault.schemaPath.slice(within.length).split('/', 1);
    forms.set(form, [...(forms.get(form) ?? []), fault]);
  }
  const isAnother = ({ keyword, instancePath: at }: SchemaFault): boolean =>
    at === instancePath && (keyword === 'required' || keyword === 'type');
  const fitting = [...forms.values()].filter((faults) => !faults.some(isAnother));
  const rest = found.filter((fault) => fault !== union && !isWithin(fault));
  if (fitting.length > 0) return [...meant(rest), ...fitting.flatMap((faults) => meant(faults))];
  const asked = [...forms.values()].flatMap((faults) => faults.filter(isAnother)).flatMap(namesIn);
  return [...meant(rest), { ...union, message: `expected ${[...new Set(asked)].join(' or ')}` }];
}

/** What one form asks for that is not there. */
function namesIn({ params }: SchemaFault): readonly string[] {
  const { requiredProperties, type } = params as {
    requiredProperties?: readonly string[];
    type?: string | readonly string[];
  };
  return requiredProperties ?? [type ?? []].flat();
}

/** `/to/0/webhook` as `to[0].webhook`. */
function pathOf(pointer: string): string {
  if (pointer === '') return 'body';
  return pointer
    .slice(1)
    .replaceAll('/', '.')
    .replace(/\.(\d+)(?=\.|$)/g, '[$1]');
}

function detailOf({ keyword, message, params }: SchemaFault): string {
  const { allowedValues, limit } = params as { allowedValues?: readonly unknown[]; limit?: unknown };
  if (allowedValues) return `must be one of ${allowedValues.join(', ')}`;
  if (keyword === 'minLength') return limit === 1 ? 'must not be empty' : `at least ${limit} characters`;
  return keyword === 'boolean' ? 'unknown field' : message;
}
