/*
 * The pictures of README.md and docs/page.md, taken anew: `node --test scripts/pictures.ts`. A server of the tests is filled with a sample
 * and looked at in Chromium.
 */
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { fillSample } from '../test/web/sample.ts';
import { noBrowser, rowsOf, visit } from '../test/web/support.ts';

const FOLDER = fileURLToPath(new URL('../docs/images/', import.meta.url));
const MOST_BYTES = 120_000;

/** As fine as its size allows. */
async function picture(page: Page, name: string): Promise<void> {
  for (const quality of [76, 66, 56, 46]) {
    const image = await page.screenshot({ type: 'jpeg', quality, animations: 'disabled' });
    if (image.length > MOST_BYTES) continue;
    await writeFile(`${FOLDER}${name}.jpg`, image);
    return;
  }
  throw new Error(`expected ${name} within ${MOST_BYTES} bytes`);
}

test('pictures', { skip: noBrowser }, async (t) => {
  const { site, page } = await visit(t, { viewport: { width: 1280, height: 740 } });
  await fillSample(site);
  await page.goto(site.url);
  await page.locator('tr[data-task]').nth(20).waitFor();
  await page.locator('[data-connection=live]').waitFor();
  await page.locator('tr[data-task] path.bars').nth(8).waitFor({ state: 'attached' });
  await picture(page, 'tasks');

  await page.goto(`${site.url}/t/agent-fix-412`);
  await page
    .getByRole('navigation', { name: /Outline/ })
    .or(page.getByText('Outline'))
    .first()
    .waitFor();
  await rowsOf(page).nth(10).waitFor();
  await picture(page, 'agent');

  await page.goto(`${site.url}/t/build-5120`);
  await page.getByText('Root-cause candidates').waitFor();
  await rowsOf(page).nth(10).waitFor();
  await picture(page, 'failed');

  await page.goto(`${site.url}/search?q=test`);
  await page.getByText('everything searched').waitFor();
  await page.getByRole('group', { name: 'Lines over time' }).waitFor();
  await picture(page, 'search');

  await page.goto(`${site.url}/costs`);
  await page.getByText(/in 4\d runs/).waitFor();
  await picture(page, 'costs');

  await page.goto(`${site.url}/settings#webhooks`);
  await page.getByRole('heading', { name: 'Webhooks' }).first().waitFor();
  await picture(page, 'settings');
});
