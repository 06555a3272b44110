/** The lines that every variant stores: 104 characters, the length of ordinary build output. */
export function benchLine(index: number): string {
  const module = `src/components/widget-${index % 977}.ts`;
  return `${index} compiled ${module} in ${(index * 7) % 1000} ms with options --fast --level ${index % 7}`
    .padEnd(104, '.')
    .slice(0, 104);
}

export const LINES = Number(process.env.BENCH_LINES ?? 500_000);
/** Lines of one commit or request. */
export const BATCH = 5_000;
export const FIRST_MS = Date.parse('2026-01-24T10:00:00.000Z');

/** What a variant prints when it is done. `cpuMs` counts every thread of the processes that store. */
export interface Measured {
  readonly lines: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

export function report(measured: Measured): void {
  process.stdout.write(`${JSON.stringify(measured)}\n`);
}

export function cpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}
