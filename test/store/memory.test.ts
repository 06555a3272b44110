import { MemoryStore } from '../../src/store/memory/store.ts';
import { storeContract } from '../contract/store.ts';

storeContract('memory', async (t, options) => {
  const store = new MemoryStore(options);
  t.after(() => store.close());
  return store;
});
