/** The lines that variants store: 104 characters, the length of ordinary build output. */
export function benchLine(index: number): string {
  const module = `src/components/widget-${index % 977}.ts`;
  return `${index} compiled ${module} in ${(index * 7) % 1000} ms with options --fast --level ${index % 7}`
    .padEnd(104, '.')
    .slice(0, 104);
}

/** So few that they are not what the garbage collector has to look at. */
const DISTINCT = Array.from({ length: 10_000 }, (_, index) => benchLine(index));

/** The first 10,000 of them over and over again: made before anything is measured. */
export function readyLine(index: number): string {
  return DISTINCT[index % DISTINCT.length] ?? '';
}

export const LINES = Number(process.env.BENCH_LINES ?? 1_000_000);
/** Lines of one commit or request. */
export const BATCH = 5_000;
export const FIRST_MS = Date.parse('2026-01-24T10:00:00.000Z');

/** Lines of one request as NDJSON, put together without a serialiser: a client that costs little. */
export function ndjsonBody(from: number, count: number): string {
  let body = '';
  for (let index = from; index < from + count; index++) {
    body += `{"message":"${readyLine(index)}","timestamp":${FIRST_MS + index}}\n`;
  }
  return body;
}
