import { readFileSync } from 'node:fs';
import type { AgentEnd, AgentExit, AgentKind, Parsed } from '../../src/core/agent.ts';
import type { EntryInput, Stream } from '../../src/core/entry.ts';

export const EXIT: AgentExit = { exitCode: 0, signal: null, timedOut: false };

export interface Run {
  readonly entries: readonly EntryInput[];
  /** What each line brought. */
  readonly parsed: readonly Parsed[];
  /** All news, the later over the earlier. */
  readonly news: Omit<Parsed, 'entries'>;
  readonly end: AgentEnd;
}

/** A line as capture makes it: line n is printed at n × 100 ms. */
export function printed(message: string, index: number, stream: Stream = 'stdout'): EntryInput {
  return { message, timestamp: index * 100, level: 'INFO', source: 'agent', stream, type: 'output' };
}

/** One run of an agent that prints these lines: texts, events, or lines made by the caller. */
export function run(kind: AgentKind, lines: readonly (string | object)[], exit: Partial<AgentExit> = {}): Run {
  const parser = kind.createParser();
  const parsed = lines.map((line, index) => parser.line(asLine(line, index + 1)));
  const end = parser.end({ ...EXIT, ...exit });
  const news = Object.assign({}, ...parsed.map(({ entries: _entries, ...rest }) => rest));
  return { entries: [...parsed.flatMap(({ entries }) => entries), ...end.entries], parsed, news, end };
}

function asLine(line: string | object, index: number): EntryInput {
  if (typeof line === 'string') return printed(line, index);
  return 'message' in line && 'stream' in line ? (line as EntryInput) : printed(JSON.stringify(line), index);
}

export function recording(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/claude/${name}`, import.meta.url));
}

export function recordedLines(name: string): string[] {
  return recording(name).toString('utf8').trimEnd().split('\n');
}

/** Type, level and text: what a person sees of an entry. */
export function seen(entries: readonly EntryInput[]): (readonly unknown[])[] {
  return entries.map(({ type, level, message }) => [type, level, message]);
}

export function assistant(content: unknown, more: object = {}, message: object = {}): object {
  return { type: 'assistant', message: { id: 'msg_1', model: 'claude-opus-4-8', content, ...message }, ...more };
}

export function toolUse(id: string, name: string, input: object = {}): object {
  return { type: 'tool_use', id, name, input };
}

export function answer(id: string, content: unknown, more: object = {}, event: object = {}): object {
  return {
    type: 'user',
    message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content, ...more }] },
    ...event,
  };
}
