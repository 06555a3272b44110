import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { newLines } from './motion.ts';
import { inView, noBrowser, rowsOf, until, visit } from './support.ts';

const page = { skip: noBrowser, timeout: 300_000 };
const TIMES = 20;

test(
  'twenty links to lines of a task at 1,000 lines a second open those lines, and keep them in view',
  page,
  async (t) => {
    const { site, page } = await visit(t);
    await site.task({ taskId: 'demo' });
    let total = 0;
    const add = async (count: number): Promise<void> => {
      await site.lines(
        'demo',
        Array.from({ length: count }, (_, n) => `line ${total + n + 1}`),
      );
      total += count;
    };
    await add(10_000);
    let pours = true;
    const pouring = (async () => {
      while (pours) {
        const startMs = performance.now();
        await add(100);
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - (performance.now() - startMs))));
      }
    })();
    try {
      for (let n = 0; n < TIMES; n += 1) {
        const seq = 1 + ((n * 7_919) % total);
        await page.goto(`${site.url}/t/demo?seq=${seq}`);
        const row = page.locator(`.marked[data-seq="${seq}"]`);
        await row.waitFor();
        assert.match((await row.textContent()) ?? '', new RegExp(`line ${seq}(?!\\d)`));
        await until('more lines', async () => ((await newLines(page)) ?? 0) > 200);
        assert.ok(await inView(page, seq), `line ${seq} of link ${n + 1}`);
      }
    } finally {
      pours = false;
      await pouring;
    }
  },
);

test('twenty downloads under other filters have as many lines as the page counts', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo' });
  await site.lines(
    'demo',
    Array.from({ length: 3_000 }, (_, n) => ({
      message: `${n % 7 === 0 ? 'seven' : 'other'} ${n}`,
      level: (['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const)[n % 4] ?? 'INFO',
      source: ['git', 'npm', 'ci'][n % 3] ?? 'ci',
    })),
  );
  const levels = ['', 'level=DEBUG', 'level=INFO', 'level=WARNING,ERROR', 'level=ERROR'];
  const rest = ['source=git', 'search=seven', 'source=npm,ci&search=other', 'q=-seven'];
  const filters = levels.flatMap((level) => rest.map((more) => [level, more].filter(Boolean).join('&')));
  assert.equal(filters.length, TIMES);
  for (const [n, filter] of filters.entries()) {
    await page.goto(`${site.url}/t/demo?${filter}`);
    await rowsOf(page).first().waitFor();
    const counted = /([\d,]+) of 3,000/.exec(await page.getByText(/^[\d,]+ of 3,000$/).innerText())?.[1] ?? '';
    await page.keyboard.press('Shift+D');
    const zipped = n % 2 === 0;
    if (zipped) await page.getByLabel('compressed').check();
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: '.log, plain text' }).first().click(),
    ]);
    const bytes = await readFile(await file.path());
    const lines = (zipped ? gunzipSync(bytes) : bytes).toString().trimEnd().split('\n').length;
    assert.equal(lines, Number(counted.replaceAll(',', '')), filter);
  }
});
