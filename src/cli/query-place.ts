import { TrailError } from '../core/error.ts';
import { safeText, type Terminal } from './terminal.ts';

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
