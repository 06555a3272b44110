import { markedMessage } from '../core/entry.ts';
import type { EntryPage } from '../core/page.ts';
import type { WireEntry } from '../core/wire.ts';

/** The page as JSON with `[stdout] ` or `[stderr] ` before what a process printed: how lines look below `/tasks`. */
export function markedJson(page: EntryPage): string {
  return JSON.stringify(wireEntries(page).map(markedEntry));
}

export function markedEntry(entry: WireEntry): WireEntry {
  return entry.stream === null ? entry : { ...entry, message: markedMessage(entry) };
}

export function wireEntries(page: EntryPage): readonly WireEntry[] {
  return JSON.parse(page.json) as readonly WireEntry[];
}
