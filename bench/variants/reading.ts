/* Reading one large task over HTTP: node reading.ts LINES, of which the task that is read has a tenth. */

import { median, quantile } from '../stats.ts';
import { BenchClient, timesOf } from '../support/client.ts';
import { QUIET } from '../support/quiet.ts';
import { report, startServer } from '../support/server.ts';
import { LARGE, LARGE_SHARE, storeOf } from '../support/stores.ts';

interface Page {
  readonly logs: readonly { readonly seq: number }[];
  readonly total: number;
  readonly scanned_to?: number;
}

interface Asked {
  readonly filter: string;
  readonly offset: number;
  readonly after?: number;
}

const LOGS = `/api/tasks/${LARGE}/logs`;
const PAGE = 100;
const PAGES = 1_000;
const TIMES = 15;
/** By kind of filter. `request` stands in every tenth line or so. */
const FILTERS = { Level: 'level=ERROR', Source: 'source=server', Text: 'search=request' } as const;

const lines = Number(process.argv[2]);
const taskLines = lines * LARGE_SHARE;
const store = await storeOf(lines);
const startMs = performance.now();
const server = await startServer(store.dataDir, QUIET);
const client = new BenchClient(server.url);
try {
  await client.get('/ready');
  const readyMs = performance.now() - startMs;
  report({ readyMs, ...(await pages()), ...(await offsets()), ...(await figures()) });
} finally {
  await client.close();
  await server.stop();
}

/** Pages at places all over the task, none of which was read before by this server. */
async function pages(): Promise<Record<string, number>> {
  const last = taskLines - PAGE;
  const times = await timesOf(PAGES, async (n) => {
    const after = Math.floor((((n + 1) * 0.618_033_988_75) % 1) * last);
    const { logs } = await client.json<Page>(`${LOGS}?after=${after}&limit=${PAGE}`);
    check(logs.length === PAGE && logs[0]?.seq === after + 1, `a page after ${after}`);
  });
  return { pageP50Ms: median(times), pageP99Ms: quantile(times, 0.99) };
}

/** The first page, and the one at 90 % of what passes: asked for the first time, and again. */
async function offsets(): Promise<Record<string, number>> {
  const found: Record<string, number> = {
    firstPageMs: await again({ filter: '', offset: 0 }),
    offsetMs: await again(far('', taskLines)),
  };
  for (const [kind, filter] of Object.entries(FILTERS)) {
    const asked = far(filter, await counted(filter));
    found[`offsetNew${kind}Ms`] = await page(asked);
    found[`first${kind}Ms`] = await again({ filter, offset: 0 });
    found[`offset${kind}Ms`] = await again(asked);
  }
  return found;
}

function far(filter: string, lines: number): Asked {
  return { filter, offset: Math.floor(lines * 0.9) };
}

async function again(asked: Asked): Promise<number> {
  return median(await timesOf(TIMES, () => page(asked)));
}

async function page({ filter, offset, after = 0 }: Asked): Promise<number> {
  const startMs = performance.now();
  const {
    logs,
    total,
    scanned_to: scannedTo,
  } = await client.json<Page>(`${LOGS}?limit=${PAGE}&${filter}&after=${after}&offset=${offset}`);
  // Its time was up: a reader goes on from there.
  if (scannedTo !== undefined) await page({ filter, offset: offset - total, after: scannedTo });
  else check(logs.length > 0, `lines for ${filter} from ${offset}`);
  return performance.now() - startMs;
}

/** By the thread that searches, so that the one that is measured has not seen the filter. */
async function counted(filter: string): Promise<number> {
  const { total, total_exact: exact } = await client.json<Counted>(`${LOGS}/facets?${filter}&budget_ms=10000`);
  check(exact && total > PAGE, `all lines with ${filter} counted`);
  return total;
}

async function figures(): Promise<Record<string, number>> {
  const stats = await timesOf(TIMES, async () => {
    const { total } = await client.json<{ total: number }>(`${LOGS}/stats`);
    check(total === taskLines, `${taskLines} lines counted`);
  });
  const sources = await timesOf(TIMES, async () => {
    const names = await client.json<string[]>(`${LOGS}/sources`);
    check(names.length === 2, 'two sources');
  });
  const histogram = await timesOf(TIMES, async () => {
    const { exact, buckets } = await client.json<Bars>(`${LOGS}/histogram?buckets=60`);
    const total = buckets.reduce((sum, bucket) => sum + bucket.total, 0);
    check(exact && total === taskLines, `${taskLines} lines in the buckets, got ${total}`);
  });
  return { statsMs: median(stats), sourcesMs: median(sources), histogramMs: median(histogram) };
}

interface Counted {
  readonly total: number;
  readonly total_exact: boolean;
}

interface Bars {
  readonly exact: boolean;
  readonly buckets: readonly { readonly total: number }[];
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected ${what}`);
}
