import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import { place, start } from '../cli/cli.ts';
import { startServer } from '../support/server.ts';
import { freshPage, until } from '../web/support.ts';

/** Prints a numbered line each 20 ms until a line comes in. */
const POUR = `
  let n = 0;
  const timer = setInterval(() => console.log('line ' + ++n), 20);
  process.stdin.once('data', () => { clearInterval(timer); process.exit(0); });`;
/** With what is left of the longest pause before a try, when the server was away as short as here. */
export const BACK_MS = 5_000;

/**
 * A program is watched in the browser while the server is killed and started again, so often. Every chip is seen on the way, and in the
 * end each line stands in the page once. Answers how long the page needed to be live again, counted from when the server could answer.
 */
export async function returns(t: TestContext, { rounds }: { rounds: number }): Promise<number[]> {
  const at = await place(t);
  let server = await startServer(t, { dataDir: at.dataDir });
  const { port } = new URL(server.url);
  const run = start(t, at, ['run', '--', process.execPath, '-e', POUR], null);
  const id = /task-[0-9A-Z]{26}/.exec(await run.seen('/t/task-'))?.[0] ?? '';
  const { page } = await freshPage(t);
  await page.goto(`${server.url}/t/${id}`);
  const chip = page.locator('[data-connection]').first();
  const took: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    await chip.and(page.locator('[data-connection=live]')).waitFor({ timeout: 20_000 });
    const seen = await newest(page);
    await until('lines to come', async () => (await newest(page)) > seen);
    await server.kill();
    await chip.getByText(/^Reconnecting\.\.\. in \d+ s$/).waitFor();
    await chip.getByText(/^\(try [2-9]\)$/).waitFor();
    server = await startServer(t, { dataDir: at.dataDir, env: { TASKTRAIL_PORT: port } });
    const startMs = performance.now();
    await chip.and(page.locator('[data-connection=live]')).waitFor({ timeout: 20_000 });
    took.push(performance.now() - startMs);
  }
  run.child.stdin.write('\n');
  const { code, stdout } = await run.ended;
  assert.equal(code, 0);
  await page.locator('[data-connection=ended]').waitFor({ timeout: 20_000 });

  const printed = stdout.trimEnd().split('\n');
  const { total, texts } = await allRows(page);
  assert.equal(texts.size, total, 'each place of the list has its row');
  const seqs = [...texts].sort(([a], [b]) => a - b).map(([, row]) => row.seq);
  assert.deepEqual(
    seqs,
    seqs.map((_, n) => n + 1),
    'each seq once, in order',
  );
  const lines = [...texts].sort(([a], [b]) => a - b).map(([, row]) => row.text);
  assert.deepEqual(
    lines.filter((text) => text.startsWith('line ')),
    printed,
  );
  return took;
}

/** The greatest seq that is drawn. */
function newest(page: Page): Promise<number> {
  return page.evaluate(() =>
    Math.max(0, ...[...document.querySelectorAll('[data-seq]')].map((row) => Number(row.getAttribute('data-seq')))),
  );
}

/** The rows of the whole list by place, gathered screen by screen. */
async function allRows(page: Page): Promise<{ total: number; texts: Map<number, { seq: number; text: string }> }> {
  const texts = new Map<number, { seq: number; text: string }>();
  await page.locator('[role=log]').focus();
  await page.keyboard.press('Home');
  let total = 0;
  for (let next = 1; next === 1 || next <= total; ) {
    await until(`row ${next}`, async () => {
      const rows = await page.evaluate(() =>
        [...document.querySelectorAll('[role=listitem][data-seq]')].map((row) => ({
          place: Number(row.getAttribute('aria-posinset')),
          total: Number(row.getAttribute('aria-setsize')),
          seq: Number(row.getAttribute('data-seq')),
          text: row.querySelector('.text')?.textContent?.trim() ?? '',
        })),
      );
      for (const { place, seq, text } of rows) texts.set(place, { seq, text });
      total = rows[0]?.total ?? total;
      return texts.has(next);
    });
    while (texts.has(next)) next += 1;
    await page.keyboard.press('PageDown');
  }
  return { total, texts };
}
