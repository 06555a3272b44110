import { type EntryInput, isEntryType, isSource, isStream } from '../core/entry.ts';
import { parseLevel } from '../core/level.ts';
import { BATCH_LINES, LINE_BYTES } from '../core/limits.ts';
import type { PackedLines } from '../core/packed.ts';
import { isPlainTime, isSameKind, LinePacker } from './packed.ts';

const KEYS: ReadonlySet<string> = new Set(['message', 'timestamp', 'level', 'source', 'stream', 'type']);
/** Text of these many UTF-16 units has no more bytes than a line may have. */
const SHORT_CHARS = LINE_BYTES / 3;

/**
 * Entries in columns, where each is so plain that nothing in it has to be refused, cut or read: most are. They cross to the thread that
 * stores for half of what it costs to write JSON here and read it there. Undefined where one of them needs a closer look.
 */
export function packedIfPlain(entries: readonly EntryInput[]): PackedLines | undefined {
  if (entries.length > BATCH_LINES) return undefined;
  const packer = new LinePacker();
  let before: EntryInput | undefined;
  for (const entry of entries) {
    if (typeof entry !== 'object' || entry === null || !isPlainText(entry)) return undefined;
    // Neighbours are mostly of one kind.
    if (!(before && isSameKind(entry, before)) && !isPlainKind(entry)) return undefined;
    packer.add(entry);
    before = entry;
  }
  return packer.take();
}

function isPlainText(entry: EntryInput): boolean {
  for (const key in entry) if (!KEYS.has(key)) return false;
  const { message, timestamp } = entry;
  if (typeof message !== 'string' || message.length > SHORT_CHARS) return false;
  return timestamp === undefined || isPlainTime(timestamp);
}

function isPlainKind({ level, source, stream, type }: EntryInput): boolean {
  return (
    (level === undefined || parseLevel(level) !== undefined) &&
    (source === undefined || (typeof source === 'string' && isSource(source.trim()))) &&
    (stream === undefined || stream === null || isStream(stream)) &&
    (type === undefined || isEntryType(type))
  );
}
