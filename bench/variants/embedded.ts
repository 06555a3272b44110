/* The embedded API: a logger in a tight loop that waits for room (`logger`), or batches of entries (`append`). */
import { openTrail } from '../../src/trail/open.ts';
import { BATCH, benchLine, cpuMs, FIRST_MS, LINES, report } from '../lines.ts';

const [way, dataDir] = process.argv.slice(2);
const trail = await openTrail({ dataDir });
const task = await trail.task({ title: 'bench' });
const lines = Array.from({ length: LINES }, (_, index) => benchLine(index));

const cpu = process.cpuUsage();
const start = performance.now();
if (way === 'append') {
  for (let from = 0; from < LINES; from += BATCH) {
    await trail.append(
      task.id,
      lines.slice(from, from + BATCH).map((message, index) => ({ message, timestamp: FIRST_MS + from + index })),
    );
  }
} else {
  for (const [index, message] of lines.entries()) {
    task.logger.info(message);
    if (index % 1_000 === 999) await task.logger.drain();
  }
  await task.logger.flush();
}
const measured = { lines: LINES, wallMs: performance.now() - start, cpuMs: cpuMs(cpu) };
const { log } = await trail.get(task.id);
if (log.lastSeq !== LINES || log.lost !== 0)
  throw new Error(`stored ${log.lastSeq} of ${LINES} lines, lost ${log.lost}`);
await trail.close();
report(measured);
