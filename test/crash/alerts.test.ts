import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTrail } from '../../src/trail/open.ts';
import { answer, provider } from '../outlet/replies/support.ts';
import { alertsOf } from '../support/alerts.ts';
import { random } from '../support/random.ts';
import { scratch } from '../support/scratch.ts';

const ALERTER = fileURLToPath(new URL('../fixtures/programs/alerter.ts', import.meta.url));
const KILLS = 5;
/** Of the rule that fires. */
const THRESHOLD = 10;

test('after kill -9 every line is counted once, and every notice of what was counted was sent', async (t) => {
  const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed}; repeat with CRASH_SEED=${seed}`);
  const next = random(seed);
  const dataDir = await scratch(t);
  const there = await provider(t, answer(200));
  for (let kill = 0; kill < KILLS; kill++) {
    const child = alerter(t, [dataDir, there.url, '100000', String(kill)]);
    await there.asked(there.heard.length + 1 + Math.floor(next() * 6));
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  const last = alerter(t, [dataDir, there.url, '20', 'last']);
  const [code] = await once(last, 'close');
  assert.equal(code, 0);
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  let needles = 0;
  for (let cursor: string | undefined; ; ) {
    const page = await trail.tasks({ limit: 1_000, ...(cursor && { cursor }) });
    // Tasks that were killed before their lines have none: each append is whole or not there.
    for (const { log } of page.tasks) needles += (log.total / 3) * 2;
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  const rule = { enabled: true, on: 'lines', severity: 'warning', windowSeconds: 86_400, coolDownSeconds: 0 } as const;
  const alerts = alertsOf(trail.parts, {
    configured: {
      count: { ...rule, name: 'count', query: 'needle', threshold: 1_000_000, to: [] },
      tens: { ...rule, name: 'tens', query: 'needle', threshold: THRESHOLD, to: [] },
    },
  });
  const [count, tens] = await alerts.all();
  assert.equal(count?.state.count, needles, 'each line is counted once');
  const fired = tens?.state.fired ?? 0;
  assert.equal(fired * THRESHOLD + (tens?.state.count ?? 0), needles);
  // What was kept fired so often, each time a notice was sent, or held back because there were too many.
  const sent = new Set(there.heard.map(({ body }) => body.id)).size;
  assert.ok(sent >= fired - (tens?.state.dropped ?? 0), `${sent} of ${fired} were sent`);
});

function alerter(t: TestContext, args: readonly string[]) {
  const child = spawn(process.execPath, [ALERTER, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}
