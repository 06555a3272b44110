/* The first page of a search over HTTP, within one large task and across all: node search.ts LINES. */
import { median } from '../stats.ts';
import { BenchClient } from '../support/client.ts';
import { QUIET } from '../support/quiet.ts';
import { SEARCH_TIMES, SEARCHES } from '../support/searches.ts';
import { report, startServer } from '../support/server.ts';
import { LARGE, storeOf } from '../support/stores.ts';

interface Found {
  readonly logs: readonly unknown[];
  readonly next_cursor: string | null;
}

const PAGE = 100;
const FAR = 100;

const { dataDir } = await storeOf(Number(process.argv[2]));
const server = await startServer(dataDir, QUIET);
const client = new BenchClient(server.url);
try {
  const figures: Record<string, number> = {};
  for (const search of SEARCHES) {
    figures[`${search.name}Ms`] = await timed(search, '');
    figures[`${search.name}TaskMs`] = await timed(search, `&task=${LARGE}`);
  }
  report({ ...figures, farMs: await far() });
} finally {
  await client.close();
  await server.stop();
}

async function timed({ text, regex, all }: (typeof SEARCHES)[number], scope: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < SEARCH_TIMES; n++) {
    const startMs = performance.now();
    const lines = await page(`${queryOf(text, regex)}${scope}`);
    times.push(performance.now() - startMs);
    if (all === 'many' ? lines !== PAGE : lines > all || (scope === '' && lines !== all))
      throw new Error(`expected ${all} lines for ${text}, got ${lines}`);
  }
  return median(times);
}

/** Lines of the first page; when the time of one answer is up before it is full, a reader goes on. */
async function page(query: string): Promise<number> {
  let lines = 0;
  for (let cursor = ''; ; ) {
    const { logs, next_cursor: next } = await find(`${query}${cursor}`);
    lines += logs.length;
    if (lines >= PAGE || next === null) return lines;
    cursor = `&cursor=${next}`;
  }
}

/** A page far behind the first. */
async function far(): Promise<number> {
  const query = queryOf('request', false);
  let cursor = '';
  const times: number[] = [];
  for (let n = 0; n < FAR; n++) {
    const startMs = performance.now();
    cursor = `&cursor=${(await find(`${query}${cursor}`)).next_cursor}`;
    times.push(performance.now() - startMs);
  }
  return median(times.slice(-SEARCH_TIMES));
}

function queryOf(text: string, regex: boolean): string {
  return `search=${encodeURIComponent(text)}${regex ? '&regex=true' : ''}`;
}

function find(query: string): Promise<Found> {
  return client.json<Found>(`/api/logs/search?${query}&limit=${PAGE}&budget_ms=10000`);
}
