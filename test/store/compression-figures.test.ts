import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { Draft } from '../../src/core/entry.ts';
import { isoTime } from '../../src/core/time.ts';
import { entryJson } from '../../src/core/wire.ts';
import { allEntries, batch, line } from '../contract/store/support.ts';
import { buildOutput } from '../support/build-output.ts';
import { random } from '../support/random.ts';
import { compress, holding, MONDAY, TUESDAY } from './ended.ts';

test('builds and agents take at most 15 % of their JSONL', async (t) => {
  const agents = ['success', 'max-turns', 'retry', 'partial'].map((name) =>
    readFileSync(new URL(`../fixtures/claude/${name}.jsonl`, import.meta.url), 'utf8')
      .trimEnd()
      .split('\n'),
  );
  const builds = [200, 2_000, 20_000].map((count) => buildOutput(count, count));
  for (const [kind, outputs] of Object.entries({ agents, builds })) {
    const tasks = Object.fromEntries(
      outputs.map((output, index) => [`task-${index}`, { ended: MONDAY, lines: timed(output) }]),
    );
    const { store, db, count } = await holding(t, tasks);
    const jsonl = Object.entries(tasks).reduce((sum, [taskId, { lines }]) => sum + jsonlBytes(taskId, lines), 0);
    compress(store, TUESDAY);
    assert.equal(count('lines'), 0);
    const bytes = Number(db.prepare('SELECT sum(length(data)) AS bytes FROM chunks').get()?.bytes);
    const percent = (bytes / jsonl) * 100;
    t.diagnostic(`${kind}: ${jsonl} bytes of JSONL become ${bytes}, ${percent.toFixed(1)} %`);
    assert.ok(percent <= 15, `${kind}: ${percent.toFixed(1)} %`);
  }
});

test('the first page and a rare text of 100,000 compressed lines are found at once', async (t) => {
  const lines = timed(buildOutput(100_000));
  const { store } = await holding(t, { a: { ended: MONDAY, lines: [] } });
  lines.splice(77_777, 1, line('the needle in the haystack'));
  await store.append([batch('a', lines)]);
  compress(store, TUESDAY);
  const began = performance.now();
  assert.equal((await store.read('a', { limit: 100 })).count, 100);
  const paged = performance.now();
  const found = await allEntries(store, 'a', { filter: { search: 'NEEDLE' } });
  const searched = performance.now();
  assert.deepEqual(
    found.map(({ seq }) => seq),
    [77_778],
  );
  t.diagnostic(`first page ${(paged - began).toFixed(1)} ms, search ${(searched - paged).toFixed(0)} ms`);
  // A few times what it takes on a slow machine: a page that decompressed everything would take as long as the search.
  assert.ok(paged - began < 250 && searched - paged < 3_000);
});

/** Output as it was captured: some milliseconds apart, some of it on the other stream. */
function timed(output: readonly string[]): Draft[] {
  const next = random(output.length);
  let ms = Date.parse(MONDAY);
  return output.map((message) => {
    ms += Math.floor(next() ** 4 * 1_000);
    const bad = message.includes('error');
    return line(message, {
      timestamp: isoTime(ms),
      source: 'build',
      type: 'output',
      stream: bad ? 'stderr' : 'stdout',
      level: bad ? 'ERROR' : 'INFO',
    });
  });
}

function jsonlBytes(taskId: string, lines: readonly Draft[]): number {
  return lines.reduce((sum, draft, index) => sum + Buffer.byteLength(entryJson(taskId, index + 1, draft)) + 1, 0);
}
