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
