import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { connectTrail } from '../../src/client/client.ts';
import { place, start } from '../cli/cli.ts';
import { missing } from '../support/programs.ts';
import { startServer } from '../support/server.ts';
import { freshPage, noBrowser } from '../web/support.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A real build of this repository (`npm ls` may complain of what the `node` package installs, and goes on), which waits for a line of input between its steps. */
const BUILD = `
  cd "$1" || exit 1
  echo "step 1: what is installed"; npm ls --all
  echo "step 1 done"; read -r _
  echo "step 2: build while the server is down"; vite build -c src/web/vite.config.ts --outDir "$2" || exit 1
  npm ls --all --long
  echo "step 2 done"; read -r _
  echo "step 3: after the server came back" >&2; npm ls --all --json
  echo "step 3 done"; exit 7`;

test('the main job: a real build is watched live, survives kill -9 of the server, and every line is found again, in order', {
  skip: noBrowser || missing('npm'),
  timeout: 180_000,
}, async (t) => {
  const at = await place(t, { HOME: process.env.HOME ?? '/' });
  const env = { ...at.env, PATH: `${join(ROOT, 'node_modules/.bin')}:${dirname(process.execPath)}:${at.env.PATH}` };
  const first = await startServer(t, { dataDir: at.dataDir });
  const port = new URL(first.url).port;

  const words = ['run', '--title', 'nightly build', '--', 'sh', '-c', BUILD, 'sh', ROOT, join(at.cwd, 'built')];
  const run = start(t, { ...at, env }, words, null);
  const id = /task-[0-9A-Z]{26}/.exec(await run.seen('/t/task-'))?.[0] ?? '';

  // Watched over WebSocket, by a client that comes back by itself, and in the browser.
  const watcher = await connectTrail({ url: first.url });
  t.after(() => watcher.close());
  const watched = Array.fromAsync(watcher.follow(id));
  const { page } = await freshPage(t);
  await page.goto(`${first.url}/t/${id}`);
  await page.getByText('step 1 done', { exact: true }).waitFor({ timeout: 60_000 });
  await page.locator('[data-connection=live]').waitFor();

  await first.kill();
  await page.getByText('Reconnecting...').first().waitFor();
  run.child.stdin.write('\n');
  await run.seen('step 2 done');

  await startServer(t, { dataDir: at.dataDir, env: { TASKTRAIL_PORT: port } });
  run.child.stdin.write('\n');
  const ran = await run.ended;
  assert.equal(ran.code, 7, ran.stderr);

  await page.locator('[data-connection=ended]').waitFor({ timeout: 30_000 });
  await page.getByText('step 3 done', { exact: true }).waitFor();
  await page.getByText('exit code 7').first().waitFor();

  const lines = await watched;
  assert.deepEqual(
    lines.map(({ seq }) => seq),
    lines.map((_, index) => index + 1),
    'every seq once and in order, across the kill',
  );
  const printed = ran.stdout.trimEnd().split('\n');
  assert.ok(printed.length > 1_000, `${printed.length} lines are a real build`);
  const messages = (stream: string) => lines.filter((line) => line.stream === stream).map(({ message }) => message);
  assert.deepEqual(messages('stdout'), printed);
  assert.ok(messages('stderr').includes('step 3: after the server came back'));

  // And again from the store, by somebody who asks only now.
  const asked = await watcher.logs(id, { limit: -1 });
  assert.deepEqual(asked.logs, lines);
  const task = await watcher.get(id);
  assert.deepEqual([task.status, task.exitCode, task.log.lost, task.title], ['failed', 7, 0, 'nightly build']);

  await page.reload();
  await page.getByPlaceholder('Search logs...').fill('STEP 2: BUILD');
  await page.getByText('step 2: build while the server is down').waitFor();
});
