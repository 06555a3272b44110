import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { DATABASE_FILE } from '../../src/store/sqlite/database.ts';
import { SqliteStore } from '../../src/store/sqlite/store.ts';
import type { OpenStore } from '../contract/store/support.ts';
import { storeContract } from '../contract/store.ts';
import { scratch } from '../support/scratch.ts';

storeContract(
  'compressed sqlite',
  opening((store, compress) => {
    const { read, count, stats, histogram, search, lineFacets, searchHistogram } = SqliteStore.prototype;
    const compressed = <Args extends unknown[], T>(method: (...args: Args) => T) => {
      return (...args: Args): T => {
        compress();
        return method.apply(store, args);
      };
    };
    return {
      read: compressed(read),
      count: compressed(count),
      stats: compressed(stats),
      histogram: compressed(histogram),
      search: compressed(search),
      lineFacets: compressed(lineFacets),
      searchHistogram: compressed(searchHistogram),
    };
  }),
);

// What every second append stores stays as plain lines behind the compressed ones, and the next append is late.
storeContract(
  'half compressed sqlite',
  opening((store, compress) => {
    let appends = 0;
    const append: SqliteStore['append'] = (batches) => {
      if (appends++ % 2 === 1) compress();
      return SqliteStore.prototype.append.call(store, batches);
    };
    return { append };
  }),
);

type Change = (store: SqliteStore, compress: () => void) => Partial<SqliteStore>;

/** Opens a store of which some methods compress every line that is there, before they do their own work. */
function opening(change: Change): OpenStore {
  return async (t, options) => {
    const dataDir = await scratch(t);
    const open = (): SqliteStore => {
      const store = new SqliteStore(dataDir, options);
      t.after(() => store.close());
      return Object.assign(store, change(store, compressor(t, dataDir, store)));
    };
    const first = open();
    return Object.assign(first, {
      reopen: async () => {
        await first.close();
        return open();
      },
    });
  };
}

/** Only what ended is compressed: to compress a task that runs, it is made to look ended meanwhile. */
function compressor(t: TestContext, dataDir: string, store: SqliteStore): () => void {
  const db = new DatabaseSync(join(dataDir, DATABASE_FILE));
  t.after(() => db.close());
  const plain = db.prepare('SELECT 1 FROM tasks WHERE compressed = 0 LIMIT 1');
  return () => {
    if (!plain.get()) return;
    db.exec("UPDATE tasks SET completed_at = '' WHERE completed_at IS NULL");
    while (store.compress('9999'));
    db.exec("UPDATE tasks SET completed_at = NULL WHERE completed_at = ''");
  };
}
