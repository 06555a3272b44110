import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What to type to run us: in a clone nothing of ours is on the PATH. */
export const COMMAND = import.meta.url.endsWith('.ts') ? 'npx tasktrail' : 'tasktrail';

/** The version of this package. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** ReDoc's bundle: the package brings a copy, a clone has it among its dependencies. */
export function redocFile(): string | undefined {
  const places = ['../redoc/redoc.standalone.js', '../../node_modules/redoc/bundles/redoc.standalone.js'];
  return places.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((file) => existsSync(file));
}
