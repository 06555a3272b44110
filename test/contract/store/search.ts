import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Draft, ENTRY_TYPES, STREAMS } from '../../../src/core/entry.ts';
import { type Expr, type TaskFacts, taskFacts } from '../../../src/core/expr.ts';
import type { LogFilter } from '../../../src/core/filter.ts';
import { LEVELS } from '../../../src/core/level.ts';
import { BLOCK_LINES } from '../../../src/core/limits.ts';
import type { Store } from '../../../src/core/ports.ts';
import { predicate } from '../../../src/core/predicate.ts';
import { isNewer, type Scope, type SearchPage, type SearchPlace, type SearchQuery } from '../../../src/core/search.ts';
import { isoTime } from '../../../src/core/time.ts';
import { line, numbered, type OpenStore, opened, START, stored, taskOf } from './support.ts';

const START_MS = Date.parse(START);
const BUDGET_MS = 60_000;
const PIECES = ['error', 'Error', 'K', '\u212a', 'İ', 'ſ', 's', 'ab', 'abc', 'cab', '😀', ' ', '7f3a', '\n', 'x'];
const PATTERNS = ['err.r', '(?i)k', 'abc?x', '[a-c]{2}', 'error|abc', '^ab', '(?i)ERRORS?', 'cab(ab)+', 'x{2,}', '\\.'];
const TASKS = ['one', 'three', 'two'];

const messages = fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }).map((pieces) => pieces.join(''));
const drafts: fc.Arbitrary<Draft> = fc.record({
  // Few moments, so that many lines share one; a few of long ago.
  timestamp: fc.oneof(fc.nat(8), fc.nat(100_000), fc.constant(-900_000_000)).map((ms) => isoTime(START_MS + ms)),
  level: fc.constantFrom(...LEVELS),
  source: fc.constantFrom('git', 'system'),
  stream: fc.constantFrom(...STREAMS, null),
  type: fc.constantFrom(...ENTRY_TYPES),
  message: messages,
  metadataJson: fc.constantFrom(null, '{"user":{"id":7}}'),
});
const moments = fc.nat(100_000).map((ms) => isoTime(START_MS + ms));
const terms: fc.Arbitrary<Expr> = fc.oneof(
  messages.map((text) => ({ op: 'text' as const, text })),
  fc.constantFrom(...PATTERNS).map((pattern) => ({ op: 'regex' as const, pattern })),
  fc.subarray([...LEVELS]).map((values) => ({ op: 'level' as const, values })),
  fc.constantFrom('git', 'nobody').map((source) => ({ op: 'source' as const, values: [source] })),
  fc.subarray([...TASKS, 'nobody']).map((values) => ({ op: 'task' as const, values })),
  fc.constantFrom('build', 'test').map((kind) => ({ op: 'kind' as const, values: [kind] })),
  fc.constant({ op: 'meta' as const, path: 'user.id', test: '=' as const, value: '7' }),
  fc.record({ op: fc.constant('time' as const), from: moments }),
  fc.record({ op: fc.constant('time' as const), to: moments }),
);
const { expr: exprs } = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 3 },
    { weight: 3, arbitrary: terms },
    fc.record({ op: fc.constant('all' as const), parts: fc.array(tie('expr'), { maxLength: 3 }) }),
    fc.record({ op: fc.constant('any' as const), parts: fc.array(tie('expr'), { maxLength: 3 }) }),
    fc.record({ op: fc.constant('not' as const), part: tie('expr') }),
  ),
}));
const filters: fc.Arbitrary<LogFilter> = fc.oneof(
  exprs.map((expr) => ({ query: { text: 'made up', expr } })),
  messages.filter((text) => text !== '').map((search) => ({ search })),
  fc.constantFrom(...PATTERNS).map((search) => ({ search, regex: true })),
);
const scopes = fc.record({ filter: filters, tasks: fc.subarray([...TASKS, 'nobody']) }, { requiredKeys: ['filter'] });

/** A search across tasks answers what the predicate says of each line, newest first, page by page. */
export function searchContract(open: OpenStore): void {
  test('searching equals the predicate for random lines and queries, page by page', async (t) => {
    const { store } = await opened(t, open);
    const held = new Held(store);
    await held.make();
    const property = fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...TASKS), fc.array(drafts, { maxLength: 12 })), { maxLength: 4 }),
      fc.array(scopes, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 40 }),
      async (batches, asked, limit) => {
        for (const [taskId, lines] of batches) await held.add(taskId, lines);
        for (const scope of asked) await held.check(scope, limit);
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });

  test('the same holds for blocks full of lines, with late ones among them', async (t) => {
    const { store } = await opened(t, open);
    const held = new Held(store);
    await held.make();
    for (const [n, taskId] of TASKS.entries()) {
      const lines = numbered(BLOCK_LINES * 2 + 100 * n, (i) => ({
        timestamp: isoTime(START_MS + Math.floor(i / 3) * (n + 1) - (i % 500 === 0 ? 800_000 : 0)),
        message: i % 700 === 3 ? `a rare needle ${taskId}` : `Line ${i} of ${taskId} is common`,
        level: i % 10 === 0 ? 'ERROR' : 'INFO',
      }));
      for (let at = 0; at < lines.length; at += 700) await held.add(taskId, lines.slice(at, at + 700));
    }
    for (const filter of [
      { search: 'COMMON' },
      { search: 'needle' },
      { search: 'needle two' },
      { search: 'absent' },
      { search: 'needle (one|two)$', regex: true },
      { levels: ['ERROR'] as const, from: isoTime(START_MS + 100), to: isoTime(START_MS + 300) },
      {},
    ])
      await held.check({ filter }, 1_000);
  });

  test('lines of one moment are paged through, those of the greater task and seq first', async (t) => {
    const { store } = await opened(t, open);
    for (const taskId of ['b', 'a', 'c']) {
      await store.createTask(taskOf(taskId));
      for (let at = 0; at < 3; at++) await stored(store, taskId, Array(700).fill(line('the same')));
    }
    const found = await allFound(store, { filter: { search: 'same' }, limit: 700, budgetMs: BUDGET_MS });
    const expected = ['c', 'b', 'a'].flatMap((id) => Array.from({ length: 2_100 }, (_, n) => `${id}:${2_100 - n}`));
    assert.deepEqual(found, expected);
  });

  test('no line comes twice or is missed while others come in between two pages', async (t) => {
    const { store } = await opened(t, open);
    const ids: string[] = [];
    for (const taskId of TASKS) {
      await store.createTask(taskOf(taskId));
      await stored(
        store,
        taskId,
        numbered(1_500, () => ({ message: 'to be found' })),
      );
      for (let seq = 1; seq <= 1_500; seq++) ids.push(`${taskId}:${seq}`);
    }
    const query = { filter: { search: 'to be found' }, limit: 400, budgetMs: BUDGET_MS };
    let round = 0;
    const found = await allFound(store, query, async () => {
      round += 1;
      for (const taskId of TASKS) {
        await stored(store, taskId, [
          line('new, to be found', { timestamp: isoTime(START_MS + 1_000_000 + round) }),
          line('late, to be found', { timestamp: isoTime(START_MS + 700) }),
        ]);
      }
    });
    assert.equal(new Set(found).size, found.length);
    assert.deepEqual(
      ids.filter((id) => !found.includes(id)),
      [],
    );
  });

  test('a search without any time comes to its end in steps', async (t) => {
    const { store } = await opened(t, open);
    for (const taskId of TASKS) {
      await store.createTask(taskOf(taskId));
      await stored(
        store,
        taskId,
        numbered(2_500, (n) => ({ message: n % 600 === 0 ? '%' : 'nothing' })),
      );
    }
    const found = await allFound(store, { filter: { search: '%' }, limit: 100, budgetMs: 0 });
    const expected = [2_400, 1_800, 1_200, 600].flatMap((seq) => ['two', 'three', 'one'].map((id) => `${id}:${seq}`));
    assert.deepEqual(found, expected);
    const facets = await store.lineFacets({ filter: { search: '%' }, budgetMs: 0 });
    assert.ok(facets.exact ? facets.total === 12 : facets.total < 12);
  });

  test('lines of a deleted task are not found any more', async (t) => {
    const { store } = await opened(t, open);
    for (const taskId of TASKS) {
      await store.createTask(taskOf(taskId));
      await stored(store, taskId, numbered(1_100));
    }
    await store.deleteTask('two', 'tester');
    const scope = { filter: { search: 'line 11' }, budgetMs: BUDGET_MS };
    const found = await allFound(store, { ...scope, limit: 100 });
    assert.deepEqual([...new Set(found.map((id) => id.split(':')[0]))].sort(), ['one', 'three']);
    assert.deepEqual(
      (await store.lineFacets(scope)).tasks.map(({ taskId }) => taskId),
      ['one', 'three'],
    );
    assert.equal((await store.search({ ...scope, tasks: ['two'], limit: 1 })).entries.length, 0);
  });

  test('a search of which nobody wants to know any more throws the reason', async (t) => {
    const { store } = await opened(t, open);
    const scope = { filter: { search: 'x' }, budgetMs: BUDGET_MS };
    const reason = new Error('went away');
    const signal = AbortSignal.abort(reason);
    for (const asked of [
      () => store.search({ ...scope, limit: 1 }, signal),
      () => store.lineFacets(scope, signal),
      () => store.searchHistogram({ ...scope, buckets: 5 }, signal),
    ])
      await assert.rejects(asked, reason);
  });
}

interface HeldLine extends SearchPlace {
  readonly draft: Draft;
}

/** What the store was given, and what it must answer. */
class Held {
  readonly #store: Store;
  readonly #lines = new Map<string, Draft[]>();
  readonly #facts = new Map<string, TaskFacts>();

  constructor(store: Store) {
    this.#store = store;
  }

  async make(): Promise<void> {
    for (const [n, taskId] of TASKS.entries()) {
      const task = taskOf(taskId, { kind: n === 0 ? 'build' : 'test' });
      await this.#store.createTask(task);
      this.#lines.set(taskId, []);
      this.#facts.set(taskId, taskFacts(task));
    }
  }

  async add(taskId: string, lines: readonly Draft[]): Promise<void> {
    await stored(this.#store, taskId, lines);
    this.#lines.get(taskId)?.push(...lines);
  }

  async check(asked: Omit<Scope, 'budgetMs'>, limit: number): Promise<void> {
    const scope = { ...asked, budgetMs: BUDGET_MS };
    const expected = this.#matching(scope);
    const ids = expected.map(({ taskId, seq }) => `${taskId}:${seq}`);
    assert.deepEqual(await allFound(this.#store, { ...scope, limit }), ids);
    const { total, exact, level, tasks } = await this.#store.lineFacets(scope);
    assert.deepEqual([total, exact], [expected.length, true]);
    assert.equal(level.ERROR, expected.filter(({ draft }) => draft.level === 'ERROR').length);
    assert.equal(
      tasks.reduce((sum, task) => sum + task.lines, 0),
      expected.length,
    );
    const histogram = await this.#store.searchHistogram({ ...scope, buckets: 7 });
    assert.deepEqual(
      [histogram.from, histogram.to],
      [expected.at(-1)?.timestamp ?? null, expected[0]?.timestamp ?? null],
    );
    assert.equal(
      histogram.buckets.reduce((sum, bucket) => sum + bucket.total, 0),
      expected.length,
    );
  }

  #matching({ filter, tasks }: Scope): HeldLine[] {
    const found: HeldLine[] = [];
    for (const [taskId, lines] of this.#lines) {
      if (tasks && !tasks.includes(taskId)) continue;
      const passes = predicate(filter, this.#facts.get(taskId));
      for (const [at, draft] of lines.entries()) {
        if (passes(draft)) found.push({ timestamp: draft.timestamp, taskId, seq: at + 1, draft });
      }
    }
    return found.sort((a, b) => (isNewer(a, b) ? -1 : 1));
  }
}

/** The ids of all lines, page by page; each page is checked to keep what a page promises. */
async function allFound(store: Store, query: SearchQuery, between = async () => {}): Promise<string[]> {
  const found: string[] = [];
  for (let after = query.after; ; ) {
    const page = await store.search({ ...query, ...(after && { after }) });
    checkPage(page, { ...query, ...(after && { after }) });
    found.push(...page.entries.map(({ id }) => id));
    if (!page.next) return found;
    after = page.next;
    await between();
  }
}

function checkPage({ entries, next, complete }: SearchPage, { limit, after }: SearchQuery): void {
  assert.ok(entries.length <= limit, 'a page holds at most its limit');
  const places = [...(after ? [after] : []), ...entries];
  for (const [at, place] of places.entries()) {
    const behind = places[at + 1];
    if (behind) assert.ok(isNewer(place, behind), 'lines come newest first, behind the page before');
  }
  const last = entries.at(-1);
  if (next && last) assert.ok(!isNewer(next, last), 'the next page starts behind this one');
  if (next && after) assert.ok(isNewer(after, next), 'a page that is not the last goes on');
  if (next && complete) assert.equal(entries.length, limit);
}
