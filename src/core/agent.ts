import type { EntryInput, Json } from './entry.ts';
import type { Metrics } from './task.ts';

/** A program whose output is understood: what it prints becomes turns, tool calls and cost. */
export interface AgentKind {
  /** What `--agent` and the config call it. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** The longest line, in bytes, that capture must leave whole for the parser. */
  readonly lineBytes: number;
  /** A parser for one run. */
  createParser(): AgentParser;
}

/** Reads what one run prints, line by line while it runs. Does no I/O, never throws, and its memory is bounded. */
export interface AgentParser {
  /** Take a whole line as capture made it: text, time, stream, level and marks. Lines of both streams come in order of arrival. */
  line(line: EntryInput): Parsed;
  /** The process has ended and all its lines were given. Asked once. */
  end(exit: AgentExit): AgentEnd;
}

/** What a line brought. What is left out has not changed. */
export interface Parsed {
  /** To be appended in this order; each is within the limits of an entry. They are not masked yet: intake does that. */
  readonly entries: readonly EntryInput[];
  readonly model?: string;
  readonly sessionId?: string;
  /** Figures of the whole run so far, for the task's metrics. Until the agent's own total comes, cost is counted from a price list. */
  readonly metrics?: Partial<Metrics>;
  /** The plan that the agent wants to have approved. */
  readonly plan?: string;
  /** Values to be hidden from now on: register them before a further line is stored. */
  readonly secrets?: readonly string[];
  /** The text being written as it looks now, for a `partial` frame. Empty when its entry has come. */
  readonly partial?: string;
  /** The result is there and nothing that belongs to it is still at work, so the process should exit soon. False takes it back. */
  readonly finished?: boolean;
}

/** How the process ended; a `CommandExit` of capture is one. */
export interface AgentExit {
  readonly exitCode: number;
  readonly signal: string | null;
  readonly timedOut: boolean;
  /** Why it could not be started. */
  readonly fault?: string;
}

/** The run as a whole. */
export interface AgentEnd {
  /** What was left unended, and what the exit itself has to say. */
  readonly entries: readonly EntryInput[];
  readonly success: boolean;
  readonly result: Json;
  /** Why it was no success. */
  readonly error: string | null;
  readonly metrics: Partial<Metrics>;
  readonly model: string | null;
  readonly sessionId: string | null;
  readonly plan: string | null;
}
