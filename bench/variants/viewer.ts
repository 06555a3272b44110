/*
 * The page over one task of so many lines: how long it takes to jump to lines, how smooth a long scroll is (BENCH_SECONDS, 60), whether
 * a notch of the wheel stops following while lines pour in, and how fast a rare word is found. The task is made once, in .cache/bench.
 * CHROMIUM_PATH names the browser. `npm run build` first: it measures what is built.
 */
import { type Browser, chromium, type Page } from 'playwright-core';
import { newTask } from '../../src/core/change.ts';
import { isoTime } from '../../src/core/time.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { jumpMs, newLines, notch, quantiles } from '../../test/web/motion.ts';
import { benchLine, FIRST_MS } from '../lines.ts';
import { report, startServer } from '../support/server.ts';
import { madeOnce } from '../support/stores.ts';

const LINES = Number(process.argv[2] ?? 1_000_000);
const SCROLL_MS = 1_000 * Number(process.env.BENCH_SECONDS ?? 60);
const JUMPS = 20;
const NOTCHES = 50;
const BATCH = 10_000;
const WORD = 'quarterdeck';

const dataDir = await madeOnce(`viewer-${LINES}-v1`, make);

const figures: Record<string, number> = {};
const server = await startServer(dataDir);
let browser: Browser | undefined;
try {
  const { url } = server;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--enable-precise-memory-info'],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await opening(page, url);
  await jumping(page, url);
  await finding(page);
  await scrolling(page);
  await stopping(page, url);
} finally {
  await browser?.close();
  await server.stop();
}
report(figures);

async function opening(page: Page, url: string): Promise<void> {
  const took: number[] = [];
  for (let n = 0; n < 10; n += 1) {
    const startMs = performance.now();
    await page.goto(`${url}/t/large?seq=${1_000 + n * Math.floor(LINES / 11)}`);
    await page.locator('.marked').waitFor();
    took.push(performance.now() - startMs);
  }
  tell('open', took);
}

async function jumping(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/t/large?seq=1`);
  await page.locator('.marked').waitFor();
  const took: number[] = [];
  for (let n = 0; n < JUMPS; n += 1)
    took.push(await jumpMs(page, 1_000 + Math.floor(((n * 7 + 3) % JUMPS) * ((LINES - 2_000) / JUMPS))));
  tell('jump', took);
}

async function finding(page: Page): Promise<void> {
  await page.keyboard.press('Control+f');
  const startMs = performance.now();
  await page.getByPlaceholder('Find in all lines...').fill(WORD);
  await page.getByText('all searched').waitFor();
  await page.getByText('3 hits').waitFor();
  const found = performance.now() - startMs;
  const took: number[] = [];
  let seq: string | null = null;
  for (let n = 0; n < 6; n += 1) {
    const from = performance.now();
    const before: string | null = seq;
    await page.keyboard.press('Enter');
    for (seq = await hitSeq(page); seq === null || seq === before; seq = await hitSeq(page));
    took.push(performance.now() - from);
  }
  await page.keyboard.press('Escape');
  figures.findMs = found;
  tell('hit', took);
}

/** The seq of the current line once its hit is marked. */
function hitSeq(page: Page): Promise<string | null> {
  return page.evaluate(() => {
    const row = document.querySelector('[data-seq].current');
    return row?.querySelector('mark') ? row.getAttribute('data-seq') : null;
  });
}

async function scrolling(page: Page): Promise<void> {
  await page.keyboard.press('Home');
  const seen = await page.evaluate(async (ms) => {
    const box = document.querySelector('[role=log]');
    const frames: number[] = [];
    let rows = 0;
    let heap = 0;
    const endMs = performance.now() + ms;
    for (let before = performance.now(); before < endMs; ) {
      box?.scrollBy(0, 120);
      const now = await new Promise<number>((resolve) => requestAnimationFrame(() => resolve(performance.now())));
      frames.push(now - before);
      before = now;
      if (frames.length % 30 === 0) rows = Math.max(rows, document.querySelectorAll('[role=listitem]').length);
      const { memory } = performance as unknown as { memory?: { usedJSHeapSize: number } };
      heap = Math.max(heap, memory?.usedJSHeapSize ?? 0);
    }
    return { frames, rows, heap };
  }, SCROLL_MS);
  tell('frame', seen.frames);
  figures.rows = seen.rows;
  figures.heapMb = seen.heap / 1e6;
}

async function stopping(page: Page, url: string): Promise<void> {
  let total = 0;
  let pours = true;
  const post = (path: string, body: string, type: string): Promise<Response> =>
    fetch(`${url}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
  const taskId = `live-${Date.now()}`;
  await post('/api/tasks', JSON.stringify({ task_id: taskId }), 'application/json');
  await page.goto(`${url}/t/${taskId}`);
  await page.locator('[data-connection=live]').waitFor();
  const pouring = (async () => {
    while (pours) {
      const startMs = performance.now();
      const lines = Array.from({ length: 1_000 }, (_, i) => JSON.stringify({ message: benchLine(total + i) }));
      await post(`/api/tasks/${taskId}/logs`, lines.join('\n'), 'application/x-ndjson');
      total += 1_000;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - (performance.now() - startMs))));
    }
  })();
  const startMs = performance.now();
  await page.getByText('lines/s, showing all, batched').waitFor();
  const notches = [];
  for (let n = 0; n < NOTCHES; n += 1) {
    notches.push(await notch(page, 100 + ((n * 37) % 200)));
    if (n === NOTCHES - 1) break;
    await page.keyboard.press('End');
    while ((await newLines(page)) !== null);
  }
  const rate = Math.round((total / (performance.now() - startMs)) * 1_000);
  pours = false;
  await pouring;
  const expected = total - (notches.at(-1)?.total ?? 0);
  const untilMs = performance.now() + 5_000;
  while ((await newLines(page)) !== expected && performance.now() < untilMs);
  const told = await newLines(page);
  const stopped = notches.filter((each) => each.stopped).length;
  if (told !== expected) throw new Error(`expected ${expected} new lines, the page told ${told}`);
  figures.linesPerS = rate;
  figures.notches = NOTCHES;
  figures.stopped = stopped;
  figures.movedPx = Math.max(...notches.map(({ movedPx }) => movedPx));
}

async function make(dir: string): Promise<void> {
  const store = new SqliteStore(dir);
  await store.createTask(newTask({ taskId: 'large' }, isoTime(FIRST_MS)));
  for (let start = 0; start < LINES; start += BATCH) {
    const drafts = Array.from({ length: Math.min(BATCH, LINES - start) }, (_, i) => {
      const index = start + i;
      const rare = [2, Math.floor(LINES / 2) - 1, LINES - 3].includes(index) ? ` ${WORD}` : '';
      const level = index % 1_000 === 0 ? ('ERROR' as const) : ('INFO' as const);
      return {
        ...{ timestamp: isoTime(FIRST_MS + index * 10), level, source: index % 3 ? 'build' : 'server' },
        ...{ stream: 'stdout' as const, type: 'log' as const, metadataJson: null },
        message: benchLine(index) + rare,
      };
    });
    await store.append([{ taskId: 'large', drafts, filtered: 0, lost: 0 }]);
  }
  await store.changeTask('large', { status: 'completed' });
  await store.close();
}

function tell(name: string, values: readonly number[]): void {
  const { p50, p95 } = quantiles(values);
  figures[`${name}Ms`] = p50;
  figures[`${name}P95Ms`] = p95;
}
