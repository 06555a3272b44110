import { decodeObject, encodeJson } from '../core/base64.ts';
import { TrailError } from '../core/error.ts';
import type { SearchPlace } from '../core/search.ts';
import { parseTime } from '../core/time.ts';

/** Where a page of a search ended, and what the search was. */
export interface SearchCursor {
  /** What times like `-2h` count from: the moment of the first page, so that all pages fit together. */
  readonly nowMs: number;
  /** `searchKey` of the search that it belongs to. */
  readonly key: string;
  readonly place: SearchPlace;
}

export function encodeSearchCursor({ nowMs, key, place }: SearchCursor): string {
  return encodeJson({ n: nowMs, k: key, t: place.timestamp, id: place.taskId, s: place.seq });
}

/** Read a cursor back. Throws `invalid_cursor` unless it is one. */
export function decodeSearchCursor(text: string): SearchCursor {
  const { n, k, t, id, s } = decodeObject(text) ?? {};
  const isPlace = typeof t === 'string' && parseTime(t) === t && typeof id === 'string' && Number.isSafeInteger(s);
  if (
    typeof n !== 'number' ||
    !Number.isInteger(n) ||
    parseTime(n) === undefined ||
    typeof k !== 'string' ||
    !isPlace
  ) {
    throw new TrailError('invalid_cursor', 'cursor: expected the next_cursor of an earlier page, got something else', {
      errors: [{ path: 'cursor', detail: 'expected the next_cursor of an earlier page' }],
    });
  }
  return { nowMs: n, key: k, place: { timestamp: t, taskId: id, seq: Number(s) } };
}

/** A short text that differs when a search does (FNV-1a, twice 32 bits). */
export function searchKey(text: string): string {
  return [0x811c9dc5, 0x050c5d1f].map((seed) => fnv(text, seed).toString(36)).join('.');
}

function fnv(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
