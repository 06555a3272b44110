import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { noBrowser, rowsOf, type Site, until, visit } from './support.ts';

const page = { skip: noBrowser };
const at = (second: number): string => new Date(Date.UTC(2026, 0, 24, 10, 0, second)).toISOString();

/** Two tasks whose lines alternate, and one of another kind of line. */
async function seed(site: Site): Promise<void> {
  for (const [place, taskId] of ['one', 'two'].entries()) {
    await site.task({ taskId, title: `Build ${taskId}` });
    await site.lines(
      taskId,
      Array.from({ length: 80 }, (_, n) => ({
        message: `${n % 2 ? 'Timeout' : 'step'} ${n + 1} of ${taskId}`,
        timestamp: at(2 * n + place),
        level: n % 4 === 1 ? 'ERROR' : 'INFO',
        source: n % 4 === 3 ? 'git' : 'npm',
      })),
    );
  }
  await site.task({ taskId: 'odd' });
  await site.lines('odd', [{ message: '<img src=x onerror=alert(1)> needle \u202e', source: '<b>' }]);
}

function found(page: Page): Promise<string[]> {
  return page.locator('a[data-found]').evaluateAll((links) => links.map((link) => link.getAttribute('href') ?? ''));
}

test('a search shows lines of all tasks by task, with marks, counts and a link to each line', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(site.url);
  await page.getByRole('link', { name: 'Search', exact: true }).click();
  await page.getByText('Examples').waitFor();
  await page.getByRole('combobox').fill('timeout');
  await page.keyboard.press('Enter');
  await page.getByText('80 lines in 2 tasks · everything searched').waitFor();
  assert.equal(new URL(page.url()).search, '?q=timeout');
  assert.deepEqual(
    await found(page),
    ['two', 'one'].flatMap((task) => Array.from({ length: 40 }, (_, n) => `/t/${task}?seq=${80 - 2 * n}`)),
  );
  assert.equal(await page.locator('mark').first().textContent(), 'Timeout');
  assert.equal(await page.locator('mark').count(), 80);
  await page.getByRole('group', { name: 'Level' }).getByRole('button', { name: 'ERROR 40' }).waitFor();
  await page.getByRole('group', { name: 'Task' }).getByRole('button', { name: 'Build one 40' }).waitFor();
  await page.locator('a[data-found]').nth(3).click();
  await page.locator('[data-seq="74"]').waitFor();
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/t/two?seq=74');
  await page.goBack();
  await page.getByText('80 lines in 2 tasks').waitFor();
});

test('counts and bars narrow the search, the address keeps it, and one press widens it again', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(`${site.url}/search?q=timeout`);
  await page.getByRole('button', { name: 'ERROR 40' }).click();
  await page.getByText('40 lines in 2 tasks').waitFor();
  await page.getByRole('button', { name: 'Build one 20' }).click();
  await page.getByText('20 lines in 1 task').waitFor();
  assert.equal(new URL(page.url()).search, '?level=ERROR&q=timeout&task=one');
  await page.reload();
  await page.getByText('20 lines in 1 task').waitFor();
  const chosen = page.getByRole('button', { pressed: true });
  await until('both to be chosen', async () => (await chosen.count()) === 2);
  const bars = page.getByRole('group', { name: 'Lines over time' }).getByRole('button');
  await bars.first().focus();
  await page.keyboard.press('ArrowRight');
  await bars.first().click();
  await page.getByText('1 line in 1 task').waitFor();
  assert.deepEqual(await found(page), ['/t/one?seq=2']);
  await page.getByRole('button', { name: 'Any time' }).click();
  await page.getByText('20 lines in 1 task').waitFor();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.getByText('80 lines in 2 tasks').waitFor();
});

test('older lines come on demand, and the lines around one too', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(`${site.url}/search?task=one,two`);
  await page.getByText('The newest 100 lines in 2 tasks back to 2026-01-24 10:01:00 UTC').waitFor();
  await page.getByRole('button', { name: 'Show older lines' }).click();
  await page.getByText('160 lines in 2 tasks · everything searched').waitFor();
  assert.equal(new Set(await found(page)).size, 160);
  await page.goto(`${site.url}/search?q=needle`);
  await page.getByText('1 line in 1 task').waitFor();
  await page.goto(`${site.url}/search?q=%22timeout+4+of+one%22`);
  await page.getByRole('button', { name: 'Lines around line 4' }).click();
  for (const text of ['step 1 of one', 'step 3 of one', 'Timeout 6 of one']) await page.getByText(text).waitFor();
  assert.equal(await page.getByText('step 9 of one').count(), 0);
});

test('a query that is not understood is marked at the place, and nothing else is shown', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(`${site.url}/search?q=timeout+level:loud`);
  const fault = page.getByRole('alert');
  await fault.waitFor();
  assert.equal(await fault.locator('.part').textContent(), 'loud');
  assert.match((await fault.textContent()) ?? '', /expected a level/);
  await page.getByRole('combobox').fill('timeout level:error');
  await page.keyboard.press('Enter');
  await page.getByText('40 lines in 2 tasks').waitFor();
  assert.equal(await fault.count(), 0);
});

test('a search that finds nothing says so, and a failed one can be tried again', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(`${site.url}/search?q=nowhere`);
  await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
  await page.goto(`${site.url}/search?q=timeout&level=WARNING`);
  await page.getByRole('button', { name: 'Search everywhere' }).click();
  await page.getByText('80 lines in 2 tasks').waitFor();
  await site.stop();
  await page.getByRole('combobox').fill('step');
  await page.keyboard.press('Enter');
  await page.getByText('The search failed').waitFor();
  await site.start();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByText('80 lines in 2 tasks').waitFor();
});

test('a search can be stopped, keeps what it found, and goes on', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  let hold = true;
  const asked = Promise.withResolvers<void>();
  await page.route('**/api/logs/search?*', async (route) => {
    const url = new URL(route.request().url());
    if (!url.searchParams.has('cursor')) {
      // The time was up after five lines.
      url.searchParams.set('limit', '5');
      const response = await route.fetch({ url: url.href });
      await route.fulfill({ response, json: { ...(await response.json()), complete: false } });
    } else if (hold) asked.resolve();
    else await route.continue();
  });
  await page.goto(`${site.url}/search?q=timeout`);
  await asked.promise;
  await page.getByText('Searching… 5 lines').waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('5 lines in 2 tasks · searched back to 2026-01-24').waitFor();
  hold = false;
  await page.getByRole('button', { name: 'Go on searching' }).click();
  await page.getByText('80 lines in 2 tasks · everything searched').waitFor();
  assert.equal(new Set(await found(page)).size, 80);
});

test('what was searched for last is offered again, and keys lead to a line', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(`${site.url}/search`);
  await page.getByText('Examples').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('needle');
  await page.keyboard.press('Enter');
  await page.getByText('1 line in 1 task').waitFor();
  await page.goto(`${site.url}/search`);
  await page.getByRole('button', { name: 'needle' }).click();
  await page.getByText('1 line in 1 task').waitFor();
  assert.equal(await page.locator('img').count(), 0);
  await page.getByRole('link', { name: '1', exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await rowsOf(page).first().waitFor();
  assert.equal(new URL(page.url()).pathname, '/t/odd');
});

test('the box completes fields, values that are there, and what was searched before', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(`${site.url}/search?q=timeout`);
  await page.getByText('80 lines in 2 tasks').waitFor();
  const box = page.getByRole('combobox');
  const options = page.getByRole('option');
  await box.fill('sou');
  await options.filter({ hasText: 'source:' }).waitFor();
  await box.press('ArrowDown');
  await box.press('Enter');
  await options.filter({ hasText: 'npm' }).waitFor();
  await box.press('ArrowDown');
  await box.press('Enter');
  assert.match(await box.inputValue(), /^source:(npm|git) $/);
  await box.press('Enter');
  await page.getByText('lines in 2 tasks').waitFor();
  await box.fill('tim');
  await options.filter({ hasText: 'searched before' }).waitFor();
  await box.press('ArrowDown');
  await box.press('Enter');
  assert.equal((await box.inputValue()).trim(), 'timeout');
  await box.press('Escape');
  await page.getByRole('group', { name: 'Where' }).getByRole('button', { name: 'status:failed' }).click();
  await page.waitForURL(/status%3Afailed/);
});

test('a search is kept under a name, with all that narrows it', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(`${site.url}/search?q=timeout&level=ERROR`);
  await page.getByText('40 lines in 2 tasks').waitFor();
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByLabel('Name').fill('errors of builds');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved.').waitFor();
  await page.goto(`${site.url}/search`);
  await page.getByRole('button', { name: 'errors of builds', exact: true }).click();
  await page.getByText('40 lines in 2 tasks').waitFor();
  assert.equal(new URL(page.url()).search, '?level=ERROR&q=timeout');
  await page.goBack();
  await page.getByRole('button', { name: 'Forget errors of builds' }).click();
  await page.getByText('Saved', { exact: true }).waitFor({ state: 'detached' });
});

test('what comes in while a search stands is counted, and shown when it is asked for', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.clock.install();
  await page.goto(`${site.url}/search?q=timeout`);
  await page.getByText('80 lines in 2 tasks').waitFor();
  await site.lines('one', ['timeout again', 'and a TIMEOUT', 'something else']);
  const pill = page.getByRole('button', { name: 'New matches: 2, show' });
  await until('new matches', async () => {
    await page.clock.runFor(5_000);
    return pill.isVisible();
  });
  await pill.click();
  await page.getByText('82 lines in 2 tasks').waitFor();
  await pill.waitFor({ state: 'detached' });
});

test('where nothing is found, a query that finds something and more time are offered', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(`${site.url}/search?q=timeout+nowhere+source:npm&from=2026-01-24T10:00:00Z`);
  await page.getByRole('heading', { name: 'Nothing found' }).waitFor();
  await page.getByRole('button', { name: 'Search any time' }).waitFor();
  assert.equal(await page.getByRole('list', { name: 'These find something' }).getByRole('button').count(), 1);
  await page.getByRole('button', { name: 'timeout source:npm' }).click();
  await page.getByText('40 lines in 2 tasks').waitFor();
});
