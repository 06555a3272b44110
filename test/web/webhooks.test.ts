import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import type { AnyPlugin } from '../../src/core/plugin.ts';
import type { ServerSettings } from '../../src/server/parts.ts';
import { githubPayload, SECRET, signed } from '../support/webhooks.ts';
import { noBrowser, rowsOf, type Site, visit } from './support.ts';

const page = { skip: noBrowser };

const echo: AnyPlugin = {
  id: 'default',
  name: 'Echo',
  takesContext: true,
  execute: ({ prompt }: { prompt: string }, { logger }) => logger.info(`asked: ${prompt}`),
};

async function settings(t: TestContext, options: object = {}, server: Partial<ServerSettings> = {}) {
  const visited = await visit(t, options, server, [echo]);
  await visited.site.tasks.start();
  return visited;
}

async function axe(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`),
    [],
  );
}

/** A delivery of a JSON payload to a URL of this site, with a signature in a header. */
async function deliver(url: string, payload: object, headers: Record<string, string>): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(payload),
  });
}

async function fromGithub(
  site: Site,
  payload: object,
  { secret = SECRET, event = 'issue_comment' } = {},
): Promise<Response> {
  return deliver(`${site.url}/webhooks/github`, payload, {
    'x-github-event': event,
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': `sha256=${signed(secret, JSON.stringify(payload))}`,
  });
}

test('a webhook is made, its secret shown once, tried out, sent to, looked at and replayed', page, async (t) => {
  const { site, page } = await settings(t);
  await page.goto(`${site.url}/settings#webhooks`);
  await page.getByRole('listitem', { name: 'GitHub' }).getByText('nothing came yet').waitFor();
  await page.getByRole('button', { name: 'Add webhook' }).click();
  const form = page.getByRole('dialog', { name: 'Add a webhook' });
  await axe(page);
  await form.getByRole('button', { name: 'Add webhook' }).click();
  await form.getByText('expected what the agent is told').waitFor();
  await form.getByLabel('Name').first().and(page.locator(':focus')).waitFor();
  await axe(page);
  await form.getByLabel('Name').first().fill('Pager');
  await form.getByLabel('Id', { exact: true }).fill('pager-1');
  await form.getByLabel('Sender').selectOption({ label: 'Another one' });
  await form.getByLabel('Name of the sender').fill('pager');
  await form.getByLabel('Header').fill('X-Sign');
  const command = form.getByRole('group', { name: 'Command 1' });
  await command.getByLabel('Name').fill('look');
  await command.getByLabel('What the agent is told').fill('Look at {{title');
  await command.getByLabel('Agent', { exact: true }).selectOption({ label: 'Echo (default)' });
  await command.getByRole('button', { name: 'Add condition' }).click();
  await command.getByLabel('Path of condition 1').fill('level');
  await command.getByLabel('Test of condition 1').selectOption('in');
  await command.getByLabel('Value of condition 1').fill('high, critical');
  await form.getByRole('button', { name: 'Add webhook' }).click();
  await command.locator('[aria-invalid=true]').waitFor();
  await command.getByLabel('What the agent is told').fill('Look at {{title}} on {{host}}');
  await form.getByRole('button', { name: 'Add webhook' }).click();

  const secret = (await page.getByLabel('Secret of Pager', { exact: true }).textContent()) ?? '';
  assert.ok(secret.length > 30);
  await axe(page);
  await page.getByRole('button', { name: 'I have copied it' }).click();
  await page.reload();
  const pager = page.getByRole('listitem', { name: 'Pager' });
  await pager.getByText('HMAC-SHA256 in X-Sign').waitFor();
  assert.ok(!(await page.content()).includes(secret));

  await pager.getByRole('button', { name: 'Try it' }).click();
  await pager.getByLabel('Payload').fill('{"level":"low"}');
  await pager.locator('form').getByRole('button', { name: 'Try it' }).click();
  await pager.getByText('Nothing would run').waitFor();
  await pager.getByText('expected in a list of 2, got "low"').waitFor();
  await pager.getByLabel('Payload').fill('{"level":"high","title":"disk full"}');
  await pager.locator('form').getByRole('button', { name: 'Try it' }).click();
  await pager.getByText('It would start a task').waitFor();
  assert.match((await pager.getByRole('region', { name: 'Prompt' }).textContent()) ?? '', /Look at disk full on/);
  await pager.getByText('host: the payload has nothing there').waitFor();
  await axe(page);
  assert.equal((await site.store.tasks({})).total, 0);

  const url = (await pager.getByLabel('URL of Pager', { exact: true }).textContent()) ?? '';
  assert.equal(url, `${site.url}/webhooks/pager/pager-1`);
  const payload = { level: 'low', title: 'all is well' };
  const sent = await deliver(url, payload, { 'x-sign': signed(secret, JSON.stringify(payload)) });
  assert.equal(sent.status, 200);
  await pager.getByRole('button', { name: 'Deliveries' }).click();
  await pager.getByText('A condition of the webhook or of its command does not hold.').waitFor();
  await axe(page);

  await pager.getByRole('button', { name: 'Edit' }).click();
  const edit = page.getByRole('dialog', { name: 'Change Pager' });
  assert.equal(await edit.getByLabel('Value of condition 1').inputValue(), 'high, critical');
  // The field is a text field until the agents are read.
  const agent = edit.getByLabel('Agent', { exact: true }).and(page.locator('select'));
  assert.equal(await agent.inputValue(), '"default"');
  await edit.getByRole('button', { name: 'Remove condition 1' }).click();
  await edit.getByRole('button', { name: 'Save' }).click();
  await edit.waitFor({ state: 'detached' });
  await pager.getByRole('button', { name: /Delivery \d+, received/ }).click();
  await pager
    .getByRole('region', { name: /Body of delivery/ })
    .getByText('all is well')
    .waitFor();
  await pager.getByRole('button', { name: 'Replay' }).click();
  await pager.getByRole('button', { name: /Replay it/ }).click();
  await pager.getByText('It started a task.').waitFor();
  await pager
    .getByRole('link', { name: /^task-/ })
    .first()
    .click();
  await rowsOf(page).filter({ hasText: 'asked: Look at all is well on' }).waitFor();
});

test('why nothing ran is answered for a built-in provider, and filtered by outcome in the address', page, async (t) => {
  const { site, page } = await settings(t);
  const comment = githubPayload('issue_comment');
  const said = (body: string, association = 'MEMBER') => ({
    ...comment,
    comment: { ...(comment.comment as object), body, author_association: association },
  });
  await fromGithub(site, said('just talking'));
  await fromGithub(site, said('/agent do it', 'NONE'));
  assert.equal((await fromGithub(site, said('/agent do it'))).status, 202);
  assert.equal((await fromGithub(site, said('/agent do it'), { secret: 'not the right one' })).status, 401);
  await page.goto(`${site.url}/settings?webhook=github`);
  const github = page.getByRole('listitem', { name: 'GitHub' });
  await github.getByText('The signature of the last delivery was refused.').waitFor();
  const rows = github.getByRole('table').locator('tbody tr');
  const texts = await rows.filter({ hasText: 'Ignored' }).allTextContents();
  assert.deepEqual(
    texts.map((text) => /Its sender may not start|No command word is said/.exec(text)?.[0]),
    ['Its sender may not start', 'No command word is said'],
  );
  await github.getByText('signed with another secret').first().waitFor();
  assert.equal(await rows.count(), 4);
  await github.getByRole('button', { name: 'Refused' }).click();
  await page.waitForURL(/outcome=refused/);
  await github.getByRole('button', { name: 'Clear' }).waitFor();
  await page.reload();
  await rows.first().waitFor();
  assert.equal(await rows.count(), 1);
  await github.getByRole('button', { name: /Delivery/ }).click();
  await github.getByText('Its body is not kept, so it cannot be replayed.').waitFor();
  assert.equal(await github.getByRole('button', { name: 'Replay' }).isDisabled(), true);
  assert.equal(await github.getByRole('button', { name: 'Edit' }).isDisabled(), true);
});

test('older deliveries are read on request', page, async (t) => {
  const { site, page } = await settings(t);
  for (let i = 0; i < 52; i++) await fromGithub(site, githubPayload('push'), { event: 'push' });
  await page.goto(`${site.url}/settings?webhook=github`);
  const rows = page.getByRole('table').locator('tbody tr');
  await rows.nth(49).waitFor();
  assert.equal(await rows.count(), 50);
  await page.getByRole('button', { name: 'Older deliveries' }).click();
  await rows.nth(51).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Older deliveries' }).count(), 0);
});

const DEFINITION = {
  webhook_id: 'open',
  name: 'Open door',
  provider: 'door',
  signature: { type: 'none', allow_unsigned: true },
  commands: [{ name: 'knock', prompt: 'Somebody knocks' }],
};

test('a webhook is switched off and on, and deleted after it was asked twice', page, async (t) => {
  const { site, page } = await settings(t);
  assert.equal((await deliver(`${site.url}/api/webhooks`, DEFINITION, {})).status, 201);
  await page.goto(`${site.url}/settings#webhooks`);
  const door = page.getByRole('listitem', { name: 'Open door' });
  await door.getByText('Anybody who knows the URL may send').waitFor();
  await door.getByRole('switch').click();
  await door.getByText('Disabled').waitFor();
  assert.equal((await (await deliver(`${site.url}/webhooks/door/open`, {}, {})).json()).reason, 'disabled');
  await door.getByRole('switch').click();
  await door.getByText('Enabled').waitFor();
  await door.getByRole('button', { name: 'Delete' }).click();
  await door.getByRole('button', { name: 'Keep it' }).click();
  await door.getByRole('button', { name: 'Delete' }).click();
  await door.getByRole('button', { name: 'Delete it with its log' }).click();
  await door.waitFor({ state: 'detached' });
});

test('a reader sees webhooks and deliveries, and why nothing may be changed', page, async (t) => {
  const tokens = [{ role: 'reader', token: 'reader-token' }] as const;
  const extraHTTPHeaders = { authorization: 'Bearer reader-token' };
  const { site, page } = await settings(t, { extraHTTPHeaders }, { tokens });
  await fromGithub(site, githubPayload('push'), { event: 'push' });
  await page.goto(`${site.url}/settings?webhook=github`);
  await page.getByText('Only an admin may change webhooks').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Add webhook' }).isDisabled(), true);
  await page.getByRole('button', { name: /Delivery/ }).click();
  await page.getByText('Only a writer or an admin may replay deliveries.').waitFor();
});

test('webhooks that cannot be read say so, and can be asked for again', page, async (t) => {
  const { site, page } = await settings(t);
  await page.route('**/api/webhooks', (route) => route.abort(), { times: 1 });
  await page.goto(`${site.url}/settings#webhooks`);
  await page.getByText('The webhooks cannot be read').waitFor();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByRole('listitem', { name: 'Sentry' }).waitFor();
});

for (const theme of ['dark', 'contrast']) {
  test(`at 360 pixels nothing scrolls sideways, and axe finds nothing in the ${theme} theme`, page, async (t) => {
    const { site, page } = await settings(t, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    await page.addInitScript((name) => localStorage.setItem('tasktrail.theme', name), theme);
    await fromGithub(site, githubPayload('push'), { event: 'push' });
    await page.goto(`${site.url}/settings?webhook=github`);
    await page.getByRole('button', { name: /Delivery/ }).click();
    await page.getByRole('region', { name: /Body of delivery/ }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    await axe(page);
    await page.getByRole('button', { name: 'Add webhook' }).click();
    await page.getByRole('button', { name: 'Add condition' }).first().click();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
    await axe(page);
  });
}
