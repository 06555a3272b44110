import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { hasPattern, notedParts, queryText, readText, searchedTexts, withQuery } from '../../src/web/lib/query.ts';
import { logViewParams, readLogView } from '../../src/web/lib/view.ts';
import { noBrowser, rowsOf, seqsOf, until, visit } from './support.ts';

const page = { skip: noBrowser };

test('a query in the address comes back, and one that is not understood is left out', () => {
  const { filter } = readLogView(new URLSearchParams('q=level:error after:-2h&source=git'));
  assert.equal(filter.query?.text, 'level:error after:-2h');
  assert.deepEqual(readLogView(logViewParams({ filter })).filter, filter, 'equal also for a relative time');
  assert.deepEqual(readLogView(new URLSearchParams('q=level:eror&source=git')).filter, { sources: ['git'] });
});

test('the box shows what the address says of texts, as one query', () => {
  const { query } = readText('a OR b', 'lines');
  assert.equal(queryText({}), '');
  assert.equal(queryText({ search: 'line' }), 'line');
  assert.equal(queryText({ search: 'a "b"', levels: ['INFO'] }), '"a \\"b\\""');
  assert.equal(queryText({ search: 'a|b', regex: true }), '/a|b/');
  assert.equal(queryText({ search: 'x', ...(query && { query }) }), 'x (a OR b)');
  assert.deepEqual(withQuery({ search: 'x', regex: true, levels: ['INFO'] }, query), { levels: ['INFO'], query });
});

test('what is asked for is marked, what is denied is not', () => {
  const filter = { search: 'x', ...readText('a -b (c OR -(-d)) level:error /e/', 'lines') };
  assert.deepEqual(searchedTexts(filter), ['x', 'a', 'c', 'd']);
  assert.ok(filter.query && hasPattern(filter.query.expr));
});

test('a note shows the part and a little around it', () => {
  const long = 'x'.repeat(100);
  const { note } = readText(`${long} level:eror ${long}`, 'lines');
  assert.equal(note?.kind, 'fault');
  const [before, part, after] = note ? notedParts(note) : [];
  assert.deepEqual([before?.length, part, after?.length], [61, 'eror', 60]);
  assert.equal(readText('lvl:error', 'lines').note?.kind, 'hint');
  assert.equal(readText('level:error', 'tasks').note?.kind, 'fault');
});

/** What is said under the box, and where on the page the part and its text are. */
async function noteUnder(page: Page, placeholder: string) {
  const id = await page.getByPlaceholder(placeholder).getAttribute('aria-describedby');
  const note = page.locator(`#${id}`);
  return {
    role: await note.getAttribute('role'),
    part: await note.locator('.part').textContent(),
    said: await note.locator('p').textContent(),
  };
}

test(
  'the log box takes a query, says what is wrong with it under the part, and marks what it finds',
  page,
  async (t) => {
    const { site, page } = await visit(t);
    await site.task({ taskId: 'demo' });
    await site.lines('demo', [
      { message: 'connection reset', level: 'ERROR', source: 'git' },
      { message: 'connection reset, retry', level: 'ERROR', source: 'git' },
      { message: 'connection open', source: 'npm', metadata: { n: 7 } },
      { message: 'all fine' },
    ]);
    await page.goto(`${site.url}/t/demo`);
    await page.locator('[data-connection=live]').waitFor();
    const box = page.getByPlaceholder('Search logs...');
    await box.fill('connection -retry (level:error OR meta.n>5)');
    await page.getByText('2 of 4').waitFor();
    assert.deepEqual(await seqsOf(page), [1, 3]);
    assert.deepEqual(await rowsOf(page).locator('mark, .hit').allTextContents(), ['connection', 'connection']);

    await box.fill('connection level:eror');
    await page.getByRole('alert').getByText('expected a level').waitFor();
    assert.deepEqual((await noteUnder(page, 'Search logs...')).part, 'eror');
    assert.equal(await box.getAttribute('aria-invalid'), 'true');
    assert.deepEqual(await seqsOf(page), [1, 3], 'the lines before stay');

    // The server alone knows patterns.
    await box.fill('/fi(ne/');
    await page.getByRole('alert').getByText('expected a pattern in RE2 syntax').waitFor();
    await page.locator('[data-connection=live]').waitFor();
    await box.fill('/fi[n]e$/');
    await page.getByText('1 of 4').waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    assert.equal(await box.getAttribute('aria-invalid'), 'false');
    await site.lines('demo', ['not this', 'this is fine']);
    await rowsOf(page).filter({ hasText: 'this is fine' }).waitFor();
    assert.deepEqual(await seqsOf(page), [4, 6]);

    await page.reload();
    await page.getByText('2 of 6').waitFor();
    assert.equal(await box.inputValue(), '/fi[n]e$/');
    await box.fill('sorce:git');
    await page.getByText('0 of 6 match').waitFor();
    const hint = await noteUnder(page, 'Search logs...');
    assert.deepEqual([hint.role, hint.part], ['status', 'sorce:']);
    assert.match(hint.said ?? '', /did you mean source:\?/);
    await page.getByRole('button', { name: 'Clear filters' }).first().click();
    await until('all lines', async () => (await seqsOf(page)).length === 6);
    assert.equal(await box.inputValue(), '');
  },
);

test('a pattern in the address that is none can be mended, and the lines are live then', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo' });
  await site.lines('demo', ['all fine']);
  await page.goto(`${site.url}/t/demo?q=${encodeURIComponent('/fi(ne/')}`);
  await page.getByText('The lines cannot be read').waitFor();
  assert.deepEqual((await noteUnder(page, 'Search logs...')).part, '/fi(ne/');
  await page.getByPlaceholder('Search logs...').fill('fine');
  await rowsOf(page).filter({ hasText: 'all fine' }).waitFor();
  await page.locator('[data-connection=live]').waitFor();
  await site.lines('demo', ['fine as well']);
  await rowsOf(page).filter({ hasText: 'fine as well' }).waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
});

test('the task box takes the same language, and says what is wrong', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'one', title: 'Nightly build', status: 'failed', metrics: { costUsd: 2 } });
  await site.task({ taskId: 'two', title: 'Nightly tests' });
  await site.task({ taskId: 'three', title: 'Deploy', tags: ['ci'] });
  await page.goto(site.url);
  const box = page.getByPlaceholder('Filter by name or id, or status:failed cost>1 dur>10m');
  const titles = () => page.locator('tr[data-task]').count();
  await page.getByText('Deploy').waitFor();
  await box.fill('nightly -status:failed OR tag:ci');
  await until('two tasks', async () => (await titles()) === 2);
  await box.fill('nightly cost:>1');
  await until('one task', async () => (await titles()) === 1);
  assert.equal(new URL(page.url()).searchParams.get('q'), 'nightly cost:>1');
  await box.fill('nightly level:error');
  await page.getByRole('alert').getByText('expected what a task can answer').waitFor();
  assert.equal((await noteUnder(page, 'Filter by name or id, or status:failed cost>1 dur>10m')).part, 'level:error');
  assert.equal(await page.getByText('The tasks cannot be read').count(), 0);
  await box.fill('deploy');
  await page.getByText('Deploy').waitFor();
  await until('no alert', async () => (await page.getByRole('alert').count()) === 0);
});

test('the help lists the language', page, async (t) => {
  const { site, page } = await visit(t);
  await page.goto(site.url);
  await page.getByRole('button', { name: 'Keyboard help' }).click();
  const help = page.getByRole('dialog');
  await help.getByText('What a search box takes').waitFor();
  for (const query of await help.locator('.queries code').allTextContents()) {
    assert.notEqual(readText(query, 'lines').note?.kind, 'fault', query);
  }
  assert.ok((await help.locator('.queries code').count()) > 15);
});
