import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { answer, provider } from '../outlet/replies/support.ts';
import { noBrowser, visit } from './support.ts';

const page = { skip: noBrowser };

async function axe(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
    [],
  );
}

test('an alert is previewed, made, tested, switched off, changed and deleted', page, async (t) => {
  const there = await provider(t);
  const { site, page } = await visit(t);
  await site.task({ taskId: 'task-a' });
  await site.lines('task-a', [{ message: 'one', level: 'ERROR' }, { message: 'two', level: 'ERROR' }, 'three']);
  await page.goto(`${site.url}/settings#alerts`);
  const section = page.getByRole('region', { name: 'Alerts' });
  await section.getByText('There is none yet.').waitFor();
  await section.getByRole('button', { name: 'Add alert' }).click();
  const form = page.getByRole('dialog', { name: 'Add an alert' });
  await form.getByLabel('Name').fill('Errors');
  await form.getByLabel('Query').fill('level:erro');
  await form.getByRole('button', { name: 'Preview' }).click();
  await form.getByText('column 7: expected a level').waitFor();
  await form.getByLabel('Query').and(page.locator(':focus')).waitFor();
  await axe(page);
  await form.getByLabel('Query').fill('level:error');
  await form.getByLabel('Fires at').fill('two');
  await form.getByRole('button', { name: 'Add alert' }).click();
  await form.getByLabel('Fires at').and(page.locator('[aria-invalid=true]')).waitFor();
  await form.getByLabel('Fires at').fill('2');
  await form.getByRole('button', { name: 'Preview' }).click();
  await form.getByText('it would have fired once: 2 matches.').waitFor();
  await form.getByLabel('Addresses to post to').fill(`${there.url}/hook`);
  await form.getByLabel('Secret of the addresses').fill('a secret that is long');
  await form.getByRole('button', { name: 'Add alert' }).click();

  const item = section.getByRole('listitem', { name: 'Errors' });
  await item.getByText('2 lines within 300 s; 0 now').waitFor();
  await axe(page);
  await item.getByRole('button', { name: 'Send a test' }).click();
  await item.getByText(`${there.url}: the test was sent`).waitFor();
  assert.equal(there.heard[0]?.path, '/hook');
  assert.ok(there.heard[0]?.headers['x-tasktrail-signature']);
  there.answering = answer(404);
  await item.getByRole('button', { name: 'Send a test' }).click();
  await item.getByText(`${there.url}: HTTP 404`).waitFor();

  await item.getByRole('switch').click();
  await item.getByText('Disabled').waitFor();
  await item.getByRole('button', { name: 'Edit' }).click();
  const change = page.getByRole('dialog', { name: 'Change Errors' });
  await change.getByLabel('What is counted').selectOption({ label: 'Tasks that come to match, each once' });
  await change.getByLabel('Query').fill('status:failed');
  await change.getByRole('button', { name: 'Save' }).click();
  await item.getByText('2 tasks within 300 s').waitFor();
  await page.reload();
  await item.getByText('Disabled').waitFor();
  assert.ok(!(await page.content()).includes('a secret that is long'));

  await item.getByRole('button', { name: 'Delete' }).click();
  await item.getByRole('button', { name: 'Delete it' }).click();
  await section.getByText('There is none yet.').waitFor();
});

test('who may not change alerts is told so', page, async (t) => {
  const tokens = [{ role: 'reader', token: 'reader-token-1234567890' }] as const;
  const headers = { extraHTTPHeaders: { authorization: 'Bearer reader-token-1234567890' } };
  const { site, page } = await visit(t, headers, { tokens });
  await page.goto(`${site.url}/settings#alerts`);
  const section = page.getByRole('region', { name: 'Alerts' });
  await section.getByText('Only an admin may change alerts').waitFor();
  assert.ok(await section.getByRole('button', { name: 'Add alert' }).isDisabled());
});
