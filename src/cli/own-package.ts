import { registerHooks } from 'node:module';

const SUFFIX = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const OWN: ReadonlyMap<string, string> = new Map(
  Object.entries({ tasktrail: 'trail', 'tasktrail/client': 'client', 'tasktrail/plugins': 'plugins' }).map(
    ([name, room]) => [name, new URL(`../${room}/index.${SUFFIX}`, import.meta.url).href],
  ),
);

let offered = false;

/**
 * Give every module that imports `tasktrail` from now on this very copy of it, wherever the module lies and whatever is installed
 * beside it: in another copy, `logger` and `beliefScope` would know nothing of the task that runs here.
 */
export function offerOwnPackage(): void {
  if (offered) return;
  offered = true;
  registerHooks({
    resolve(specifier, context, next) {
      const url = OWN.get(specifier);
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
    },
  });
}
