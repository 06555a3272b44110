import type { Page } from 'playwright-core';

/** What a reader sees of one notch of the wheel upwards while lines pour in. */
export interface Notch {
  /** The bar stood there in the next frame. */
  readonly stopped: boolean;
  /** How many lines the page had when it stopped. */
  readonly total: number;
  /** How far a line moved on the screen from when the wheel came to rest until the end of the look. */
  readonly movedPx: number;
}

/** Turn the wheel by one notch upwards, and look at what happens for so long. */
export async function notch(page: Page, lookMs: number): Promise<Notch> {
  await page.locator('[role=log]').hover();
  const seen = page.evaluate(async (ms) => {
    const box = document.querySelector('[role=log]');
    if (box === null) throw new Error('expected the lines');
    const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));
    await new Promise((resolve) => box.addEventListener('wheel', resolve, { once: true, passive: true }));
    await frame();
    const stopped = document.querySelector('[data-paused]') !== null;
    const total = Number(document.querySelector('[role=listitem]')?.getAttribute('aria-setsize'));
    // The wheel may move in several steps.
    for (let still = 0, before = -1; still < 4; await frame()) {
      still = box.scrollTop === before ? still + 1 : 0;
      before = box.scrollTop;
    }
    const edge = box.getBoundingClientRect().top;
    const rows = [...document.querySelectorAll('[data-seq]')];
    const row = rows.find((each) => each.getBoundingClientRect().top >= edge + 40);
    const top = row?.getBoundingClientRect().top ?? Number.NaN;
    const endMs = performance.now() + ms;
    let movedPx = 0;
    while (performance.now() < endMs) {
      await frame();
      movedPx = Math.max(movedPx, Math.abs((row?.getBoundingClientRect().top ?? Number.NaN) - top));
    }
    return { stopped, total, movedPx };
  }, lookMs);
  // The listener has to be there first.
  await page.evaluate(() => undefined);
  await page.mouse.wheel(0, -100);
  return await seen;
}

/** How many new lines the amber bar tells of; null when it is not there. */
export async function newLines(page: Page): Promise<number | null> {
  const text = await page.evaluate(() => document.querySelector('[data-paused]')?.textContent ?? null);
  const found = /([\d,]+) new line/.exec(text ?? '')?.[1];
  return found === undefined ? null : Number(found.replaceAll(',', ''));
}

/** Go to a line by the prompt. Answers how long it took until the line stood in the middle, in milliseconds. */
export async function jumpMs(page: Page, seq: number): Promise<number> {
  await page.keyboard.press(':');
  await page.getByLabel('Go to a line or a time').fill(String(seq));
  const arrived = page.evaluate(
    (wanted) =>
      new Promise<number>((resolve) => {
        let fromMs = 0;
        const start = (): void => {
          fromMs = performance.now();
        };
        document.addEventListener('submit', start, { once: true, capture: true });
        const look = (): void => {
          const row = document.querySelector(`.current[data-seq="${wanted}"]`)?.getBoundingClientRect();
          const box = document.querySelector('[role=log]')?.getBoundingClientRect();
          const off = row && box ? Math.abs((row.top + row.bottom) / 2 - (box.top + box.bottom) / 2) : Number.NaN;
          if (fromMs > 0 && off <= 30) resolve(performance.now() - fromMs);
          else requestAnimationFrame(look);
        };
        look();
      }),
    seq,
  );
  await page.evaluate(() => undefined);
  await page.keyboard.press('Enter');
  return await arrived;
}

/** The middle and the 95th of a hundred of some figures. */
export function quantiles(values: readonly number[]): {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
} {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}
