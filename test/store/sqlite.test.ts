import { SqliteStore } from '../../src/store/sqlite/store.ts';
import { storeContract } from '../contract/store.ts';
import { scratch } from '../support/scratch.ts';

storeContract('sqlite', async (t, options) => {
  const dataDir = await scratch(t);
  const open = (): SqliteStore => {
    const store = new SqliteStore(dataDir, options);
    t.after(() => store.close());
    return store;
  };
  const first = open();
  return Object.assign(first, {
    reopen: async () => {
      await first.close();
      return open();
    },
  });
});
