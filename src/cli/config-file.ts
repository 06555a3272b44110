import { resolve } from 'node:path';
import { type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { TrailError } from '../core/error.ts';
import { TEXT_CHARS } from '../core/limits.ts';
import type { RedactionRule } from '../core/redaction.ts';
import type { NoticeSettings } from '../outlet/slack/rules.ts';
import type { ShellCommand } from '../plugins/shell.ts';
import { AgentSection, type ConfiguredAgent, readAgents } from './agent-section.ts';
import { AlertSection } from './alert-section.ts';
import { fileKey } from './config.ts';
import { RedactionSection, readRules } from './redaction-section.ts';
import type { RawSections, SectionKey } from './sections.ts';
import { SETTINGS } from './settings.ts';
import { readSlack, SlackSection } from './slack-section.ts';
import { WebhookSection } from './webhook-section.ts';

/** What a server needs of the config file besides settings. */
export interface Sections {
  /** Commands that the plugin `shell` may run, by name; paths are absolute. */
  readonly shell: Readonly<Record<string, ShellCommand>>;
  /** Modules to load plugins from, as absolute paths. */
  readonly plugins: readonly string[];
  /** Tasks that run at once. */
  readonly concurrency: number;
  /** What webhooks start, by id. */
  readonly webhooks: WebhookSection;
  /** Agents besides the built-in one, by name. */
  readonly agents: Readonly<Record<string, ConfiguredAgent>>;
  /** What is told to Slack; null for nothing. */
  readonly slack: NoticeSettings | null;
  /** Who is told of what is logged, by id. */
  readonly alerts: AlertSection;
  /** What is masked besides known tokens. */
  readonly redaction: readonly RedactionRule[];
}

const CONCURRENCY = 4;
const CONCURRENCY_MAX = 100;
/** Longest time that a timer can wait: 2^31 - 1 ms. */
const TIMEOUT_SECONDS_MAX = 2_147_483;
/** Longest value that an error shows, in characters. */
const SHOWN_CHARS = 100;

const Command = Type.Object(
  {
    run: Type.Array(Type.String(), {
      minItems: 1,
      description: 'The program and its arguments, passed on as they are; no shell reads them.',
    }),
    description: Type.Optional(Type.String({ maxLength: TEXT_CHARS, description: 'For people.' })),
    cwd: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Where it runs, seen from the config file (default: where that lies).',
      }),
    ),
    env: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }), Type.String(), {
        additionalProperties: false,
        description: 'Variables that it gets besides PATH, HOME, LANG, LC_ALL, TZ and TMPDIR.',
      }),
    ),
    timeout_seconds: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: TIMEOUT_SECONDS_MAX,
        description: 'Ended after this time: SIGTERM, 10 s later SIGKILL (default never).',
      }),
    ),
    approval: Type.Optional(
      Type.Boolean({ default: false, description: 'A person must approve each run before it starts.' }),
    ),
  },
  { additionalProperties: false },
);

const SHAPES = {
  shell: Type.Object(
    {
      commands: Type.Record(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }), Command, {
        additionalProperties: false,
        description: 'By name: 1–64 characters of A-Z a-z 0-9 . _ -, a letter or digit first.',
      }),
    },
    { additionalProperties: false, description: 'What the plugin `shell` may run, and nothing else.' },
  ),
  plugins: Type.Array(Type.String({ minLength: 1 }), {
    uniqueItems: true,
    description: 'Modules, seen from the config file; each exports a plugin, or a list of them, as its default.',
  }),
  concurrency: Type.Integer({
    minimum: 1,
    maximum: CONCURRENCY_MAX,
    default: CONCURRENCY,
    description: 'How many tasks run at once; others wait in the queue.',
  }),
  webhooks: WebhookSection,
  agents: AgentSection,
  slack: SlackSection,
  alerts: AlertSection,
  redaction: RedactionSection,
} satisfies Record<SectionKey, TSchema>;

/** The sections, checked. Throws `invalid_setting` that names the place, what was expected and what is there. */
export function readSections({ file, dir, values }: RawSections): Sections {
  const shell = values.shell === undefined ? { commands: {} } : checked('shell', SHAPES.shell, { file, values });
  const plugins = values.plugins === undefined ? [] : checked('plugins', SHAPES.plugins, { file, values });
  const concurrency =
    values.concurrency === undefined ? CONCURRENCY : checked('concurrency', SHAPES.concurrency, { file, values });
  const webhooks = values.webhooks === undefined ? {} : checked('webhooks', SHAPES.webhooks, { file, values });
  const agents = values.agents === undefined ? {} : checked('agents', SHAPES.agents, { file, values });
  const slack = values.slack === undefined ? null : checked('slack', SHAPES.slack, { file, values });
  const alerts = values.alerts === undefined ? {} : checked('alerts', SHAPES.alerts, { file, values });
  const wrongIn = (key: SectionKey) => wrongAt(key, file);
  const commands = Object.entries(shell.commands).map(([name, command]): [string, ShellCommand] => {
    const [program = '', ...args] = command.run;
    const { description, env, timeout_seconds: timeoutSeconds, approval } = command;
    const cwd = resolve(dir, command.cwd ?? '.');
    return [name, { run: [program, ...args], description, cwd, env, timeoutSeconds, approval }];
  });
  return {
    shell: Object.fromEntries(commands),
    plugins: plugins.map((path) => resolve(dir, path)),
    concurrency,
    webhooks,
    agents: readAgents(agents, { dir, wrong: wrongIn('agents') }),
    slack: slack && readSlack(slack, wrongIn('slack')),
    alerts,
    redaction: readRedaction({ file, dir, values }),
  };
}

/** Of all sections only the rules for what is masked, which every command that writes needs. */
export function readRedaction({ file, values }: RawSections): readonly RedactionRule[] {
  if (values.redaction === undefined) return [];
  return readRules(checked('redaction', SHAPES.redaction, { file, values }), wrongAt('redaction', file));
}

function wrongAt(key: SectionKey, file: string): (place: string, what: string) => TrailError {
  return (place, what) => new TrailError('invalid_setting', `${key}.${place} in ${file}: ${what}`);
}

/** JSON Schema of the config file, for editors: `tasktrail.schema.json`. */
export function configSchema(): object {
  const settings = Object.values(SETTINGS).map(({ name, meaning, shownDefault }) => [
    fileKey(name),
    {
      type: ['string', 'number', 'boolean', 'array', 'null'],
      items: { type: 'string' },
      description: `${meaning} Default: ${shownDefault}. The environment variable is ${name}.`,
    },
  ]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'tasktrail.config.json',
    description: 'Settings of tasktrail. Flags and the environment beat them.',
    type: 'object',
    additionalProperties: false,
    properties: { $schema: { type: 'string' }, ...Object.fromEntries(settings), ...SHAPES },
  };
}

type Held = Pick<RawSections, 'file' | 'values'>;

function checked<K extends SectionKey>(
  key: K,
  shape: (typeof SHAPES)[K],
  { file, values }: Held,
): Type.Static<(typeof SHAPES)[K]> {
  const compiled = Compile(shape);
  const value = values[key];
  if (compiled.Check(value)) return value as Type.Static<(typeof SHAPES)[K]>;
  // "schema is false" only repeats what the fault about unknown keys says.
  const fault = compiled.Errors(value).find(({ keyword }) => keyword !== 'boolean');
  const parts = fault?.instancePath.split('/').slice(1) ?? [];
  const { unknown, missing, allowed } = namesIn(fault?.params ?? {});
  const path = [key, ...parts, ...(missing === undefined ? [] : [missing])].join('.');
  const expected = unknown === undefined ? (allowed ?? wanted(fault?.message ?? '', missing)) : knownKeys(shape, parts);
  const got = unknown === undefined ? shown(parts, valueAt(value, parts), missing) : JSON.stringify(unknown);
  throw new TrailError('invalid_setting', `${path} in ${file}: expected ${expected}; got ${got}`);
}

function namesIn(params: object): { unknown?: string; missing?: string; allowed?: string } {
  const { additionalProperties, requiredProperties, allowedValues } = params as Record<
    string,
    readonly string[] | undefined
  >;
  return {
    ...(additionalProperties?.[0] !== undefined && { unknown: additionalProperties[0].slice(0, SHOWN_CHARS) }),
    ...(requiredProperties?.[0] !== undefined && { missing: requiredProperties[0] }),
    ...(allowedValues && { allowed: allowedValues.join(' or ') }),
  };
}

function wanted(message: string, missing: string | undefined): string {
  return missing === undefined
    ? message
        .replace(/^must not have /, 'no ')
        .replace(/^must match /, 'a text of ')
        .replace(/^must be /, '')
    : 'a value';
}

/** What may stand there: fixed keys, or names of a pattern. */
function knownKeys(shape: TSchema, parts: readonly string[]): string {
  const { properties, patternProperties } = schemaAt(shape, parts);
  if (properties) return Object.keys(properties).join(', ');
  return `a name that matches ${Object.keys(patternProperties ?? {}).join(' or ')}`;
}

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly patternProperties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
}

function schemaAt(shape: TSchema, parts: readonly string[]): Shape {
  return parts.reduce<Shape>(
    (at, part) => at.properties?.[part] ?? Object.values(at.patternProperties ?? {})[0] ?? at.items ?? {},
    shape as Shape,
  );
}

function valueAt(value: unknown, parts: readonly string[]): unknown {
  return parts.reduce((at, part) => (at as Record<string, unknown>)[part], value);
}

/** A value of `env` may be a secret, and so may what lies in a list or an object: of those only the kind is told. */
function shown(parts: readonly string[], value: unknown, missing: string | undefined): string {
  if (missing !== undefined) return 'nothing';
  if (typeof value === 'object') return value === null ? 'null' : Array.isArray(value) ? 'a list' : 'an object';
  return parts[2] === 'env' ? `a ${typeof value}` : JSON.stringify(value).slice(0, SHOWN_CHARS);
}
