import { readFileSync } from 'node:fs';

/** What to type to run us: in a clone nothing of ours is on the PATH. */
export const COMMAND = import.meta.url.endsWith('.ts') ? 'npx tasktrail' : 'tasktrail';

/** The version of this package. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
