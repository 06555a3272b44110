import { FACET_TASKS } from '../../core/limits.ts';
import type { Histogram } from '../../core/query.ts';
import type { LineFacets, Scope } from '../../core/search.ts';
import { Bars } from './bars.ts';
import type { LineRow } from './chunk.ts';
import type { Database } from './database.ts';
import type { Block, BlockRow, Tables } from './scan.ts';
import { ScopeScan, type ScopeTask } from './scope.ts';
import { Turns } from './search.ts';

type Query<T> = T & { readonly signal?: AbortSignal | undefined };

/** Lines of one block that a search counts together. */
interface Counted {
  readonly task: ScopeTask;
  readonly block: Block;
}

/** How many matching lines there are of each kind: by summaries where these decide, else by looking while time is left. */
export async function facetsOfLines(tables: Tables, { signal, ...scope }: Query<Scope>): Promise<LineFacets> {
  const lines = new Map<number, number>();
  const tasks = new Map<string, number>();
  const add = (taskId: string, facetNo: number, count: number): void => {
    lines.set(facetNo, (lines.get(facetNo) ?? 0) + count);
    tasks.set(taskId, (tasks.get(taskId) ?? 0) + count);
  };
  const walk = new BlockWalk(new ScopeScan(tables, scope), new Turns(scope.budgetMs, signal));
  for await (const counted of walk.blocks()) {
    const { task, block } = counted;
    if (block.whole) for (const [facetNo, count] of block.counts) add(task.taskId, facetNo, count);
    else if (!(await walk.look(counted, (row) => add(task.taskId, row.facet_no, 1)))) break;
  }
  const level = { DEBUG: 0, INFO: 0, WARNING: 0, ERROR: 0 };
  const [source, stream, type] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  let total = 0;
  for (const [facetNo, count] of lines) {
    const facet = tables.facets.facet(facetNo);
    total += count;
    level[facet.level] += count;
    source.set(facet.source, (source.get(facet.source) ?? 0) + count);
    stream.set(facet.stream ?? 'none', (stream.get(facet.stream ?? 'none') ?? 0) + count);
    type.set(facet.type, (type.get(facet.type) ?? 0) + count);
  }
  return {
    ...{ total, exact: !walk.over, level },
    ...{ source: Object.fromEntries(source), stream: Object.fromEntries(stream), type: Object.fromEntries(type) },
    tasks: [...tasks]
      .map(([taskId, count]) => ({ taskId, lines: count }))
      .sort((a, b) => b.lines - a.lines || (a.taskId < b.taskId ? -1 : 1))
      .slice(0, FACET_TASKS),
  };
}

/** Lines whose times are kept until the span of all is known. */
const KEPT_LINES = 1_000_000;

/** The same as `histogramOf` over the lines of many tasks. Each block is looked into once, or twice where its summary told its span. */
export async function histogramOfSearch(
  tables: Tables,
  { signal, buckets, ...scope }: Query<Scope & { readonly buckets: number }>,
): Promise<Histogram> {
  const walk = new BlockWalk(new ScopeScan(tables, scope), new Turns(scope.budgetMs, signal));
  const known: Counted[] = [];
  const times: number[] = [];
  const facetNos: number[] = [];
  let [from, to] = ['~', ''];
  for await (const counted of walk.blocks()) {
    const { firstAt, lastAt, all } = counted.block;
    if (all) {
      known.push(counted);
      if (firstAt < from) from = firstAt;
      if (lastAt > to) to = lastAt;
      continue;
    }
    const looked = await walk.look(counted, ({ timestamp, facet_no }) => {
      if (timestamp < from) from = timestamp;
      if (timestamp > to) to = timestamp;
      times.push(Date.parse(timestamp));
      facetNos.push(facet_no);
    });
    if (looked && times.length > KEPT_LINES) walk.over = true;
    if (walk.over) break;
  }
  if (to === '') return { from: null, to: null, widthMs: 1, exact: !walk.over, buckets: [] };
  const bars = new Bars({ from, to }, buckets);
  const add = (ms: number, facetNo: number, lines: number): void =>
    bars.add(ms, tables.facets.facet(facetNo).level, lines);
  for (const [place, ms] of times.entries()) add(ms, facetNos[place] ?? 0, 1);
  for (const counted of known) {
    const { firstAt, lastAt, counts } = counted.block;
    const [firstMs, lastMs] = [Date.parse(firstAt), Date.parse(lastAt)];
    // Of those that there is no time for, all lines are taken to be as old as the first.
    if (walk.over || bars.isOne(firstMs, lastMs)) for (const [facetNo, lines] of counts) add(firstMs, facetNo, lines);
    else await walk.look(counted, ({ timestamp, facet_no }) => add(Date.parse(timestamp), facet_no, 1));
  }
  return bars.histogram(!walk.over);
}

interface WalkRow extends BlockRow {
  task_no: number;
}

/** Blocks that one short read passes. */
const WALK_BLOCKS = 512;

/** All blocks of a search that may hold matches, those of the newest tasks first. */
class BlockWalk {
  /** The time was up before everything was looked at. */
  over = false;
  readonly #scope: ScopeScan;
  readonly #turns: Turns;
  #looked = false;

  constructor(scope: ScopeScan, turns: Turns) {
    this.#scope = scope;
    this.#turns = turns;
  }

  async *blocks(): AsyncGenerator<Counted> {
    const { db } = this.#scope.tables;
    if (this.#scope.isEmpty) return;
    const tasks = this.#scope.taskNos();
    // One that is in progress when the time is up has been looked at as far as the walk came.
    for (let last: [number, number] | undefined = [Number.MAX_SAFE_INTEGER, 0]; last; ) {
      const { rows, end }: { rows: readonly WalkRow[]; end: [number, number] | undefined } = this.#some(
        db,
        last,
        tasks,
      );
      for (const row of rows) {
        const task = this.#scope.task(row.task_no);
        const block = task?.scan.block(row);
        if (task && block && block.atMost > 0) yield { task, block };
      }
      last = end;
      await this.#turns.next();
      if (last && this.#looked && this.#turns.over) {
        this.over = true;
        return;
      }
      this.#looked = true;
    }
  }

  /** Look at the lines of a block; false when the time was up before. The first is always looked at. */
  async look({ task: { scan }, block }: Counted, visit: (row: LineRow) => void): Promise<boolean> {
    for (let from = block.lookFrom; from <= block.lastSeq; ) {
      if (this.#looked && this.#turns.over) {
        this.over = true;
        return false;
      }
      for (const row of scan.lines(from, block.lastSeq, 'asc')) visit(row);
      from = (scan.stoppedAt ?? block.lastSeq) + 1;
      this.#looked = true;
      await this.#turns.next();
    }
    return true;
  }

  #some(db: Database, last: [number, number], tasks: readonly number[] | undefined) {
    const { clear, join, mayHold } = this.#scope.filtering;
    const { from, to = '~' } = this.#scope;
    const ofTasks = tasks ? 'k.task_no IN (SELECT value FROM json_each(?)) AND' : '';
    const named = tasks ? [JSON.stringify(tasks)] : [];
    const key = db.get<{ task_no: number; block_no: number }>(
      `SELECT task_no, block_no FROM blocks k WHERE ${ofTasks} (task_no, block_no) < (?, ?)
       ORDER BY task_no DESC, block_no DESC LIMIT 1 OFFSET ${WALK_BLOCKS - 1}`,
      ...named,
      ...last,
    );
    const end: [number, number] | undefined = key && [key.task_no, key.block_no];
    const rows = db.all<WalkRow>(
      `SELECT k.task_no, k.block_no, k.first_at, k.last_at, k.facets_json, k.sorted, ${clear.sql} AS clear_to
       FROM blocks k ${join}
       WHERE ${ofTasks} (k.task_no, k.block_no) < (?, ?) AND (k.task_no, k.block_no) >= (?, ?)
         AND k.last_at >= ? AND k.first_at < ? ${mayHold.sql}
       ORDER BY k.task_no DESC, k.block_no DESC`,
      ...clear.values,
      ...named,
      ...last,
      ...(end ?? [0, 0]),
      ...[from, to],
      ...mayHold.values,
    );
    return { rows, end };
  }
}
