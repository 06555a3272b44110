/* The list of tasks over HTTP: node tasks.ts TASKS. */
import { TASK_SORTS } from '../../src/core/query.ts';
import { median } from '../stats.ts';
import { BenchClient, timesOf } from '../support/client.ts';
import { QUIET } from '../support/quiet.ts';
import { report, startServer } from '../support/server.ts';
import { tasksOf } from '../support/task-stores.ts';

interface Page {
  readonly tasks: readonly { readonly task_id: string; readonly status: string }[];
  readonly total: number;
  readonly total_exact: boolean;
  readonly next_cursor: string | null;
}

const TIMES = 15;
const SLOW_TIMES = 3;
const PAGE = 50;
/** Pages that are walked before the deep one. */
const DEEP = 100;
/** Most tasks that a total may count. */
const COUNTED = 10_000;

const tasks = Number(process.argv[2]);
const server = await startServer(await tasksOf(tasks), QUIET);
const client = new BenchClient(server.url);
try {
  report({
    firstMs: await paged(''),
    deepMs: await paged(`&cursor=${await deepCursor()}`),
    ...(await filtered()),
    ...(await sorted()),
    ...(await texts()),
    facetsMs: median(await timesOf(SLOW_TIMES, facets)),
  });
} finally {
  await client.close();
  await server.stop();
}

async function page(query: string): Promise<Page> {
  return client.json<Page>(`/api/tasks?limit=${PAGE}${query}`);
}

async function paged(query: string, times = TIMES): Promise<number> {
  const taken = await timesOf(times, async () => {
    const found = await page(query);
    if (found.tasks.length !== PAGE) throw new Error(`expected ${PAGE} tasks for ${query}, got ${found.tasks.length}`);
  });
  return median(taken);
}

async function deepCursor(): Promise<string> {
  let cursor = '';
  for (let n = 0; n < DEEP; n++) cursor = `${(await page(cursor && `&cursor=${cursor}`)).next_cursor}`;
  return cursor;
}

async function filtered(): Promise<Record<string, number>> {
  return {
    statusMs: await paged('&status=failed'),
    rareStatusMs: await rare('&status=executing'),
    sourceMs: await paged('&source=jira'),
    agentMs: await paged('&agent=coder'),
    tagMs: await paged('&tag=nightly'),
    costMs: await paged('&min_cost=4'),
  };
}

/** Fewer than a page in the small store. */
async function rare(query: string): Promise<number> {
  const wanted = Math.min(PAGE, (await page(query)).total);
  return median(
    await timesOf(TIMES, async () => {
      if ((await page(query)).tasks.length !== wanted) throw new Error(`expected ${wanted} tasks for ${query}`);
    }),
  );
}

/** Both ways, of which the slower counts. */
async function sorted(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const sort of TASK_SORTS) {
    const ways = [
      await paged(`&sort=${sort}&order=asc`, SLOW_TIMES),
      await paged(`&sort=${sort}&order=desc`, SLOW_TIMES),
    ];
    found[`by_${sort}Ms`] = Math.max(...ways);
  }
  return { ...found, slowestSortMs: Math.max(...Object.values(found)) };
}

/** What most tasks hold, what some hold, and what none does. */
async function texts(): Promise<Record<string, number>> {
  const ms = async (word: string): Promise<number> =>
    median(
      await timesOf(SLOW_TIMES, async () => {
        const { total } = await page(`&q=${word}`);
        if (total > COUNTED) throw new Error(`expected a bounded count for ${word}, got ${total}`);
      }),
    );
  return { commonTextMs: await ms('run'), rareTextMs: await ms('deploy%20976'), absentTextMs: await ms('quarterdeck') };
}

async function facets(): Promise<void> {
  const { status } = await client.json<{ status: Record<string, number> }>('/api/tasks/facets');
  const counted = Object.values(status).reduce((sum, count) => sum + count, 0);
  if (counted !== tasks) throw new Error(`expected ${tasks} tasks, got ${counted}`);
}
