import { resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { AGENTS } from '../agents/index.ts';
import { TEXT_CHARS } from '../core/limits.ts';
import type { AgentInput } from '../task/agent.ts';
import { words } from './agent-settings.ts';
import { Expected } from './values.ts';

/** Longest time that a timer can wait: 2^31 - 1 ms. */
const TIMEOUT_SECONDS_MAX = 2_147_483;
const INPUTS: readonly AgentInput[] = ['none', 'text', 'stream-json'];

type CommandLine = string | readonly string[];

function commandLine(description: string) {
  const schema = { type: ['string', 'array'], items: { type: 'string' }, minLength: 1, minItems: 1 };
  return Type.Unsafe<CommandLine>({ ...schema, description });
}

function seconds(description: string) {
  return Type.Number({ exclusiveMinimum: 0, maximum: TIMEOUT_SECONDS_MAX, description });
}

const Agent = Type.Object(
  {
    command: commandLine(
      'The program and its arguments: a list, or a text that is split like shell words. No shell runs.',
    ),
    type: Type.Optional(
      Type.String({ minLength: 1, maxLength: TEXT_CHARS, description: 'What it is for: `planning`, `executing` …' }),
    ),
    parser: Type.Optional(
      Type.Enum(
        AGENTS.map(({ id }) => id),
        { description: 'What its output is read as (default: told by the name of the program, else `generic`).' },
      ),
    ),
    model: Type.Optional(
      Type.String({ minLength: 1, maxLength: TEXT_CHARS, description: 'The model of its tasks until it reports one.' }),
    ),
    timeout_seconds: Type.Optional(seconds('Ended after this time (default TASKTRAIL_AGENT_TIMEOUT).')),
    plan_command: Type.Optional(
      commandLine('How it makes a plan (default: its command; of `claude` with --permission-mode plan).'),
    ),
    plan_timeout_seconds: Type.Optional(seconds('The same for a plan (default PLANNING_AGENT_TIMEOUT).')),
    input: Type.Optional(
      Type.Enum([...INPUTS], { description: 'What its standard input takes while it runs (default `none`).' }),
    ),
    env: Type.Optional(
      Type.Array(Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*\\*?$' }), {
        description: 'Variables of the server that it gets besides those of TASKTRAIL_AGENT_ENV; * ends a name.',
      }),
    ),
    cwd: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Where it runs, seen from the config file (default: a directory of its own for each task).',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Agents of the config file, by name. */
export const AgentSection = Type.Record(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' }), Agent, {
  additionalProperties: false,
  description: 'Agents by name, besides `default`, which may be defined anew: 1–64 characters of A-Z a-z 0-9 . _ -.',
});

/** An agent as the config file has it. What it leaves out comes from the settings. */
export interface ConfiguredAgent {
  readonly command: readonly [string, ...string[]];
  readonly type: string | undefined;
  readonly parser: string | undefined;
  readonly model: string | undefined;
  readonly timeoutSeconds: number | undefined;
  readonly planCommand: readonly [string, ...string[]] | undefined;
  readonly planTimeoutSeconds: number | undefined;
  readonly input: AgentInput | undefined;
  readonly env: readonly string[];
  /** An absolute path. */
  readonly cwd: string | undefined;
}

/** The section with its commands split. Throws with the place and what is wrong there. */
export function readAgents(
  section: Static<typeof AgentSection>,
  { dir, wrong }: { readonly dir: string; readonly wrong: (place: string, what: string) => Error },
): Readonly<Record<string, ConfiguredAgent>> {
  const split = (given: CommandLine, place: string): readonly [string, ...string[]] => {
    try {
      const [program, ...args] = typeof given === 'string' ? words(given) : given;
      if (program) return [program, ...args];
    } catch (error) {
      if (!(error instanceof Expected)) throw error;
      throw wrong(place, `expected ${error.message}`);
    }
    throw wrong(place, 'expected a program, got an empty text');
  };
  const agents = Object.entries(section).map(([name, agent]): [string, ConfiguredAgent] => {
    const { command, type, parser, model, input, env = [], cwd } = agent;
    const { timeout_seconds: timeoutSeconds, plan_command: plan, plan_timeout_seconds: planTimeoutSeconds } = agent;
    const planCommand = plan === undefined ? undefined : split(plan, `${name}.plan_command`);
    return [
      name,
      {
        ...{ type, parser, model, timeoutSeconds, planCommand, planTimeoutSeconds, env },
        command: split(command, `${name}.command`),
        input: INPUTS.find((known) => known === input),
        cwd: cwd === undefined ? undefined : resolve(dir, cwd),
      },
    ];
  });
  return Object.fromEntries(agents);
}
