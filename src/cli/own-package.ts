import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const MANIFEST = new URL('../../package.json', import.meta.url);

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, { readonly 'tasktrail-source': string; readonly default: string }>>;
}

let offered = false;

/**
 * Give every module that imports `tasktrail` from now on this very copy of it, wherever the module lies and whatever is installed
 * beside it: in another copy, `logger` and `beliefScope` would know nothing of the task that runs here.
 */
export function offerOwnPackage(): void {
  if (offered) return;
  offered = true;
  const own = ownModules();
  registerHooks({
    resolve(specifier, context, next) {
      const url = own.get(specifier);
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
    },
  });
}

/** What the package exports, as files of the form that runs here: `src/` in a clone, else `dist/`. */
function ownModules(): ReadonlyMap<string, string> {
  const { name, exports } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as Manifest;
  const form = import.meta.url.endsWith('.ts') ? 'tasktrail-source' : 'default';
  // The key of `tasktrail/client` is `./client`, that of the package itself a dot.
  const entries = Object.entries(exports).map(([key, files]): [string, string] => [
    `${name}${key.slice(1)}`,
    new URL(files[form], MANIFEST).href,
  ]);
  return new Map(entries);
}
