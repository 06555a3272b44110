/* `npm run schema`: write the JSON Schema of the config file anew. A test holds it equal to what the code takes. */
import { writeFileSync } from 'node:fs';
import { configSchema } from '../src/cli/config-file.ts';

writeFileSync(new URL('../tasktrail.schema.json', import.meta.url), `${JSON.stringify(configSchema(), null, 2)}\n`);
