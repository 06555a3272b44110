import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import { build } from 'vite';
import type { EntryInput } from '../../src/core/entry.ts';
import type { AnyPlugin } from '../../src/core/plugin.ts';
import type { TaskChange, TaskDraft } from '../../src/core/task.ts';
import { systemClock } from '../../src/core/time.ts';
import { StoreIntake } from '../../src/intake/intake.ts';
import { LiveHub } from '../../src/live/live.ts';
import type { ServerParts, ServerSettings, TrailServer } from '../../src/server/parts.ts';
import { createServer } from '../../src/server/server.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { TaskManager } from '../../src/task/manager.ts';
import { LoggingSettings } from '../../src/trail/logging.ts';
import { alertsOf } from '../support/alerts.ts';
import { managerOf } from '../support/runs.ts';
import { webhooksOf } from '../support/webhooks.ts';

const CONFIG = fileURLToPath(new URL('../../src/web/vite.config.ts', import.meta.url));
const ARGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

const chromiumPath = process.env.CHROMIUM_PATH ?? installed(['chromium', 'chromium-browser', 'google-chrome']);
/** Why tests of the page cannot run, or false. */
export const noBrowser =
  chromiumPath === undefined ? 'no Chromium found; install one or name it in CHROMIUM_PATH' : false;

let shared: Promise<{ browser: Browser; webDir: string }> | undefined;

/** The page as it is built from the source now, and one browser, for all tests of a file. */
function start(): Promise<{ browser: Browser; webDir: string }> {
  shared ??= (async () => {
    const webDir = await mkdtemp(join(tmpdir(), 'tasktrail-web-'));
    await build({ configFile: CONFIG, logLevel: 'error', build: { outDir: webDir } });
    return { webDir, browser: await chromium.launch({ executablePath: chromiumPath, args: ARGS }) };
  })();
  return shared;
}

after(async () => {
  const started = await shared;
  await started?.browser.close();
  if (started) await rm(started.webDir, { recursive: true, force: true });
});

/** A server whose trail outlives it: it can be stopped and started again on the same port. */
export class Site {
  readonly store: MemoryStore;
  readonly live: LiveHub;
  readonly intake: StoreIntake;
  /** Not started: a test that runs plugins registers and starts. */
  readonly tasks: TaskManager;
  /** What the server says of itself. */
  healthy = true;
  /** What the next start says of its surroundings. */
  around: Partial<Pick<ServerParts, 'health' | 'room'>> = {};
  #server: TrailServer | undefined;
  #webDir: string;
  #settings: Partial<ServerSettings>;
  #port = 0;

  constructor(webDir: string, settings: Partial<ServerSettings>, agents: readonly AnyPlugin[]) {
    this.#webDir = webDir;
    this.#settings = settings;
    const wakes: LiveHub[] = [];
    this.store = new MemoryStore({ onCommit: (task) => wakes.forEach((hub) => void hub.wake(task)) });
    this.live = new LiveHub(this.store);
    wakes.push(this.live);
    this.intake = new StoreIntake(this.store, { taskLevel: 'DEBUG' });
    this.tasks = managerOf(this, { agents });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const { store, intake, live, tasks } = this;
    this.#server = await createServer({
      store,
      intake,
      live,
      tasks,
      logging: await LoggingSettings.open(intake, { level: 'INFO', taskLogLevel: 'DEBUG', enableBeliefState: true }),
      webhooks: webhooksOf({ store, intake, tasks }),
      alerts: alertsOf({ store, intake, live }),
      version: '0.0.0-test',
      health: () => ({ healthy: this.healthy, store: 'memory', redis: null }),
      clock: systemClock,
      signingKey: Buffer.alloc(32, 1),
      webDir: this.#webDir,
      ...this.around,
      settings: { allowedHosts: [], allowedOrigins: [], tokens: [], loopback: true, ...this.#settings },
    });
    ({ port: this.#port } = await this.#server.listen({ host: '127.0.0.1', port: this.#port }));
  }

  async stop(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  async task(draft: TaskDraft & { taskId: string }): Promise<void> {
    await this.intake.createTask(draft);
  }

  async change(taskId: string, change: TaskChange): Promise<void> {
    await this.intake.changeTask(taskId, change);
  }

  async lines(taskId: string, lines: readonly (EntryInput | string)[]): Promise<void> {
    const entries = lines.map((line) => (typeof line === 'string' ? { message: line } : line));
    await this.intake.append({ taskId, body: JSON.stringify(entries), format: 'json' });
  }

  async close(): Promise<void> {
    await this.stop();
    await this.tasks.close();
    await this.intake.close();
    await this.store.close();
  }
}

export interface Visit {
  readonly site: Site;
  readonly page: Page;
  /** Messages of level error and uncaught faults, but for requests that a stopped server could not answer. */
  readonly faults: string[];
}

/** A running site and a fresh page, both closed after the test. A fault in the page fails the test. */
export async function visit(
  t: TestContext,
  options: BrowserContextOptions = {},
  settings: Partial<ServerSettings> = {},
  agents: readonly AnyPlugin[] = [],
): Promise<Visit> {
  const { webDir } = await start();
  const site = new Site(webDir, settings, agents);
  await site.start();
  // The page goes first: one that loads yet would call a server that is gone a fault.
  const fresh = await freshPage(t, options);
  t.after(() => site.close());
  return { site, ...fresh };
}

/** A page without a site, closed after the test. A fault in the page fails the test. */
export async function freshPage(t: TestContext, options: BrowserContextOptions = {}): Promise<Omit<Visit, 'site'>> {
  const { browser } = await start();
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    ...options,
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error.stack ?? error)));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !/ERR_CONNECTION|Failed to load resource|WebSocket connection/.test(text)) {
      faults.push(text);
    }
  });
  t.after(async () => {
    await context.close();
    if (faults.length > 0) throw new Error(`the page had faults:\n${faults.join('\n')}`);
  });
  return { page, faults };
}

export function rowsOf(page: Page): Locator {
  return page.locator('[role=listitem][data-seq]');
}

/** The seqs of the rows that are drawn, from top to bottom. */
export function seqsOf(page: Page): Promise<number[]> {
  return rowsOf(page).evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-seq'))));
}

/** Whether a row lies within the panel's visible part. */
export function inView(page: Page, seq: number): Promise<boolean> {
  return page.evaluate((wanted) => {
    const row = document.querySelector(`[data-seq="${wanted}"]`)?.getBoundingClientRect();
    const box = document.querySelector('[role=log]')?.getBoundingClientRect();
    return row !== undefined && box !== undefined && row.top >= box.top - 1 && row.bottom <= box.bottom + 1;
  }, seq);
}

export async function until(what: string, check: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 10_000;
  while (!(await check())) {
    if (Date.now() > endMs) throw new Error(`expected ${what} within 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function installed(names: readonly string[]): string | undefined {
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
