import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const asked = process.env.TASKTRAIL_SCREENSHOTS;
const folder = asked ?? join(ROOT, '.cache', 'screenshots');
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 360, height: 740 };

/** What a screen can be in, and which screen cannot be in it, with the reason. */
export const STATES = [
  'loading',
  'empty',
  'filtered',
  'error',
  'live',
  'paused',
  'reconnecting',
  'degraded',
  'ended',
  'read-only',
] as const;
export type State = (typeof STATES)[number];
export const SCREENS = ['list', 'log', 'search', 'costs', 'settings'] as const;
export type Screen = (typeof SCREENS)[number];

export const NEVER: Readonly<Record<Screen, Partial<Record<State, string>>>> = {
  list: { paused: 'it never moves by itself', ended: 'it has no end' },
  log: {},
  search: { paused: 'it looks when it is asked' },
  costs: { paused: 'it is read when it is asked' },
  settings: {
    filtered: 'it has no filter',
    live: 'it is read when it is opened',
    paused: 'the same',
    ended: 'the same',
  },
};

const taken = new Map<string, number>();

/** A picture of the page as it is, which must fit a small screen too. Whoever names a folder gets it in the dark and small as well. */
export async function shoot(page: Page, screen: Screen | 'sign-in', state: string): Promise<void> {
  const name = `${screen}-${state}`;
  await mkdir(folder, { recursive: true });
  const take = (suffix: string): Promise<Buffer> =>
    page.screenshot({ path: join(folder, `${name}${suffix}.png`), animations: 'disabled' });
  taken.set(name, (await take('')).length);
  if (asked !== undefined) {
    await page.emulateMedia({ colorScheme: 'dark' });
    await take('-dark');
    await page.emulateMedia({ colorScheme: 'light' });
  }
  await page.setViewportSize(NARROW);
  const widthPx = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(widthPx <= NARROW.width, `${name} is ${widthPx} px wide at ${NARROW.width} px`);
  if (asked !== undefined) await take('-narrow');
  await page.setViewportSize(WIDE);
}

/** Of every state that a screen can be in and that has no picture, its name. */
export function untaken(): string[] {
  return SCREENS.flatMap((screen) =>
    STATES.filter((state) => NEVER[screen][state] === undefined).map((state) => `${screen}-${state}`),
  ).filter((name) => (taken.get(name) ?? 0) < 5_000);
}
