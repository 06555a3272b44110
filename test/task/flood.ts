import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openTrail } from '../../src/trail/open.ts';
import { scratch } from '../support/scratch.ts';

const FLOODER = fileURLToPath(new URL('../fixtures/programs/flooder.ts', import.meta.url));

export interface Flood {
  readonly lines: number;
  readonly wait: 'drain' | 'none';
}

export interface Flooded {
  readonly peakBytes: number;
  readonly kept: number;
  readonly lost: number;
  readonly notes: readonly string[];
}

/** Let a process of its own run a task that logs without end in sight, and look at what is left of it. */
export async function flood(t: TestContext, { lines, wait }: Flood): Promise<Flooded> {
  const dataDir = await scratch(t);
  const { stdout } = await promisify(execFile)(process.execPath, [FLOODER, dataDir, String(lines), wait]);
  const { id, peak } = JSON.parse(stdout) as { id: string; peak: number };
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  const { bySource, lost } = await trail.stats(id);
  const notes = (await trail.logs(id, { levels: ['WARNING'], limit: -1 })).logs.map(({ message }) => message);
  t.diagnostic(
    `${lines} lines, ${wait}: peak ${Math.round(peak / 2 ** 20)} MiB, kept ${bySource.plugin}, lost ${lost}`,
  );
  assert.equal((await trail.get(id)).status, 'completed');
  return { peakBytes: peak, kept: bySource.plugin ?? 0, lost, notes };
}
