/*
 * So many lines by the embedded API: a logger in a tight loop that waits for room (`logger`), or awaited batches of entries (`append`). With
 * directories a server owns the data directory and writes them; its CPU time counts, until the last line stands in them.
 */
import { join } from 'node:path';
import { openTrail } from '../../src/trail/open.ts';
import { BATCH, FIRST_MS, LINES, readyLine } from '../lines.ts';
import { projected, WITH_DIRECTORIES } from '../support/directories.ts';
import { ownCpuMs, perLine } from '../support/meter.ts';
import { cpuOf, DATA_DIR, report, startServer } from '../support/server.ts';

const [way, count] = process.argv.slice(2);
const total = Number(count ?? LINES);
const dataDir = join(DATA_DIR, 'data');
const server = WITH_DIRECTORIES ? await startServer(dataDir) : undefined;
const trail = await openTrail({ dataDir });
const task = await trail.task({ title: 'bench' });

const serverBefore = server ? cpuOf(server.pid) : 0;
const cpu = process.cpuUsage();
const startMs = performance.now();
if (way === 'append') {
  for (let from = 0; from < total; from += BATCH) {
    const length = Math.min(BATCH, total - from);
    const entryOf = (_: unknown, index: number) => ({
      message: readyLine(from + index),
      timestamp: FIRST_MS + from + index,
    });
    await trail.append(task.id, Array.from({ length }, entryOf));
  }
} else {
  for (let index = 0; index < total; index++) {
    task.logger.info(readyLine(index));
    if (index % 1_000 === 999) await task.logger.drain();
  }
  await task.logger.flush();
}
const wallMs = performance.now() - startMs;
const ownMs = ownCpuMs(cpu);
const { log } = await trail.get(task.id);
if (log.lastSeq !== total || log.lost !== 0) throw new Error(`stored ${log.lastSeq} of ${total}, lost ${log.lost}`);
await projected(dataDir, total);
const cpuMs = ownMs + (server ? cpuOf(server.pid) - serverBefore : 0);
await trail.close();
await server?.stop();
report(perLine(total, { wallMs, cpuMs }));
