import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from 'playwright-core';
import type { JsonObject } from '../../src/core/entry.ts';
import { SECTION_GROUPS } from '../../src/web/lib/sections.ts';
import { noBrowser, type Site, until, visit } from './support.ts';

const page = { skip: noBrowser };
const SECTIONS = SECTION_GROUPS.flatMap(({ sections }) => [...sections]);
const TOKEN = `ghp_${'a1B2'.repeat(9)}`;

/** Themes differ in their colours: what else may be wrong is looked for in one of them. */
async function axe(page: Page, theme = 'light'): Promise<void> {
  const builder = new AxeBuilder({ page }).include('.screen');
  if (theme !== 'light') builder.withRules('color-contrast');
  const { violations } = await builder.analyze();
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
    [],
  );
}

/** The first card of a section, when what it reads is there. */
async function opened(page: Page, site: Site, id: string): Promise<Locator> {
  await page.goto(`${site.url}/settings#${id}`);
  const card = page.locator(`#${id}`);
  await card.waitFor();
  await until('the skeletons to go', async () => (await page.locator('.skeleton').count()) === 0);
  return card;
}

/** Tasks that ended long ago. */
async function ended(site: Site, ...taskIds: readonly string[]): Promise<void> {
  const completedAt = '2026-01-24T10:00:00.000Z';
  for (const taskId of taskIds) {
    await site.task({ taskId, status: 'completed', startedAt: '2026-01-24T09:00:00.000Z', completedAt });
    await site.lines(taskId, ['one', 'two']);
  }
}

async function recorded(site: Site, action: string, id: string, details: JsonObject | null = null): Promise<void> {
  const actor = { kind: 'cli', name: 'ann', role: null, address: null } as const;
  await site.intake.audit({ actor, action, target: { type: 'task', id }, outcome: 'done', requestId: null, details });
}

function shown(page: Page): Promise<string[]> {
  return page.locator('.shown > .settings-section').evaluateAll((cards) => cards.map(({ id }) => id));
}

for (const theme of ['light', 'dark', 'contrast']) {
  test(`each section opens by its address, without a finding of axe in the ${theme} theme${theme === 'light' ? ', and fits 360 pixels' : ''}`, {
    ...page,
    timeout: 120_000,
  }, async (t) => {
    const { site, page } = await visit(t);
    await ended(site, 'old');
    await recorded(site, 'task.delete', 'gone');
    await page.addInitScript((name) => localStorage.setItem('tasktrail.theme', name), theme);
    for (const { id, name } of SECTIONS) {
      await opened(page, site, id);
      assert.equal((await shown(page))[0], id);
      assert.equal(await page.getByRole('link', { name, exact: true }).getAttribute('aria-current'), 'page');
      await axe(page, theme);
      if (theme !== 'light') continue;
      await page.setViewportSize({ width: 360, height: 740 });
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, id);
      await page.setViewportSize({ width: 1280, height: 800 });
    }
  });
}

test('the index leads from section to section, and back goes back', page, async (t) => {
  const { site, page } = await visit(t);
  await page.goto(`${site.url}/settings`);
  await page.getByRole('heading', { name: 'Logging Configuration' }).waitFor();
  await page.getByRole('link', { name: 'Limits' }).click();
  await page.getByRole('cell', { name: 'body_too_large' }).waitFor();
  assert.equal(new URL(page.url()).hash, '#limits');
  await page.getByRole('link', { name: 'Webhooks' }).click();
  await page.getByRole('heading', { name: 'Webhooks' }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { name: 'Limits' }).waitFor();
  await page.goto(`${site.url}/settings?section=about`);
  await page.getByRole('heading', { name: 'About' }).waitFor();
});

test(
  'a change of logging is marked until it is saved, can be discarded and undone, and its answer is told',
  page,
  async (t) => {
    const { site, page } = await visit(t);
    const card = await opened(page, site, 'logging');
    const level = card.getByLabel('Server log level');
    assert.equal(await card.getByRole('button', { name: 'Undo' }).count(), 0);
    await level.selectOption('ERROR');
    await card.getByText('not saved', { exact: true }).waitFor();
    await card.getByText('1 not saved').waitFor();
    await card.getByRole('button', { name: 'Discard' }).click();
    assert.equal(await level.inputValue(), 'INFO');
    await level.selectOption('ERROR');
    await card.getByRole('button', { name: 'Save' }).click();
    await card.getByText('The server answered: log level ERROR, task log level DEBUG').waitFor();
    await card.getByRole('button', { name: 'Undo' }).click();
    await card.getByText('Undone.').waitFor();
    assert.equal(await level.inputValue(), 'INFO');
    await card.getByLabel('Task log level').selectOption('WARNING');
    await card.getByText('lines below WARNING are gone for good').waitFor();
  },
);

test('what the server refuses is told at its field', page, async (t) => {
  const { site, page } = await visit(t);
  const card = await opened(page, site, 'logging');
  await page.route('**/api/settings/logging', async (route) => {
    if (route.request().method() !== 'PATCH') return route.continue();
    await route.continue({ postData: '{"level":"LOUD"}' });
  });
  await card.getByLabel('Server log level').selectOption('ERROR');
  await card.getByRole('button', { name: 'Save' }).click();
  await card.getByText('expected DEBUG, INFO, WARNING, ERROR or null', { exact: true }).waitFor();
  await card.getByText('not saved', { exact: true }).waitFor();
});

test(
  'a text is tried as it is typed: each secret is marked by its kind, also by a rule that is not set',
  page,
  async (t) => {
    const redactionRules = [{ name: 'employee', pattern: 'EMP-[0-9]{6}', kind: 'person' }];
    const { site, page } = await visit(t, {}, { redactionRules });
    await ended(site, 'a');
    await site.lines('a', [`the token is ${TOKEN}`]);
    const card = await opened(page, site, 'redaction');
    await card.locator('.counts').getByText('github-token').waitFor();
    await card
      .getByRole('row', { name: /employee/ })
      .getByText('[redacted:person]')
      .waitFor();
    const tester = page.getByRole('region', { name: 'Try it' });
    await tester.getByLabel('Text').fill(`push with ${TOKEN} by ticket T-77\u202e`);
    await tester.getByText('1 place would be masked.').waitFor();
    assert.match((await tester.locator('mark').textContent()) ?? '', /^ghp_.*github-token$/);
    const stored = tester.getByLabel('As it would be stored');
    assert.equal(await stored.textContent(), 'push with [redacted:github-token] by ticket T-77‹RLO›');
    await axe(page);
    await tester.getByText('Try a rule that is not set').click();
    await tester.getByLabel('Name').fill('ticket');
    await tester.getByLabel('Pattern').fill('T-[0-9');
    await tester.getByRole('alert').waitFor();
    await tester.getByLabel('Pattern').fill('T-[0-9]+');
    await tester.getByText('2 places would be masked.').waitFor();
    await tester.locator('mark').filter({ hasText: 'rule ticket' }).waitFor();
    assert.ok(!page.url().includes('ghp_'));
    assert.equal(
      await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }).includes('ghp_')),
      false,
    );
    await tester.getByLabel('Text').fill('x'.repeat(65_537));
    await tester.getByText('expected at most 65,536 characters, got 65,537').waitFor();
  },
);

test('a preview says what would go; it goes when the number is typed, and the audit has it', page, async (t) => {
  const { site, page } = await visit(t, {}, { retentionDays: 36_000 });
  await ended(site, 'old-a', 'old-b');
  await site.task({ taskId: 'runs' });
  await opened(page, site, 'retention');
  const card = page.getByRole('region', { name: 'What would go now' });
  await card.getByRole('button', { name: 'Preview' }).click();
  await card.getByText('Nothing would go.').waitFor();
  await card.getByLabel('Days after the end').fill('soon');
  await card.getByText('expected whole days, 0–36500').waitFor();
  assert.ok(await card.getByRole('button', { name: 'Preview' }).isDisabled());
  await card.getByLabel('Days after the end').fill('1');
  await card.getByLabel('Disk limit').fill('1 GB');
  await card.getByRole('button', { name: 'Preview' }).click();
  await card.getByText('2 tasks with 4 lines would go').or(card.getByText('would go, about')).first().waitFor();
  assert.match((await card.textContent()) ?? '', /2 tasks with 4 lines would go.*2 by age, 0 by the disk limit/s);
  await card.getByRole('row', { name: /old-a/ }).waitFor();
  await axe(page);
  const act = card.getByRole('button', { name: 'Delete 2 tasks' });
  assert.ok(await act.isDisabled());
  await card.getByLabel('Type 2 to confirm').fill('3');
  assert.ok(await act.isDisabled());
  await card.getByLabel('Type 2 to confirm').fill('2');
  await act.click();
  await card.getByText('Nothing would go.').waitFor();
  assert.equal((await site.store.tasks({})).tasks.length, 1);
  const audit = await opened(page, site, 'audit');
  await audit.getByRole('row', { name: /retention.delete/ }).waitFor();
});

test(
  'storage says what is not well and how to mend it, and a server that cannot store is told everywhere',
  page,
  async (t) => {
    const { site, page } = await visit(t);
    let healthy = true;
    await site.stop();
    site.around = {
      room: async () => ({ diskBytes: 100e9, diskFreeBytes: 5e8, walBytes: 1_000, spoolBatches: 2 }),
      health: () => ({ healthy, store: 'memory', redis: null }),
    };
    await site.start();
    const card = await opened(page, site, 'storage');
    const checks = card.getByRole('list', { name: 'Checks' });
    await checks.getByText('500.0 MB free of 100.0 GB').waitFor();
    await checks.getByText('2 batches of tasktrail run wait').waitFor();
    await checks.getByText('Lines are stored as they come').waitFor();
    healthy = false;
    await page.reload();
    await checks.getByText('Storage full, ingest refused').waitFor();
    await checks.getByText('Make room on the disk').waitFor();
    await card.locator('.tone.error').waitFor();
    await axe(page);
    await page.getByRole('link', { name: 'Limits' }).click();
    await page.getByRole('alert').getByRole('link', { name: 'See what to do' }).click();
    await card.waitFor();
  },
);

test('the audit is filtered by the address, paged, and taken along as a file', page, async (t) => {
  const { site, page } = await visit(t);
  for (let n = 1; n <= 103; n++) {
    const action = n % 2 === 0 ? 'task.delete' : 'setting.change';
    const details = { level: { before: 'INFO', after: '<b>ERROR</b>' } };
    await recorded(site, action, `t-${n}`, details);
  }
  const card = await opened(page, site, 'audit');
  const rows = card.locator('tbody tr');
  await rows.nth(99).waitFor();
  await card.getByRole('button', { name: 'Older records' }).click();
  await rows.nth(102).waitFor();
  assert.equal(await card.getByRole('button', { name: 'Older records' }).count(), 0);
  await rows.first().getByText('Details').click();
  await rows.first().getByText('<b>ERROR</b>').waitFor();
  await card.getByLabel('Action').fill('Not An Action');
  await card.getByText('expected names like task.delete').waitFor();
  await card.getByLabel('Action').fill('task.*');
  await card.getByRole('button', { name: 'Show' }).click();
  await card.getByText('51 records').waitFor();
  assert.equal(new URL(page.url()).search, '?action=task.*');
  await page.reload();
  await card.getByText('51 records').waitFor();
  const loading = page.waitForEvent('download');
  await card.getByRole('link', { name: 'CSV' }).click();
  const file = await (await loading).createReadStream();
  let text = '';
  for await (const chunk of file) text += chunk;
  assert.equal(text.trim().split('\r\n').length, 52);
  await card.getByLabel('From').fill('2020-01-01T00:00');
  await card.getByLabel('Before').fill('2019-01-01T00:00');
  await card.getByText('expected a time after the first').waitFor();
  await card.getByLabel('Before').fill('2021-01-01T00:00');
  await card.getByRole('button', { name: 'Show' }).click();
  await card.getByText('Nothing is on record that matches.').waitFor();
  await card.getByRole('button', { name: 'Clear' }).click();
  await card.getByText('100 records').waitFor();
});

test('a reader sees what a reader may, fields are off, and each says why', page, async (t) => {
  const tokens = [{ role: 'reader', token: 'reader-token' }] as const;
  const { site, page } = await visit(t, { extraHTTPHeaders: { authorization: 'Bearer reader-token' } }, { tokens });
  for (const [id, reason] of [
    ['logging', 'Only an admin may change this'],
    ['redaction', 'Only an admin may see the rules'],
    ['retention', 'Only an admin may see and delete what is too old'],
    ['audit', 'Only an admin may read the audit'],
  ] as const) {
    await opened(page, site, id);
    await page.getByText(reason).waitFor();
    await page.locator('.tone.read-only').first().waitFor();
    const fields = page.locator('.shown').locator('input, select, textarea');
    for (const field of await fields.all()) assert.ok(await field.isDisabled(), id);
    assert.equal(await page.getByRole('alert').count(), 0);
    await axe(page);
  }
});

test('what cannot be read is told with its reason and read again; what was read stays', page, async (t) => {
  const { site, page } = await visit(t);
  await page.route('**/api/about', (route) => route.abort(), { times: 1 });
  await page.goto(`${site.url}/settings#about`);
  await page.getByText('What runs here cannot be read').waitFor();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByText('0.0.0-test').first().waitFor();
  assert.equal(await page.getByText('What runs here cannot be read').count(), 0);
});

test('while the server does not answer nothing can be saved, and it goes on by itself', page, async (t) => {
  const { site, page } = await visit(t);
  await page.clock.install();
  const card = await opened(page, site, 'logging');
  await card.getByLabel('Server log level').selectOption('ERROR');
  await site.stop();
  await page.clock.runFor(11_000);
  await page.getByText('Reconnecting...').waitFor();
  assert.ok(await card.getByRole('button', { name: 'Save' }).isDisabled());
  await site.start();
  await page.clock.runFor(3_000);
  await page.getByText('Reconnecting...').waitFor({ state: 'detached' });
  await card.getByRole('button', { name: 'Save' }).click();
  await card.getByText('Saved.').waitFor();
});

test('the theme and the times are chosen for this browser, and kept', page, async (t) => {
  const { site, page } = await visit(t);
  await opened(page, site, 'appearance');
  await page.getByLabel('High contrast').check();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'contrast');
  await page.getByLabel('UTC').check();
  await page.getByLabel('Lines that repeat are told once').uncheck();
  await page.reload();
  await page.getByLabel('High contrast').and(page.locator(':checked')).waitFor();
  assert.ok(await page.getByLabel('UTC').isChecked());
  assert.equal(await page.getByLabel('Lines that repeat are told once').isChecked(), false);
});
