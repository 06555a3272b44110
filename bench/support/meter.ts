/** CPU time of this process so far, all its threads, in ms. */
export function ownCpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/** Wall and CPU time of some work of this process, for so many lines. */
export async function metered(lines: number, work: () => void | Promise<void>): Promise<Record<string, number>> {
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  await work();
  return perLine(lines, { wallMs: performance.now() - startMs, cpuMs: ownCpuMs(cpu) });
}

export function perLine(lines: number, { wallMs, cpuMs }: { wallMs: number; cpuMs: number }): Record<string, number> {
  return { linesPerS: (lines / wallMs) * 1_000, cpuUs: (cpuMs * 1_000) / lines };
}
