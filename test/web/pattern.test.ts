import assert from 'node:assert/strict';
import { test } from 'node:test';
import { template } from '../../src/core/template.ts';
import { filterFor, wordsOf } from '../../src/web/lib/pattern.ts';
import { noBrowser, seqsOf, until, visit } from './support.ts';

function words(message: string): string | undefined {
  return wordsOf({ template: template(message), sample: { message } });
}

test('a pattern is searched for by its longest words, such as stand in its lines', () => {
  assert.equal(words('step 3 of 12 could not be read'), 'could not be read');
  assert.equal(words('two  spaces 1 here'), 'spaces');
  assert.equal(words('12 34'), undefined);
  assert.equal(words('open "C:\\x\\y" failed'), '" failed');
});

test('the search for a pattern takes the place of the query, and leaves the rest of the filter', () => {
  const filter = filterFor({ levels: ['ERROR'], search: 'x' }, 'said "no"');
  assert.deepEqual([filter.levels, filter.search], [['ERROR'], undefined]);
  assert.deepEqual(filter.query?.expr, { op: 'text', text: 'said "no"' });
});

test('the patterns of a failed task show what is new, and a click shows its lines', { skip: noBrowser }, async (t) => {
  const { site, page } = await visit(t);
  const steps = Array.from({ length: 5 }, (_, n) => `step ${n} of 5`);
  await site.task({ taskId: 'good', title: 'Nightly', createdAt: '2026-01-24T10:00:00.000Z' });
  await site.lines('good', steps);
  await site.change('good', { status: 'completed' });
  await site.task({ taskId: 'bad', title: 'Nightly', createdAt: '2026-01-25T10:00:00.000Z' });
  await site.lines('bad', [...steps, { message: 'refused by 10.0.0.7', level: 'ERROR' }]);
  await site.change('bad', { status: 'failed', error: 'refused' });
  await page.goto(`${site.url}/t/bad`);
  await page.getByRole('button', { name: 'Patterns' }).click();
  const list = page.getByRole('region', { name: 'Patterns' });
  await list.getByText('2 patterns in 6 lines').waitFor();
  await list.getByText('1 new since').waitFor();
  const rows = await list.getByRole('listitem').locator('code').allTextContents();
  assert.deepEqual(rows, ['refused by <ip>', 'step <n> of <n>']);
  assert.equal(await list.locator('.new').count(), 1);
  assert.match((await list.getByRole('link', { name: 'Nightly' }).getAttribute('href')) ?? '', /t\/good$/);
  await list.getByText('refused by <ip>').click();
  await page.getByText('1 of 6').waitFor();
  await until('the line of the pattern', async () => (await seqsOf(page)).join() === '6');
});
