import { type Fields, fieldsOf, idOf, listOf, textOf } from '../json.ts';
import { timeOf } from '../made.ts';
import { callText, type Scope, ToolCalls } from './calls.ts';
import { TodoList, type TodoState } from './todo.ts';
import type { Told } from './told.ts';
import type { Usage } from './usage.ts';

/** Metadata that all entries of one event share: which message, which turn, which agent. */
type Shared = Readonly<Record<string, unknown>> & { readonly scope: Scope };

/**
 * What is said: the `assistant` and `user` events. A message comes in several events, one content block each, all with its id;
 * answers of tools come as blocks of `user` events.
 */
export class Conversation {
  /** Where the agent works. */
  cwd = '';
  readonly #usage: Usage;
  readonly #calls = new ToolCalls();
  readonly #todo = new TodoList();
  #messageId: string | undefined;

  constructor(usage: Usage) {
    this.#usage = usage;
  }

  scope(event: Fields): Scope {
    return this.#calls.scope(event);
  }

  /** False when it is no assistant event after all. */
  assistant(event: Fields, told: Told): boolean {
    const message = fieldsOf(event.message);
    if (!message) return false;
    const scope = this.scope(event);
    const usage = fieldsOf(message.usage);
    if (usage) this.#usage.add(usage, { id: message.id, model: message.model });
    const id = idOf(message.id);
    const main = scope.parent_tool_use_id === undefined;
    if (main && id !== undefined && id !== this.#messageId) {
      this.#messageId = id;
      this.#usage.turn();
    }
    const shared = { message_id: id, turn: main && id !== undefined ? this.#usage.turns : undefined, scope };
    const error = textOf(event.error);
    for (const block of blocksOf(message.content)) this.#spoken(block, { ...shared, error }, told);
    return true;
  }

  /** False when it is no user event after all. */
  user(event: Fields, told: Told): boolean {
    const message = fieldsOf(event.message);
    if (!message) return false;
    const shared = { scope: this.scope(event) };
    const blocks = blocksOf(message.content);
    const data = blocks.length === 1 ? event.tool_use_result : undefined;
    // What nobody said just now: the prompt of a sub-agent, what the agent tells itself, what was said before.
    const aside =
      shared.scope.parent_tool_use_id !== undefined || event.isSynthetic === true || event.isReplay === true;
    for (const block of blocks) {
      if (isKind(block, 'tool_result')) this.#answered(block, data, shared, told);
      else {
        const metadata = metadataOf(shared, { role: 'user' });
        told.add({ type: 'output', level: aside ? 'DEBUG' : 'INFO', message: contentText(block), metadata });
      }
    }
    return true;
  }

  #spoken(block: Fields, shared: Shared, told: Told): void {
    const text = textOf(block.text);
    const thinking = textOf(block.thinking);
    if (isKind(block, 'tool_use')) this.#called(block, shared, told);
    else if (isKind(block, 'tool_result')) this.#answered(block, undefined, shared, told);
    else if (block.type === 'thinking' && thinking) {
      told.add({ type: 'thinking', message: thinking, metadata: metadataOf(shared) });
    } else if (block.type === 'text' && text) {
      told.add({ type: 'output', level: shared.error ? 'ERROR' : 'INFO', message: text, metadata: metadataOf(shared) });
    } else if (block.type !== 'text' && block.type !== 'thinking' && block.type !== 'redacted_thinking') {
      told.add({
        type: 'output',
        level: 'DEBUG',
        message: contentText(block),
        metadata: metadataOf(shared, { event: block }),
      });
    }
  }

  #called(block: Fields, shared: Shared, told: Told): void {
    const id = idOf(block.id);
    const tool = textOf(block.name) ?? 'tool';
    const args = fieldsOf(block.input) ?? {};
    if (!this.#calls.open(id, { tool, args, scope: shared.scope }, told.line)) return;
    const metadata = metadataOf(shared, { tool, args, tool_use_id: id });
    told.add({ type: 'tool_call', message: callText(tool, args, this.cwd), metadata });
    if (tool === 'ExitPlanMode') told.plan = textOf(args.plan) ?? told.plan;
    const todo = this.#todo.called(tool, args);
    if (todo) told.add(progressOf(todo, shared));
  }

  #answered(block: Fields, data: unknown, shared: Shared, told: Told): void {
    const id = idOf(block.tool_use_id);
    const call = this.#calls.close(id);
    const atMs = timeOf(told.line);
    const failed = block.is_error === true;
    const message = contentText(block);
    const duration = call?.atMs !== undefined && atMs !== undefined ? Math.max(0, atMs - call.atMs) : undefined;
    const metadata = { tool: call?.tool, tool_use_id: id, duration_ms: duration, is_error: failed };
    told.add({
      type: 'tool_result',
      level: failed ? 'ERROR' : 'INFO',
      message,
      metadata: metadataOf(shared, metadata),
    });
    const todo = call?.args && !failed ? this.#todo.answered(call.tool, call.args, { data, text: message }) : undefined;
    if (todo) told.add(progressOf(todo, shared));
  }
}

/** Only the main agent's list is the task's progress. */
function progressOf({ message, percent, todos }: TodoState, shared: Shared) {
  const main = shared.scope.parent_tool_use_id === undefined;
  const metadata = metadataOf(shared, { progress: main ? percent : undefined, todos });
  return { type: 'progress', message, metadata } as const;
}

function metadataOf({ scope, ...shared }: Shared, own: Fields = {}): Record<string, unknown> {
  const all = { ...own, ...shared, ...scope };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/** `server_tool_use`, `mcp_tool_use`, `web_search_tool_result` and the like are of the kind as well. */
function isKind({ type }: Fields, kind: string): boolean {
  return typeof type === 'string' && (type === kind || type.endsWith(`_${kind}`));
}

/** Content is a list of blocks or a plain text. */
function blocksOf(content: unknown): readonly Fields[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return listOf(content)
    .map(fieldsOf)
    .filter((block) => block !== undefined);
}

/** What a block has to say in words; what is no text is named. */
function contentText(block: Fields): string {
  const { content } = block;
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return blocksOf(content).map(partText).join('\n');
  return partText(block);
}

function partText(block: Fields): string {
  const type = textOf(block.type) ?? 'block';
  return textOf(block.text) ?? textOf(block.title) ?? (isKind(block, 'tool_result') ? '' : `[${type.slice(0, 64)}]`);
}
