/** A run of rows that are told by the one before them: the same line again, or the rest of a stack trace. */
export interface Run {
  /** The row that stays. */
  readonly head: number;
  /** How many rows behind it belong to it. */
  readonly count: number;
  readonly kind: 'repeat' | 'stack';
}

/** What is looked at in a row. */
export interface RunLine {
  readonly message: string;
  readonly level: string;
  readonly source: string;
  readonly stream: string | null;
  readonly type: string;
  readonly metadata: unknown;
}

/** Fewer are not worth a fold; longer lines are no repeats, for a view full of them would need all their text. */
const REPEATS = 2;
const FRAMES = 3;
const REPEAT_CHARS = 500;
/** As much of a line as tells a frame. */
const LOOK_CHARS = 300;

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are left out of account
const COLOURS = /\u001b\[[\d;:]*m/g;

/**
 * The runs that begin in a stretch of rows; `at` answers undefined for a row that is not here, and a run ends before it. A run goes on at
 * most to `end`.
 */
export function runsIn(
  at: (row: number) => RunLine | undefined,
  stretch: { start: number; count: number; end: number },
): readonly Run[] {
  const { start, count, end } = stretch;
  const runs: Run[] = [];
  for (let row = start; row < start + count; ) {
    const found = repeatAt(at, row, end) ?? stackAt(at, row, end);
    if (found) runs.push(found);
    row += 1 + (found?.count ?? 0);
  }
  return runs;
}

function repeatAt(at: (row: number) => RunLine | undefined, head: number, end: number): Run | undefined {
  const first = at(head);
  if (first === undefined || first.message === '' || first.message.length > REPEAT_CHARS) return undefined;
  let row = head + 1;
  while (row < end && isSame(first, at(row))) row += 1;
  const count = row - head - 1;
  return count >= REPEATS ? { head, count, kind: 'repeat' } : undefined;
}

function isSame(a: RunLine, b: RunLine | undefined): boolean {
  if (b === undefined || a.message !== b.message || a.level !== b.level || a.source !== b.source) return false;
  if (a.stream !== b.stream || a.type !== b.type) return false;
  return a.metadata === b.metadata || JSON.stringify(a.metadata) === JSON.stringify(b.metadata);
}

function stackAt(at: (row: number) => RunLine | undefined, head: number, end: number): Run | undefined {
  const first = at(head);
  if (first === undefined) return undefined;
  const frames = framesAfter(start(first.message));
  let row = head + 1;
  for (let line = at(row); row < end && line && isFrame(line, first, frames); line = at(row)) row += 1;
  const count = row - head - 1;
  return count >= FRAMES ? { head, count, kind: 'stack' } : undefined;
}

function isFrame(line: RunLine, head: RunLine, frames: RegExp): boolean {
  return line.source === head.source && line.stream === head.stream && frames.test(start(line.message));
}

/** What a frame looks like behind a first line: that of Python, Go and Rust says which language it is. */
function framesAfter(head: string): RegExp {
  if (/^\s*Traceback \(most recent call last\):/.test(head)) return PYTHON;
  if (/^(?:goroutine \d+ \[.*\]:|panic: )/.test(head)) return GO;
  if (/^\s*(?:stack backtrace:|thread '.*' panicked at )/.test(head)) return RUST;
  return OTHER;
}

const PYTHON = /^\s+\S/;
const GO = /^(?:$|goroutine \d+ \[|\[signal |created by |[\w./*()-]+\(.*\)$|\s+\S+\.(?:go|s):\d+)/;
const RUST = /^(?:\s+\d+:\s+\S|\s+at \S+:\d+|stack backtrace:)/;
/** Node, Java, .NET. */
const OTHER = /^\s+(?:at \S|\.{3} \d+ (?:more|common frames))|^\s*Caused by: /;

function start(message: string): string {
  return message.slice(0, LOOK_CHARS).replace(COLOURS, '');
}

/** The first line of a message of several, when the rest is a stack trace. */
export function stackInMessage(message: string): number {
  const lines = message.split('\n', 400);
  const frames = framesAfter(start(lines[0] ?? ''));
  const rest = lines.slice(1);
  const like = rest.filter((line) => frames.test(start(line))).length;
  return like >= 1 && like * 2 >= rest.length ? rest.length : 0;
}
