import { isOpenFilter, type LogFilter } from '../../core/filter.ts';
import { type SearchOptions, type Span, searchParams } from '../../core/found.ts';
import { drawLine, type Piece } from './line.ts';
import { readPlainFilter } from './view.ts';

/** What the search screen searches for; all of it stands in the address. */
export interface SearchView {
  readonly q: string;
  readonly filter: Omit<LogFilter, 'query'>;
  readonly tasks: readonly string[];
}

/** Read the address; what is not valid in it is left out. A query that is not understood stays: the screen says what is wrong. */
export function readSearchView(params: URLSearchParams): SearchView {
  const tasks = params.getAll('task').flatMap((part) => part.split(','));
  return {
    q: params.get('q') ?? '',
    filter: readPlainFilter(params),
    tasks: [...new Set(tasks)].filter((id) => id !== ''),
  };
}

export function searchViewParams({ q, filter, tasks }: SearchView): URLSearchParams {
  const options: SearchOptions = { ...filter, ...(q !== '' && { q }), ...(tasks.length > 0 && { tasks }) };
  return new URLSearchParams(searchParams(options));
}

/** True when nothing is asked for. */
export function isIdle({ q, filter, tasks }: SearchView): boolean {
  return q.trim() === '' && tasks.length === 0 && isOpenFilter(filter);
}

/** Characters of a found line that are shown; before a first mark that stands further on than this, so many are. */
const SHOWN_CHARS = 500;
const FAR_CHARS = 100;
const LEAD_CHARS = 60;

/** What to draw of a found line: the part around its first mark. The log's own colours end at a mark. */
export function drawFound(message: string, marks: readonly Span[]): readonly Piece[] {
  const first = marks[0]?.[0] ?? 0;
  const from = first > FAR_CHARS ? first - LEAD_CHARS : 0;
  const to = Math.min(message.length, from + SHOWN_CHARS);
  const pieces: Piece[] = from > 0 ? [...drawLine('… ').pieces] : [];
  let at = from;
  for (const [start, end] of marks) {
    if (start >= to) break;
    pieces.push(...drawLine(message.slice(at, start)).pieces);
    pieces.push(...drawLine(message.slice(start, Math.min(end, to))).pieces.map(asHit));
    at = Math.min(end, to);
  }
  pieces.push(...drawLine(message.slice(at, to)).pieces);
  if (to < message.length) pieces.push(...drawLine(' …').pieces);
  return pieces;
}

function asHit(piece: Piece): Piece {
  return piece.kind === 'text' ? { ...piece, kind: 'hit' } : piece;
}
