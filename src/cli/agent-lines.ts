import { agentOf } from '../agents/index.ts';
import type { CommandExit } from '../capture/command.ts';
import type { AgentEnd, AgentParser } from '../core/agent.ts';
import type { EntryInput } from '../core/entry.ts';
import type { Redactor } from '../intake/redact.ts';

/** A command's lines as they are, or as a known agent means them. */
export interface LineReader {
  /** Longest line that capture must leave whole; undefined for its own limit. */
  readonly lineBytes: number | undefined;
  /** Source of the lines. */
  readonly source: string | undefined;
  read(lines: readonly EntryInput[]): readonly EntryInput[];
  /** What the agent says of its run as a whole; undefined for any other command. */
  end(exit: CommandExit): AgentEnd | undefined;
}

export const PLAIN: LineReader = {
  lineBytes: undefined,
  source: undefined,
  read: (lines) => lines,
  end: () => undefined,
};

/** Throws `unknown_agent`. Values that the agent's output tells to hide are registered before its lines go on. */
export function agentLines(id: string, redactor: Redactor): LineReader {
  const kind = agentOf(id);
  const parser: AgentParser = kind.createParser();
  return {
    lineBytes: kind.lineBytes,
    source: kind.id,
    read: (lines) =>
      lines.flatMap((line) => {
        const { entries, secrets = [] } = parser.line(line);
        for (const secret of secrets) redactor.register(secret, 'outside');
        return entries;
      }),
    end: (exit) => {
      const end = parser.end(exit);
      // What it says at its end was read from no line.
      return { ...end, entries: end.entries.map((entry) => ({ source: kind.id, ...entry })) };
    },
  };
}
