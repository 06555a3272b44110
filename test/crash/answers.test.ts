import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTrail } from '../../src/trail/open.ts';
import { provider } from '../outlet/replies/support.ts';
import { random } from '../support/random.ts';
import { scratch } from '../support/scratch.ts';

const ANSWERER = fileURLToPath(new URL('../fixtures/programs/answerer.ts', import.meta.url));
const KILLS = 6;
/** How many are sent at once. */
const SENDING = 4;

test('after kill -9 while answers are sent, every task is answered, and again only what was under way', async (t) => {
  const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`seed ${seed}; repeat with CRASH_SEED=${seed}`);
  const next = random(seed);
  const dataDir = await scratch(t);
  const there = await provider(t);
  for (let kill = 0; kill < KILLS; kill++) {
    const child = answerer(t, [dataDir, there.url, '1000']);
    await there.asked(there.heard.length + 1 + Math.floor(next() * 12));
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  // What a killed process had sent may still be on its way to us: the last one comes after all of it.
  const last = answerer(t, [dataDir, there.url, '1']);
  const [code] = await once(last, 'close');
  assert.equal(code, 0);
  const said = new Map<string, number>();
  for (const { body } of there.heard) {
    const taskId = /\/t\/(\S+)$/.exec(String(body.body))?.[1] ?? '';
    said.set(taskId, (said.get(taskId) ?? 0) + 1);
  }
  const trail = await openTrail({ dataDir });
  t.after(() => trail.close());
  const { tasks } = await trail.tasks({ limit: 1_000 });
  const ended = tasks.filter(({ ended }) => ended);
  assert.ok(ended.length > KILLS);
  for (const { taskId, metadata } of ended) {
    assert.ok(metadata?.answered, `${taskId} is marked`);
    assert.ok(said.has(taskId), `${taskId} is answered`);
  }
  const again = there.heard.length - said.size;
  assert.ok(again <= SENDING * KILLS, `${again} said again`);
});

function answerer(t: TestContext, args: readonly string[]) {
  const child = spawn(process.execPath, [ANSWERER, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}
