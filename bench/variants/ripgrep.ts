/* ripgrep over the same lines as files, which the system has in memory; NaN where there is none: node ripgrep.ts LINES. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { median } from '../stats.ts';
import { SEARCH_TIMES, SEARCHES } from '../support/searches.ts';
import { report } from '../support/server.ts';
import { LARGE, storeOf } from '../support/stores.ts';

const { filesDir } = await storeOf(Number(process.argv[2]));
const installed = spawnSync('rg', ['--version']).status === 0;
const figures: Record<string, number> = {};
for (const search of SEARCHES) {
  figures[`${search.name}Ms`] = installed ? timed(search, filesDir) : Number.NaN;
  figures[`${search.name}TaskMs`] = installed ? timed(search, join(filesDir, `${LARGE}.log`)) : Number.NaN;
}
report(figures);

/** It counts instead of showing the newest 100: it cannot know which those are before it has seen all. */
function timed({ text, regex, all }: (typeof SEARCHES)[number], path: string): number {
  // -uu: it would leave out what lies in a cache.
  const args = ['-uu', '-i', '-c', '--no-filename', ...(regex ? [] : ['-F']), '--', text, path];
  const times: number[] = [];
  for (let n = 0; n < SEARCH_TIMES; n++) {
    const startMs = performance.now();
    const { stdout } = spawnSync('rg', args, { encoding: 'utf8' });
    times.push(performance.now() - startMs);
    const lines = stdout.split('\n').reduce((sum, count) => sum + Number(count), 0);
    if (path === filesDir && all !== 'many' && lines !== all)
      throw new Error(`expected ${all} lines with ${text}, got ${lines}`);
  }
  return median(times);
}
