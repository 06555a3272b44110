/*
 * What `info(message, metadata)` costs who calls it: bursts of calls, each burst timed as a whole, with room made between them.
 * `ours`: a task's logger of the embedded API; `pino`: pino with its asynchronous destination, a file.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { openTrail } from '../../src/trail/open.ts';
import { readyLine } from '../lines.ts';
import { median, quantile } from '../stats.ts';
import { WITH_DIRECTORIES } from '../support/directories.ts';
import { DATA_DIR, report, startServer } from '../support/server.ts';

const BURSTS = 300;
const CALLS = 1_000;
/** Bursts in which the code is not compiled yet. */
const WARM = 50;

const [whose] = process.argv.slice(2);
report(whose === 'pino' ? await ofPino() : await ofOurs());

async function ofOurs(): Promise<Record<string, number>> {
  const dataDir = join(DATA_DIR, 'data');
  const server = WITH_DIRECTORIES ? await startServer(dataDir) : undefined;
  const trail = await openTrail({ dataDir });
  const task = await trail.task({ title: 'bench' });
  const figures = await bursts(
    (line, n) => task.logger.info(line, { user: 'u-1', attempt: n }),
    () => task.logger.flush(),
  );
  const { log } = await trail.get(task.id);
  await trail.close();
  await server?.stop();
  if (log.lastSeq !== BURSTS * CALLS) throw new Error(`stored ${log.lastSeq} of ${BURSTS * CALLS}, lost ${log.lost}`);
  return figures;
}

async function ofPino(): Promise<Record<string, number>> {
  const file = join(DATA_DIR, 'pino.log');
  const destination = pino.destination({ dest: file, sync: false });
  await once(destination, 'ready');
  const logger = pino(destination);
  const flushed = (): Promise<void> =>
    new Promise((resolve, reject) => destination.flush((error) => (error ? reject(error) : resolve())));
  const figures = await bursts((line, n) => logger.info({ user: 'u-1', attempt: n }, line), flushed);
  destination.end();
  await once(destination, 'close');
  const stored = readFileSync(file, 'utf8').split('\n').length - 1;
  if (stored !== BURSTS * CALLS) throw new Error(`stored ${stored} of ${BURSTS * CALLS} lines`);
  return figures;
}

async function bursts(
  call: (line: string, n: number) => void,
  settle: () => Promise<void>,
): Promise<Record<string, number>> {
  const nanoseconds: number[] = [];
  for (let burst = 0; burst < BURSTS; burst++) {
    const startMs = performance.now();
    for (let n = 0; n < CALLS; n++) call(readyLine(n), n);
    nanoseconds.push(((performance.now() - startMs) * 1e6) / CALLS);
    await settle();
  }
  const warm = nanoseconds.slice(WARM);
  return { callNs: median(warm), slowBurstCallNs: quantile(warm, 0.99) };
}
