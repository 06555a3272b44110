import type { AgentEnd, AgentExit, AgentKind, AgentParser, Parsed } from '../../core/agent.ts';
import type { EntryInput } from '../../core/entry.ts';
import { AGENT_LINE_BYTES } from '../../core/limits.ts';
import { exitText } from '../exit.ts';
import { type Fields, fieldsOf, idOf, listOf, oneLine, start, textOf } from '../json.ts';
import { keptLine } from '../made.ts';
import { Conversation } from './conversation.ts';
import { modelOf, Results } from './results.ts';
import { SystemEvents } from './system.ts';
import { Told } from './told.ts';
import { Unended } from './unended.ts';
import { Usage } from './usage.ts';

const DENIALS = 100;
/** Longest plan that is kept, in characters; the call that has it is an entry as well. */
const PLAN_CHARS = 256 * 1024;
/** As much of the last plain line as the reason of a failure shows. */
const LAST_CHARS = 300;

/** Claude Code with `--output-format stream-json --verbose`, or `json`, with or without `--verbose`. */
export const claude: AgentKind = {
  id: 'claude',
  name: 'Claude Code CLI',
  lineBytes: AGENT_LINE_BYTES,
  createParser: () => new ClaudeParser(),
};

class ClaudeParser implements AgentParser {
  readonly #usage = new Usage();
  readonly #unended = new Unended(this.#usage);
  readonly #conversation = new Conversation(this.#usage);
  readonly #system = new SystemEvents();
  readonly #results = new Results(this.#usage);
  #model: string | undefined;
  #sessionId: string | undefined;
  #plan: string | undefined;
  /** Work has been told of since the last result: the turn is not over. */
  #atWork = false;
  /** The last line that is no event: where there is no result, it often says why. */
  #lastPlain = '';
  #said: Said = {};

  line(line: EntryInput): Parsed {
    const events = line.stream === 'stderr' || line.metadata?.continued ? undefined : eventsOf(line.message);
    if (!events) {
      if (line.message.trim() !== '') this.#lastPlain = oneLine(line.message, LAST_CHARS);
      return { entries: keptLine(line) };
    }
    const told = new Told(line);
    for (const event of events) this.#event(event, told);
    if (told.plan !== undefined) this.#plan = start(told.plan, PLAN_CHARS);
    return { entries: told.entries, ...this.#news(told) };
  }

  end(exit: AgentExit): AgentEnd {
    const entries = [...this.#unended.rest()];
    const { outcome } = this.#results;
    const how = exitText(exit);
    const ended = {
      metrics: this.#usage.metrics,
      model: this.#model ?? null,
      sessionId: this.#sessionId ?? null,
      plan: this.#plan ?? null,
    };
    if (!outcome) {
      const last = this.#lastPlain && `; its last line was: ${this.#lastPlain}`;
      return { ...ended, entries, success: false, result: null, error: `claude gave no result: ${how}${last}` };
    }
    if (this.#atWork) {
      const error = outcome.error ?? `claude stopped in the middle of a further turn: ${how}`;
      return { ...ended, entries, success: false, result: outcome.result, error };
    }
    // The result is the end of the work; the process after it may have been ended because it hung.
    if (outcome.success && (exit.exitCode !== 0 || exit.timedOut)) {
      entries.push({ message: `After the result: ${how}`, level: 'WARNING', type: 'output' });
    }
    return { ...ended, ...outcome, entries };
  }

  #event(event: Fields, told: Told): void {
    this.#sessionId ??= idOf(event.session_id);
    if (event.type === 'system' && event.subtype === 'init') {
      this.#model = idOf(event.model) ?? this.#model;
      this.#conversation.cwd = idOf(event.cwd) ?? '';
    }
    if (!this.#understood(event, told)) {
      const name = [event.type, event.subtype].flatMap((part) => idOf(part) ?? []).join('/');
      told.add({ type: 'output', level: 'DEBUG', message: name, metadata: { event } });
    }
  }

  #understood(event: Fields, told: Told): boolean {
    switch (event.type) {
      case 'assistant':
        if (this.#isMain(event)) told.partial = this.#unended.ended() ?? told.partial;
        return this.#conversation.assistant(event, told);
      case 'user':
        this.#isMain(event);
        return this.#conversation.user(event, told);
      case 'stream_event':
        // Pieces are told of the main agent only; were it otherwise, those of two messages would mix.
        return !this.#isMain(event) || this.#streamed(event, told);
      case 'result':
        this.#ended(event, told);
        return true;
      default: {
        const made = this.#system.entry(event);
        if (made) told.add({ ...made, metadata: { ...made.metadata, ...this.#conversation.scope(event) } });
        return made !== undefined;
      }
    }
  }

  /** Whether the main agent speaks: its turn is not over then. A sub-agent may go on in the background. */
  #isMain(event: Fields): boolean {
    const main = event.parent_tool_use_id == null;
    if (main) this.#atWork = true;
    return main;
  }

  #streamed(event: Fields, told: Told): boolean {
    const inner = fieldsOf(event.event);
    if (!inner) return false;
    told.partial = this.#unended.event(inner, told.line) ?? told.partial;
    return true;
  }

  #ended(event: Fields, told: Told): void {
    this.#atWork = false;
    this.#model ??= idOf(modelOf(event));
    told.partial = this.#unended.ended() ?? told.partial;
    for (const denial of listOf(event.permission_denials).slice(0, DENIALS)) {
      const made = this.#system.denial(denial);
      if (made) told.add(made);
    }
    told.add(this.#results.add(event));
  }

  /** What has changed since it was last told. */
  #news({ partial, plan }: Told): Omit<Parsed, 'entries'> {
    const before = this.#said;
    const { revision } = this.#usage;
    const metrics = revision === before.revision ? undefined : this.#usage.metrics;
    const figures = metrics ? JSON.stringify(metrics) : before.figures;
    const finished = this.#results.outcome !== undefined && !this.#atWork && this.#system.inBackground === 0;
    this.#said = { model: this.#model, sessionId: this.#sessionId, revision, figures, finished };
    return {
      ...(this.#model !== undefined && this.#model !== before.model && { model: this.#model }),
      ...(this.#sessionId !== undefined && this.#sessionId !== before.sessionId && { sessionId: this.#sessionId }),
      ...(metrics && figures !== (before.figures ?? '{}') && { metrics }),
      ...(finished !== (before.finished ?? false) && { finished }),
      ...(plan !== undefined && this.#plan !== undefined && { plan: this.#plan }),
      ...(partial !== undefined && { partial }),
    };
  }
}

interface Said {
  readonly model?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly revision?: number;
  readonly figures?: string | undefined;
  readonly finished?: boolean;
}

/** The events that a line holds: one as a JSON object, or all of them as a list (`json` with `--verbose`). */
function eventsOf(text: string): readonly Fields[] | undefined {
  const first = text.trimStart()[0];
  if (first !== '{' && first !== '[') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const values = Array.isArray(value) ? value : [value];
    const events = values.flatMap((held) => (textOf(fieldsOf(held)?.type) ? [held as Fields] : []));
    return events.length === values.length && events.length > 0 ? events : undefined;
  } catch {
    // An ordinary line that begins like JSON, or JSON that was cut.
    return undefined;
  }
}
