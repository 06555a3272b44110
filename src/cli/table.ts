import { jsonText, type Style, safeText, styled, type Terminal } from './terminal.ts';

/** The column whose cells bear a colour, and which one. */
export interface Coloured {
  readonly column: number;
  style(cell: string): Style | undefined;
}

/** Print rows below a head, each column as wide as its widest cell. */
export async function printTable(
  terminal: Terminal,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  coloured?: Coloured,
): Promise<number> {
  const safe = rows.map((row) => row.map((cell) => safeText(cell.replace(/\s+/g, ' ').trim(), { colour: false })));
  const widths = head.map((name, column) => Math.max(name.length, ...safe.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[], index: number): string =>
    row
      .map((cell, column) => {
        const style = index < 0 ? 'bold' : column === coloured?.column ? coloured.style(cell) : undefined;
        const last = column === row.length - 1;
        return styled(last ? cell : cell.padEnd(widths[column] ?? 0), style, terminal.colour);
      })
      .join('  ');
  await terminal.print(`${[line(head, -1), ...safe.map(line)].join('\n')}\n`);
  return 0;
}

/** One JSON object a line. */
export async function printJson(terminal: Terminal, list: readonly object[]): Promise<number> {
  for (const one of list) await terminal.print(`${jsonText(one)}\n`);
  return 0;
}
