/* Loaded before a program with `--import`: when it ends it writes the most memory that it took, in MB, to BENCH_RSS_FILE. */
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env.BENCH_RSS_FILE;
if (file !== undefined && isMainThread) {
  process.on('exit', () => writeFileSync(file, String((process.resourceUsage().maxRSS * 1_024) / 1e6)));
}
