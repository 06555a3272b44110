import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { inView, noBrowser, rowsOf, type Site, until, visit } from './support.ts';

const page = { skip: noBrowser };
/** How the page looks to people; `system` is dark here. */
const THEMES = ['light', 'dark', 'contrast', 'system'] as const;
/** The other sections are tried where the settings are. */
const SECTIONS = ['logging', 'storage', 'tokens', 'appearance'];

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

/** An agent's run as its parser writes it. */
async function seedAgent(site: Site): Promise<void> {
  await site.task({ taskId: 'agent', title: 'Agent', source: 'github', metrics: { costUsd: 1.2, inputTokens: 900 } });
  const call = { tool: 'Bash', tool_use_id: 'c1', input: { command: 'npm test' } };
  await site.lines('agent', [
    { message: 'I look at the test first.', type: 'thinking', source: 'claude' },
    { message: 'Bash npm test', type: 'tool_call', source: 'tool', metadata: call },
    { message: '1 of 3 fails', type: 'tool_result', source: 'tool', metadata: { tool_use_id: 'c1', is_error: true } },
    { message: '{"found":[1,2],"at":"src/a.ts:12"} https://example.com', source: 'claude' },
    { message: '::group::Install', source: 'npm' },
    ...['same', 'same', 'same'].map((message) => ({ message, source: 'npm' })),
    { message: '::endgroup::', source: 'npm' },
    { message: 'Error: no\n    at f (src/a.ts:1:2)\n    at g (src/b.ts:3:4)', level: 'ERROR', source: 'node' },
    { message: 'done', type: 'result' },
  ]);
  await site.change('agent', { status: 'failed', error: 'exit 1', exitCode: 1, result: { tests: 3 } });
}

/** Screens take turns with the themes. */
let turn = 0;

/** What axe finds serious, in one theme; a screen that shows most in each, where nothing but the contrast is another in the others. */
async function calm(page: Page, where: string, most = false): Promise<void> {
  const themes = most ? THEMES : [THEMES[turn++ % THEMES.length] ?? 'light'];
  for (const theme of themes) {
    await page.evaluate((name) => {
      document.documentElement.dataset.theme = name;
    }, theme);
    const axe = new AxeBuilder({ page }).options({
      resultTypes: ['violations'],
      ...(theme !== themes[0] && { runOnly: ['color-contrast'] }),
    });
    const found = (await axe.analyze()).violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => ({
        id,
        nodes: nodes.slice(0, 4).map((node) => `${node.html.slice(0, 160)} | ${node.any[0]?.message}`),
      }));
    assert.deepEqual({ where, theme, found }, { where, theme, found: [] });
  }
}

const LOOK = { viewport: { width: 1280, height: 1400 }, colorScheme: 'dark' } as const;
const slow = { ...page, timeout: 180_000 };

test('no serious finding of axe in the list in any theme', slow, async (t) => {
  const { site, page } = await visit(t, LOOK);
  await page.goto(site.url);
  await page.getByText('npx tasktrail').waitFor();
  await calm(page, 'an empty list');
  await seed(site);
  await seedAgent(site);
  const tasks = page.locator('tr[data-task]');
  await tasks.nth(4).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.getByRole('button', { name: 'Compare' }).or(page.getByText('1 selected')).first().waitFor();
  await calm(page, 'the list with a choice', true);
  await page.keyboard.press('Control+k');
  await page.getByRole('option', { name: 'Failed one' }).waitFor();
  await calm(page, 'the palette', true);
  await page.keyboard.press('Escape');
  await page.goto(`${site.url}/?q=status:loud`);
  await page.getByRole('alert').waitFor();
  await calm(page, 'a filter that is not understood');
  await page.goto(`${site.url}/?run=`);
  await page.getByRole('dialog').waitFor();
  await calm(page, 'running a plugin');
});

test('no serious finding of axe in a task in any theme', slow, async (t) => {
  const { site, page } = await visit(t, LOOK);
  await seed(site);
  await seedAgent(site);
  await page.goto(`${site.url}/t/demo?level=INFO&seq=5`);
  await rowsOf(page).first().waitFor();
  await page.getByRole('button', { name: 'Show the metadata of line 5' }).click();
  await calm(page, 'a line with its details');
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await rowsOf(page).nth(44).waitFor();
  await page.keyboard.press('Home');
  await calm(page, 'a running task that is paused', true);
  await page.goto(`${site.url}/t/demo?search=line`);
  await page.locator('mark').first().waitFor();
  await page.keyboard.press('?');
  await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
  await calm(page, 'the keyboard help');
  await page.goto(`${site.url}/t/agent`);
  await rowsOf(page).nth(3).waitFor();
  await calm(page, 'the run of an agent', true);
  await page.goto(`${site.url}/t/wait`);
  await page.getByText('No lines yet').waitFor();
  await calm(page, 'a task without lines');
  await page.goto(`${site.url}/t/agent/plain`);
  await calm(page, 'plain text');

  await page.goto(`${site.url}/t/nosuch`);
  await page.getByText('This task does not exist').waitFor();
  await calm(page, 'a task that does not exist');
  await page.goto(`${site.url}/t/demo`);
  await page.locator('[data-connection=live]').waitFor();
  await site.stop();
  await page.getByText('Reconnecting...').waitFor();
  await calm(page, 'a lost connection');
});

test('no serious finding of axe in the search, the costs and the settings in any theme', slow, async (t) => {
  const { site, page } = await visit(t, LOOK);
  await seed(site);
  await seedAgent(site);
  await page.goto(`${site.url}/search`);
  await page.getByText('Examples').waitFor();
  await calm(page, 'a search that begins');
  await page.goto(`${site.url}/search?q=o&level=INFO`);
  await page.getByRole('group', { name: 'Lines over time' }).waitFor();
  await page
    .getByRole('region', { name: 'Lines of Demo' })
    .getByRole('button', { name: 'Lines around line 5' })
    .click();
  await page.getByText('a WARNING line').waitFor();
  await calm(page, 'what a search found', true);
  await page.goto(`${site.url}/search?q=level:loud`);
  await page.getByRole('alert').waitFor();
  await calm(page, 'a search that is not understood');
  await page.goto(`${site.url}/search?q=nothing-like-this+line`);
  await page.getByRole('button', { name: 'line', exact: true }).waitFor();
  await calm(page, 'a search that finds nothing');

  await page.goto(`${site.url}/costs`);
  await page.getByRole('table').first().waitFor();
  await calm(page, 'costs', true);
  for (const section of SECTIONS) {
    await page.goto(`${site.url}/settings#${section}`);
    await page.locator(`#${section} h2`).first().waitFor();
    await page.waitForFunction(() => document.querySelector('main [aria-busy=true], main .skeleton') === null);
    await calm(page, `settings: ${section}`);
  }
});

test('signing in is open to everybody too', page, async (t) => {
  const { site, page } = await visit(t, { colorScheme: 'dark' }, { tokens: [{ role: 'admin', token: 'secret' }] });
  await page.goto(site.url);
  await page.getByLabel('Token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').waitFor();
  await calm(page, 'signing in', true);
});

test('keys and the palette lead everywhere, and are letters while somebody types', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(site.url);
  await page.locator('tr[data-task]').nth(3).waitFor();
  for (const [key, place] of [
    ['s', '/search'],
    ['c', '/costs'],
    [',', '/settings'],
    ['t', '/'],
  ] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.waitForURL(`${site.url}${place}`);
  }
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  await page.keyboard.press('t');
  assert.equal(await theme(), 'light');
  await page.keyboard.press('/');
  await page.keyboard.type('gst?');
  assert.equal(await page.getByRole('combobox', { name: 'Filter tasks' }).inputValue(), 'gst?');
  assert.equal(await theme(), 'light');
  await page.keyboard.press('Escape');

  const field = page.getByRole('combobox', { name: /Go to a task/ });
  await page.keyboard.press('Control+k');
  await field.fill('dark');
  await page.getByRole('option', { name: 'Theme: dark' }).waitFor();
  await page.keyboard.press('Enter');
  await field.waitFor({ state: 'detached' });
  assert.equal(await theme(), 'dark');
  await page.keyboard.press('Control+k');
  await field.fill('demo');
  const option = page.getByRole('option', { name: 'Demo', exact: false }).first();
  await option.waitFor();
  assert.equal(await field.getAttribute('aria-activedescendant'), await option.getAttribute('id'));
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/t\/demo/);
  await rowsOf(page).first().waitFor();
  await page.keyboard.press('Control+k');
  await field.fill('no-such-7');
  await page.getByRole('option', { name: /go to this task/ }).click();
  await page.getByText('This task does not exist').waitFor();
});

test('the palette stands open when it is asked for in the instant in which it closes', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(site.url);
  await page.locator('tr[data-task]').nth(3).waitFor();
  const field = page.getByRole('combobox', { name: /Go to a task/ });
  await page.keyboard.press('Control+k');
  await field.fill('dark');
  await page.getByRole('option', { name: 'Theme: dark' }).waitFor();
  await field.evaluate(async (input) => {
    const press = (target: EventTarget, key: string, ctrlKey = false) =>
      target.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey, bubbles: true, cancelable: true }));
    const closed = new Promise((resolve) => input.closest('dialog')?.addEventListener('close', resolve));
    press(input, 'Enter');
    // The page is drawn anew in microtasks; the event that tells of the closing is a task of its own.
    for (let n = 0; n < 10; n++) await null;
    press(document.body, 'k', true);
    await closed;
  });
  await field.fill('demo');
  await page.getByRole('option', { name: 'Demo' }).first().waitFor();
});

test('a failed task is opened at its first error, and the link to it copied, in four keys', page, async (t) => {
  const { site, page } = await visit(t, { permissions: ['clipboard-read', 'clipboard-write'] });
  await site.task({ taskId: 'bad', title: 'Failed one' });
  const lines = Array.from({ length: 400 }, (_, n) => ({
    message: `line ${n + 1}`,
    level: n === 149 ? 'ERROR' : 'INFO',
  }));
  await site.lines('bad', lines as never);
  await site.change('bad', { status: 'failed', error: 'it broke' });
  await page.goto(site.url);
  await page.locator('tr[data-task=bad]').waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.locator('[data-seq="150"]').waitFor();
  assert.ok(await inView(page, 150));
  await page.keyboard.press('e');
  await page.keyboard.press('y');
  await until('the link', async () =>
    /\/t\/bad\?.*seq=150/.test(await page.evaluate(() => navigator.clipboard.readText())),
  );
});

/** What can be pressed and lies where nobody comes to, or is smaller than a finger is. */
function unreachable(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const scrolls = (element: Element): boolean => {
      for (let box = element.parentElement; box !== null; box = box.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth) return true;
      }
      return false;
    };
    const named = (element: Element): string =>
      (element.getAttribute('aria-label') ?? element.textContent ?? '').trim();
    return [...document.querySelectorAll<HTMLElement>('button, a[href], input, select, summary')]
      .filter((element) => element.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true }))
      .filter((element) => !element.closest('.hidden-text, .skip'))
      .flatMap((element) => {
        const { left, right, width, height } = element.getBoundingClientRect();
        if (width <= 1) return [];
        const outside = (left < -1 || right > window.innerWidth + 1) && !scrolls(element);
        // Bars of a chart have no room to be wide; what they narrow is also narrowed beside them.
        const isBar = element.closest('.bars') !== null;
        // A link may lie over all of its row.
        const isRow = getComputedStyle(element, '::after').position === 'absolute';
        const small =
          !isBar &&
          !isRow &&
          (width < 24 || height < 24) &&
          getComputedStyle(element).display !== 'inline' &&
          element.closest('label') === null;
        const what = `${element.tagName} ${named(element).slice(0, 40)} ${Math.round(width)}x${Math.round(height)}`;
        return [...(outside ? [`outside: ${what}`] : []), ...(small ? [`small: ${what}`] : [])];
      });
  });
}

test('at 360 pixels nothing scrolls sideways, and every action can be reached by a finger', slow, async (t) => {
  const { site, page } = await visit(t, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const faults: Record<string, readonly string[]> = {};
  const fits = async (where: string): Promise<void> => {
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    const found = [...(width === 360 ? [] : [`${width} px wide`]), ...(await unreachable(page))];
    if (found.length > 0) faults[where] = found;
  };
  await page.goto(site.url);
  await page.getByText('npx tasktrail').waitFor();
  await fits('an empty list');
  await seed(site);
  await seedAgent(site);
  await page.locator('tr[data-task]').nth(4).waitFor();
  await fits('the list');
  await page.getByRole('button', { name: 'Go to a task, a screen or an action' }).click();
  await page.getByRole('option', { name: 'Theme: dark' }).waitFor();
  await fits('the palette');
  await page.keyboard.press('Escape');
  await page.locator('tr[data-task=demo] a').first().click();
  await rowsOf(page).first().waitFor();
  await fits('a running task');
  await page.getByRole('button', { name: 'View' }).click();
  await page.getByRole('button', { name: 'Download' }).first().waitFor();
  await fits('the ways to view a task');
  await page.goto(`${site.url}/t/agent`);
  await rowsOf(page).nth(2).waitFor();
  await fits('the run of an agent');
  await page.goto(`${site.url}/t/agent/plain`);
  await fits('plain text');
  await page.goto(`${site.url}/search`);
  await page.getByText('Examples').waitFor();
  await fits('a search that begins');
  await page.goto(`${site.url}/search?q=o`);
  await page.getByRole('button', { name: /ERROR \d/ }).waitFor();
  await fits('what a search found');
  await page.goto(`${site.url}/search?q=timeout+level:${'loud'.repeat(40)}`);
  await page.getByRole('alert').waitFor();
  await fits('a search that is not understood');
  await page.goto(`${site.url}/costs`);
  await page.getByRole('table').first().waitFor();
  await fits('costs');
  for (const section of SECTIONS) {
    await page.goto(`${site.url}/settings#${section}`);
    await page.locator(`#${section} h2`).first().waitFor();
    await fits(`settings: ${section}`);
  }
  assert.deepEqual(faults, {});
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

test('the focus is held while its row is scrolled away, and is back with the row', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'long' });
  await site.lines(
    'long',
    Array.from({ length: 2_000 }, (_, n) => `line ${n + 1}`),
  );
  await page.goto(`${site.url}/t/long?seq=20`);
  const link = page.locator('[data-seq="20"] a').first();
  await link.focus();
  const log = page.getByRole('log');
  const active = () =>
    page.evaluate(
      () => document.activeElement?.closest('[data-seq]')?.getAttribute('data-seq') ?? document.activeElement?.role,
    );
  await log.evaluate((box) => box.scrollTo(0, 20_000));
  await link.waitFor({ state: 'detached' });
  await until('the panel to hold the focus', async () => (await active()) === 'log');
  await log.evaluate((box) => box.scrollTo(0, 0));
  await link.waitFor();
  await until('the focus on its row', async () => (await active()) === '20');
});
