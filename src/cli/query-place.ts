import { TrailError } from '../core/error.ts';
import { type Reading, readQuery } from '../query/parser.ts';
import { safeText, type Terminal } from './terminal.ts';

interface Asked {
  readonly query: string | undefined;
  readonly of: Reading['of'];
}

/** Work with a query: tells what in it most likely is meant otherwise, and where it is not understood. */
export async function withQuery<T>(terminal: Terminal, { query = '', of }: Asked, work: () => Promise<T>): Promise<T> {
  try {
    const hints = readQuery(query, { nowMs: Date.now(), of })?.hints ?? [];
    for (const { column, detail } of hints) terminal.tell(`query, column ${column}: ${detail}`);
    return await work();
  } catch (error) {
    showPlace(terminal, query, error);
    throw error;
  }
}

/** Under a query that is not understood: where in it the fault is. Nothing for any other error. */
export function showPlace({ streams }: Terminal, query: string, error: unknown): void {
  if (!(error instanceof TrailError) || error.code !== 'invalid_query') return;
  const { column, length = 1 } = error.errors?.[0] ?? {};
  if (column === undefined) return;
  const [before, part, rest] = [
    query.slice(0, column - 1),
    query.slice(column - 1, column - 1 + length),
    query.slice(column - 1 + length),
  ].map(shown);
  streams.stderr.write(
    `  ${before}${part}${rest}\n  ${' '.repeat(width(before))}${'^'.repeat(Math.max(1, width(part)))}\n`,
  );
}

/** One line, without what would move the cursor. */
function shown(text: string): string {
  return safeText(text.replace(/\s/g, ' '), { colour: false });
}

function width(text = ''): number {
  return [...text].length;
}
