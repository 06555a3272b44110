import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { inView, noBrowser, rowsOf, seqsOf, until, visit } from './support.ts';

const page = { skip: noBrowser };

test('lines appear as they are written, with level, source, stream and progress', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo', title: 'Build' });
  await page.goto(`${site.url}/t/demo`);
  await page.getByText('No lines yet').waitFor();
  await site.lines('demo', [
    { message: 'compiling', source: 'tsc' },
    { message: 'old call', source: 'tsc', level: 'WARNING', stream: 'stderr' },
    { message: 'downloading', source: 'npm', metadata: { progress: 42 } },
  ]);
  await page.getByText('downloading').waitFor();
  assert.deepEqual(await seqsOf(page), [1, 2, 3]);
  const warning = (await rowsOf(page).nth(1).textContent()) ?? '';
  for (const part of ['WARNING', '[tsc]', 'stderr', 'old call'])
    assert.ok(warning.includes(part), `${part} in ${warning}`);
  assert.equal(await page.getByRole('progressbar').getAttribute('aria-valuenow'), '42');
  await page.getByText('42%').waitFor();
});

test('a line that is not ended is shown dimmed and replaced by its entry', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo' });
  await page.goto(`${site.url}/t/demo`);
  await page.locator('[data-connection=live]').waitFor();
  site.live.partial('demo', 'stdout', 'Downloading 37%');
  await page.locator('.partial', { hasText: 'Downloading 37%' }).waitFor();
  site.live.partial('demo', 'stdout', '');
  await site.lines('demo', ['Downloading done']);
  await rowsOf(page).filter({ hasText: 'Downloading done' }).waitFor();
  await until('the partial line to go', async () => (await page.locator('.partial').count()) === 0);
});

test('level, source and search filter on the server, live lines included, and a reload keeps them', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo' });
  await site.lines(
    'demo',
    Array.from({ length: 500 }, (_, i) => ({
      message: `line ${i + 1} ${i % 2 === 0 ? 'even' : 'odd'}`,
      source: i % 3 === 0 ? 'git' : 'npm',
      level: i % 5 === 0 ? 'ERROR' : 'INFO',
    })),
  );
  await page.goto(`${site.url}/t/demo`);
  await rowsOf(page).first().waitFor();
  await page.getByRole('button', { name: /ERROR/ }).click();
  await page.getByText('100 of 500').waitFor();
  await page.getByRole('button', { name: /\[git\]/ }).click();
  await page.getByText('34 of 500').waitFor();
  await page.getByPlaceholder('Search logs...').fill('EVEN');
  await page.getByText('17 of 500').waitFor();
  const wanted = Array.from({ length: 500 }, (_, i) => i).filter((i) => i % 30 === 0);
  assert.deepEqual(
    await seqsOf(page),
    wanted.map((i) => i + 1),
  );

  await site.lines('demo', [
    { message: 'even too', source: 'git', level: 'ERROR' },
    { message: 'even but info', source: 'git' },
  ]);
  await rowsOf(page).filter({ hasText: 'even too' }).waitFor();
  assert.equal((await seqsOf(page)).at(-1), 501);
  await page.reload();
  await page.getByText('18 of 502').waitFor();
  assert.equal((await seqsOf(page)).length, 18);
  assert.equal(await page.getByPlaceholder('Search logs...').inputValue(), 'EVEN');
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await until('the last line to be seen', async () => inView(page, 502));
});

test('a search that finds nothing says so and can be cleared', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo' });
  await site.lines('demo', ['one', 'two']);
  await page.goto(`${site.url}/t/demo?search=nowhere`);
  await page.getByText('0 of 2 match').waitFor();
  await page.getByRole('status').getByRole('button', { name: 'Clear filters' }).click();
  await page.getByText('two').waitFor();
  assert.equal(new URL(page.url()).search, '');
});

test('an ended task shows how it ended, and a task that ends says so at once', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo', title: 'Nightly' });
  await site.lines('demo', [{ message: 'boom', level: 'ERROR' }]);
  await page.goto(`${site.url}/t/demo`);
  await page.locator('[data-connection=live]').waitFor();
  await site.change('demo', { status: 'failed', error: 'exit code 3', exitCode: 3 });
  await page.locator('[data-connection=ended]').waitFor();
  await page.getByText('exit code 3').first().waitFor();
  await page.reload();
  await page.locator('[data-connection=ended]').waitFor();
  const facts = (await page.locator('.facts').textContent()) ?? '';
  assert.match(facts.replaceAll(/\s+/g, ' '), /Failed .*took.+ lines1 errors1 exit code3/);
  assert.match(await page.title(), /^Failed · Nightly/);
});

test('hostile text is inert: nothing runs, nothing is hidden, nothing moves', page, async (t) => {
  const { site, page } = await visit(t);
  const markup = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
  await site.task({ taskId: 'demo', title: markup });
  await site.lines('demo', [
    { message: markup, source: '<b>bold</b>', metadata: { '<i>': markup } },
    { message: 'invoice\u202efdp.exe\u0000\u200b' },
    { message: `\u001b]8;;javascript:window.hit=1\u0007click\u001b]8;;\u0007 \u001b[31mred\u001b[0m \u001b[2J\u001b[` },
    { message: `a${'\u0301'.repeat(10_000)}` },
    { message: 'x'.repeat(300_000) },
  ]);
  await page.goto(`${site.url}/t/demo`);
  await rowsOf(page).nth(4).waitFor();
  await page.getByRole('button', { name: 'Show the metadata of line 1' }).click();
  await page.getByLabel('Metadata of line 1').getByText('<i>', { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => 'hit' in window), false);
  assert.equal(await page.locator('[role=log] :is(img, script, i, iframe, object)').count(), 0);
  const text = (await page.locator('[role=log]').textContent()) ?? '';
  for (const part of [markup, '[<b>bold</b>]', 'RLO', 'NUL', 'ZWSP', 'click red', 'marks', '+298 KB']) {
    assert.ok(text.includes(part), `expected ${part}`);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be left
  assert.doesNotMatch(text, /[\u0000-\u0008\u000e-\u001f\u202e\u200b]/);
  const heights = await page.locator('.line').evaluateAll((lines) => lines.map((line) => line.clientHeight));
  assert.deepEqual(new Set(heights).size, 1);
  await page.goto(site.url);
  await page.locator('tr[data-task]').first().waitFor();
  assert.equal(await page.evaluate(() => 'hit' in window), false);
});

test('a long line opens in place, with all of it', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo' });
  await site.lines('demo', [`${'x'.repeat(5_000)} the end`, 'next']);
  await page.goto(`${site.url}/t/demo`);
  await page.getByRole('button', { name: 'Show the whole line 1' }).click();
  await page.getByLabel('Whole line 1', { exact: true }).getByText('the end').waitFor();
  await until('the next line below the details', () =>
    page.evaluate(() => {
      const details = document.querySelector('.details')?.getBoundingClientRect();
      const next = document.querySelector('[data-seq="2"]')?.getBoundingClientRect();
      return details !== undefined && next !== undefined && Math.abs(next.top - details.bottom) < 2;
    }),
  );
});

test('an unknown task and an unknown place say so', page, async (t) => {
  const { site, page } = await visit(t);
  await page.goto(`${site.url}/t/nosuch`);
  await page.getByText('This task does not exist').waitFor();
  await site.task({ taskId: 'nosuch' });
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByText('No lines yet').waitFor();
  // The server knows the places of the page; another one is come to only within it.
  await page.evaluate(() => {
    history.pushState(null, '', '/nowhere');
    dispatchEvent(new PopStateEvent('popstate'));
  });
  await page.getByText('Nothing is here').waitFor();
});

test('the list begins with a command to copy, and fills by itself', page, async (t) => {
  const { site, page } = await visit(t);
  await page.goto(site.url);
  await page.getByText('npx tasktrail run -- echo hello').waitFor();
  await page.locator('[data-connection=live]').waitFor();
  await site.task({ taskId: 'first', title: 'First task', source: 'cli' });
  const row = page.locator('tr[data-task=first]');
  await row.waitFor();
  await site.lines('first', ['hello there']);
  await row.getByText('hello there').waitFor();
  await site.change('first', { status: 'completed' });
  await row.getByText('Completed').waitFor();
});

test('the list filters by status and text, and opens a task by keyboard', page, async (t) => {
  const { site, page } = await visit(t);
  for (const name of ['alpha', 'beta', 'gamma']) await site.task({ taskId: name, title: `Task ${name}` });
  await site.change('beta', { status: 'failed', error: 'no' });
  await page.goto(site.url);
  await page.locator('tr[data-task]').nth(2).waitFor();
  await page.getByRole('button', { name: /Failed/ }).click();
  await until('one row', async () => (await page.locator('tr[data-task]').count()) === 1);
  assert.equal(new URL(page.url()).searchParams.get('status'), 'failed');
  await page.getByRole('button', { name: 'Clear' }).click();
  await until('all rows', async () => (await page.locator('tr[data-task]').count()) === 3);
  await page.keyboard.press('/');
  await page.keyboard.type('gam');
  await until('one row', async () => (await page.locator('tr[data-task]').count()) === 1);
  await page.locator('tr[data-task=gamma]').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Task gamma' }).waitFor();
  await page.goBack();
  await page.locator('tr[data-task=gamma]').waitFor();
  await page.getByPlaceholder('Filter by').fill('nothing like it');
  await page.getByText('No task matches').waitFor();
});

test('a list that is scrolled does not move: new tasks wait behind a pill', page, async (t) => {
  const { site, page } = await visit(t, { viewport: { width: 1000, height: 400 } });
  for (let i = 0; i < 60; i += 1) await site.task({ taskId: `task-${String(i).padStart(2, '0')}` });
  await page.goto(site.url);
  await page.locator('tr[data-task]').nth(49).waitFor();
  await page.locator('[data-connection=live]').waitFor();
  await page.evaluate(() => window.scrollTo(0, 600));
  const before = await page.locator('tr[data-task]').nth(12).boundingBox();
  await site.task({ taskId: 'newcomer' });
  await page.getByRole('button', { name: '1 new' }).waitFor();
  assert.deepEqual(await page.locator('tr[data-task]').nth(12).boundingBox(), before);
  await page.getByRole('button', { name: '1 new' }).click();
  await page.locator('tr[data-task=newcomer]').waitFor();
  await page.getByRole('button', { name: 'Show more tasks' }).click();
  await until('all 61 tasks', async () => (await page.locator('tr[data-task]').count()) === 61);
});

test('the first view of the list and of a task loads at most 150 KB of JavaScript, gzipped', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo' });
  await site.lines(
    'demo',
    Array.from({ length: 50 }, (_, n) => `line ${n + 1}`),
  );
  const scripts: Promise<{ path: string; bytes: number }>[] = [];
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname;
    if (path.endsWith('.js')) scripts.push(response.body().then((body) => ({ path, bytes: gzipSync(body).length })));
  });
  for (const [path, ready] of [
    ['/', page.locator('tr[data-task=demo]')],
    ['/t/demo', page.getByLabel('Lines over time')],
  ] as const) {
    scripts.length = 0;
    await page.goto(site.url + path);
    await ready.waitFor();
    const loaded = await Promise.all(scripts);
    const bytes = loaded.reduce((sum, script) => sum + script.bytes, 0);
    t.diagnostic(`${path}: ${loaded.length} scripts, ${bytes} bytes`);
    assert.ok(loaded.length > 0 && bytes <= 150_000, `${path}: ${bytes} bytes, ${JSON.stringify(loaded)}`);
    const later = loaded.filter(({ path }) => /Search|Settings|Costs|Help|Palette|Runner|Markdown/.test(path));
    assert.deepEqual(later, []);
  }
});
