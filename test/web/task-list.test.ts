import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { noBrowser, type Site, until, type Visit, visit } from './support.ts';

const page = { skip: noBrowser };
const field = (page: Page) => page.getByRole('combobox', { name: 'Filter tasks' });
const row = (page: Page, id: string) => page.locator(`tr[data-task=${id}]`);
const bulk = (page: Page) => page.getByRole('region', { name: 'Chosen tasks' });

function idsOf(page: Page): Promise<(string | null)[]> {
  return page.locator('tr[data-task]').evaluateAll((rows) => rows.map((each) => each.getAttribute('data-task')));
}

async function shows(page: Page, ids: readonly string[]): Promise<void> {
  await until(`the rows ${ids.join(' ')}`, async () => (await idsOf(page)).join() === ids.join());
}

const query = (page: Page) => new URL(page.url()).searchParams;

/** Four tasks: `d` is the newest and runs, the others ended. */
async function seed(site: Site): Promise<void> {
  const task = (id: string, source: string, costUsd: number, tags: readonly string[] = []) =>
    site.task({
      taskId: id,
      title: `Task ${id}`,
      source,
      tags,
      metrics: { costUsd },
      createdAt: `2026-11-01T10:0${id.charCodeAt(0) - 97}:00.000Z`,
    });
  await task('a', 'github', 3, ['nightly']);
  await task('b', 'cli', 1);
  await task('c', 'github', 2, ['nightly', 'ci']);
  await task('d', 'jira', 0.5);
  await site.lines('a', ['alike 1', { message: 'only in a', level: 'ERROR' }]);
  await site.lines('b', ['alike 2', 'only in b']);
  await site.change('a', { status: 'failed', error: 'no such table' });
  for (const id of ['b', 'c']) await site.change(id, { status: 'completed' });
}

async function seeded(...args: Parameters<typeof visit>): Promise<Visit> {
  const made = await visit(...args);
  await seed(made.site);
  await made.page.goto(made.site.url);
  await shows(made.page, ['d', 'c', 'b', 'a']);
  await made.page.locator('[data-connection=live]').waitFor();
  return made;
}

test('a title sorts, again turns the order, and the address keeps it', page, async (t) => {
  const { page, site } = await seeded(t);
  const cost = page.locator('th[data-column=cost]');
  assert.equal(await cost.getAttribute('aria-sort'), null);
  await cost.getByRole('button').click();
  await shows(page, ['a', 'c', 'b', 'd']);
  assert.equal(await cost.getAttribute('aria-sort'), 'descending');
  await cost.getByRole('button').click();
  await shows(page, ['d', 'b', 'c', 'a']);
  await page.reload();
  await shows(page, ['d', 'b', 'c', 'a']);
  assert.equal(await cost.getAttribute('aria-sort'), 'ascending');
  // A new task would stand in the middle: it waits, and is put where it belongs.
  await page.locator('[data-connection=live]').waitFor();
  await site.task({ taskId: 'e', metrics: { costUsd: 1.5 } });
  await page.getByRole('button', { name: '1 new' }).click();
  await shows(page, ['d', 'b', 'e', 'c', 'a']);
  await site.intake.deleteTask('b', 'somebody');
  await shows(page, ['d', 'e', 'c', 'a']);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByLabel('Sort by').selectOption('Task');
  await shows(page, ['a', 'c', 'd', 'e']);
});

test(
  'a facet shows only its tasks by a click, all but them by an Alt-click, and counts its other values still',
  page,
  async (t) => {
    const { page } = await seeded(t);
    const facet = (name: RegExp) => page.locator('#task-facets').getByRole('button', { name });
    await facet(/^github 2/).click();
    await shows(page, ['c', 'a']);
    assert.equal(query(page).get('source'), 'github');
    assert.equal(await facet(/^github/).getAttribute('aria-pressed'), 'true');
    await facet(/^cli 1/).waitFor();
    await facet(/^Completed 1/).waitFor();
    await facet(/^cli/).click({ modifiers: ['Control'] });
    await shows(page, ['c', 'b', 'a']);
    await facet(/^github/).click({ modifiers: ['Alt'] });
    await shows(page, ['b']);
    assert.equal(query(page).get('q'), '-source:github');
    assert.equal(await field(page).inputValue(), '-source:github');
    await page.getByRole('button', { name: 'Leave out github' }).click();
    await facet(/^cli/).click();
    await shows(page, ['d', 'c', 'b', 'a']);
    await facet(/^nightly 2/).click();
    await facet(/^Failed 1/).click();
    await shows(page, ['a']);
    await page.reload();
    await shows(page, ['a']);
    await page.getByRole('button', { name: 'Clear', exact: true }).click();
    await shows(page, ['d', 'c', 'b', 'a']);
    assert.equal(query(page).size, 0);
  },
);

test('when a task of many is deleted the next one comes up at the end, and is not called new', page, async (t) => {
  const { page, site } = await visit(t);
  const newest = Array.from({ length: 53 }, (_, i) => `t-${152 - i}`);
  for (const id of newest.toReversed()) await site.task({ taskId: id });
  await page.goto(site.url);
  await page.locator('[data-connection=live]').waitFor();
  await shows(page, newest.slice(0, 50));
  await page.keyboard.press('j');
  await site.intake.deleteTask('t-150', 'somebody');
  const left = newest.filter((id) => id !== 't-150');
  await shows(page, left.slice(0, 50));
  assert.equal(await page.getByRole('button', { name: /\d new/ }).count(), 0);
  await page.getByRole('button', { name: 'Show more tasks' }).click();
  await shows(page, left);
});

test('the filter box completes fields and the values that there are', page, async (t) => {
  const { page } = await seeded(t);
  const options = page.getByRole('option');
  await page.keyboard.press('/');
  await page.keyboard.type('sou');
  await options.filter({ hasText: 'source:' }).waitFor();
  assert.equal(await field(page).getAttribute('aria-expanded'), 'true');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await options.filter({ hasText: 'github' }).waitFor();
  assert.deepEqual(await options.allInnerTexts().then((texts) => texts.map((text) => text.split(/\s/)[0])), [
    'github',
    'cli',
    'jira',
  ]);
  assert.equal(await page.getByRole('alert').count(), 0, 'a value that is to come is no fault');
  await page.keyboard.type('ji');
  await until('one option', async () => (await options.count()) === 1);
  await page.keyboard.press('ArrowUp');
  const active = await field(page).getAttribute('aria-activedescendant');
  assert.equal(await page.locator(`[id="${active}"]`).getAttribute('aria-selected'), 'true');
  await page.keyboard.press('Tab');
  assert.equal(await field(page).inputValue(), 'source:jira ');
  await shows(page, ['d']);
  await page.keyboard.press('ArrowDown');
  await until('every field', async () => (await options.count()) > 8);
  await page.keyboard.press('Escape');
  assert.equal(await options.count(), 0);
  assert.equal(await field(page).evaluate((each) => each === document.activeElement), true);
  await page.keyboard.press('Escape');
  assert.equal(await field(page).evaluate((each) => each === document.activeElement), false);
});

test('columns are hidden and made wider, and stay so', page, async (t) => {
  const { page } = await seeded(t);
  const widthOf = (id: string) => page.locator(`th[data-column=${id}]`).evaluate((each) => each.clientWidth);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('checkbox', { name: 'Activity' }).click();
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('th[data-column=activity]').count(), 0);
  const grip = page.getByRole('separator', { name: 'Width of Source' });
  const before = await widthOf('source');
  await grip.press('ArrowRight');
  assert.equal(await widthOf('source'), before + 16);
  const box = await grip.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 5, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x - 35, box.y + 10, { steps: 4 });
  await page.mouse.up();
  await until('the width', async () => (await widthOf('source')) === before + 56);
  await page.reload();
  await row(page, 'a').waitFor();
  assert.equal(await widthOf('source'), before + 56);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('button', { name: 'Reset columns' }).click();
  await page.locator('th[data-column=activity]').waitFor();
  assert.equal(await widthOf('source'), before);
});

test('keys go through the list, peek at the last lines as they come, and select ranges', page, async (t) => {
  const { page, site } = await seeded(t);
  await page.keyboard.press('j');
  await page.keyboard.press('Space');
  const peek = page.getByRole('complementary', { name: 'Last lines of Task d' });
  await peek.getByText('No lines yet.').waitFor();
  await site.lines(
    'd',
    Array.from({ length: 30 }, (_, i) => `line ${i + 1}`),
  );
  await peek.getByText('line 30').waitFor();
  assert.equal(await peek.getByRole('listitem').count(), 20);
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  const other = page.getByRole('complementary', { name: 'Last lines of Task b' });
  await other.getByText('only in b').waitFor();
  await page.keyboard.press('x');
  await page.keyboard.press('Escape');
  await until('no peek', async () => (await other.count()) === 0);
  await page.keyboard.press('k');
  await page.keyboard.press('k');
  await page.keyboard.press('Shift+X');
  await bulk(page).getByText('3 selected').waitFor();
  assert.equal(await row(page, 'a').getByRole('checkbox').isChecked(), false);
  await page.keyboard.press('o');
  await until('a sort', async () => query(page).get('sort') === 'status');
});

test('tasks are cancelled, tagged, pinned and compared together, and saved as files', page, async (t) => {
  const { page, site } = await seeded(t);
  await row(page, 'd').getByRole('checkbox').click();
  await bulk(page).getByRole('button', { name: 'Cancel 1' }).click();
  await bulk(page).getByRole('button', { name: 'Yes, cancel 1' }).click();
  await row(page, 'd').getByText('Cancelled').waitFor();
  await row(page, 'd').getByRole('checkbox').click();
  await row(page, 'b').getByRole('checkbox').click();
  await row(page, 'a').getByRole('checkbox').click();
  await bulk(page).getByText('2 selected').waitFor();
  await bulk(page).getByRole('button', { name: 'Pin' }).click();
  await bulk(page).getByText('Pinned 2 of 2').waitFor();
  await bulk(page).getByRole('button', { name: 'Tag' }).click();
  await page.getByLabel('Add a tag').fill('seen');
  await page.keyboard.press('Enter');
  await bulk(page).getByText('Tagged 2 of 2').waitFor();
  assert.deepEqual((await site.store.task('a')).tags, ['nightly', 'seen']);
  assert.equal((await site.store.task('b')).pinned, true);

  await bulk(page).getByRole('button', { name: 'Compare' }).click();
  const dialog = page.getByRole('dialog', { name: 'Compare two tasks' });
  await dialog.getByRole('heading', { name: /^New/ }).waitFor();
  assert.match(await dialog.locator('section').nth(0).innerText(), /only in b/);
  assert.match(await dialog.locator('section').nth(1).innerText(), /ERROR[\s\S]*only in a/);
  await dialog.getByRole('button', { name: 'Swap' }).click();
  await dialog.locator('section').nth(0).getByText('only in a').waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();

  const saved = async (name: string): Promise<string[]> => {
    await bulk(page).getByRole('button', { name: 'Export' }).click();
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
    const text = await readFile(await download.path(), 'utf8');
    return text.trimEnd().split('\n');
  };
  const tasks = (await saved('Tasks, .jsonl')).map((line) => JSON.parse(line).task_id);
  assert.deepEqual(tasks, ['b', 'a']);
  const lines = (await saved('4 lines, .jsonl')).map((line) => JSON.parse(line).message);
  assert.deepEqual(lines, ['alike 2', 'only in b', 'alike 1', 'only in a']);
});

test('deleting asks for the count, keeps what runs unless it is forced, and names what failed', page, async (t) => {
  const { page, site } = await seeded(t);
  const dialog = page.getByRole('dialog');
  const ask = async (): Promise<void> => {
    await page.getByLabel('Select all that are shown').click();
    await bulk(page).getByRole('button', { name: 'Delete…' }).click();
    await dialog.getByText('1 chosen task has not ended and is kept').waitFor();
  };
  await ask();
  const send = dialog.getByRole('button', { name: 'Delete 3 tasks' });
  assert.equal(await send.isDisabled(), true);
  await dialog.getByLabel('Type 3 to confirm').fill('4');
  assert.equal(await send.isDisabled(), true);
  await dialog.getByLabel('Type 3 to confirm').fill('3');
  await site.stop();
  await send.click();
  await dialog.getByRole('list', { name: 'Not deleted' }).getByText('does not answer').nth(2).waitFor();
  await dialog.getByRole('button', { name: 'Close' }).click();
  await site.start();
  await page.locator('[data-connection=live]').waitFor();
  await bulk(page).getByRole('button', { name: 'Delete…' }).click();
  await dialog.getByLabel('Type 3 to confirm').fill('3');
  await send.click();
  await shows(page, ['d']);
  await until('no dialog', async () => (await dialog.count()) === 0);
  await bulk(page).getByText('1 selected').waitFor();
  await bulk(page).getByRole('button', { name: 'Delete…' }).click();
  assert.equal(await dialog.getByRole('button', { name: 'Delete 0 tasks' }).isDisabled(), true);
  await dialog.getByLabel('Cancel and delete it too').click();
  await dialog.getByLabel('Type 1 to confirm').fill('1');
  await page.keyboard.press('Enter');
  await page.getByText('No task has left a trail yet').waitFor();
  await assert.rejects(site.store.task('d'), { code: 'task_deleted' });
});

test('a row shows in small what its task did, and that a task at work is silent', page, async (t) => {
  const { page, site } = await seeded(t);
  await row(page, 'a').locator('.activity path.errors').waitFor({ state: 'attached' });
  await row(page, 'b').locator('.activity path.bars').waitFor({ state: 'attached' });
  assert.equal(await row(page, 'b').locator('.activity path.errors').count(), 0);
  assert.equal(await row(page, 'd').locator('.activity svg').count(), 0, 'a task without lines has nothing to show');
  await row(page, 'd')
    .getByRole('img', { name: /heard of/ })
    .waitFor();
  await site.lines('d', ['at work']);
  await row(page, 'd').getByText('at work').waitFor();
  await row(page, 'd').locator('.activity path.bars').waitFor({ state: 'attached' });
  assert.equal(await row(page, 'd').getByText('silent').count(), 0);
  await page.clock.setFixedTime(Date.now() + 6.5 * 60_000);
  await row(page, 'd').getByText('silent for 6 min').waitFor();
});

test('what matches nothing, a server that is away and one that cannot write are told', page, async (t) => {
  const { page, site } = await seeded(t);
  await field(page).fill('nowhere');
  await page.getByText('0 of 4 match').waitFor();
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await shows(page, ['d', 'c', 'b', 'a']);
  await page.route('**/api/tasks?*', (route) => route.abort());
  await page.locator('th[data-column=cost]').getByRole('button').click();
  const card = page.locator('section').filter({ hasText: 'The tasks cannot be read' });
  await card.waitFor();
  assert.deepEqual(await idsOf(page), ['d', 'c', 'b', 'a'], 'what was there stays');
  await page.unrouteAll();
  await card.getByRole('button', { name: 'Retry' }).click();
  await shows(page, ['a', 'c', 'b', 'd']);
  assert.equal(await card.count(), 0);
  await site.stop();
  await page.getByText('Reconnecting...').waitFor();
  await site.task({ taskId: 'e', metrics: { costUsd: 9 } });
  site.healthy = false;
  await site.start();
  await shows(page, ['e', 'a', 'c', 'b', 'd']);
  await page.reload();
  await page.getByText('Storage full, ingest refused').waitFor();
});

test('who may only read is offered nothing that changes tasks', page, async (t) => {
  const token = { name: 'looker', role: 'reader', token: 'reader-token-0123456789abcdef' } as const;
  const { page, site } = await visit(t, {}, { tokens: [token] });
  await seed(site);
  await page.goto(site.url);
  await page.getByLabel('Token').fill(token.token);
  await page.keyboard.press('Enter');
  await shows(page, ['d', 'c', 'b', 'a']);
  await row(page, 'd').getByRole('checkbox').click();
  await row(page, 'c').getByRole('checkbox').click();
  await bulk(page).getByRole('button', { name: 'Compare' }).waitFor();
  for (const name of [/Delete/, /Cancel/, 'Tag', 'Pin']) {
    assert.equal(await bulk(page).getByRole('button', { name }).count(), 0, String(name));
  }
  assert.equal(await page.getByRole('button', { name: 'Run…' }).count(), 0);
});

test('on a small screen nothing is cut off and everything can be reached', page, async (t) => {
  const { page } = await seeded(t, { viewport: { width: 360, height: 740 }, hasTouch: true });
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  assert.equal(await fits(), true);
  await page.getByRole('button', { name: 'Filters' }).click();
  assert.equal(await fits(), true);
  await page.getByRole('button', { name: 'Leave out github' }).click();
  await shows(page, ['d', 'b']);
  await page.getByRole('button', { name: 'Filters' }).click();
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByLabel('Sort by').selectOption('Cost');
  await shows(page, ['b', 'd']);
  await page.keyboard.press('Escape');
  await row(page, 'b').getByRole('button', { name: 'Last lines of Task b' }).click();
  await page.getByRole('complementary').getByText('only in b').waitFor();
  assert.equal(await fits(), true);
  await page.getByRole('complementary').getByRole('button', { name: 'Close' }).click();
  await row(page, 'd').getByRole('checkbox').click();
  await bulk(page).getByRole('button', { name: 'Delete…' }).waitFor();
  await bulk(page).getByRole('button', { name: 'Export' }).click();
  assert.equal(await fits(), true);
  const box = await page.getByRole('button', { name: 'Tasks, .jsonl' }).boundingBox();
  assert.ok(box && box.x >= 0 && box.x + box.width <= 360, 'the menu is on the screen');
});

for (const theme of ['light', 'dark', 'contrast']) {
  test(`no serious finding of axe on the list and what opens over it in the ${theme} theme`, page, async (t) => {
    const { page, site } = await visit(t);
    await page.addInitScript((name) => localStorage.setItem('tasktrail.theme', name), theme);
    await seed(site);
    await site.lines('d', [{ message: 'a warning', level: 'WARNING' }, 'last']);
    await page.goto(`${site.url}/?sort=cost&q=-source:cli`);
    await shows(page, ['a', 'c', 'd']);
    const serious = async (what: string): Promise<void> => {
      // Rows that are about to go are dimmed.
      await until('the rows', async () => (await page.locator('[aria-busy=true]').count()) === 0);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const found = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      const told = found.map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html }) => html.slice(0, 160))]);
      assert.deepEqual(told, [], what);
    };
    await page.getByRole('button', { name: 'Columns' }).click();
    await serious('columns');
    await page.keyboard.press('Escape');
    await field(page).fill('s');
    await until('the search', async () => query(page).get('q') === 's');
    await page.getByRole('option').first().waitFor();
    await serious('completion');
    await field(page).fill('');
    await shows(page, ['a', 'c', 'b', 'd']);
    await row(page, 'd').getByRole('checkbox').click();
    await page.keyboard.press('Space');
    await row(page, 'a').getByRole('checkbox').click();
    await row(page, 'd').getByRole('checkbox').click();
    await row(page, 'd').getByRole('button').click();
    await page.getByRole('complementary').getByText('a warning').waitFor();
    await serious('peek');
    await page.keyboard.press('Escape');
    await bulk(page).getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('dialog').getByRole('heading', { name: /^New/ }).waitFor();
    await serious('compare');
    await page.keyboard.press('Escape');
    await bulk(page).getByRole('button', { name: 'Delete…' }).click();
    await page.getByRole('dialog').getByText('has not ended').waitFor();
    await serious('delete');
  });
}
