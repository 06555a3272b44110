import type { JsonObject } from '../../core/entry.ts';
import type { PluginInfo } from '../../core/plugin.ts';
import type { AgentInfo } from './api.ts';
import { fieldsOf, type ParamField } from './params-form.ts';

/** What a person can start on the page: a plugin with its parameters, or an agent with what it shall do. */
export interface Runnable {
  readonly kind: 'plugin' | 'agent';
  readonly id: string;
  readonly name: string;
  readonly version: string | null;
  readonly description: string | null;
  readonly approval: boolean;
  readonly fields: readonly ParamField[];
}

/** The field of an agent's form. */
export const PROMPT = 'prompt';
const PROMPT_FORM: JsonObject = {
  required: [PROMPT],
  properties: { [PROMPT]: { type: 'string', title: 'What it shall do', format: 'textarea' } },
};

/** What stands for it in an address, and in the task as its `runner`. */
export function nameOfRunnable({ kind, id }: Runnable): string {
  return `${kind}:${id}`;
}

/** Agents first: there are few of them. */
export function runnablesOf(plugins: readonly PluginInfo[], agents: readonly AgentInfo[]): readonly Runnable[] {
  return [
    ...agents.map(({ id, name }): Runnable => {
      const about = { version: null, description: `Agent: ${name}`, approval: false };
      return { kind: 'agent', id, name: id, ...about, fields: fieldsOf(PROMPT_FORM) };
    }),
    ...plugins.map(({ id, name, version, description, approval, parameters }): Runnable => {
      return { kind: 'plugin', id, name, version, description, approval, fields: fieldsOf(parameters) };
    }),
  ];
}
