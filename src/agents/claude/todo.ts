import { type Fields, fieldsOf, idOf, oneLine, textOf } from '../json.ts';

const ITEMS = 200;
const TEXT_CHARS = 300;

interface Item {
  readonly text: string;
  readonly status: string;
}

/** The list as it is after a change: how much of it is done, and what is at work. */
export interface TodoState {
  readonly message: string;
  readonly percent: number;
  readonly todos: readonly { readonly content: string; readonly status: string }[];
}

/**
 * The agent's to-do list. `TodoWrite` gives all of it at once; its successors give one item a call: `TaskCreate`, whose id is in
 * its result, and `TaskUpdate`.
 */
export class TodoList {
  #items = new Map<string, Item>();

  /** A tool is called; answers the list when the call replaces it. */
  called(tool: string, args: Fields): TodoState | undefined {
    if (tool !== 'TodoWrite' || !Array.isArray(args.todos)) return undefined;
    this.#items = new Map();
    for (const [index, value] of args.todos.slice(0, ITEMS).entries()) {
      const todo = fieldsOf(value);
      const text = textOf(todo?.content) ?? textOf(todo?.activeForm);
      if (text) this.#set(String(index), { text, status: textOf(todo?.status) ?? 'pending' });
    }
    return this.#state();
  }

  /** A tool has answered without an error; answers the list when that changed it. `args` are those of `todoArgs`. */
  answered(
    tool: string,
    args: Fields,
    answer: { readonly data: unknown; readonly text: string },
  ): TodoState | undefined {
    if (tool === 'TaskCreate') {
      const text = textOf(args.subject);
      const task = fieldsOf(fieldsOf(answer.data)?.task);
      const id = keyOf(task?.id) ?? /#([\w-]{1,64})/.exec(answer.text.slice(0, 200))?.[1];
      if (!text || !id) return undefined;
      this.#set(id, { text, status: 'pending' });
      return this.#state();
    }
    return tool === 'TaskUpdate' ? this.#update(args) : undefined;
  }

  #update(args: Fields): TodoState | undefined {
    const id = keyOf(args.id);
    const item = id === undefined ? undefined : this.#items.get(id);
    if (id === undefined || !item) return undefined;
    const status = textOf(args.status) ?? item.status;
    if (status === 'deleted') this.#items.delete(id);
    else this.#set(id, { text: textOf(args.subject) ?? item.text, status });
    return this.#state();
  }

  #set(id: string, { text, status }: Item): void {
    if (this.#items.size >= ITEMS && !this.#items.has(id)) return;
    this.#items.set(id, { text: oneLine(text, TEXT_CHARS), status: oneLine(status, 40) });
  }

  #state(): TodoState {
    const items = [...this.#items.values()];
    const done = items.filter(({ status }) => status === 'completed').length;
    const now = items.find(({ status }) => status === 'in_progress');
    return {
      message: `To-do ${done}/${items.length}${now ? `: ${now.text}` : ''}`,
      percent: items.length === 0 ? 0 : Math.round((100 * done) / items.length),
      todos: items.map(({ text, status }) => ({ content: text, status })),
    };
  }
}

/** What must be kept of a call so that its answer can change the list: the few fields that `answered` reads. */
export function todoArgs(tool: string, args: Fields): Fields | undefined {
  if (tool !== 'TaskCreate' && tool !== 'TaskUpdate') return undefined;
  const { taskId, task_id, id } = args;
  const text = (value: unknown) => (typeof value === 'string' ? oneLine(value, TEXT_CHARS) : undefined);
  return { subject: text(args.subject), status: text(args.status), id: keyOf(taskId) ?? keyOf(task_id) ?? keyOf(id) };
}

/** Ids are texts, but models write numbers. */
export function keyOf(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : idOf(value);
}
