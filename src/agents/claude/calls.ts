import type { EntryInput } from '../../core/entry.ts';
import { type Fields, idOf, oneLine, textOf } from '../json.ts';
import { timeOf } from '../made.ts';
import { todoArgs } from './todo.ts';

/** Calls that are remembered. An agent has few at a time; sub-agents go on after the answer to their call. */
const CALLS = 5_000;
const NAME_CHARS = 100;

export interface Call {
  readonly tool: string;
  readonly atMs: number | undefined;
  /** How many sub-agents are around it. */
  readonly depth: number;
  /** Which sub-agent it starts. */
  readonly agent: string | undefined;
  readonly args: Fields | undefined;
  readonly answered: boolean;
}

/** Which agent speaks: empty for the main one. */
export interface Scope {
  readonly parent_tool_use_id?: string;
  readonly depth?: number;
  readonly agent?: string;
}

/** Tool calls by id, so that answers are paired with them and sub-agents are nested in them. */
export class ToolCalls {
  readonly #calls = new Map<string, Call>();

  /** False when this very call is open already: it was told twice. */
  open(id: string | undefined, call: { tool: string; args: Fields; scope: Scope }, line: EntryInput): boolean {
    if (id === undefined) return true;
    const known = this.#calls.get(id);
    if (known && !known.answered) return false;
    const { tool, args, scope } = call;
    const agent = textOf(args.subagent_type) ?? (isAgentTool(tool) ? textOf(args.description) : undefined);
    this.#set(id, {
      tool: oneLine(tool, NAME_CHARS),
      atMs: timeOf(line),
      depth: scope.depth ?? 0,
      agent: agent && oneLine(agent, NAME_CHARS),
      args: todoArgs(tool, args),
      answered: false,
    });
    return true;
  }

  /** The call that an answer belongs to; undefined when it is not known, or was answered before. */
  close(id: string | undefined): Call | undefined {
    const call = id === undefined ? undefined : this.#calls.get(id);
    if (id === undefined || !call || call.answered) return undefined;
    this.#set(id, { ...call, args: undefined, answered: true });
    return call;
  }

  /** Which agent an event belongs to. */
  scope(event: Fields): Scope {
    const parent = idOf(event.parent_tool_use_id);
    if (parent === undefined) return {};
    const call = this.#calls.get(parent);
    const agent = call?.agent ?? textOf(event.subagent_type);
    return { parent_tool_use_id: parent, depth: (call?.depth ?? 0) + 1, ...(agent && { agent }) };
  }

  #set(id: string, call: Call): void {
    this.#calls.delete(id);
    this.#calls.set(id, call);
    const [oldest] = this.#calls.keys();
    if (this.#calls.size > CALLS && oldest !== undefined) this.#calls.delete(oldest);
  }
}

function isAgentTool(tool: string): boolean {
  return tool === 'Task' || tool === 'Agent';
}

/** The argument that says most, by name, for tools of any kind. */
const TELLING = [
  ...['file_path', 'notebook_path', 'command', 'pattern', 'url', 'query', 'subject', 'description', 'skill'],
  ...['path', 'prompt', 'question', 'message', 'name', 'task_id'],
];
const TELLING_CHARS = 200;

/** A call as a person would say it: `Read src/a.ts`. Paths in the working directory are shown from there. */
export function callText(tool: string, args: Fields, cwd: string): string {
  const name = oneLine(tool.replace(/^mcp__(.{1,80}?)__/, '$1: '), NAME_CHARS);
  const told = tellingText(tool, args, cwd);
  return told ? `${name} ${told}` : name;
}

function tellingText(tool: string, args: Fields, cwd: string): string | undefined {
  if (tool === 'TodoWrite') return Array.isArray(args.todos) ? `${args.todos.length} items` : undefined;
  if (tool === 'TaskUpdate') {
    const { id, status } = todoArgs(tool, args) ?? {};
    return oneLine(`${id === undefined ? '' : `#${id}`} ${status ?? ''}`, TELLING_CHARS);
  }
  const text = TELLING.map((name) => textOf(args[name])).find((value) => value !== undefined);
  if (text === undefined) return undefined;
  const shown = oneLine(fromCwd(text, cwd), TELLING_CHARS);
  if (isAgentTool(tool) && textOf(args.subagent_type)) return oneLine(`${args.subagent_type}: ${shown}`, TELLING_CHARS);
  const place = tool === 'Grep' || tool === 'Glob' ? textOf(args.path) : undefined;
  return place ? `${shown} in ${oneLine(fromCwd(place, cwd), TELLING_CHARS)}` : shown;
}

function fromCwd(path: string, cwd: string): string {
  return cwd !== '' && path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
}
