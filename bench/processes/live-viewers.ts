/*
 * Many viewers of one task in a process of their own, forked by variants/live.ts. Tells `ready` when all stream; told the posts,
 * and waits for the end of the streams; then tells what was seen of them.
 */
import { once } from 'node:events';
import { quantile } from '../stats.ts';
import { type Frame, sharedMs, Viewer } from '../support/frames.ts';
import { ownCpuMs } from '../support/meter.ts';

/** A request as it was sent: when it began, and the number that its last line got. */
export interface Post {
  readonly startMs: number;
  readonly lastSeq: number;
}

/** What a viewer has seen: which line its frames reached, and when. */
class Seen {
  readonly reached: number[] = [];
  readonly atMs: number[] = [];
  #last = 0;

  readonly take = ({ first, last, text }: Frame): void => {
    if (first !== this.#last + 1) throw new Error(`expected line ${this.#last + 1}, got ${first}`);
    if (text !== '') this.#checkAll(text, first, last);
    this.#last = last;
    this.reached.push(last);
    this.atMs.push(sharedMs());
  };

  #checkAll(text: string, first: number, last: number): void {
    const seqs = [...text.matchAll(/"seq":(\d+)/g)].map(([, seq]) => Number(seq));
    if (seqs.length !== last - first + 1 || seqs.some((seq, index) => seq !== first + index)) {
      throw new Error(`expected lines ${first} to ${last} in a frame, got ${seqs.length} others`);
    }
  }

  get last(): number {
    return this.#last;
  }
}

const [url = '', way, count = '1'] = process.argv.slice(2);
const seen = Array.from({ length: Number(count) }, () => new Seen());
// One of them reads every line; the others get the same frames.
const viewers = seen.map(
  ({ take }, index) => new Viewer({ url, way: way === 'sse' ? 'sse' : 'ws', take, whole: index === 0 }),
);
await Promise.all(viewers.map(({ opened }) => opened));
const cpu = process.cpuUsage();
const ended = Promise.all(viewers.map(({ ended }) => ended));
process.send?.('ready');
const [posts] = (await once(process, 'message')) as [readonly Post[]];
await ended;
const cpuMs = ownCpuMs(cpu);
const total = Math.max(...posts.map(({ lastSeq }) => lastSeq));
for (const { last } of seen) if (last !== total) throw new Error(`a viewer got ${last} of ${total} lines`);
const tookMs = seen.flatMap((viewer) => latencies(viewer, posts));
const frames = seen.reduce((sum, { reached }) => sum + reached.length, 0) / seen.length;
process.send?.({
  p50Ms: quantile(tookMs, 0.5),
  p99Ms: quantile(tookMs, 0.99),
  maxMs: quantile(tookMs, 1),
  frames,
  viewersCpuMs: cpuMs,
});
process.disconnect();

/** For each post: from its start until the viewer had its last line. */
function latencies({ reached, atMs }: Seen, posts: readonly Post[]): number[] {
  let frame = 0;
  return posts
    .toSorted((a, b) => a.lastSeq - b.lastSeq)
    .map(({ lastSeq, startMs }) => {
      while ((reached[frame] ?? Number.POSITIVE_INFINITY) < lastSeq) frame += 1;
      return (atMs[frame] ?? Number.NaN) - startMs;
    });
}
