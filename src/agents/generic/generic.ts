import type { AgentEnd, AgentExit, AgentKind, AgentParser, Parsed } from '../../core/agent.ts';
import type { EntryInput } from '../../core/entry.ts';
import { LINE_BYTES } from '../../core/limits.ts';
import { exitText } from '../exit.ts';
import { keptLine } from '../made.ts';
import { progressOf } from './progress.ts';
import { Workflow } from './workflow.ts';

/** Any command: its lines stay as they are, but for progress displays and workflow commands. Its exit code says how it went. */
export const generic: AgentKind = {
  id: 'generic',
  name: 'Command',
  lineBytes: LINE_BYTES,
  createParser: () => new GenericParser(),
};

class GenericParser implements AgentParser {
  readonly #workflow = new Workflow();

  line(line: EntryInput): Parsed {
    const obeyed = this.#workflow.obey(line);
    if (obeyed) return obeyed;
    const progress = line.metadata?.continued ? undefined : progressOf(line.message);
    if (progress === undefined) return { entries: keptLine(line) };
    return { entries: [{ ...line, metadata: { ...line.metadata, progress } }] };
  }

  end(exit: AgentExit): AgentEnd {
    const success = exit.exitCode === 0 && !exit.timedOut && exit.fault === undefined;
    const error = success ? null : exitText(exit);
    return { entries: [], success, error, result: null, metrics: {}, model: null, sessionId: null, plan: null };
  }
}
