import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plugin } from '../../src/core/plugin.ts';
import { axe } from './axe.ts';
import { noBrowser, rowsOf, until, visit } from './support.ts';

const page = { skip: noBrowser };
const greet: Plugin = {
  id: 'greet',
  name: 'Greet',
  description: 'Says hello',
  parameters: {
    type: 'object',
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 1 },
      times: { type: 'integer', minimum: 1, default: 1 },
      loud: { type: 'boolean' },
    },
  },
  execute: ({ name, times }, { logger }) => logger.info(`hello ${name} ${times}`),
};
const ask: Plugin = { id: 'ask', name: 'Ask', execute: async (_params, { input }) => input('Which colour?') };
const leave: Plugin = {
  id: 'leave',
  name: 'Leave',
  approval: true,
  execute: (_params, { logger }) => logger.info('went'),
};
const loop: Plugin = {
  id: 'loop',
  name: 'Loop',
  pausable: true,
  execute: (_params, { signal }) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
};

test(
  'a plugin is chosen, its form filled in, wrong values are said at their fields, and its task is shown',
  page,
  async (t) => {
    const { site, page } = await visit(t);
    for (const plugin of [greet, ask]) site.tasks.register(plugin);
    await site.tasks.start();
    await page.goto(site.url);
    await page.getByRole('button', { name: 'Run…' }).click();
    await axe(page);
    await page.getByRole('button', { name: /Greet/ }).click();
    await axe(page);
    await page.getByLabel('times').fill('0');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('must be >= 1').waitFor();
    await page.getByText('is required').waitFor();
    await until('the first wrong field to have the focus', () =>
      page.getByLabel(/name/).evaluate((field) => field === document.activeElement),
    );
    await page.getByLabel('times').fill('three');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText('expected a number').waitFor();
    assert.equal((await site.store.tasks({})).total, 0);
    await page.getByLabel(/name/).fill('Ada');
    await page.getByLabel('times').fill('3');
    await page.getByText('Title, source, tags').click();
    await page.getByLabel('Title of the task').fill('Greetings');
    await page.getByLabel('Tags').fill('one, two');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    // Its lines are shown where it was started, and its own page is one click away.
    await rowsOf(page).filter({ hasText: 'hello Ada 3' }).waitFor();
    await axe(page);
    await page.getByRole('link', { name: 'Open its page' }).click();
    await page.waitForURL(/\/t\/task-/);
    await rowsOf(page).filter({ hasText: 'hello Ada 3' }).waitFor();
    await page.getByRole('heading', { name: 'Greetings' }).waitFor();
    const { tasks } = await site.store.tasks({});
    assert.deepEqual(tasks[0]?.tags, ['one', 'two']);
  },
);

test('an agent is offered too: what it shall do is asked, and its task is shown', page, async (t) => {
  const fixer: Plugin = {
    id: 'fixer',
    name: 'Any command',
    takesContext: true,
    parameters: { type: 'object', required: ['prompt'], properties: { prompt: { type: 'string' } } },
    execute: ({ prompt }, { logger }) => logger.info(`asked: ${prompt}`),
  };
  const { site, page } = await visit(t, {}, {}, [fixer]);
  site.tasks.register(greet);
  await site.tasks.start();
  await page.goto(site.url);
  await page.getByRole('button', { name: 'Run…' }).click();
  await page.getByRole('button', { name: /Greet/ }).waitFor();
  await page.getByRole('button', { name: /fixer.*Any command/ }).click();
  await axe(page);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByText('is required').waitFor();
  assert.equal((await site.store.tasks({})).total, 0);
  await page.getByLabel(/What it shall do/).fill('Mend the fence\nand paint it');
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await rowsOf(page).filter({ hasText: 'asked: Mend the fence' }).waitFor();
  await page.getByRole('link', { name: 'Open its page' }).click();
  await page.getByRole('heading', { name: 'Mend the fence' }).waitFor();
});

test('where nothing can be run, the page says how to change that', page, async (t) => {
  const { site, page } = await visit(t);
  await page.goto(site.url);
  await site.task({ taskId: 'one' });
  await page.getByRole('button', { name: 'Run…' }).click();
  await page.getByText('Nothing can be run here yet').waitFor();
  await page.keyboard.press('Escape');
  await until('the dialog to go', async () => (await page.locator('dialog[open]').count()) === 0);
});

test('a task that asks is answered on its page', page, async (t) => {
  const { site, page } = await visit(t);
  site.tasks.register(ask);
  await site.tasks.start();
  const { taskId } = await site.tasks.run('ask');
  await page.goto(`${site.url}/t/${taskId}`);
  await page.getByText('Which colour?').first().waitFor();
  await axe(page);
  const field = page.getByLabel('Your answer');
  await field.fill('red');
  await field.press('Shift+Enter');
  await field.pressSequentially('or blue');
  await field.press('Enter');
  assert.equal((await site.tasks.wait(taskId)).result, 'red\nor blue');
  await until('the question to go', async () => (await page.getByText('The task asks').count()) === 0);
  await rowsOf(page).filter({ hasText: 'red' }).waitFor();
});

test('a message is said to what reads while it works', page, async (t) => {
  const { site, page } = await visit(t);
  const heard = Promise.withResolvers<void>();
  const listens: Plugin = {
    id: 'listens',
    name: 'Listens',
    takesContext: true,
    async execute(_params, context) {
      await context.takeInput(async (message) => {
        context.logger.info(`heard: ${message}`);
        heard.resolve();
      });
      await heard.promise;
    },
  };
  site.tasks.register(listens);
  await site.tasks.start();
  const { taskId } = await site.tasks.run('listens');
  await page.goto(`${site.url}/t/${taskId}`);
  await page.getByLabel('A message to the agent').last().fill('mind the step');
  await axe(page);
  await page.getByRole('button', { name: 'Send' }).click();
  await rowsOf(page).filter({ hasText: 'heard: mind the step' }).waitFor();
});

test('leave is given on the page, and refused', page, async (t) => {
  const { site, page } = await visit(t);
  site.tasks.register(leave);
  await site.tasks.start();
  const [yes, no] = [await site.tasks.run('leave', { a: 1 }), await site.tasks.run('leave')];
  await page.goto(`${site.url}/t/${yes.taskId}`);
  await page.getByText('Run Leave with {"a":1}').waitFor();
  await axe(page);
  await page.getByRole('button', { name: 'Approve' }).click();
  assert.equal((await site.tasks.wait(yes.taskId)).status, 'completed');
  await page.goto(`${site.url}/t/${no.taskId}`);
  await page.getByRole('button', { name: 'Reject…' }).click();
  await page.getByLabel('Why it is rejected').fill('too <b>risky</b>');
  await page.getByRole('button', { name: 'Reject it' }).click();
  const { status, error } = await site.tasks.wait(no.taskId);
  assert.deepEqual([status, error], ['rejected', 'too <b>risky</b>']);
  await page.getByText('Rejected').first().waitFor();
  await page.getByText('too <b>risky</b>').first().waitFor();
});

test('a running task is paused, resumed and cancelled, and run again as a new one', page, async (t) => {
  const { site, page } = await visit(t);
  site.tasks.register(loop);
  await site.tasks.start();
  const { taskId } = await site.tasks.run('loop');
  await page.goto(`${site.url}/t/${taskId}`);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('button', { name: 'Pause' }).waitFor();
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.getByRole('button', { name: 'Keep it' }).click();
  assert.equal((await site.store.task(taskId)).status, 'executing');
  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel the task' }).click();
  assert.equal((await site.tasks.wait(taskId)).status, 'cancelled');
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.waitForURL((url) => !url.pathname.endsWith(taskId));
  await page.getByText('Running').waitFor();
});

test('tasks that wait for a person are marked in the list, and found with one click', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'busy' });
  await site.task({ taskId: 'asks', status: 'awaiting_input' });
  await site.task({ taskId: 'plans', status: 'pending_approval' });
  await page.goto(site.url);
  await page.getByRole('row', { name: /Needs approval.*plans/ }).waitFor();
  await page.getByRole('button', { name: /Needs input/ }).click();
  await until('the others to go', async () => (await page.locator('tr[data-task]').count()) === 1);
  assert.match((await page.locator('tr[data-task]').textContent()) ?? '', /Needs input.*asks/);
});

test('an agent that runs can be paused on its page', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'agent', runner: 'agent:claude', status: 'executing' });
  await page.goto(`${site.url}/t/agent`);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  assert.equal((await site.store.task('agent')).status, 'paused');
});

test('an act that the server refuses is said in its words', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'asks', status: 'awaiting_input', metadata: { question: 'Well?' } });
  await page.goto(`${site.url}/t/asks`);
  await page.getByText('Well?').waitFor();
  // It ends between the look and the click; the page has not heard of it.
  await page.route('**/input', async (route) => {
    await site.change('asks', { status: 'cancelled' });
    await route.continue();
  });
  await page.getByLabel('Your answer').fill('late');
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByRole('alert').filter({ hasText: 'takes no input' }).waitFor();
  await until('the question to go', async () => (await page.getByText('The task asks').count()) === 0);
  assert.equal(await page.getByRole('alert').isVisible(), true);
  await axe(page);
});

test('logging is changed on the settings page, and kept', page, async (t) => {
  const { site, page } = await visit(t);
  await page.goto(`${site.url}/admin/settings`);
  await page.waitForURL(/\/settings#logging/);
  const task = page.getByLabel('Task log level');
  await task.selectOption('ERROR');
  await axe(page);
  await page.getByLabel('Belief scope lines').uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Save' }).isDisabled(), true);
  await page.reload();
  assert.equal(await task.inputValue(), 'ERROR');
  assert.equal(await page.getByLabel('Belief scope lines').isChecked(), false);
  await page.getByRole('button', { name: 'Reset' }).click();
  await page.getByText('The values of the environment hold again.').waitFor();
  assert.equal(await task.inputValue(), 'DEBUG');
});

test('only an admin changes settings; anybody else is told so', page, async (t) => {
  const tokens = [{ role: 'reader', token: 'reader-token' }] as const;
  const headers = { authorization: 'Bearer reader-token' };
  const { site, page } = await visit(t, { extraHTTPHeaders: headers }, { tokens });
  await page.goto(`${site.url}/settings`);
  await page.getByText('Only an admin may change this').waitFor();
  assert.ok(await page.getByLabel('Server log level').isDisabled());
  assert.ok(await page.getByRole('button', { name: 'Save' }).isDisabled());
});
