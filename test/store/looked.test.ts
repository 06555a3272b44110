import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { LogFilter } from '../../src/core/filter.ts';
import { BLOCK_LINES } from '../../src/core/limits.ts';
import type { Store } from '../../src/core/ports.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { Looked } from '../../src/store/sqlite/looked.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { batch, line, numbered, taskOf } from '../contract/store/support.ts';
import { scratch } from '../support/scratch.ts';

const WORD: LogFilter = { search: 'line 1' };
const MIXED: LogFilter = { search: '7$', regex: true, levels: ['INFO'] };

test('offsets and counts by a text stay right as pages are read again and lines come in', async (t) => {
  const store = new SqliteStore(await scratch(t));
  t.after(() => store.close());
  const memory = new MemoryStore();
  for (const each of [store, memory]) await each.createTask(taskOf('a'));
  for (const size of [BLOCK_LINES * 3 + 10, BLOCK_LINES - 20, 700, 5]) {
    const drafts = numbered(size, (n) => ({ level: n % 3 ? 'INFO' : 'ERROR' }));
    for (const each of [store, memory]) await each.append([batch('a', drafts)]);
    for (const filter of [WORD, MIXED])
      for (const order of ['asc', 'desc'] as const)
        for (const offset of [0, 100, 900, 1_300, 0, 9_999]) {
          const query = { filter, order, offset, limit: 7 };
          assert.deepEqual(await pageOf(store, query), await pageOf(memory, query), JSON.stringify({ size, ...query }));
        }
    for (const filter of [WORD, MIXED])
      assert.deepEqual(await store.count('a', filter, 60_000), await memory.count('a', filter, 60_000));
  }
});

test('a full block that a page by a text looked through is not looked through again', async (t) => {
  const dataDir = await scratch(t);
  const store = new SqliteStore(dataDir);
  t.after(() => store.close());
  await store.createTask(taskOf('a'));
  await store.append([batch('a', [...numbered(BLOCK_LINES * 2), line('line 1 of the third block')])]);
  const query = { filter: WORD, offset: 10_000, limit: 5 };
  const { skipped } = await store.read('a', query);
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
  t.after(() => db.close());
  db.exec("UPDATE lines SET message = 'changed behind its back'");
  // All but the line of the last block, which is not full.
  assert.equal((await store.read('a', query)).skipped, skipped - 1);
  assert.deepEqual(await store.count('a', WORD, 60_000), { total: skipped - 1, exact: true });
});

test('of many filters the one that was made first is forgotten', () => {
  const looked = new Looked();
  for (let n = 0; n <= 16; n++) looked.note(`filter ${n}`, n * 50, n);
  assert.equal(looked.matches('filter 0', 0), undefined);
  assert.equal(looked.matches('filter 16', 800), 16);
  assert.equal(looked.matches('filter 16', 799), undefined);
  looked.note('filter 16', 2_000, 0);
  assert.deepEqual([looked.matches('filter 16', 2_000), looked.matches('filter 16', 800)], [0, 16]);
});

/** Read by read, as a page of the API is gathered. */
async function pageOf(store: Store, query: Parameters<Store['read']>[1]) {
  const rest = { ...query, offset: query.offset ?? 0 };
  const seqs: number[] = [];
  for (;;) {
    const page = await store.read('a', rest);
    seqs.push(...page.entries.map(({ seq }) => seq));
    rest.offset -= page.skipped;
    if (page.done || seqs.length >= query.limit) return { seqs: seqs.slice(0, query.limit), left: rest.offset };
    Object.assign(rest, query.order === 'desc' ? { before: page.scannedTo } : { after: page.scannedTo });
  }
}
