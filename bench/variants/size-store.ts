/* What a store that reading is measured over took up when its last line was in: node size-store.ts LINES. */
import { report } from '../support/server.ts';
import { storeOf } from '../support/stores.ts';

const { databaseBytes, jsonlBytes } = await storeOf(Number(process.argv[2]));
report({ databaseBytes, jsonlBytes });
