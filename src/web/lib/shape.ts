import type { Json, JsonObject } from '../../core/entry.ts';
import type { WireEntry } from '../../core/wire.ts';

/** What a row is, beside its text: who speaks, and what is known of it. Made of the entry alone. */
export interface RowShape {
  /** A word and a glyph before the text; null for an ordinary line. */
  readonly badge: Badge | null;
  /** How many sub-agents are around it. */
  readonly depth: number;
  /** Names of figures, and how they are said. */
  readonly facts: readonly string[];
  readonly failed: boolean;
  /** The changes that a call makes to files. */
  readonly edits: readonly Edit[];
  /** What is written in Markdown, and may be read as such. */
  readonly markdown: boolean;
}

export interface Badge {
  readonly kind: 'assistant' | 'user' | 'thinking' | 'call' | 'answer' | 'result' | 'progress' | 'webhook';
  readonly word: string;
  readonly glyph: string;
}

export interface Edit {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

const BADGES = {
  assistant: { kind: 'assistant', word: 'assistant', glyph: '✦' },
  user: { kind: 'user', word: 'user', glyph: '❯' },
  thinking: { kind: 'thinking', word: 'thinking', glyph: '∴' },
  call: { kind: 'call', word: 'tool call', glyph: '▶' },
  answer: { kind: 'answer', word: 'tool result', glyph: '↳' },
  result: { kind: 'result', word: 'result', glyph: '⚑' },
  progress: { kind: 'progress', word: 'progress', glyph: '◔' },
  webhook: { kind: 'webhook', word: 'webhook', glyph: '⇥' },
} as const satisfies Record<string, Badge>;

/** Deepest indentation. */
const DEPTH = 6;
const PLAIN: RowShape = { badge: null, depth: 0, facts: [], failed: false, edits: [], markdown: false };

export function shapeOf({ type, metadata }: Pick<WireEntry, 'type' | 'metadata'>): RowShape {
  if (type === 'log' || (type === 'output' && metadata === null)) return PLAIN;
  const badge = badgeOf(type, metadata);
  if (badge === null) return PLAIN;
  const { kind } = badge;
  return {
    badge: wordOf(badge, metadata),
    depth: Math.min(DEPTH, numberIn(metadata?.depth) ?? (typeof metadata?.parent_tool_use_id === 'string' ? 1 : 0)),
    facts: factsOf(metadata),
    failed: metadata?.is_error === true,
    edits: kind === 'call' ? editsOf(metadata) : [],
    markdown: kind === 'assistant' || kind === 'thinking' || kind === 'result' || kind === 'user',
  };
}

/** What a row shows of its message: of a stack trace the first line, of a call what its badge does not say already. */
export function textOfRow(
  { type, message, metadata }: Pick<WireEntry, 'type' | 'message' | 'metadata'>,
  firstLine: boolean,
): string {
  if (firstLine) return message.slice(0, message.indexOf('\n'));
  const tool = textIn(metadata?.tool);
  return type === 'tool_call' && tool && message.startsWith(`${tool} `) ? message.slice(tool.length + 1) : message;
}

/** The changes to files that a tool is called for: those of the known editors. */
export function editsOf(metadata: JsonObject | null): readonly Edit[] {
  const args = objectIn(metadata?.args);
  if (args === undefined) return [];
  const file = textIn(args.file_path) ?? textIn(args.notebook_path) ?? textIn(args.path) ?? '';
  const all = Array.isArray(args.edits) ? args.edits : [args];
  return all.flatMap((each: Json) => {
    const edit = objectIn(each);
    const before = textIn(edit?.old_string) ?? textIn(edit?.old_str);
    const after = textIn(edit?.new_string) ?? textIn(edit?.new_str);
    if (before !== undefined || after !== undefined) return [{ file, before: before ?? '', after: after ?? '' }];
    const whole = textIn(edit?.content) ?? textIn(edit?.file_text) ?? textIn(edit?.new_source);
    return whole === undefined || file === '' ? [] : [{ file, before: '', after: whole }];
  });
}

/** `1.2 s`, `12.3k`: short enough for a row. */
export function shortCount(value: number): string {
  if (value < 1_000) return String(Math.round(value));
  if (value < 1_000_000) return `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)}k`;
  return `${(value / 1_000_000).toFixed(1)}M`;
}

function badgeOf(type: WireEntry['type'], metadata: JsonObject | null): Badge | null {
  switch (type) {
    case 'thinking':
    case 'result':
    case 'progress':
    case 'webhook':
      return BADGES[type];
    case 'tool_call':
      return BADGES.call;
    case 'tool_result':
      return BADGES.answer;
    case 'user_input':
      return BADGES.user;
    default:
      if (metadata?.role === 'user') return BADGES.user;
      return typeof metadata?.message_id === 'string' && metadata.event === undefined ? BADGES.assistant : null;
  }
}

/** A call is named by its tool, what a sub-agent says by that agent. */
function wordOf(badge: Badge, metadata: JsonObject | null): Badge {
  const tool = textIn(metadata?.tool);
  const agent = textIn(metadata?.agent);
  if (badge.kind === 'call' && tool !== undefined) return { ...badge, word: tool.slice(0, 24) };
  if (badge.kind === 'answer' && tool !== undefined) return { ...badge, word: `${tool.slice(0, 24)} result` };
  return badge.kind === 'assistant' && agent !== undefined ? { ...badge, word: agent.slice(0, 24) } : badge;
}

function factsOf(metadata: JsonObject | null): readonly string[] {
  const metrics = objectIn(metadata?.metrics);
  const [input, output] = [numberIn(metrics?.input_tokens), numberIn(metrics?.output_tokens)];
  const cached = numberIn(metrics?.cache_read_tokens);
  const cost = numberIn(metrics?.cost_usd);
  return [
    ...(input !== undefined || output !== undefined
      ? [`${shortCount((input ?? 0) + (cached ?? 0))} in, ${shortCount(output ?? 0)} out`]
      : []),
    ...(cost === undefined ? [] : [`$${cost.toFixed(cost < 0.1 ? 4 : 2)}`]),
  ];
}

function objectIn(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

function textIn(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberIn(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}
