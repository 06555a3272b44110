import type { Medians, Row, Variant } from '../section.ts';
import { shown } from '../section.ts';
import { growth } from '../stats.ts';

/** How a size is named in tables. */
export function named(size: number, what: string): string {
  return `${size.toLocaleString('en-US')} ${what}`;
}

/** The same script over each size. */
export function bySize(sizes: readonly number[], what: string, variant: Omit<Variant, 'name' | 'args'>): Variant[] {
  return sizes.map((size) => ({ ...variant, name: named(size, what), args: [String(size)] }));
}

/** The slope of a figure over sizes: 0 is flat, 1 is linear. */
export function growthRow(
  row: Pick<Row, 'what' | 'peer'>,
  figure: string,
  sizes: { readonly of: readonly number[]; readonly what: string },
): Row {
  const cost = (median: Medians, size: number): number => median(named(size, sizes.what), figure);
  return {
    ...row,
    what: `growth: ${row.what}`,
    value: (median) => growth(sizes.of.map((size) => [size, cost(median, size)] as const)),
    show: shown('', 2),
  };
}

/** Lines over which what takes them in is looked at, besides the million. */
const BESIDES = [100_000, 4_000_000];

/** The same variant with fewer lines, and with more, once each. */
export function besides(name: string, { script, args = [] }: Omit<Variant, 'name'>): Variant[] {
  return BESIDES.map((lines) => ({
    ...{ name: `${name}, ${named(lines, 'lines')}`, script, args: [...args, String(lines)] },
    ...{ directories: true, rounds: 1 },
  }));
}

/** The slope of all CPU time over these sizes and the million; `name` is what `besides` was called with. */
export function cpuGrowthRow(what: string, million: string, name = million): Row {
  return {
    what: `${what} of 100,000, 1 and 4 million lines: growth (1 is linear)`,
    value: (median) =>
      growth([
        ...BESIDES.map((lines) => [lines, lines * median(`${name}, ${named(lines, 'lines')}`, 'cpuUs')] as const),
        [1_000_000, 1_000_000 * median(million, 'cpuUs')],
      ]),
    show: shown('', 2),
  };
}
