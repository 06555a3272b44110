import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { Page } from 'playwright-core';
import { scratch } from '../support/scratch.ts';
import { startServer } from '../support/server.ts';
import { freshPage, noBrowser, rowsOf, seqsOf, until } from '../web/support.ts';

/** As a user writes one: it logs as three sources, and waits for a person between its steps. */
const PLUGIN = `
export default {
  id: 'backup',
  name: 'Backup dashboards',
  parameters: { type: 'object', required: ['env'], properties: { env: { enum: ['dev', 'prod'] }, charts: { type: 'integer', default: 3 } } },
  async execute({ env, charts }, { logger, input }) {
    const [superset, git] = [logger.withSource('superset_api'), logger.withSource('git')];
    superset.info('Logged in to ' + env);
    git.info('Cloned the repository');
    await input('Shall I go on?');
    for (let n = 1; n <= charts; n++) superset.info('Fetched chart ' + n);
    superset.warning('Rate limit is near', { left: 12 });
    git.info('Committed chart files');
    await input('Finish?');
    superset.info('Logged out');
    return { charts };
  },
};
`;
const page = { skip: noBrowser, timeout: 120_000 };

async function messages(page: Page): Promise<string[]> {
  return rowsOf(page).evaluateAll((rows) => rows.map((row) => row.querySelector('.text')?.textContent?.trim() ?? ''));
}

async function untilRows(page: Page, wanted: readonly string[]): Promise<void> {
  let seen: string[] = [];
  await until(`the rows ${wanted.join(' | ')}`, async () => {
    seen = await messages(page);
    return wanted.every((text, n) => seen[n]?.startsWith(text)) && seen.length === wanted.length;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}, got ${seen.join(' | ')}`);
  });
}

async function answer(page: Page, question: string): Promise<void> {
  await page.getByRole('region', { name: 'The question' }).filter({ hasText: question }).waitFor();
  await page.getByLabel('Your answer').fill('yes');
  await page.getByRole('button', { name: 'Send' }).click();
}

test(
  'the happy path: a plugin is started, watched live by source and level, ends, and is found again after a reload',
  page,
  async (t) => {
    const dataDir = await scratch(t);
    await writeFile(join(dataDir, 'backup.js'), PLUGIN);
    await writeFile(join(dataDir, 'tasktrail.config.json'), '{ "plugins": ["./backup.js"] }');
    const server = await startServer(t, { dataDir });
    const { page } = await freshPage(t);

    await page.goto(server.url);
    await page.getByRole('button', { name: 'Run…' }).click();
    await page.getByRole('button', { name: /Backup dashboards/ }).click();
    await page.getByLabel('env').selectOption({ label: 'dev' });
    await page.getByRole('button', { name: 'Run', exact: true }).click();

    // While it runs: each source is told by its tag and a colour of its own.
    await rowsOf(page).filter({ hasText: 'Cloned the repository' }).waitFor();
    const tags = await rowsOf(page)
      .locator('.source')
      .evaluateAll((all) => all.map((tag) => [tag.textContent, getComputedStyle(tag).color] as const));
    const colours = ['[superset_api]', '[git]', '[system]'].map((name) => new Map(tags).get(name));
    assert.equal(new Set(colours).size, 3, JSON.stringify(tags));

    // One source only, also of the lines that come from now on.
    await page.getByRole('button', { name: /\[superset_api\]/ }).click();
    await untilRows(page, ['Logged in to dev']);
    await answer(page, 'Shall I go on?');
    await untilRows(page, [
      'Logged in to dev',
      'Fetched chart 1',
      'Fetched chart 2',
      'Fetched chart 3',
      'Rate limit is near',
    ]);
    await page.getByRole('button', { name: /WARNING/ }).click();
    await untilRows(page, ['Rate limit is near']);

    // On its own page the same lines are chosen, and go on.
    await page.getByRole('link', { name: 'Open its page' }).click();
    await page.waitForURL(/\/t\/task-/);
    await untilRows(page, ['Rate limit is near']);
    await page.getByRole('button', { name: /WARNING/ }).click();
    await answer(page, 'Finish?');
    await rowsOf(page).filter({ hasText: 'Logged out' }).waitFor();
    await page.locator('[data-connection=ended]').waitFor();

    // Ended, and read again from the store: the same lines by the same filter, and by a search.
    await page.reload();
    const superset = [
      'Logged in to dev',
      'Fetched chart 1',
      'Fetched chart 2',
      'Fetched chart 3',
      'Rate limit is near',
      'Logged out',
    ];
    await untilRows(page, superset);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await rowsOf(page).filter({ hasText: 'Task completed' }).waitFor();
    await page.getByPlaceholder('Search logs...').fill('CHART');
    await untilRows(page, ['Fetched chart 1', 'Fetched chart 2', 'Fetched chart 3', 'Committed chart files']);
  },
);

test('loading fails: the page says so, and "Retry" loads', page, async (t) => {
  const server = await startServer(t);
  await report(server.url, 'sums', ['one', 'two']);
  const { page } = await freshPage(t);
  const lines = /\/api\/tasks\/sums\/logs\?/;
  await page.route(lines, (route) => route.abort());
  await page.goto(`${server.url}/t/sums`);
  const card = page.getByRole('alert').filter({ hasText: 'The server does not answer' });
  await card.waitFor();
  assert.equal(await rowsOf(page).count(), 0);
  await page.unroute(lines);
  await card.getByRole('button', { name: 'Retry' }).click();
  await untilRows(page, ['one', 'two']);
  await card.waitFor({ state: 'detached' });
});

test('the socket drops: "Reconnecting..." is said, and no line is lost or told twice', page, async (t) => {
  const first = await startServer(t);
  const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `line ${from + n}`);
  await report(first.url, 'long', names(1, 5));
  const { page } = await freshPage(t);
  await page.goto(`${first.url}/t/long`);
  await untilRows(page, names(1, 5));
  await page.locator('[data-connection=live]').waitFor();

  await first.kill();
  await page.getByText('Reconnecting...').first().waitFor();
  assert.deepEqual(await seqsOf(page), [1, 2, 3, 4, 5], 'what was read stays');

  const second = await startServer(t, { dataDir: first.dataDir, env: { TASKTRAIL_PORT: new URL(first.url).port } });
  await send(second.url, 'long', names(6, 12));
  await untilRows(page, names(1, 12));
  await page.locator('[data-connection=live]').waitFor();
  await send(second.url, 'long', names(13, 15));
  await untilRows(page, names(1, 15));
  assert.deepEqual(
    await seqsOf(page),
    Array.from({ length: 15 }, (_, n) => n + 1),
  );
});

/** A task as another program tells of it. */
async function report(url: string, taskId: string, lines: readonly string[]): Promise<void> {
  await post(`${url}/api/tasks`, { task_id: taskId });
  await send(url, taskId, lines);
}

function send(url: string, taskId: string, lines: readonly string[]): Promise<void> {
  return post(
    `${url}/api/tasks/${taskId}/logs`,
    lines.map((message) => ({ message })),
  );
}

async function post(url: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  assert.ok(response.ok, await response.text());
}
