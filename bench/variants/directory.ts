/* Single writes to a task directory, each awaited: a document, the metadata merged, a line of a flow. */
import { openTaskDirectory } from '../../src/outlet/directory/writer.ts';
import { benchLine } from '../lines.ts';
import { median, quantile } from '../stats.ts';
import { DATA_DIR, report } from '../support/server.ts';

const files = await openTaskDirectory(DATA_DIR, 'task-1');
const figures = {
  ...(await timed('document', 500, (n) => files.writeInput({ message: benchLine(n) }))),
  ...(await timed('metadata', 500, (n) => files.writeMetadata({ status: 'running', n }))),
  ...(await timed('line', 5_000, (n) => files.appendAgentOutput({ content: benchLine(n) }))),
};
await files.close();
report(figures);

async function timed(name: string, count: number, work: (n: number) => Promise<void>): Promise<Record<string, number>> {
  const taken: number[] = [];
  for (let n = 0; n < count; n++) {
    const startMs = performance.now();
    await work(n);
    taken.push(performance.now() - startMs);
  }
  return { [`${name}Ms`]: median(taken), [`${name}P99Ms`]: quantile(taken, 0.99) };
}
