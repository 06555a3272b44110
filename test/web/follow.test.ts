import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_ROWS } from '../../src/web/lib/window.ts';
import { newLines, notch } from './motion.ts';
import { inView, noBrowser, rowsOf, seqsOf, until, type Visit, visit } from './support.ts';

const page = { skip: noBrowser };

async function numbered({ site }: Visit, taskId: string, from: number, to: number): Promise<void> {
  await site.lines(
    taskId,
    Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`),
  );
}

test('a server that stops and comes back loses nothing and shows nothing twice', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await site.task({ taskId: 'demo' });
  await numbered(trail, 'demo', 1, 10);
  await page.goto(`${site.url}/t/demo`);
  await rowsOf(page).nth(9).waitFor();
  for (let round = 1; round <= 3; round += 1) {
    await site.stop();
    await page.getByText('Reconnecting...').waitFor();
    await numbered(trail, 'demo', round * 10 + 1, round * 10 + 10);
    await site.start();
    await page.locator('[data-connection=live]').waitFor();
    await page.getByText('reconnected, 10 lines caught up').last().waitFor();
    await page.getByText(`line ${round * 10 + 10}`, { exact: true }).waitFor();
  }
  const messages = await page.locator('[role=listitem] .text').allInnerTexts();
  assert.deepEqual(messages, Array.from({ length: 40 }, (_, i) => `line ${i + 1}`).slice(-messages.length));
  assert.equal(new Set(await seqsOf(page)).size, messages.length);
  assert.ok(await inView(page, 40));
});

test('a filtered panel is whole again after the server was away', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await site.task({ taskId: 'demo' });
  await numbered(trail, 'demo', 1, 30);
  await page.goto(`${site.url}/t/demo?search=5`);
  await page.getByText('3 of 30').waitFor();
  await page.locator('[data-connection=live]').waitFor();
  await site.stop();
  await page.getByText('Reconnecting...').waitFor();
  await numbered(trail, 'demo', 31, 60);
  await site.start();
  await rowsOf(page).filter({ hasText: 'line 59' }).waitFor();
  await until('all matches', async () => (await rowsOf(page).count()) === 15);
  const wanted = Array.from({ length: 60 }, (_, i) => i + 1).filter((n) => String(n).includes('5'));
  assert.deepEqual(await seqsOf(page), wanted);
});

test('Retry connects at once', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await site.task({ taskId: 'demo' });
  await page.goto(`${site.url}/t/demo`);
  await page.locator('[data-connection=live]').waitFor();
  await site.stop();
  // After some tries the pause is long enough that only the button can explain a quick return.
  await page.getByText(/^\(try [4-9]\)$/).waitFor({ timeout: 20_000 });
  await site.start();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.locator('[data-connection=live]').waitFor({ timeout: 1_500 });
});

test('a page opened while the server is away offers Retry', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo', title: 'Away' });
  await page.goto(site.url);
  await page.locator('tr[data-task=demo]').waitFor();
  await site.stop();
  await page.locator('tr[data-task=demo] a').click();
  await page.getByText('The server does not answer').waitFor();
  await site.start();
  await page.getByRole('button', { name: 'Retry' }).click();
  await page.getByText('No lines yet').waitFor();
});

test('a notch of the wheel stops following at once, and the place is kept while lines pour in', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await site.task({ taskId: 'demo' });
  await numbered(trail, 'demo', 1, 300);
  await page.goto(`${site.url}/t/demo`);
  await until('the end', () => inView(page, 300));
  await page.locator('[role=log]').hover();
  await page.mouse.wheel(0, -100);
  await page.getByText('Paused', { exact: true }).waitFor();
  const top = (seq: number): Promise<number | undefined> =>
    page.evaluate((n) => document.querySelector(`[data-seq="${n}"]`)?.getBoundingClientRect().top, seq);
  await until('the wheel to have moved', async () => !(await inView(page, 300)));
  await page.waitForFunction(() => new Promise((resolve) => setTimeout(() => resolve(true), 300)));
  const before = await top(285);
  for (let batch = 0; batch < 10; batch += 1) await numbered(trail, 'demo', 301 + batch * 100, 400 + batch * 100);
  await site.lines('demo', [{ message: 'bad', level: 'ERROR' }]);
  await page.getByText('1,001 new lines').waitFor();
  await page.getByText('(1 error)').waitFor();
  assert.equal(await top(285), before);
  await page.getByRole('button', { name: 'Jump to Bottom' }).click();
  await until('the end', () => inView(page, 1_301));
  assert.equal(await page.getByText('Paused', { exact: true }).count(), 0);
  await numbered(trail, 'demo', 1_302, 1_400);
  await until('to follow again', () => inView(page, 1_400));
});

test('keys and a selection stop following; End and f resume it', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await site.task({ taskId: 'demo' });
  await numbered(trail, 'demo', 1, 200);
  await page.goto(`${site.url}/t/demo`);
  await until('the end', () => inView(page, 200));
  for (const [stop, resume] of [
    ['k', 'End'],
    ['PageUp', 'f'],
    ['Home', 'G'],
    ['p', 'p'],
  ] as const) {
    await page.keyboard.press(stop);
    await page.getByText('Paused', { exact: true }).waitFor();
    await page.keyboard.press(resume);
    await until(`${resume} to resume`, async () => (await page.getByText('Paused', { exact: true }).count()) === 0);
    await until('the end', () => inView(page, 200));
  }
  await rowsOf(page).last().locator('.text').selectText();
  await page.getByText('Paused', { exact: true }).waitFor();
});

test('any of 100,000 lines is reached, with few rows in the document', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await site.task({ taskId: 'big' });
  for (let start = 1; start <= 100_000; start += 20_000) await numbered(trail, 'big', start, start + 19_999);
  await site.change('big', { status: 'completed' });
  await page.goto(`${site.url}/t/big`);
  await page.getByText('line 1', { exact: true }).waitFor();
  assert.ok(await inView(page, 1));
  await page.keyboard.press('End');
  await until('the last line', () => inView(page, 100_000));
  for (const share of [0.5, 0.123, 0.987, 0.0004]) {
    await page.evaluate((part) => {
      const box = document.querySelector('[role=log]');
      if (box) box.scrollTop = part * (box.scrollHeight - box.clientHeight);
    }, share);
    const near = Math.round(share * 100_000);
    await until(`line ${near}`, async () => (await seqsOf(page)).some((seq) => Math.abs(seq - near) < 40));
    assert.ok((await page.locator('[role=listitem]').count()) <= MAX_ROWS);
  }
  for (const seq of [1, 77_777, 100_000]) {
    await page.goto(`${site.url}/t/big?seq=${seq}`);
    await until(`line ${seq}`, () => inView(page, seq));
    await page.locator(`.marked[data-seq="${seq}"]`).waitFor();
  }
});

test('a linked line of a running task stays in view while lines come', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await site.task({ taskId: 'demo' });
  await numbered(trail, 'demo', 1, 1_000);
  await page.goto(`${site.url}/t/demo?seq=500`);
  await until('line 500', () => inView(page, 500));
  await numbered(trail, 'demo', 1_001, 2_000);
  await page.getByText('1,000 new lines').waitFor();
  assert.ok(await inView(page, 500));
  await page.getByTitle('Link to line 505', { exact: true }).click();
  assert.equal(new URL(page.url()).searchParams.get('seq'), '505');
});

test('taking filters back while paused keeps the line that was on top', page, async (t) => {
  const { site, page } = await visit(t);
  await site.task({ taskId: 'demo' });
  await site.lines(
    'demo',
    Array.from({ length: 3_000 }, (_, i) => ({ message: `line ${i + 1}`, level: i % 10 === 9 ? 'ERROR' : 'INFO' })),
  );
  await page.goto(`${site.url}/t/demo?level=ERROR&seq=1500`);
  await until('line 1500', () => inView(page, 1_500));
  let first = '';
  let looks = 0;
  // What is loaded later, the histogram, takes its room above the lines.
  await until('a line that stays on top', async () => {
    const onTop = await page.evaluate(() => {
      const top = document.querySelector('[role=log]')?.getBoundingClientRect().top ?? 0;
      const rows = [...document.querySelectorAll('[data-seq]')];
      return rows.find((row) => row.getBoundingClientRect().top >= top)?.getAttribute('data-seq') ?? '';
    });
    looks = onTop === first && onTop !== '' ? looks + 1 : 0;
    first = onTop;
    return looks === 40;
  });
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await until(`line ${first} on top`, () =>
    page.evaluate((seq) => {
      const top = document.querySelector('[role=log]')?.getBoundingClientRect().top ?? 0;
      const row = document.querySelector(`[data-seq="${seq}"]`);
      return (
        row?.nextElementSibling?.getAttribute('data-seq') === String(Number(seq) + 1) &&
        Math.abs(row.getBoundingClientRect().top - top) < 2
      );
    }, first),
  );
});

test(
  'at 10,000 lines a second a notch stops following in the next frame, ten times of ten, and the count is exact',
  page,
  async (t) => {
    const trail = await visit(t);
    const { site, page } = trail;
    await site.task({ taskId: 'demo' });
    await numbered(trail, 'demo', 1, 1_000);
    await page.goto(`${site.url}/t/demo`);
    await until('the end', () => inView(page, 1_000));
    let total = 1_000;
    let pours = true;
    const pouring = (async () => {
      while (pours) {
        const startMs = performance.now();
        await numbered(trail, 'demo', total + 1, total + 1_000);
        total += 1_000;
        // 1,000 lines each 100 ms, or as fast as this machine can.
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - (performance.now() - startMs))));
      }
    })();
    try {
      await page.getByText('lines/s, showing all, batched').waitFor();
      let stoppedAt = 0;
      for (let n = 1; n <= 10; n += 1) {
        const seen = await notch(page, 150 + n * 7);
        assert.ok(seen.stopped, `following stops at notch ${n}`);
        assert.ok(seen.movedPx <= 1, `the line stays at notch ${n}, not ${seen.movedPx} px away`);
        stoppedAt = seen.total;
        if (n === 10) break;
        await page.keyboard.press('End');
        await until('to follow', async () => (await newLines(page)) === null);
      }
      pours = false;
      await pouring;
      const added = total - stoppedAt;
      await until(`${added} new lines`, async () => (await newLines(page)) === added);
    } finally {
      pours = false;
      await pouring;
    }
  },
);

test('a link to a line of a task that runs opens that line, whatever comes in', page, async (t) => {
  const trail = await visit(t);
  const { site, page } = trail;
  await site.task({ taskId: 'demo' });
  await numbered(trail, 'demo', 1, 5_000);
  let total = 5_000;
  let pours = true;
  const pouring = (async () => {
    while (pours) {
      await numbered(trail, 'demo', total + 1, total + 100);
      total += 100;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  try {
    for (const seq of [1, 17, 2_500, 4_990, 5_001]) {
      await page.goto(`${site.url}/t/demo?seq=${seq}`);
      const row = page.locator(`.marked[data-seq="${seq}"]`);
      await row.waitFor();
      assert.match((await row.textContent()) ?? '', new RegExp(`line ${seq}(?!\\d)`));
      await until(`line ${seq}`, () => inView(page, seq));
      await until('more lines', async () => ((await newLines(page)) ?? 0) > 100);
      assert.ok(await inView(page, seq));
    }
  } finally {
    pours = false;
    await pouring;
  }
});
