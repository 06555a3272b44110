import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { JsonObject } from '../core/entry.ts';
import { type Fault, TrailError } from '../core/error.ts';
import type { AnyPlugin, Plugin, PluginInfo } from '../core/plugin.ts';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const ANY_OBJECT: JsonObject = { type: 'object' };
/** Longest time that a timer can wait: 2^31 - 1 ms. */
const TIMEOUT_SECONDS_MAX = 2_147_483;

/** A plugin that can also plan what it is asked: what `planning` returns is a plan, which a person approves or rejects. */
export interface Planner<Params extends object = JsonObject> extends Plugin<Params> {
  readonly planning: Plugin<Params>;
}

/** A plugin that was looked at, with the checker of its parameters. */
export interface Registered {
  readonly plugin: Plugin;
  readonly info: PluginInfo;
  readonly takesContext: boolean;
  /** How it makes a plan, where it can. */
  readonly planning: Registered | undefined;
  /** The parameters with defaults filled in. Throws `invalid_params` that names every fault. */
  checked(params: unknown): JsonObject;
}

/** Look at a plugin as it is registered. Throws `invalid_plugin` that names every fault. */
export function registered(given: AnyPlugin): Registered {
  // From here on its parameters are what its own schema lets through.
  const plugin = given as Plugin;
  const faults = faultsOf(plugin);
  if (faults.length > 0) throw invalidPlugin(plugin, faults);
  const {
    id,
    name,
    description = null,
    version = null,
    restartable = false,
    pausable = false,
    approval = false,
  } = plugin;
  const parameters = plugin.parameters ?? ANY_OBJECT;
  return {
    plugin,
    info: { id, name, description, version, parameters, restartable, pausable, approval },
    takesContext: plugin.takesContext ?? plugin.execute.length >= 2,
    planning: 'planning' in plugin ? registered((plugin as Planner).planning) : undefined,
    checked: checker(plugin, parameters),
  };
}

function faultsOf(plugin: Plugin): Fault[] {
  if (typeof plugin !== 'object' || plugin === null) return [{ path: 'plugin', detail: 'expected an object' }];
  const faults: Fault[] = [];
  const expect = (fine: boolean, path: string, detail: string): void => {
    if (!fine) faults.push({ path, detail: `expected ${detail}` });
  };
  const { id, name, description, version, parameters, timeoutSeconds, execute } = plugin;
  expect(typeof id === 'string' && ID.test(id), 'id', '1–64 characters of A-Z a-z 0-9 . _ -, a letter or digit first');
  expect(typeof name === 'string' && name.trim() !== '', 'name', 'a text');
  expect(description === undefined || typeof description === 'string', 'description', 'a text');
  expect(version === undefined || typeof version === 'string', 'version', 'a text');
  expect(typeof execute === 'function', 'execute', 'a function');
  const schemaFits = parameters === undefined || (typeof parameters === 'object' && parameters?.type === 'object');
  expect(schemaFits, 'parameters', 'a JSON Schema of type "object"');
  const timeFits =
    timeoutSeconds === undefined || (Number(timeoutSeconds) > 0 && Number(timeoutSeconds) <= TIMEOUT_SECONDS_MAX);
  expect(timeFits, 'timeoutSeconds', `a number above 0, at most ${TIMEOUT_SECONDS_MAX}`);
  for (const flag of ['restartable', 'pausable', 'approval', 'captureConsole', 'takesContext'] as const) {
    expect(plugin[flag] === undefined || typeof plugin[flag] === 'boolean', flag, 'true or false');
  }
  return faults;
}

const LENIENT = { allErrors: true, useDefaults: true, strict: false, validateFormats: false, logger: false } as const;
let schemas: Ajv2020 | undefined;

function checker(plugin: Plugin, parameters: JsonObject): (params: unknown) => JsonObject {
  // A schema of its own instance: two plugins may use the same `$id`. Unknown formats and keywords are the author's affair.
  const ajv = new Ajv2020({ ...LENIENT, validateSchema: false });
  let validate: ValidateFunction;
  try {
    // Without its `$schema`: older drafts are read as the newest one.
    const { $schema: _, ...schema } = parameters;
    // By one that all share: what checks schemas takes longer to be made than what checks parameters.
    schemas ??= new Ajv2020(LENIENT);
    if (parameters !== ANY_OBJECT) schemas.validateSchema(schema, true);
    validate = ajv.compile(schema);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw invalidPlugin(plugin, [{ path: 'parameters', detail }]);
  }
  return (params) => {
    const given = structuredClone(params ?? {}) as JsonObject;
    if (validate(given)) return given;
    const errors = (validate.errors ?? []).map(faultOf);
    throw new TrailError('invalid_params', errors.map(({ path, detail }) => `${path}: ${detail}`).join('; '), {
      errors,
    });
  };
}

function faultOf({ instancePath, keyword, params, message }: ErrorObject): Fault {
  const missing = keyword === 'required' ? params.missingProperty : undefined;
  const unknown = keyword === 'additionalProperties' ? params.additionalProperty : undefined;
  const names = [...instancePath.split('/').slice(1), missing ?? unknown].filter((name) => name !== undefined);
  const path = ['params', ...names].map((name) => String(name).slice(0, 100)).join('.');
  if (missing !== undefined) return { path, detail: 'is required' };
  if (unknown !== undefined) return { path, detail: 'is not known' };
  const allowed = keyword === 'enum' ? `: ${JSON.stringify(params.allowedValues)}` : '';
  return { path, detail: `${message ?? keyword}${allowed}` };
}

function invalidPlugin(plugin: Plugin | undefined, errors: readonly Fault[]): TrailError {
  const named = typeof plugin?.id === 'string' ? `plugin ${plugin.id}: ` : '';
  const faults = errors.map(({ path, detail }) => `${path}: ${detail}`).join('; ');
  return new TrailError('invalid_plugin', `${named}${faults}`, { errors });
}
