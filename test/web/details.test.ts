import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import type { Plugin } from '../../src/core/plugin.ts';
import { axe } from './axe.ts';
import { noBrowser, rowsOf, type Site, until, visit } from './support.ts';

const page = { skip: noBrowser };

async function hook(site: Site): Promise<void> {
  const sourceMetadata = { provider: 'github', issue_number: 42 };
  await site.task({
    taskId: 'hook',
    title: 'Mend it',
    input: { message: '# Mend\n\n**now**', sourceMetadata },
    params: { retries: 2 },
  });
  const stage = (name: string, at: number, more: object) => ({
    message: name,
    type: 'webhook',
    timestamp: new Date(Date.UTC(2026, 0, 24, 10, 0, 0, at)).toISOString(),
    metadata: { stage: name, ...more },
  });
  await site.lines('hook', [
    stage('received', 0, { payload: { action: 'created' } }),
    stage('validation', 40, { status: 'passed' }),
    stage('immediate_response', 90, { status: 'failed', error: 'GitHub answered 502' }),
    { message: 'working' },
    { message: 'Use the clock', type: 'user_input', metadata: { question_type: 'choice' } },
  ] as never);
  const metrics = { costUsd: 0.5, inputTokens: 1_200, outputTokens: 30 };
  await site.change('hook', { status: 'failed', error: 'It broke', exitCode: 3, result: { tried: 2 }, metrics });
}

function part(page: Page) {
  return page.getByRole('tabpanel');
}

test(
  'the details tell each file of a task as people read it, from their own address, and hand it out',
  page,
  async (t) => {
    const { site, page } = await visit(t, {
      acceptDownloads: true,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await hook(site);
    await page.goto(`${site.url}/t/hook?details=flow`);
    const stages = part(page).locator('ol > li');
    await stages.nth(2).waitFor();
    assert.match((await stages.nth(1).textContent()) ?? '', /validation\s*passed.*\+40 ms/);
    assert.match((await stages.nth(2).textContent()) ?? '', /immediate response\s*failed.*GitHub answered 502/);
    await stages.nth(0).locator('summary').first().click();
    await stages.nth(0).getByText('created').waitFor();
    await axe(page);

    await page.getByRole('tab', { name: 'Webhook flow' }).press('ArrowLeft');
    await page.waitForURL(/details=input/);
    await part(page).getByText('**now**').waitFor();
    await part(page).getByRole('button', { name: 'As Markdown' }).click();
    await part(page).locator('strong', { hasText: 'now' }).waitFor();
    await part(page).getByText('issue_number').waitFor();
    await part(page).getByText('retries').waitFor();
    await axe(page);

    await page.getByRole('tab', { name: 'User inputs' }).click();
    await part(page).getByText('Use the clock').waitFor();
    await page.getByRole('tab', { name: 'Output' }).click();
    await part(page).getByText('working').waitFor();
    assert.equal(await part(page).locator('ol > li').count(), 1);
    await page.getByRole('tab', { name: 'Metadata' }).click();
    await part(page).getByText('assigned_agent').waitFor();

    await page.getByRole('tab', { name: 'Result' }).click();
    for (const text of ['It broke', 'tried', '$0.50', '1,200', 'Failed'])
      await part(page).getByText(text).first().waitFor();
    await axe(page);
    await part(page).getByRole('button', { name: 'Copy', exact: true }).click();
    await part(page).getByRole('button', { name: 'Copied' }).waitFor();
    const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    assert.deepEqual([copied.success, copied.exit_code, copied.metrics.input_tokens], [false, 3, 1_200]);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      part(page).getByRole('link', { name: 'Download' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), '04-final-result.json');
    assert.deepEqual(JSON.parse(await readFile(await download.path(), 'utf8')), copied);

    await page.keyboard.press('Escape');
    await until('the sheet to go', async () => !page.url().includes('details='));
  },
);

test('a part that a task has not is told to be none, and one that cannot be read is read again', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'bare' });
  await page.goto(`${site.url}/t/bare`);
  await page.getByRole('button', { name: 'Details' }).click();
  await part(page).getByText('None: it was started without a message.').waitFor();
  for (const [tab, says] of [
    ['Webhook flow', 'no webhook'],
    ['User inputs', 'nobody was asked'],
    ['Output', 'None yet'],
    ['Result', 'has not ended'],
  ] as const) {
    await page.getByRole('tab', { name: tab }).click();
    await part(page).getByText(says).waitFor();
  }
  const route = /final-result/;
  await page.route(route, (asked) => asked.abort());
  // The sheet stands open when the task ends, and reads its result by itself.
  await site.change('bare', { status: 'completed', result: 'all is well' });
  await part(page).getByRole('alert').waitFor();
  await page.unroute(route);
  await part(page).getByRole('button', { name: 'Retry' }).click();
  await part(page).getByText('all is well').waitFor();
});

test('of a long output the beginning is read, and no more', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'long' });
  await site.lines(
    'long',
    Array.from({ length: 1_200 }, (_, n) => `line ${n + 1}`),
  );
  await page.goto(`${site.url}/t/long?details=output`);
  await part(page).getByText('These are the first 500').waitFor();
  assert.equal(await part(page).locator('ol > li').count(), 500);
});

test(
  'title, tags, owner and pin are changed from the header, and a task is deleted after a word is typed',
  page,
  async (t) => {
    const { site, page } = await visit(t, { permissions: ['clipboard-read', 'clipboard-write'] });
    await site.task({ taskId: 'one', title: 'Old name' });
    await page.goto(`${site.url}/t/one`);
    const menu = page.getByRole('button', { name: 'More actions' });
    await menu.click();
    await axe(page);
    await page.getByRole('button', { name: 'Copy id' }).click();
    await page.getByRole('button', { name: 'Id copied' }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'one');
    await page.keyboard.press('Escape');
    assert.equal(await menu.getAttribute('aria-expanded'), 'false');
    await menu.click();
    await page.getByRole('button', { name: 'Pin', exact: true }).click();
    await page.getByRole('button', { name: 'Unpin' }).waitFor();
    await page.getByRole('button', { name: /^Edit/ }).click();
    await page.getByLabel('Title', { exact: true }).fill('New name');
    await page.getByRole('textbox', { name: 'Tags' }).fill('ci, nightly');
    await page.getByLabel('Owner').fill('Ada');
    await axe(page);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'New name' }).waitFor();
    await page.getByRole('list', { name: 'Tags' }).getByText('nightly').waitFor();
    const { title, tags, owner, pinned } = await site.store.task('one');
    assert.deepEqual(
      { title, tags, owner, pinned },
      { title: 'New name', tags: ['ci', 'nightly'], owner: 'Ada', pinned: true },
    );

    await menu.click();
    await page.getByRole('button', { name: 'Delete…' }).click();
    const sure = page.getByRole('button', { name: 'Delete the task' });
    assert.equal(await sure.isDisabled(), true);
    await page.getByText('It still runs').waitFor();
    await page.getByLabel(/^Type/).fill('delete');
    await axe(page);
    await sure.click();
    await page.waitForURL((url) => url.pathname === '/');
    assert.equal((await site.store.tasks({})).total, 0);
  },
);

test('a reader sees the details, and nothing that changes a task', page, async (t) => {
  const tokens = [{ role: 'reader', token: 'reader-token' }] as const;
  const { site, page } = await visit(t, { extraHTTPHeaders: { authorization: 'Bearer reader-token' } }, { tokens });
  await site.task({ taskId: 'one' });
  await page.goto(`${site.url}/t/one?run=`);
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('button', { name: 'Copy link' }).waitFor();
  for (const name of [/^Edit/, /^Pin/, /^Delete/, /^Cancel/])
    assert.equal(await page.getByRole('button', { name }).count(), 0);
  await page.goto(`${site.url}/?run=`);
  await page.getByRole('heading', { name: 'Tasks' }).waitFor();
  await page.locator('tr[data-task]').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Run…' }).count(), 0);
  assert.equal(await page.locator('dialog[open]').count(), 0);
});

test(
  'a form has a field for every kind of parameter; it is remembered without its secrets, and filled from a task',
  page,
  async (t) => {
    const { site, page } = await visit(t);
    const seen: unknown[] = [];
    const many: Plugin = {
      id: 'many',
      name: 'Many kinds',
      parameters: {
        type: 'object',
        required: ['mode', 'to'],
        properties: {
          mode: { enum: ['fast', 'safe'] },
          to: { type: 'string', format: 'email' },
          key: { type: 'string', format: 'password', title: 'Access key' },
          ids: { type: 'array', items: { type: 'integer', minimum: 1 }, title: 'Ids' },
          where: { type: 'object', title: 'Where', required: ['city'], properties: { city: { type: 'string' } } },
          more: { type: 'object' },
        },
      },
      execute: (params, { logger }) => {
        seen.push(params);
        logger.info('done');
      },
    };
    site.tasks.register(many);
    for (const n of [1, 2, 3, 4, 5]) site.tasks.register({ id: `other-${n}`, name: `Other ${n}`, execute: () => n });
    await site.tasks.start();
    await page.goto(`${site.url}/?run=`);
    await page.getByLabel('Find what to run').fill('kinds');
    await page.getByText('1 of 6').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/run=plugin%3Amany/);

    await page.getByLabel('to', { exact: false }).first().waitFor();
    const run = page.getByRole('button', { name: 'Run', exact: true });
    await page.getByRole('combobox', { name: /mode/ }).selectOption('"safe"');
    await page.getByRole('textbox', { name: 'to' }).fill('nobody');
    const key = page.getByLabel('Access key');
    assert.equal(await key.getAttribute('type'), 'password');
    await key.fill('open sesame');
    await page.getByRole('button', { name: 'Add to Ids' }).click();
    await page.getByLabel('Ids, row 1').fill('0');
    await page.getByRole('textbox', { name: 'more' }).fill('[1]');
    await run.click();
    for (const text of ['expected a mail address', 'row 1: must be >= 1', 'expected an object'])
      await page.getByText(text).waitFor();
    await axe(page);
    await page.getByRole('textbox', { name: 'to' }).fill('ada@example.org');
    await page.getByLabel('Ids, row 1').fill('7');
    await page.getByRole('button', { name: 'Add another to Ids' }).click();
    await page.getByLabel('Ids, row 2').fill('8');
    await page.getByRole('textbox', { name: 'more' }).fill('{"a":1}');
    await page.getByRole('textbox', { name: 'city' }).fill('Rome');
    await run.click();
    await rowsOf(page).filter({ hasText: 'done' }).waitFor();
    const wanted = { mode: 'safe', to: 'ada@example.org', ids: [7, 8], where: { city: 'Rome' }, more: { a: 1 } };
    assert.deepEqual(seen, [{ ...wanted, key: 'open sesame' }]);

    // Again as it was, in the same place; then with other values.
    const first = new URL(page.url()).searchParams.get('started') ?? '';
    await page.getByRole('button', { name: 'Run again' }).click();
    await until('a second run', async () => seen.length === 2);
    assert.deepEqual(seen[1], seen[0]);
    await page.getByRole('button', { name: 'Change and run…' }).click();
    assert.equal(await page.getByRole('textbox', { name: 'city' }).inputValue(), 'Rome');

    // Another day in the same browser, and from the page of a task that ran: all but the secret.
    for (const address of ['/?run=plugin:many', `/?run=plugin:many&like=${first}`]) {
      await page.goto(`${site.url}${address}`);
      await page.getByLabel('Ids, row 2').waitFor();
      assert.equal(await page.getByRole('textbox', { name: 'city' }).inputValue(), 'Rome', address);
      assert.equal(await key.inputValue(), '', address);
    }
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
    assert.ok(kept.includes('Rome') && !kept.includes('sesame'), kept);
  },
);
