import type { EntryType, Json, JsonObject } from './entry.ts';
import type { Expr } from './expr.ts';
import type { LogFilter } from './filter.ts';
import type { Level } from './level.ts';
import { toCamel, toSnake, type Wired } from './wire.ts';

/** What a line means for the structure of its task. `errors` stands for a run of plain error lines between two others. */
export const MARK_KINDS = [
  'group',
  'section',
  'group_end',
  'thinking',
  'tool_call',
  'tool_result',
  'user_input',
  'webhook',
  'progress',
  'result',
  'errors',
] as const;
export type MarkKind = (typeof MARK_KINDS)[number];

/** A line that begins, ends or names a part of its task. From all of them the tree is built (`outline-tree.ts`). */
export interface Mark {
  readonly seq: number;
  readonly timestamp: string;
  readonly kind: MarkKind;
  readonly title: string;
  readonly level: Level;
  readonly source: string;
  /** Errors: the last of them, and how many. */
  readonly to?: number;
  readonly count?: number;
  /** Which call it makes or answers, and of which call's sub-agent it comes. */
  readonly callId?: string;
  readonly parentId?: string;
  readonly tool?: string;
  readonly turn?: number;
  /** The belief scope that the group is. */
  readonly scope?: string;
  readonly durationMs?: number;
}

/** The marks of a stretch of a task's lines. */
export interface Outline {
  readonly taskId: string;
  readonly marks: readonly Mark[];
  /** Every line up to this seq is in the marks: what to ask after next time. */
  readonly scannedTo: number;
  readonly lastSeq: number;
  /** False: the time or the room was up before the last line. */
  readonly complete: boolean;
}

export type WireOutline = Omit<Wired<Outline>, 'marks'> & { readonly marks: readonly Wired<Mark>[] };

/** What a line must have for `markOf`. */
export interface Marked {
  readonly seq: number;
  readonly timestamp: string;
  readonly level: Level;
  readonly source: string;
  readonly type: EntryType;
  readonly message: string;
  readonly metadata: JsonObject | null;
}

const TITLE_CHARS = 160;
/** As much of a line as is looked at: more than a title with its colours. */
const LOOK_CHARS = 1_000;
const TYPES = ['thinking', 'tool_call', 'tool_result', 'user_input', 'webhook', 'progress', 'result'] as const;
const PLAIN = ['log', 'output'] as const;

/** Colours, and the times that Buildkite hides in its lines. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are made of control characters
const HIDDEN = /\u001b(?:\[[0-?]*[ -/]*[@-~]|_[^\u0007]*\u0007)/g;
const GROUP = /^\s*(?:::group(?: [^:]*)?::|##\[group\])(.*)/i;
const GROUP_END = /^\s*(?:::endgroup(?: [^:]*)?::|##\[endgroup\])/i;
const SECTION = /^(?:---|\+\+\+|~~~) (\S.*)$/;
/** Heads of diffs, results of Go's tests, and rules drawn from the same characters. */
const NO_SECTION = /^(?:\/dev\/null$|[ab]\/|\S*\/\S*$|\S.*\t|(?:PASS|FAIL|SKIP|BENCH): )|[-+~]{3}\s*$/;

const MARKERS = ['::group', '::endgroup', '##[group]', '##[endgroup]', '][entry]', '][exit]', '--- ', '+++ ', '~~~ '];

/**
 * The lines that may be marks, as filters that a store answers from its summaries: by type, by text, and errors. A line may pass
 * more than one of them.
 */
export const OUTLINE_FILTERS: readonly LogFilter[] = [
  { types: TYPES },
  {
    types: PLAIN,
    query: {
      text: '',
      expr: {
        op: 'any',
        parts: MARKERS.map((text): Expr => ({ op: 'text', text })),
      },
    },
  },
  { types: PLAIN, levels: ['ERROR'] },
];

/** What a line means for the structure; undefined for an ordinary one. */
export function markOf(line: Marked): Mark | undefined {
  const { seq, timestamp, level, source, type } = line;
  const shared = { seq, timestamp, level, source };
  if (type !== 'log' && type !== 'output') return { ...shared, ...agentMark(line, type) };
  const scope = scopeMark(line.metadata);
  if (scope) return { ...shared, ...scope };
  const text = line.message.slice(0, LOOK_CHARS).replace(HIDDEN, '').split('\n', 1)[0] ?? '';
  const group = GROUP.exec(text);
  if (group) return { ...shared, kind: 'group', title: titleOf(group[1] ?? '') || 'group' };
  if (GROUP_END.test(text)) return { ...shared, kind: 'group_end', title: '' };
  const section = SECTION.exec(text)?.[1];
  if (section !== undefined && !NO_SECTION.test(section)) {
    return { ...shared, kind: 'section', title: titleOf(section) };
  }
  return level === 'ERROR' ? { ...shared, kind: 'errors', title: titleOf(text), to: seq, count: 1 } : undefined;
}

export function outlineToWire({ marks, ...rest }: Outline): WireOutline {
  return { ...toSnake(rest), marks: marks.map((mark) => toSnake(mark)) };
}

export function markOfWire(mark: Wired<Mark>): Mark {
  return toCamel<Mark>(mark);
}

/** What is added to a line's own facts. */
type Own = Omit<Mark, 'seq' | 'timestamp' | 'level' | 'source'>;

function scopeMark(metadata: JsonObject | null): Own | undefined {
  const scope = textIn(metadata?.belief_scope);
  const state = metadata?.belief_state;
  if (scope === undefined) return undefined;
  if (state === 'Entry') return { kind: 'group', title: titleOf(scope), scope };
  const durationMs = numberIn(metadata?.duration_ms);
  if (state !== 'Exit') return undefined;
  return { kind: 'group_end', title: '', scope, ...(durationMs !== undefined && { durationMs }) };
}

function agentMark({ message, metadata }: Marked, kind: Exclude<EntryType, 'log' | 'output'>): Own {
  const callId = textIn(metadata?.tool_use_id);
  const parentId = textIn(metadata?.parent_tool_use_id);
  const tool = textIn(metadata?.tool);
  const turn = numberIn(metadata?.turn);
  const durationMs = numberIn(metadata?.duration_ms);
  return {
    ...{ kind, title: titleOf(message.slice(0, LOOK_CHARS).replace(HIDDEN, '')) },
    ...(callId !== undefined && { callId }),
    ...(parentId !== undefined && { parentId }),
    ...(tool !== undefined && { tool }),
    ...(turn !== undefined && { turn }),
    ...(durationMs !== undefined && { durationMs }),
  };
}

function titleOf(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= TITLE_CHARS ? line : `${line.slice(0, TITLE_CHARS).toWellFormed()}…`;
}

function textIn(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, TITLE_CHARS) : undefined;
}

function numberIn(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
