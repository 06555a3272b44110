import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { noBrowser, type Site, visit } from './support.ts';

const page = { skip: noBrowser };
const tokens = [
  { role: 'admin', token: 'a-secret', name: 'root' },
  { role: 'reader', token: 'r-secret', name: 'guest' },
] as const;

async function axe(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
    [],
  );
}

/** Take away all sessions, as revoking their token does. */
async function endSessions({ store }: Site): Promise<void> {
  const { list = [] } = (await store.credentials()) ?? {};
  await store.changeCredentials({ remove: list.filter(({ kind }) => kind === 'session').map(({ id }) => id) });
}

test('with tokens a card asks for one, and the view goes on where it was', page, async (t) => {
  const { site, page } = await visit(t, {}, { tokens });
  await site.task({ taskId: 'task-a', title: 'The first', runner: 'plugin:demo', status: 'executing' });
  await site.lines('task-a', ['one', { message: 'two', level: 'ERROR' }]);
  await page.goto(`${site.url}/t/task-a?level=ERROR`);
  const card = page.getByRole('dialog', { name: 'Sign in to tasktrail' });
  await card.getByLabel('Token').and(page.locator(':focus')).waitFor();
  await axe(page);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await card.getByLabel('Token').fill('wrong');
  await card.getByRole('button', { name: 'Sign in' }).click();
  await card.getByText('This token opens nothing').waitFor();
  await card.getByLabel('Token').fill('a-secret');
  await page.keyboard.press('Enter');
  await card.waitFor({ state: 'detached' });
  await page.getByText('two', { exact: true }).waitFor();
  assert.match(page.url(), /\/t\/task-a\?level=ERROR/);
  await page.getByRole('banner').getByText('root').waitFor();

  // The session ends while the task is followed; what came meanwhile is shown once somebody is back.
  await endSessions(site);
  await card.waitFor();
  await site.lines('task-a', [{ message: 'three', level: 'ERROR' }]);
  await card.getByLabel('Token').fill('r-secret');
  await page.keyboard.press('Enter');
  await page.getByText('three', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await card.waitFor();
});

test('a reader is offered nothing that only others may do', page, async (t) => {
  const { site, page } = await visit(t, {}, { tokens });
  await site.task({ taskId: 'task-a', runner: 'plugin:demo', status: 'executing' });
  await site.lines('task-a', ['one']);
  await page.goto(`${site.url}/`);
  await page.getByLabel('Token').fill('r-secret');
  await page.keyboard.press('Enter');
  await page.getByRole('banner').getByText('guest').waitFor();
  await page.getByText('task-a').first().waitFor();
  assert.equal(await page.getByRole('button', { name: 'Run…' }).count(), 0);
  await page.goto(`${site.url}/t/task-a`);
  await page.getByText('one', { exact: true }).waitFor();
  await page.getByRole('banner').getByText('guest').waitFor();
  for (const name of ['Cancel', 'Pause', 'Share…']) {
    assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
  }
  await page.goto(`${site.url}/settings#tokens`);
  await page.getByRole('region', { name: 'Access tokens' }).getByText('Only an admin may see').waitFor();
  await page.getByRole('link', { name: 'Logging' }).click();
  await page.getByText('Only an admin may change this').waitFor();
  assert.ok(await page.getByRole('region', { name: 'Logging' }).getByRole('button', { name: 'Save' }).isDisabled());
});

test('a token is made in the settings, shown once, copied, and revoked', page, async (t) => {
  const { site, page } = await visit(t, { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(`${site.url}/settings#tokens`);
  const section = page.getByRole('region', { name: 'Access tokens' });
  await section.getByText('There is none yet.').waitFor();
  await section.getByRole('button', { name: 'Add token' }).click();
  const form = page.getByRole('dialog', { name: 'Add a token' });
  await form.getByRole('button', { name: 'Make token' }).click();
  await form.getByLabel('Name').and(page.locator('[aria-invalid=true]')).waitFor();
  await form.getByLabel('Name').fill('ci');
  await form.getByLabel('Role').selectOption({ label: 'Writer: runs and changes tasks' });
  await axe(page);
  await form.getByRole('button', { name: 'Make token' }).click();
  const token = await section.getByLabel('The new token', { exact: true }).textContent();
  assert.match(token ?? '', /^tt_[\w-]{43}$/);
  await section.getByRole('button', { name: 'Copy: The new token' }).click();
  await section.getByText('Copied', { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token);
  await axe(page);
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await fetch(`${site.url}/api/tasks`, { headers })).status, 200);
  await page.reload();
  const item = section.getByRole('listitem', { name: 'ci' });
  await item.getByText('just now').first().waitFor();
  assert.equal(await page.getByText(token ?? '').count(), 0);
  await item.getByRole('button', { name: 'Revoke' }).click();
  await item.getByRole('button', { name: 'Revoke it now' }).click();
  await item.waitFor({ state: 'detached' });
  assert.equal((await fetch(`${site.url}/api/tasks`, { headers })).status, 401);
});

test(
  'a task is shared by a link that shows it to somebody without a token, and to nobody once it is revoked',
  page,
  async (t) => {
    const { site, page } = await visit(t, {}, { tokens });
    await site.task({ taskId: 'task-a', title: 'The first', runner: 'plugin:demo', status: 'executing' });
    await site.task({ taskId: 'task-b' });
    await site.lines('task-a', ['one']);
    await page.goto(`${site.url}/t/task-a`);
    await page.getByLabel('Token').fill('a-secret');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Share…' }).click();
    const form = page.getByRole('dialog', { name: 'Share this task' });
    await form.getByLabel('The link ends after').selectOption({ label: '1 day' });
    await form.getByRole('button', { name: 'Make link' }).click();
    const link = (await form.getByLabel('Link to this task', { exact: true }).textContent()) ?? '';
    await form.getByText('not used yet').waitFor();
    await axe(page);

    const context = await page.context().browser()?.newContext();
    assert.ok(context);
    t.after(() => context.close());
    const guest = await context.newPage();
    await guest.goto(link);
    await guest.getByText('one', { exact: true }).waitFor();
    await guest.getByText('Shared link, read only').waitFor();
    assert.equal(guest.url(), `${site.url}/t/task-a`);
    assert.equal(await guest.getByRole('navigation', { name: 'Screens' }).count(), 0);
    for (const name of ['Cancel', 'Share…', 'Sign out', 'Patterns']) {
      assert.equal(await guest.getByRole('button', { name, exact: true }).count(), 0, name);
    }
    await axe(guest);
    await site.lines('task-a', ['still followed']);
    await guest.getByText('still followed').waitFor();
    await form.getByRole('button', { name: 'Revoke' }).click();
    await form.getByText('Links that hold').waitFor({ state: 'detached' });
    await guest.getByRole('dialog', { name: 'Sign in to tasktrail' }).waitFor();
    await guest.goto(`${site.url}/t/task-b`);
    await guest.getByRole('dialog', { name: 'Sign in to tasktrail' }).waitFor();
    await guest.goto(link);
    await guest.getByRole('heading', { name: 'This link is over' }).waitFor();
  },
);
