import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import { dayAfter, dayAt, daysOf, forecastUsd, scaleTop, short, tasksQuery, usd } from '../../src/web/lib/costs.ts';
import { noBrowser, type Site, visit } from './support.ts';

const page = { skip: noBrowser };
const DAY_MS = 24 * 60 * 60 * 1000;

/** Runs of two models and one without a price, today and on the days before. */
async function seed(site: Site): Promise<void> {
  const runs = [
    { ago: 0, model: 'opus', status: 'completed', costUsd: 2 },
    { ago: 0, model: 'haiku', status: 'failed', costUsd: 0.5 },
    { ago: 3, model: 'opus', status: 'completed', costUsd: 1.25 },
    { ago: 3, model: 'local-llama', status: 'completed', costUsd: null },
  ] as const;
  for (const [n, { ago, model, status, costUsd }] of runs.entries()) {
    const createdAt = new Date(Date.now() - ago * DAY_MS).toISOString();
    const metrics = { costUsd, inputTokens: 1_000, outputTokens: 100, cacheReadTokens: 3_000 };
    await site.task({
      ...{ taskId: `run-${n}`, title: `Run ${n}`, kind: 'agent', model, assignedAgent: 'coder', createdAt },
      ...{ status, completedAt: createdAt, metrics, ...(status === 'failed' && { error: 'exit code 3' }) },
    });
  }
  const call = (n: number) => ({ message: `Read file-${n}.ts`, type: 'tool_call' as const });
  await site.lines('run-0', [call(1), call(2), call(3), { message: 'Bash ls', type: 'tool_call' }]);
}

test('what tasks cost is seen by day and model, adds up, and leads to the tasks behind it', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(site.url);
  await page.getByRole('link', { name: 'Costs', exact: true }).click();
  const bars = page.getByRole('group', { name: /^By day/ }).getByRole('button');
  await bars.first().waitFor();
  assert.equal(await bars.count(), 30);
  const today = dayAt(Date.now());
  assert.equal(await bars.last().getAttribute('title'), `${today}: $2.50, opus $2.00, haiku $0.50`);
  const row = (name: string) =>
    page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  assert.match(await row('local-llama').innerText(), /unpriced/);
  assert.match(await row('opus').innerText(), /2\s+100 %\s+\$3\.25\s+87 %/);
  // The table says what the bars say.
  assert.match(await row('All').innerText(), /4\s+75 %\s+\$3\.75/);
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/costs.png`, fullPage: true });
  await page.getByRole('button', { name: 'Count them' }).click();
  await page
    .getByText('Read file-<n>.ts')
    .or(page.getByText(/Read file/))
    .waitFor();
  await row('opus').getByRole('link').click();
  await page.getByRole('link', { name: /Run 2/ }).waitFor();
  assert.equal(await page.locator('tr[data-task]').count(), 2);
});

test(
  'a press on a day and a stretch of days narrow the range, which the address keeps; "back" widens it',
  page,
  async (t) => {
    const { site, page } = await visit(t);
    await seed(site);
    await page.goto(`${site.url}/costs?range=7d&by=agent&show=runs`);
    const bars = page.getByRole('group', { name: /^By day/ }).getByRole('button');
    await bars.nth(6).waitFor();
    await bars.nth(3).hover();
    await page.mouse.down();
    await bars.nth(4).hover();
    await bars.nth(5).hover();
    await page.mouse.up();
    await page.waitForURL(/from=/);
    const params = new URL(page.url()).searchParams;
    const day = (ago: number) => dayAt(Date.now() - ago * DAY_MS);
    assert.deepEqual([params.get('from'), params.get('to'), params.get('by')], [day(3), day(1), 'agent']);
    await page.getByText(/in 2 runs/).waitFor();
    assert.equal(await bars.count(), 3);
    await bars.first().press('Enter');
    await page.waitForURL(new RegExp(`to=${day(3)}`));
    await page.goBack();
    await page.goBack();
    await bars.nth(6).waitFor();
  },
);

test('the table comes as a file; a range without tasks and tasks without costs say so', page, async (t) => {
  const { site, page } = await visit(t);
  await page.goto(`${site.url}/costs`);
  await page.getByRole('heading', { name: 'Nothing in this range' }).waitFor();
  await site.task({ taskId: 'plain', status: 'completed' });
  await page.reload();
  await page.getByRole('heading', { name: 'No cost reported yet' }).waitFor();
  await page.getByText('/complete').waitFor();
  await seed(site);
  await page.reload();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'CSV', exact: true }).click(),
  ]);
  assert.match(await readFile(await file.path(), 'utf8'), /^model,runs,.*\r\nopus,2,/m);
});

test('costs that cannot be read say why, and "Retry" reads them', page, async (t) => {
  const { site, page } = await visit(t);
  await seed(site);
  await page.goto(`${site.url}/costs`);
  await page.getByText(/in 4 runs/).waitFor();
  await site.stop();
  await page.getByRole('button', { name: '7 days' }).click();
  await page.getByText('The costs cannot be read').waitFor();
  await page.getByText(/in 4 runs/).waitFor();
  await site.start();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByText('The costs cannot be read').waitFor({ state: 'detached' });
});

test('money, sizes and the scale are round where that helps, and what is unknown is no zero', () => {
  assert.deepEqual([null, 0, 0.0042, 0.42, 12.3, 1_204.4].map(usd), [
    '–',
    '$0.00',
    '$0.0042',
    '$0.42',
    '$12.30',
    '$1,204',
  ]);
  assert.deepEqual([null, 812, 12_400, 3_100_000, 2e9].map(short), ['–', '812', '12.4k', '3.1M', '2.0B']);
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (highest) => {
      const top = scaleTop(highest);
      assert.ok(top >= highest * 0.999 && top <= highest * 5.01, `${highest} → ${top}`);
    }),
  );
});

test('a range is days with both ends; the forecast is the month at the pace so far', () => {
  const now = Date.UTC(2026, 10, 21, 12);
  assert.deepEqual(daysOf('7d', now), { from: '2026-11-15', to: '2026-11-21' });
  assert.deepEqual(daysOf('month', now), { from: '2026-11-01', to: '2026-11-21' });
  assert.equal(dayAfter('2026-12-31'), '2027-01-01');
  assert.equal(forecastUsd(20.5, now), 30);
  assert.equal(forecastUsd(20.5, Date.UTC(2026, 10, 1, 12)), null);
  const days = { from: '2026-11-01', to: '2026-11-02' };
  assert.equal(tasksQuery('model', 'a "b"', days), 'model:"a \\"b\\"" after:2026-11-01 before:2026-11-03');
  assert.equal(tasksQuery('agent', null, days), null);
});
