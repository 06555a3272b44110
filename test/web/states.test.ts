import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { fillSample } from './sample.ts';
import { shoot, untaken } from './states.ts';
import { noBrowser, rowsOf, type Site, until, visit } from './support.ts';

const page = { skip: noBrowser, timeout: 120_000 };
const TOKENS = [
  { role: 'admin', token: 'an-admin-token-0123456789', name: 'olga' },
  { role: 'reader', token: 'a-reader-token-0123456789', name: 'guest' },
] as const;
const ANALYTICS = '**/api/analytics?*';
const LOGS = '**/api/tasks/*/logs?*';
const TASKS = '**/api/tasks?*';
const FOUND = '**/api/logs/search?*';
/** The settings ask how the server is at least as often. */
const PULSE_MS = 11_000;
const DISK_AWAY = {
  status: 503,
  headers: { 'x-request-id': 'req-7f1c0e' },
  json: {
    status: 503,
    code: 'store_unavailable',
    title: 'No store',
    detail: 'The disk is away.',
    request_id: 'req-7f1c0e',
  },
};

/** Keep some requests back until the function that is given back is called. */
async function hold(page: Page, url: string): Promise<() => void> {
  const gate = Promise.withResolvers<void>();
  await page.route(url, async (route) => {
    await gate.promise;
    await route.continue();
  });
  return gate.resolve;
}

/** Answer some requests with a fault until the function that is given back is called. */
async function refuse(page: Page, url: string): Promise<() => Promise<void>> {
  await page.route(url, (route) => route.fulfill(DISK_AWAY));
  return () => page.unroute(url);
}

async function secondTry(page: Page): Promise<void> {
  await page
    .getByText(/^Reconnecting\.\.\. in \d+ s$/)
    .first()
    .waitFor();
  // The second may be over before a busy machine looks.
  await page
    .getByText(/^\(try \d+\)$/)
    .first()
    .waitFor();
}

async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token', { exact: true }).fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

async function numbered(site: Site, from: number, to: number): Promise<void> {
  await site.lines(
    'migrate-77',
    Array.from({ length: to - from + 1 }, (_, n) => `Dashboard ${from + n} is copied`),
  );
}

test('the list in each of its states', page, async (t) => {
  const { site, page } = await visit(t);
  const rows = page.locator('tr[data-task]');
  await page.goto(site.url);
  await page.getByText('npx tasktrail run -- echo hello').waitFor();
  await page.getByText('Waiting for the first event…').waitFor();
  await shoot(page, 'list', 'empty');

  await fillSample(site);
  const release = await hold(page, TASKS);
  await page.reload();
  await page.locator('.skeleton > div').nth(11).waitFor({ state: 'attached' });
  await shoot(page, 'list', 'loading');
  release();
  await rows.nth(20).waitFor();

  await page.locator('[data-connection=live]').waitFor();
  await page.keyboard.press('j');
  await site.task({ taskId: 'new-1', title: 'Explain the outage', source: 'slack' });
  await page.getByRole('button', { name: '1 new' }).waitFor();
  await shoot(page, 'list', 'live');
  await page.keyboard.press('Escape');

  await page.getByRole('combobox', { name: 'Filter tasks' }).fill('nowhere');
  await page.getByText('0 of 44 match').waitFor();
  await page.getByRole('button', { name: 'Clear filters' }).waitFor();
  await shoot(page, 'list', 'filtered');
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await rows.nth(20).waitFor();

  const mend = await refuse(page, TASKS);
  await page.locator('th[data-column=cost]').getByRole('button').click();
  await page.getByText('The disk is away.').waitFor();
  await page.getByText('req-7f1c0e').waitFor();
  assert.ok((await rows.count()) > 20, 'what was there stays');
  await shoot(page, 'list', 'error');
  await mend();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByText('The disk is away.').waitFor({ state: 'detached' });

  await site.stop();
  await secondTry(page);
  assert.ok((await rows.count()) > 20);
  await shoot(page, 'list', 'reconnecting');
  site.healthy = false;
  await site.start();
  await page.reload();
  await page.getByText('Storage full, ingest refused').waitFor();
  await rows.nth(20).waitFor();
  await shoot(page, 'list', 'degraded');
});

test('the log panel in each of its states', page, async (t) => {
  const { site, page } = await visit(t);
  await fillSample(site);
  await site.task({ taskId: 'young', title: 'Explain the outage' });
  await page.goto(`${site.url}/t/young`);
  await page.getByText('No lines yet').waitFor();
  await page.getByText(/(Made|Started) .+ ago/).waitFor();
  await shoot(page, 'log', 'empty');

  const release = await hold(page, LOGS);
  await page.goto(`${site.url}/t/migrate-77`);
  await page.getByRole('heading', { name: 'Migrate dashboards' }).waitFor();
  await page.locator('.skeleton > span').nth(29).waitFor({ state: 'attached' });
  await shoot(page, 'log', 'loading');
  release();
  await rowsOf(page).nth(10).waitFor();

  await page.getByText(/^live \d+ ms$/).waitFor();
  await shoot(page, 'log', 'live');

  await page.keyboard.press('Home');
  await site.lines('migrate-77', ['one', 'two', { message: 'three', level: 'ERROR' }]);
  const paused = page.locator('[data-paused]');
  await paused.getByText(/3 new lines/).waitFor();
  await paused.getByText('(1 error)').waitFor();
  await paused.getByRole('button', { name: 'Jump to Bottom' }).waitFor();
  await shoot(page, 'log', 'paused');
  await page.keyboard.press('End');
  await paused.waitFor({ state: 'detached' });

  await site.stop();
  await secondTry(page);
  await shoot(page, 'log', 'reconnecting');
  await numbered(site, 1, 12);
  await site.start();
  await page.getByText('reconnected, 12 lines caught up').waitFor();
  await shoot(page, 'log', 'reconnected');

  const mend = await refuse(page, LOGS);
  await page.getByPlaceholder('Search logs...').fill('dashboard');
  await page.getByText('The disk is away.').waitFor();
  await page.getByText('req-7f1c0e').waitFor();
  assert.ok((await rowsOf(page).count()) > 5, 'what was read stays');
  await shoot(page, 'log', 'error');
  await mend();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByText(/\d+ of 105/).waitFor();
  await page.getByPlaceholder('Search logs...').fill('nowhere');
  await page.getByText('0 of 105 match').waitFor();
  await page.getByRole('status').getByRole('button', { name: 'Clear filters' }).waitFor();
  await shoot(page, 'log', 'filtered');

  site.healthy = false;
  await page.goto(`${site.url}/t/migrate-77`);
  await page.getByText('Storage full, ingest refused').waitFor();
  await page.getByText('Line 105 is the last that is stored').waitFor();
  await rowsOf(page).nth(10).waitFor();
  await shoot(page, 'log', 'degraded');
  site.healthy = true;

  await page.goto(`${site.url}/t/agent-fix-412`);
  await page
    .locator('[data-ended]')
    .getByText(/Result \{/)
    .waitFor();
  await shoot(page, 'log', 'ended');
  await page.goto(`${site.url}/t/build-5120`);
  await page.getByText('npm test exited with code 1').first().waitFor();
  await shoot(page, 'log', 'failed');
  await site.intake.deleteTask('build-5120', 'olga');
  await page.reload();
  await page.getByText('This task was deleted').waitFor();
  await page.getByText('by olga').waitFor();
  await shoot(page, 'log', 'deleted');
});

test('the search in each of its states', page, async (t) => {
  const { site, page } = await visit(t);
  await fillSample(site);
  await page.goto(`${site.url}/search`);
  await page.getByRole('heading', { name: 'Examples' }).waitFor();
  await shoot(page, 'search', 'empty');

  let answers = true;
  await page.route(FOUND, async (route) => {
    const url = new URL(route.request().url());
    if (url.searchParams.has('cursor')) {
      if (answers) await route.continue();
      return;
    }
    // The time was up after five lines.
    url.searchParams.set('limit', '5');
    const response = await route.fetch({ url: url.href });
    await route.fulfill({ response, json: { ...(await response.json()), complete: false } });
  });
  answers = false;
  await page.goto(`${site.url}/search?q=dashboard`);
  await page.getByText(/^Searching… 5 lines in 1 task back to/).waitFor();
  await shoot(page, 'search', 'loading');
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText(/^5 lines in 1 task · searched back to .+ there may be more$/).waitFor();
  await page
    .getByRole('button', { name: 'ERROR' })
    .or(page.getByRole('button', { name: /INFO/ }))
    .first()
    .waitFor();
  await shoot(page, 'search', 'degraded');

  await page.unroute(FOUND);
  await site.stop();
  await page.getByRole('button', { name: 'Go on searching' }).click();
  await page.getByText('The search failed').waitFor();
  assert.equal(await page.locator('[data-found]').count(), 5, 'what was found stays');
  await shoot(page, 'search', 'reconnecting');
  await site.start();

  await page.goto(`${site.url}/search?q=timeout+level:loud`);
  assert.equal(await page.getByRole('alert').locator('.part').textContent(), 'loud');
  await shoot(page, 'search', 'error');
  const mend = await refuse(page, FOUND);
  await page.goto(`${site.url}/search?q=timeout`);
  await page.getByText('The disk is away.').waitFor();
  await shoot(page, 'search', 'failed');
  await mend();

  await page.goto(`${site.url}/search?q=dashboard&level=DEBUG`);
  await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
  await page.getByRole('button', { name: 'Search everywhere' }).waitFor();
  await shoot(page, 'search', 'filtered');
  await page.getByRole('button', { name: 'Search everywhere' }).click();
  await page.getByText('everything searched').waitFor();
  await shoot(page, 'search', 'found');
  await numbered(site, 1, 3);
  await page.getByRole('button', { name: 'New matches: 3, show' }).waitFor({ timeout: 20_000 });
  await shoot(page, 'search', 'live');

  await site.intake.deleteTask('migrate-77', 'olga');
  await page
    .getByRole('button', { name: /^Lines around line/ })
    .first()
    .click();
  await page.getByText('This task was deleted').waitFor();
  await shoot(page, 'search', 'ended');
});

test('the costs in each of their states', page, async (t) => {
  const { site, page } = await visit(t);
  await page.goto(`${site.url}/costs`);
  await page.getByRole('heading', { name: 'Nothing in this range' }).waitFor();
  await shoot(page, 'costs', 'filtered');
  await site.task({ taskId: 'plain', status: 'completed' });
  await page.reload();
  await page.getByRole('heading', { name: 'No cost reported yet' }).waitFor();
  await page.getByText('cost_usd').waitFor();
  await shoot(page, 'costs', 'empty');

  await fillSample(site);
  const release = await hold(page, ANALYTICS);
  await page.reload();
  await page.locator('.skeleton .tiles span').nth(5).waitFor({ state: 'attached' });
  await shoot(page, 'costs', 'loading');
  release();
  await page.getByText(/in 4\d runs/).waitFor();
  await page.getByText(/^updated (just now|.+ ago)$/).waitFor();
  await shoot(page, 'costs', 'live');
  await page.getByText(/^Prices are missing for/).waitFor();
  await page.getByRole('cell', { name: 'unpriced' }).waitFor();
  await page.getByText(/^Prices are missing for/).scrollIntoViewIfNeeded();
  await shoot(page, 'costs', 'degraded');

  const before = await page.getByText(/in 4\d runs/).innerText();
  await site.intake.deleteTask('run-1', 'olga');
  await page.keyboard.press('r');
  await page.getByText('updating…').waitFor({ state: 'detached' });
  assert.equal(await page.getByText(/in 4\d runs/).innerText(), before, 'deleted tasks count on');
  await page.getByText('Deleted tasks count on').waitFor();
  await shoot(page, 'costs', 'ended');

  const mend = await refuse(page, ANALYTICS);
  await page.getByRole('button', { name: '7 days' }).click();
  await page.getByText('The disk is away.').waitFor();
  await page.getByText(before).waitFor();
  await shoot(page, 'costs', 'error');
  await mend();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByText('The costs cannot be read').waitFor({ state: 'detached' });
  await site.stop();
  await page.getByRole('button', { name: '90 days' }).click();
  await page.getByText('The costs cannot be read').waitFor();
  await page.getByText(/^updated (just now|.+ ago)$/).waitFor();
  await shoot(page, 'costs', 'reconnecting');
});

test('the settings in each of their states', page, async (t) => {
  const { site, page } = await visit(t);
  await page.clock.install();
  const release = await hold(page, '**/api/settings/logging');
  await page.goto(`${site.url}/settings`);
  await page.getByText('Reading the settings…').waitFor({ state: 'attached' });
  await shoot(page, 'settings', 'loading');
  release();
  const save = page.getByRole('button', { name: 'Save', exact: true });
  await page.getByLabel('Task log level').waitFor();
  await page.getByText('default', { exact: true }).nth(1).waitFor();
  await shoot(page, 'settings', 'empty');

  await page.route('**/api/settings/logging', (route) =>
    route.fulfill({
      status: 400,
      json: {
        ...{ status: 400, code: 'invalid_request', title: 'Bad', detail: 'The request is not valid.' },
        errors: [{ path: 'task_log_level', detail: 'expected one of DEBUG, INFO, WARNING, ERROR' }],
      },
    }),
  );
  await page.getByLabel('Task log level').selectOption('ERROR');
  await save.click();
  await page.locator('.field').getByText('expected one of DEBUG, INFO, WARNING, ERROR').waitFor();
  await shoot(page, 'settings', 'error');
  await page.unroute('**/api/settings/logging');

  await site.stop();
  await page.clock.fastForward(PULSE_MS);
  await page.getByText('Nothing can be saved until it does').waitFor();
  await until('saving to be off', () => save.isDisabled());
  await shoot(page, 'settings', 'reconnecting');
  site.healthy = false;
  await site.start();
  await page.clock.fastForward(PULSE_MS);
  await page.getByText('Storage full, ingest refused').waitFor();
  await page.getByRole('link', { name: 'See what to do' }).click();
  await page.getByRole('heading', { name: 'Storage', exact: true }).waitFor();
  await shoot(page, 'settings', 'degraded');
});

test('every screen for somebody who may only read, and the card that asks for a token', page, async (t) => {
  const { site, page } = await visit(t, {}, { tokens: TOKENS });
  await fillSample(site);
  await page.goto(site.url);
  await page.getByRole('heading', { name: 'Sign in to tasktrail' }).waitFor();
  await shoot(page, 'sign-in', 'asked');
  await page.getByLabel('Token', { exact: true }).fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('This token opens nothing').waitFor();
  await shoot(page, 'sign-in', 'refused');
  await signIn(page, TOKENS[1].token);
  const none = async (names: readonly (string | RegExp)[]): Promise<void> => {
    for (const name of names) assert.equal(await page.getByRole('button', { name }).count(), 0, String(name));
  };

  await page.locator('tr[data-task]').nth(5).waitFor();
  for (const nth of [2, 3]) await page.locator('tr[data-task]').nth(nth).getByRole('checkbox').click();
  await page.getByRole('button', { name: 'Compare' }).waitFor();
  await none([/Delete/, /^Cancel/, 'Tag', 'Run…']);
  await shoot(page, 'list', 'read-only');

  await page.goto(`${site.url}/t/migrate-77`);
  await rowsOf(page).nth(10).waitFor();
  await none([/Delete/, /^Cancel/, 'Pause', /^Share/]);
  await shoot(page, 'log', 'read-only');

  await page.goto(`${site.url}/search?q=dashboard`);
  await page.getByText('everything searched').waitFor();
  await shoot(page, 'search', 'read-only');
  await page.goto(`${site.url}/costs`);
  await page.getByText(/in 4\d runs/).waitFor();
  await shoot(page, 'costs', 'read-only');

  await page.goto(`${site.url}/settings`);
  await page.getByText('Only an admin may change this').first().waitFor();
  await until('the fields to be off', () => page.getByLabel('Task log level').isDisabled());
  await shoot(page, 'settings', 'read-only');
});

test('the page’s acceptance rows are told with tests that are there', async () => {
  const doc = await readFile(new URL('../../docs/page.md', import.meta.url), 'utf8');
  const rows = doc.split('\n').filter((line) => /^\| U\d+ /.test(line));
  assert.deepEqual(
    rows.map((row) => row.split('|')[1]?.trim()),
    Array.from({ length: 14 }, (_, n) => `U${n + 1}`),
  );
  for (const row of rows) {
    const named = [...row.matchAll(/`((?:test|bench)\/[^`]+)`/g)].map(([, path]) => path ?? '');
    assert.ok(named.length > 0, row);
    for (const path of named) await access(new URL(`../../${path}`, import.meta.url));
  }
});

test('every state of every screen has its picture', { skip: noBrowser }, () => {
  assert.deepEqual(untaken(), []);
});
