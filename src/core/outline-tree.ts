import type { Mark } from './outline.ts';

export type PartKind = 'group' | 'turn' | 'call' | 'thinking' | 'input' | 'progress' | 'webhook' | 'result';

/** A part of a task: from which line to which, how long, with how many errors, and the parts in it. */
export interface Part {
  readonly kind: PartKind;
  readonly title: string;
  /** The tool of a call. */
  readonly tool: string | null;
  readonly from: number;
  /** Its last line; null while it runs. */
  to: number | null;
  readonly startMs: number;
  endMs: number | null;
  durationMs: number | null;
  /** Lines of level ERROR in it. */
  errors: number;
  failed: boolean;
  /** The answer of a call. */
  answer: number | null;
  /** Those of a call are its sub-agent's. */
  readonly parts: Part[];
  open: boolean;
  /** Its last line says only that it ends. */
  closed: boolean;
}

/** Deepest nesting that is told apart; deeper groups lie beside one another. */
const DEPTH = 20;

/** Groups of one source that are open, the innermost last. */
interface Open {
  readonly part: Part;
  readonly section: boolean;
  readonly scope: string | null;
}

/**
 * The tree of a task's parts, built from its marks in order of seq. Marks may come in several goes: what is open stays open until its
 * end comes, or the task's.
 */
export class OutlineTree {
  readonly parts: Part[] = [];
  #open = new Map<string, Open[]>();
  readonly #calls = new Map<string, Part>();
  #turn: { readonly number: number; readonly part: Part } | undefined;
  #firstError: number | null = null;
  #lastError: number | null = null;
  #count = 0;

  get firstError(): number | null {
    return this.#firstError;
  }

  get lastError(): number | null {
    return this.#lastError;
  }

  /** How many parts there are. */
  get count(): number {
    return this.#count;
  }

  add(mark: Mark): void {
    const { kind, level, seq } = mark;
    if (kind === 'group_end') this.#endGroup(mark);
    else if (kind === 'errors') this.#sawErrors(seq, mark.to ?? seq, mark.count ?? 1);
    else if (kind === 'group' || kind === 'section') this.#beginGroup(mark);
    else this.#addAgent(mark);
    if (kind !== 'errors' && level === 'ERROR') this.#sawErrors(seq, seq, 1);
  }

  /** The task has ended: so has everything in it. */
  end(seq: number, atMs: number): void {
    for (const stack of this.#open.values()) for (const { part } of stack) finish(part, seq, atMs);
    this.#open = new Map();
    if (this.#turn) finish(this.#turn.part, seq, atMs);
    for (const call of this.#calls.values()) if (call.open) finish(call, seq, atMs);
  }

  #beginGroup(mark: Mark): void {
    const { source, seq, title, scope = null } = mark;
    const stack = this.#open.get(source) ?? [];
    this.#open.set(source, stack);
    if (mark.kind === 'section') this.#endSection(stack, seq - 1, Date.parse(mark.timestamp));
    const around = stack.at(-1)?.part ?? this.#turn?.part;
    const part = this.#part('group', mark, {
      title,
      into: stack.length < DEPTH ? around?.parts : stack[DEPTH - 1]?.part.parts,
    });
    stack.push({ part, section: mark.kind === 'section', scope });
  }

  /** A section goes on to the next one, whatever it left open. */
  #endSection(stack: Open[], seq: number, atMs: number): void {
    const at = stack.findLastIndex(({ section }) => section);
    if (at === -1) return;
    for (const { part } of stack.splice(at)) finish(part, seq, atMs);
  }

  #endGroup({ source, seq, timestamp, scope, durationMs }: Mark): void {
    const stack = this.#open.get(source) ?? [];
    const at = stack.findLastIndex((open) => !open.section && open.scope === (scope ?? null));
    if (at === -1) return;
    const [ended, ...within] = stack.splice(at);
    for (const { part } of within) finish(part, seq - 1, Date.parse(timestamp));
    if (!ended) return;
    finish(ended.part, seq, Date.parse(timestamp), durationMs);
    ended.part.closed = true;
  }

  #addAgent(mark: Mark): void {
    const { kind, turn, parentId, callId } = mark;
    if (parentId === undefined && turn !== undefined && turn !== this.#turn?.number) this.#beginTurn(mark, turn);
    const call = callId === undefined ? undefined : this.#calls.get(callId);
    if (kind === 'tool_result') {
      if (call) answered(call, mark);
      return;
    }
    // What a call says while it runs is told at the call.
    if (kind === 'progress' && call) return;
    const around = this.#around(mark);
    if (kind === 'tool_call') {
      const part = this.#part('call', mark, { title: mark.title, into: around?.parts });
      if (callId !== undefined) this.#calls.set(callId, part);
      return;
    }
    if (kind === 'result') this.#endTurn(mark);
    const own = kind === 'user_input' ? 'input' : (kind as 'thinking' | 'progress' | 'webhook' | 'result');
    const part = this.#part(own, mark, { title: mark.title, into: kind === 'result' ? undefined : around?.parts });
    finish(part, mark.seq, part.startMs);
    part.failed = mark.level === 'ERROR';
  }

  /** Which part a mark of an agent stands in: the call of its sub-agent, else the turn. */
  #around({ parentId }: Mark): Part | undefined {
    if (parentId === undefined) return this.#turn?.part;
    const parent = this.#calls.get(parentId);
    return parent ?? this.#turn?.part;
  }

  #beginTurn(mark: Mark, number: number): void {
    this.#endTurn(mark);
    this.#turn = { number, part: this.#part('turn', mark, { title: `Turn ${number}`, into: undefined }) };
  }

  #endTurn({ seq, timestamp }: Mark): void {
    if (this.#turn) finish(this.#turn.part, seq - 1, Date.parse(timestamp));
    this.#turn = undefined;
  }

  #sawErrors(from: number, to: number, count: number): void {
    this.#firstError ??= from;
    this.#lastError = to;
    for (const stack of this.#open.values()) for (const { part } of stack) part.errors += count;
    if (this.#turn) this.#turn.part.errors += count;
  }

  #part(kind: PartKind, mark: Mark, { title, into = this.parts }: { title: string; into: Part[] | undefined }): Part {
    const part: Part = {
      ...{ kind, title, tool: mark.tool ?? null, from: mark.seq, to: null },
      ...{ startMs: Date.parse(mark.timestamp), endMs: null, durationMs: null },
      ...{ errors: 0, failed: false, answer: null, parts: [], open: true, closed: false },
    };
    into.push(part);
    this.#count += 1;
    return part;
  }
}

function answered(call: Part, { seq, timestamp, level, durationMs }: Mark): void {
  finish(call, seq, Date.parse(timestamp), durationMs);
  call.answer = seq;
  call.failed = level === 'ERROR';
}

function finish(part: Part, seq: number, atMs: number, durationMs?: number): void {
  if (!part.open) return;
  part.open = false;
  part.to = Math.max(seq, part.from);
  part.endMs = Math.max(atMs, part.startMs);
  part.durationMs = durationMs ?? part.endMs - part.startMs;
}
