/** The lines that variants store: 104 characters, the length of ordinary build output. */
export function benchLine(index: number): string {
  const module = `src/components/widget-${index % 977}.ts`;
  return `${index} compiled ${module} in ${(index * 7) % 1000} ms with options --fast --level ${index % 7}`
    .padEnd(104, '.')
    .slice(0, 104);
}

export function benchLines(count = LINES): string[] {
  return Array.from({ length: count }, (_, index) => benchLine(index));
}

export const LINES = Number(process.env.BENCH_LINES ?? 500_000);
/** Lines of one commit or request. */
export const BATCH = 5_000;
export const FIRST_MS = Date.parse('2026-01-24T10:00:00.000Z');
