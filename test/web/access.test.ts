import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { noBrowser, rowsOf, type Site, until, visit } from './support.ts';

const page = { skip: noBrowser };
const THEMES = ['light', 'dark', 'contrast'] as const;

async function seed(site: Site): Promise<void> {
  await site.task({ taskId: 'demo', title: 'Demo' });
  await site.lines('demo', [
    ...(['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const).map((level) => ({
      message: `a ${level} line`,
      level,
      source: level,
    })),
    {
      message: 'cloning',
      source: 'git',
      stream: 'stderr',
      metadata: { progress: 30 },
      timestamp: '2026-01-24T10:00:00Z',
    },
    ...Array.from({ length: 24 }, (_, i) => ({ message: `text of ${i}`, source: `source-${i}` })),
    ...Array.from(
      { length: 16 },
      (_, i) =>
        `\u001b[${i < 8 ? 30 + i : 82 + i}mcolour ${i}\u001b[0m \u001b[${i < 8 ? 40 + i : 92 + i}mon colour\u001b[0m`,
    ),
    '\u001b[38;2;10;10;60mdark blue\u001b[0m \u001b[38;5;226mbright yellow\u001b[0m \u001b[2mdim\u001b[0m \u001b[7minverse\u001b[0m \u001b[31;7mred inverse\u001b[0m control \u0000',
  ]);
  await site.task({ taskId: 'wait', status: 'queued' });
  await site.task({ taskId: 'bad', title: 'Failed one' });
  await site.change('bad', { status: 'failed', error: 'it broke' });
  await site.task({ taskId: 'good', title: 'Good one' });
  await site.change('good', { status: 'completed' });
}

async function serious(page: Page): Promise<unknown[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => ({
      id,
      nodes: nodes.slice(0, 4).map((node) => `${node.html.slice(0, 160)} | ${node.any[0]?.message}`),
    }));
}

for (const theme of THEMES) {
  test(`no serious finding of axe on any screen in the ${theme} theme`, page, async (t) => {
    const { site, page } = await visit(t, { viewport: { width: 1280, height: 1400 } });
    await page.addInitScript((name) => localStorage.setItem('tasktrail.theme', name), theme);
    await page.goto(site.url);
    await page.getByText('npx tasktrail').waitFor();
    assert.deepEqual(await serious(page), []);
    await seed(site);
    await page.locator('tr[data-task]').nth(3).waitFor();
    assert.deepEqual(await serious(page), []);
    await page.goto(`${site.url}/t/demo?level=INFO&seq=5`);
    await rowsOf(page).first().waitFor();
    await page.getByRole('button', { name: 'Show the metadata of line 5' }).click();
    assert.deepEqual(await serious(page), []);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await rowsOf(page).nth(44).waitFor();
    await page.keyboard.press('Home');
    assert.deepEqual(await serious(page), []);
    await page.goto(`${site.url}/t/demo?search=line`);
    await page.locator('mark').first().waitFor();
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
    assert.deepEqual(await serious(page), []);
    await page.goto(`${site.url}/search`);
    await page.getByText('Examples').waitFor();
    assert.deepEqual(await serious(page), []);
    await page.goto(`${site.url}/search?q=o&level=INFO`);
    await page.getByRole('group', { name: 'Lines over time' }).waitFor();
    await page.getByRole('button', { name: 'Lines around line 5' }).click();
    await page.getByText('a WARNING line').waitFor();
    assert.deepEqual(await serious(page), []);
    await page.goto(`${site.url}/search?q=level:loud`);
    await page.getByRole('alert').waitFor();
    assert.deepEqual(await serious(page), []);
    await page.goto(`${site.url}/t/nosuch`);
    await page.getByText('This task does not exist').waitFor();
    assert.deepEqual(await serious(page), []);
    await page.goto(`${site.url}/t/demo`);
    await page.locator('[data-connection=live]').waitFor();
    await site.stop();
    await page.getByText('Reconnecting...').waitFor();
    assert.deepEqual(await serious(page), []);
  });
}

test('nothing scrolls sideways at 360 pixels, and every action is there', page, async (t) => {
  const { site, page } = await visit(t, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await page.goto(site.url);
  const width = (): Promise<number> => page.evaluate(() => document.documentElement.scrollWidth);
  await page.getByText('npx tasktrail').waitFor();
  assert.equal(await width(), 360);
  await seed(site);
  await page.locator('tr[data-task]').nth(3).waitFor();
  assert.equal(await width(), 360);
  await page.locator('tr[data-task=demo] a').click();
  await rowsOf(page).first().waitFor();
  assert.equal(await width(), 360);
  await page.getByRole('link', { name: 'Search', exact: true }).click();
  await page.getByText('Examples').waitFor();
  assert.equal(await width(), 360);
  await page.goto(`${site.url}/search?q=o`);
  await page.getByRole('button', { name: /ERROR \d/ }).waitFor();
  assert.equal(await width(), 360);
  await page.goto(`${site.url}/search?q=timeout+level:${'loud'.repeat(40)}`);
  await page.getByRole('alert').waitFor();
  assert.equal(await width(), 360);
  await page.goto(`${site.url}/t/demo`);
  await rowsOf(page).first().waitFor();
  for (const name of ['Download', 'Tasks'])
    assert.ok(await page.getByRole('link', { name, exact: true }).first().isVisible());
  for (const name of [/ERROR \d/, /Keyboard help/]) assert.ok(await page.getByRole('button', { name }).isVisible());
});

test('the page asks nobody else, and needs no inline script or style', page, async (t) => {
  const { site, page, faults } = await visit(t);
  const hosts = new Set<string>();
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await seed(site);
  await page.route('**/*', async (route) => {
    const response = await route.fetch();
    const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'";
    await route.fulfill({ response, headers: { ...response.headers(), 'content-security-policy': policy } });
  });
  await page.goto(`${site.url}/t/demo`);
  await rowsOf(page).nth(10).waitFor();
  await page.keyboard.press('Home');
  await page.getByRole('progressbar').waitFor();
  assert.deepEqual([...hosts], [new URL(site.url).host]);
  assert.deepEqual(faults, []);
});

test('each line has its place in the list for those who hear it', page, async (t) => {
  const { site, page } = await visit(t);
  await page.clock.install();
  await seed(site);
  await page.goto(`${site.url}/t/demo`);
  const last = rowsOf(page).last();
  await last.waitFor();
  assert.equal(await last.getAttribute('aria-setsize'), '46');
  assert.equal(await last.getAttribute('aria-posinset'), '46');
  assert.equal(await page.getByRole('log').getAttribute('aria-live'), 'off');
  // The first beat takes stock; what comes after it is told by the next.
  await page.clock.runFor(5_000);
  await site.lines('demo', ['one more', { message: 'and another', level: 'ERROR' }]);
  await until('the lines', async () => {
    await page.clock.runFor(50);
    return page.getByText('and another').isVisible();
  });
  await page.clock.runFor(5_000);
  await page.getByText('2 new lines, 1 error', { exact: true }).waitFor({ state: 'attached' });
});
