import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { EntryInput } from '../../src/core/entry.ts';
import { inView, noBrowser, rowsOf, seqsOf, until, type Visit, visit } from './support.ts';

const page = { skip: noBrowser };
const CLIPBOARD = { permissions: ['clipboard-read', 'clipboard-write'] };

const FIRST_MS = Date.parse('2026-01-24T10:00:00.000Z');

/** Lines 1 to n of a task, a second apart; `of` may change any. */
async function fill({ site }: Visit, n: number, of: (seq: number) => Partial<EntryInput> = () => ({})): Promise<void> {
  await site.task({ taskId: 'demo' });
  for (let from = 1; from <= n; from += 20_000) {
    const entries = Array.from({ length: Math.min(20_000, n - from + 1) }, (_, i) => {
      const seq = from + i;
      const timestamp = new Date(FIRST_MS + seq * 1_000).toISOString();
      return { message: `line ${seq}`, timestamp, ...of(seq) };
    });
    await site.lines('demo', entries);
  }
}

function marked({ page }: Visit, seq: number): Promise<void> {
  return page.locator(`.marked[data-seq="${seq}"]`).waitFor();
}

function current({ page }: Visit, seq: number): Promise<void> {
  return page.locator(`.current[data-seq="${seq}"]`).waitFor();
}

test(
  'a word in three of 100,000 lines is found, counted, and visited in both directions and round the end',
  page,
  async (t) => {
    const trail = await visit(t);
    const { site, page } = trail;
    const hits = [3, 50_000, 99_998];
    await fill(trail, 100_000, (seq) => (hits.includes(seq) ? { message: `the needle ${seq}` } : {}));
    await site.change('demo', { status: 'completed' });
    await page.goto(`${site.url}/t/demo`);
    await rowsOf(page).first().waitFor();
    await page.keyboard.press('Control+f');
    await page.getByPlaceholder('Find in all lines...').fill('NEEDLE');
    const status = page.locator('[data-find]');
    await status.getByText('3 hits').waitFor();
    await status.getByText('all searched').waitFor();
    for (const [n, seq] of [...hits, hits[0] ?? 0].entries()) {
      await page.keyboard.press('Enter');
      await current(trail, seq);
      assert.ok(await inView(page, seq));
      await status.getByText(`${(n % 3) + 1} of 3`).waitFor();
    }
    await status.getByText('Went on at the first hit').waitFor();
    for (const seq of hits.toReversed()) {
      await page.keyboard.press('Shift+Enter');
      await current(trail, seq);
    }
    assert.equal(await page.locator('.current mark').innerText(), 'needle');
    await page.keyboard.press('Escape');
    assert.equal(await page.getByPlaceholder('Find in all lines...').count(), 0);
    assert.ok(await inView(page, 3), 'the place is kept');
  },
);

test('a search tells cases, words and patterns apart, and says what is wrong with a pattern', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  const texts = ['Error one', 'terrors two', 'error (three)', 'fine'];
  await fill(trail, 4, (seq) => ({ message: texts[seq - 1] ?? '' }));
  await page.goto(`${site.url}/t/demo?find=error`);
  const status = page.locator('[data-find]');
  const field = page.getByPlaceholder('Find in all lines...');
  await status.getByText('3 hits').waitFor();
  await page.getByRole('button', { name: 'Match case' }).click();
  await status.getByText('2 hits').waitFor();
  await page.getByRole('button', { name: 'Whole words' }).click();
  await status.getByText('1 hit').waitFor();
  assert.deepEqual(await page.locator('mark').allInnerTexts(), ['error']);
  await field.fill('(three)');
  await page.getByRole('button', { name: 'Whole words' }).click();
  await status.getByText('1 hit').waitFor();
  await page.getByRole('button', { name: 'Regular expression' }).click();
  await field.fill('^[eE]rr');
  await status.getByText('2 hits').waitFor();
  assert.deepEqual(await page.locator('mark').allInnerTexts(), ['Err', 'err']);
  await field.fill('(');
  await page.locator('.find [role=alert]').waitFor();
  assert.match(page.url(), /find=%28&find_as=case%2Cregex/);
});

test('only matches are shown with the lines around them, and any of them in its context', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await fill(trail, 1_000, (seq) => (seq % 100 === 50 ? { message: `needle ${seq}` } : {}));
  await page.goto(`${site.url}/t/demo?find=needle`);
  await page.getByText('10 hits').waitFor();
  await page.getByPlaceholder('Find in all lines...').focus();
  await page.keyboard.press('Alt+Enter');
  const wanted = Array.from({ length: 10 }, (_, i) => i * 100 + 50);
  await until('only the matches', async () => JSON.stringify(await seqsOf(page)) === JSON.stringify(wanted));
  await page.getByLabel('Lines around each match').fill('1');
  await page.getByLabel('Lines around each match').press('Enter');
  const around = wanted.flatMap((seq) => [seq - 1, seq, seq + 1]);
  await until('a line around each', async () => JSON.stringify(await seqsOf(page)) === JSON.stringify(around));
  await site.lines('demo', ['not this', 'needle too']);
  await until('the new match', async () => (await seqsOf(page)).at(-1) === 1_002);
  await page.reload();
  await until('the same after a reload', async () => (await seqsOf(page)).slice(0, 30).join() === around.join());
  await page.getByPlaceholder('Find in all lines...').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Show in context' }).click();
  await until('all lines', async () => (await seqsOf(page)).length > 30);
  assert.ok(await page.locator('.current mark').count());
});

test(
  'each line that a filter lets pass can be shown among those that it hides, and Back leads to the filter',
  page,
  async (t) => {
    const trail = await visit(t);
    const { site, page } = trail;
    await fill(trail, 3_000, (seq) => (seq % 500 === 0 ? { level: 'ERROR' } : {}));
    await site.change('demo', { status: 'completed' });
    const around = async (seq: number): Promise<void> => {
      await current(trail, seq);
      await until('the lines around it', async () => {
        const seqs = await seqsOf(page);
        return seqs.includes(seq - 3) && seqs.includes(seq + 3) && (await inView(page, seq));
      });
    };
    await page.goto(`${site.url}/t/demo?level=ERROR`);
    await page.locator('[data-seq="1500"]').hover();
    await page.getByRole('button', { name: 'Show line 1500 in context' }).click();
    await around(1_500);
    assert.ok(!page.url().includes('level='));
    assert.equal(await page.getByRole('button', { name: 'in context' }).count(), 0, 'nothing is hidden now');
    await page.goBack();
    await until('the errors', async () => (await seqsOf(page)).length === 6);
    // By the keyboard it is in the opened line.
    await page.keyboard.press('e');
    await page.keyboard.press('Enter');
    await page.locator('.details').getByRole('button', { name: 'Show in context' }).press('Enter');
    await until('all lines', async () => (await seqsOf(page)).length > 10);
    await page.goto(`${site.url}/t/demo?level=INFO&find=line 2&only=0`);
    await page.getByText('all searched').waitFor();
    await until('only matches', async () => !(await seqsOf(page)).includes(1));
    const seq = (await seqsOf(page)).at(5) ?? 0;
    await page.locator(`[data-seq="${seq}"]`).hover();
    await page.getByRole('button', { name: `Show line ${seq} in context` }).click();
    await around(seq);
  },
);

test(
  'hits that come in while a task runs are counted, and a closed search lets the end be followed again',
  page,
  async (t) => {
    const trail = await visit(t);
    const { site, page } = trail;
    await fill(trail, 300);
    await page.goto(`${site.url}/t/demo`);
    await until('the end', () => inView(page, 300));
    await page.keyboard.press('Control+f');
    await page.getByPlaceholder('Find in all lines...').fill('needle');
    await page.getByText('0 of 0').waitFor();
    await site.lines('demo', ['a needle', 'none', 'a NEEDLE']);
    await page.getByText('2 hits').waitFor();
    await page.getByText('3 new lines').waitFor();
    await page.keyboard.press('Enter');
    await current(trail, 301);
    await page.keyboard.press('Escape');
    await page.keyboard.press('End');
    await until('to follow', async () => (await page.locator('[data-paused]').count()) === 0);
  },
);

test(
  'a click on a number links the line, one with Shift the range; the link opens it centred, with following off',
  page,
  async (t) => {
    const trail = await visit(t, CLIPBOARD);
    const { site, page } = trail;
    await fill(trail, 5_000);
    await page.goto(`${site.url}/t/demo?seq=2500`);
    await marked(trail, 2_500);
    await page.getByText('Paused', { exact: true }).waitFor();
    const offset = await page.evaluate(() => {
      const row = document.querySelector('[data-seq="2500"]')?.getBoundingClientRect();
      const box = document.querySelector('[role=log]')?.getBoundingClientRect();
      return row && box ? (row.top + row.bottom) / 2 - (box.top + box.bottom) / 2 : Number.NaN;
    });
    assert.ok(Math.abs(offset) <= 30, `in the middle, not ${offset} px away`);
    await page.getByTitle('Link to line 2503', { exact: true }).click();
    await page.getByTitle('Link to line 2507', { exact: true }).click({ modifiers: ['Shift'] });
    await marked(trail, 2_507);
    assert.equal(await page.locator('.marked').count(), 5);
    await page.keyboard.press('y');
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(link, `${site.url}/t/demo?seq=2503-2507`);
    await page.goto(`${site.url}/t/demo?from=120&to=140`);
    await marked(trail, 120);
    await page.goBack();
    await marked(trail, 2_507);
  },
);

test('the place of a paused reader stands in the address, and Back leads to it', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await fill(trail, 3_000);
  await page.goto(`${site.url}/t/demo`);
  await until('the end', () => inView(page, 3_000));
  await page.keyboard.press('Home');
  for (let n = 0; n < 5; n += 1) await page.keyboard.press('Space');
  await page.waitForURL(/at=\d+/);
  const at = Number(new URL(page.url()).searchParams.get('at'));
  assert.ok(at > 50);
  await page.getByRole('link', { name: 'Tasks' }).first().click();
  await page.locator('tr[data-task=demo]').waitFor();
  await page.goBack();
  await until('the same place', () => inView(page, at));
  await page.reload();
  await until('the same place', () => inView(page, at));
});

test('a line, a time of day and a time ago are gone to', page, async (t) => {
  const trail = await visit(t, { timezoneId: 'UTC' });
  const { site, page } = trail;
  await fill(trail, 5_000);
  await site.change('demo', { status: 'completed' });
  await page.goto(`${site.url}/t/demo`);
  await rowsOf(page).first().waitFor();
  for (const [text, seq] of [
    ['4321', 4_321],
    ['10:10:00', 600],
    ['-10m', 4_400],
  ] as const) {
    await page.keyboard.press(':');
    await page.getByLabel('Go to a line or a time').fill(text);
    await page.keyboard.press('Enter');
    await current(trail, seq);
  }
  await page.keyboard.press(':');
  await page.getByLabel('Go to a line or a time').fill('soon');
  await page.keyboard.press('Enter');
  await page.getByText('Write a line number').waitFor();
});

test('keys go from error to error and from mark to mark, also where lines are not loaded', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await fill(trail, 20_000, (seq) => (seq === 12_000 || seq === 17_000 ? { level: 'ERROR' } : {}));
  await site.change('demo', { status: 'completed' });
  await page.goto(`${site.url}/t/demo`);
  await rowsOf(page).first().waitFor();
  for (const [key, seq] of [
    ['e', 12_000],
    ['m', 12_000],
    ['e', 17_000],
    ['m', 17_000],
    ['E', 12_000],
    ['u', 17_000],
    ['U', 12_000],
  ] as const) {
    await page.keyboard.press(key);
    await current(trail, seq);
  }
  await page.keyboard.press('E');
  await page.getByText('No previous ERROR').waitFor();
  await page.reload();
  await rowsOf(page).first().waitFor();
  await page.keyboard.press("'");
  await page.getByRole('button', { name: 'Line 17000', exact: true }).click();
  await current(trail, 17_000);
});

test('keys go from slow-down to slow-down, whatever is loaded', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  const later = (seq: number) => (seq > 4_000 ? 300 : 0) + (seq > 15_000 ? 600 : 0);
  await fill(trail, 20_000, (seq) => ({
    timestamp: new Date(FIRST_MS + seq * 100 + later(seq) * 1_000).toISOString(),
  }));
  await site.change('demo', { status: 'completed' });
  await page.goto(`${site.url}/t/demo`);
  await rowsOf(page).first().waitFor();
  for (const [key, seq, told] of [
    ['s', 4_000, 'Silent for 4m'],
    ['s', 15_000, 'Silent for 9m'],
    ['S', 4_000, 'Silent for 4m'],
  ] as const) {
    await page.keyboard.press(key);
    await current(trail, seq);
    await page.locator('.notice').getByText(told).waitFor();
  }
  await page.keyboard.press('S');
  await page.getByText('No previous slow-down').waitFor();
});

test('a field of JSON lines gets a column, which the address keeps', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await fill(trail, 40, (seq) => ({ message: JSON.stringify({ msg: `call ${seq}`, user: { id: seq * 11 } }) }));
  await page.goto(`${site.url}/t/demo?seq=3`);
  await marked(trail, 3);
  await page.keyboard.press('Home');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.locator('.details').getByRole('button', { name: 'Column for user.id' }).press('Enter');
  const cells = page.locator('.cell');
  await page.locator('[data-seq="4"] .cell').getByText('44', { exact: true }).waitFor();
  await page.reload();
  await page.locator('[data-seq="5"] .cell').getByText('55', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Take the column user.id away' }).click();
  await until('no column', async () => (await cells.count()) === 0);
  assert.ok(!page.url().includes('pin='));
});

test('chips say what they would show under the filters that are on', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await fill(trail, 300, (seq) => ({
    level: seq % 3 === 0 ? 'ERROR' : 'INFO',
    source: seq % 2 === 0 ? 'git' : 'npm',
    message: seq % 5 === 0 ? 'five' : 'other',
  }));
  await page.goto(`${site.url}/t/demo?q=five`);
  await page.getByText('60 of 300').waitFor();
  const chip = (name: RegExp) => page.getByRole('button', { name });
  await chip(/ERROR 20/).click();
  await page.getByText('20 of 300').waitFor();
  await chip(/INFO 40/).waitFor();
  await chip(/\[git\] 10/).waitFor();
  await page.keyboard.press('0');
  await chip(/\[git\] 30/).waitFor();
});

test('5,000 selected lines are copied as the API has them', page, async (t) => {
  const trail = await visit(t, CLIPBOARD);
  const { site, page } = trail;
  await fill(trail, 6_000, (seq) => ({ message: `line ${seq} \u00e9 \u{1f600}\tend ` }));
  await page.goto(`${site.url}/t/demo?seq=1000`);
  await marked(trail, 1_000);
  await page.goto(`${site.url}/t/demo?seq=1000-5999`);
  await marked(trail, 1_000);
  await page.keyboard.press('c');
  await page.getByText('Copied 5,000 lines').waitFor();
  const answer = await fetch(`${site.url}/api/tasks/demo/logs?after=999&limit=5000`);
  const { logs } = (await answer.json()) as { logs: readonly { message: string }[] };
  assert.equal(logs.length, 5_000);
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, logs.map(({ message }) => message).join('\n'));
});

test(
  'a selection with the mouse copies clean text, also when its first line has left the document',
  page,
  async (t) => {
    const trail = await visit(t, CLIPBOARD);
    const { site, page } = trail;
    await fill(trail, 2_000, (seq) => ({ message: `\u001b[31mline\u001b[0m ${seq}` }));
    await site.change('demo', { status: 'completed' });
    await page.goto(`${site.url}/t/demo`);
    await rowsOf(page).first().waitFor();
    const at = async (seq: number, part: number): Promise<[number, number]> => {
      const box = await page.locator(`[data-seq="${seq}"] .text`).boundingBox();
      assert.ok(box);
      return [box.x + box.width * part, box.y + box.height / 2];
    };
    await page.mouse.move(...(await at(2, 0.02)));
    await page.mouse.down();
    await page.mouse.move(...(await at(5, 0.98)), { steps: 4 });
    await page.keyboard.press('Control+c');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'line 2\nline 3\nline 4\nline 5');
    for (let n = 0; n < 8; n += 1) {
      await page.mouse.wheel(0, 400);
      await page.waitForFunction(() => new Promise((resolve) => requestAnimationFrame(() => resolve(true))));
    }
    await until('line 2 to have left the document', async () => (await page.locator('[data-seq="2"]').count()) === 0);
    const last = (await seqsOf(page)).find((_, i, all) => i === all.length - 20) ?? 0;
    await page.mouse.move(...(await at(last, 0.5)), { steps: 2 });
    await page.mouse.up();
    await page.keyboard.press('Control+c');
    const lines = Array.from({ length: last - 1 }, (_, i) => `line ${i + 2}`).join('\n');
    await until('the copy', async () => (await page.evaluate(() => navigator.clipboard.readText())) === lines);
  },
);

test('a download has as many lines as its menu says, under any filter', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await fill(trail, 900, (seq) => ({
    level: (['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const)[seq % 4] ?? 'INFO',
    source: ['git', 'npm', 'ci'][seq % 3] ?? 'ci',
    message: `\u001b[32m${seq % 7 === 0 ? 'seven' : 'other'}\u001b[0m`,
  }));
  const filters = ['level=ERROR', 'source=git,npm', 'q=seven', 'level=INFO&source=ci&q=-seven', 'find=seven&only=0'];
  for (const [n, filter] of filters.entries()) {
    await page.goto(`${site.url}/t/demo?${filter}`);
    await page.locator('[data-connection=live]').waitFor();
    if (filter.startsWith('find')) await page.getByText('all searched').waitFor();
    else await page.getByText('of 900').waitFor();
    await page.keyboard.press('Shift+D');
    const told = Number(await page.locator('[data-lines]').getAttribute('data-lines'));
    assert.ok(told > 0 && told < 900, filter);
    if (n === 0) await page.getByLabel('compressed').check();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: '.log, plain text' }).first().click(),
    ]);
    const bytes = await readFile(await file.path());
    const text = (n === 0 ? gunzipSync(bytes) : bytes).toString();
    assert.equal(text.trimEnd().split('\n').length, told, filter);
    assert.ok(!text.includes('\u001b'), 'plain text');
  }
});

test('the bars show the lines over time: a click goes there, a drag limits the range', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await fill(trail, 6_000, (seq) => (seq > 3_000 && seq < 3_100 ? { level: 'ERROR' } : {}));
  await site.change('demo', { status: 'completed' });
  await page.goto(`${site.url}/t/demo?histogram=1`);
  const bars = page.getByRole('slider', { name: 'Lines over time' });
  await bars.locator('.error').first().waitFor();
  const box = await bars.boundingBox();
  assert.ok(box);
  const y = box.y + box.height / 2;
  await page.mouse.click(box.x + box.width * 0.75, y);
  await until('about line 4,500', async () => (await seqsOf(page)).some((seq) => Math.abs(seq - 4_500) < 80));
  await page.mouse.move(box.x + box.width * 0.5, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, y, { steps: 3 });
  await page.mouse.up();
  await page.getByText(/^6\d\d of 6,000|^5\d\d of 6,000/).waitFor();
  await page.getByRole('button', { name: 'All times' }).click();
  await until('all lines', async () => (await page.getByText('of 6,000').count()) === 0);
  await page.keyboard.press('h');
  await until('the bars to go', async () => (await bars.count()) === 0);
});

test(
  'after a pause: how many lines and errors are new, the first of them, a tint, and what is new since the last visit',
  page,
  async (t) => {
    const trail = await visit(t);
    const { site, page } = trail;
    await fill(trail, 500);
    await page.goto(`${site.url}/t/demo`);
    await until('the end', () => inView(page, 500));
    await page.keyboard.press('p');
    await site.lines('demo', [...Array.from({ length: 99 }, (_, i) => `new ${i}`), { message: 'bad', level: 'ERROR' }]);
    await page.getByText('100 new lines').waitFor();
    await page.getByText('(1 error)').waitFor();
    // Under another filter it is told what of it is new.
    await page.getByPlaceholder('Search logs...').fill('new');
    await page.getByText('99 new lines').waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByText('100 new lines').waitFor();
    await page.getByText('(1 error)').waitFor();
    await page.getByRole('button', { name: 'Jump to first new' }).click();
    await current(trail, 501);
    await page.getByText('Paused', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Jump to Bottom' }).click();
    await page.locator('.fresh[data-seq="600"]').waitFor();
    await until('the tint to go', async () => (await page.locator('.fresh').count()) === 0);
    await page.goto('about:blank');
    await site.lines('demo', ['later']);
    await page.goto(`${site.url}/t/demo`);
    await page.getByText('new since you left').waitFor();
    await page.getByRole('button', { name: 'Clear above' }).click();
    await site.lines('demo', ['only this']);
    await until('the older lines to be hidden', async () => (await seqsOf(page)).join() === '602');
    await page.getByRole('button', { name: /older lines are cleared away/ }).click();
    await until('all of them again', async () => (await seqsOf(page)).length > 20);
  },
);

test('what is shown and how is kept in the address: wrap, times, full screen', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await fill(trail, 300, () => ({ message: `${'wide '.repeat(100)}end` }));
  await page.goto(`${site.url}/t/demo?seq=150`);
  await marked(trail, 150);
  await page.keyboard.press('a');
  await until('taller rows', async () => ((await page.locator('[data-seq="150"]').boundingBox())?.height ?? 0) > 60);
  await until('the line still seen', () => inView(page, 150));
  await page.keyboard.press('End');
  await until('the last line', () => inView(page, 300));
  await page.keyboard.press('z');
  await page.keyboard.press('v');
  await page.waitForURL(/wrap=1&full=1&time=utc/);
  await page.reload();
  await until('taller rows', async () => ((await rowsOf(page).last().boundingBox())?.height ?? 0) > 60);
  await page.getByRole('button', { name: 'UTC' }).waitFor();
  await until('the linked line', () => inView(page, 150));
  assert.equal((await page.locator('.panel').boundingBox())?.y, 0);
});

test('the end that is rested on is not followed while a search is open, and is once it is closed', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await fill(trail, 300);
  await page.goto(`${site.url}/t/demo`);
  await until('the end', () => inView(page, 300));
  const paused = page.locator('[data-paused]');
  const restAt = async (seq: number): Promise<void> => {
    await page.locator('[role=log]').hover();
    await page.mouse.wheel(0, -300);
    await until('to leave the end', async () => !(await inView(page, seq)));
    await page.mouse.wheel(0, 3_000);
    await until('the end', () => inView(page, seq));
  };
  await page.keyboard.press('Control+f');
  await page.getByPlaceholder('Find in all lines...').fill('line 30');
  await page.getByText('all searched').waitFor();
  await restAt(300);
  // The page's own timers run in the order of their ends: this one ends after that of the rest.
  await page.evaluate(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 600)))),
  );
  assert.equal(await paused.count(), 1);
  await site.lines('demo', ['later']);
  await page.getByText('1 new line', { exact: false }).waitFor();
  assert.equal(await inView(page, 301), false);
  await page.getByPlaceholder('Find in all lines...').press('Escape');
  await restAt(301);
  await until('to follow', async () => (await paused.count()) === 0);
});

test('who may not see a task, or not its lines any more, is told so', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await fill(trail, 50);
  const json = { code: 'forbidden', detail: 'It belongs to another team.', request_id: 'r-7' };
  // A proxy in front may say so; the server itself shows a task to each reader.
  await page.route('**/api/tasks/demo', (route) => route.fulfill({ status: 403, json }));
  await page.goto(`${site.url}/t/demo`);
  await page.getByRole('heading', { name: 'You may not see this task' }).waitFor();
  const card = page.getByRole('alert');
  await card.getByText('It belongs to another team.').waitFor();
  await card.getByText('forbidden').waitFor();
  assert.equal(await rowsOf(page).count(), 0);
  await page.unroute('**/api/tasks/demo');
  await page.getByRole('button', { name: 'Retry' }).click();
  await until('the lines', () => inView(page, 50));
  await page.route('**/api/tasks/demo/logs?*', (route) => route.fulfill({ status: 403, json }));
  await page.getByPlaceholder('Search logs...').fill('line 4');
  await page.getByRole('heading', { name: 'The lines cannot be read' }).waitFor();
  assert.ok((await rowsOf(page).count()) > 20, 'what was read stays');
});

test('each state of the panel says what it is: loading, empty, failing, ended, deleted', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  const lines = `**/api/tasks/demo/logs?*`;
  await fill(trail, 50);
  let broken = true;
  const hold = Promise.withResolvers<void>();
  await page.route(lines, async (route) => {
    await hold.promise;
    if (broken) await route.fulfill({ status: 503, json: { code: 'store_unavailable', detail: 'The disk is away.' } });
    else await route.continue();
  });
  await page.goto(`${site.url}/t/demo`);
  await page.locator('.skeleton').waitFor();
  await page.getByRole('heading', { name: 'demo' }).waitFor();
  hold.resolve();
  await page.getByText('The disk is away.').waitFor();
  broken = false;
  await page.getByRole('button', { name: 'Retry' }).click();
  await until('the lines', () => inView(page, 50));
  broken = true;
  await page.keyboard.press('Home');
  await page.getByPlaceholder('Search logs...').fill('line 4');
  await page.getByText('The disk is away.').waitFor();
  assert.ok((await rowsOf(page).count()) > 20, 'what was read stays');
  broken = false;
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByText('14 of 50').waitFor();
  await site.change('demo', { status: 'completed', result: { tests: 12 } });
  await page.locator('[data-ended]').getByText('Result {"tests":12}').waitFor();
  await site.intake.deleteTask('demo', 'olga');
  await page.reload();
  await page.getByText('This task was deleted').waitFor();
  await page.getByText('by olga').waitFor();
});
