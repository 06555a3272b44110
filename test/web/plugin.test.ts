import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noBrowser, rowsOf, until, visit } from './support.ts';

test("a plugin's lines reach the page while it runs, each under its own source", { skip: noBrowser }, async (t) => {
  const { site, page } = await visit(t);
  const { promise: seen, resolve: goOn } = Promise.withResolvers<void>();
  site.tasks.register({
    id: 'backup',
    name: 'Backup',
    execute: async (_params, context) => {
      const superset = context.logger.withSource('superset_api');
      superset.info('Fetched 3 dashboards');
      context.logger.withSource('storage').warning('Little room is left', { free_mb: 12 });
      await seen;
      context.progress(50, 'Half is written');
      superset.info('Logged out');
    },
  });
  await site.tasks.start();
  const { taskId } = await site.tasks.run('backup');
  await page.goto(`${site.url}/t/${taskId}`);
  await rowsOf(page).filter({ hasText: 'Little room is left' }).waitFor();
  goOn();
  await rowsOf(page).filter({ hasText: 'Task completed' }).waitFor();
  const rows = (await rowsOf(page).allTextContents()).map((text) => /\[(\w+)\]/.exec(text)?.[1]);
  assert.deepEqual(rows, ['system', 'superset_api', 'storage', 'plugin', 'superset_api', 'system']);

  await page.getByRole('button', { name: /\[superset_api\]/ }).click();
  await page.getByText('2 of 6').waitFor();
  await until('only its lines to stand there', async () => (await rowsOf(page).count()) === 2);
  const left = (await rowsOf(page).allTextContents()).join('\n');
  assert.match(left, /Fetched 3 dashboards[\s\S]*Logged out/);
});
