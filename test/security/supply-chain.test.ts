import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { scratch } from '../support/scratch.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** One more needs a reason in its commit, and this number to grow. */
const MOST_DIRECT = 20;
const MOST_SHIPPED = 130;
const PUBLIC_REGISTRY = 'https://registry.npmjs.org/';

interface Package {
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

interface Manifest extends Package {
  readonly allowScripts: Readonly<Record<string, boolean>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

async function json<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(ROOT, name), 'utf8')) as T;
}

async function locked(): Promise<readonly (readonly [string, Package])[]> {
  const { packages } = await json<{ packages: Readonly<Record<string, Package>> }>('package-lock.json');
  return Object.entries(packages).filter(([place]) => place !== '');
}

/** `node_modules/a/node_modules/@b/c` is `@b/c`. */
function nameOf(place: string): string {
  return place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

describe('what is installed', () => {
  test('runs a script only where package.json knows of it', async () => {
    const { allowScripts } = await json<Manifest>('package.json');
    const scripted = (await locked()).filter(([, { hasInstallScript }]) => hasInstallScript);
    assert.deepEqual(new Set(scripted.map(([place]) => nameOf(place))), new Set(Object.keys(allowScripts)));
    assert.deepEqual(
      scripted.filter(([, { dev }]) => !dev).map(([place]) => place),
      [],
      'nothing that is shipped runs a script',
    );
  });

  test('is one version with one content, from the public registry', async () => {
    for (const [place, { version, integrity, resolved, link }] of await locked()) {
      assert.match(version ?? '', /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/, place);
      assert.match(integrity ?? '', /^sha512-[A-Za-z0-9+/]{86}==$/, place);
      assert.ok(resolved === undefined || resolved.startsWith(PUBLIC_REGISTRY), `${place}: ${resolved}`);
      assert.equal(link, undefined, place);
    }
  });

  test('depends on versions alone: no repository, file or address', async () => {
    for (const [place, one] of [...(await locked()), ['', await json<Package>('package.json')] as const]) {
      const wanted = { ...one.dependencies, ...one.optionalDependencies, ...one.devDependencies };
      for (const [name, spec] of Object.entries(wanted)) {
        assert.doesNotMatch(spec, /[/#]|^(?:git|file|link|https?|github|workspace)\b.*:/, `${place}: ${name}@${spec}`);
      }
    }
  });

  test('is little', async () => {
    const { dependencies } = await json<Manifest>('package.json');
    const shipped = (await locked()).filter(([, { dev }]) => !dev);
    assert.ok(Object.keys(dependencies).length <= MOST_DIRECT, `${Object.keys(dependencies).length} direct ones`);
    assert.ok(shipped.length <= MOST_SHIPPED, `${shipped.length} in all`);
  });
});

test('npm run sbom lists what is shipped', async () => {
  const { stdout } = await run('npm', ['run', '--silent', 'sbom'], { cwd: ROOT, maxBuffer: 1 << 26 });
  interface Bom {
    readonly bomFormat: string;
    readonly metadata: { readonly component: { readonly purl: string } };
    readonly components: readonly { readonly name: string; readonly version: string; readonly hashes?: unknown[] }[];
  }
  const bom = JSON.parse(stdout) as Bom;
  const { version, dependencies, devDependencies = {} } = await json<Manifest>('package.json');
  assert.deepEqual([bom.bomFormat, bom.metadata.component.purl], ['CycloneDX', `pkg:npm/tasktrail@${version}`]);
  const names = new Set(bom.components.map(({ name }) => name));
  for (const name of Object.keys(dependencies)) assert.ok(names.has(name), name);
  for (const name of ['@biomejs/biome', 'svelte', 'knip']) {
    assert.ok(name in devDependencies && !names.has(name), name);
  }
  for (const { name, hashes } of bom.components) assert.ok((hashes?.length ?? 0) > 0, name);
});

describe('npm audit in npm test', () => {
  test('fails for a serious fault of what is shipped, and for no other', async (t) => {
    const serious = await audited(t, { fastify: 'high', ulid: 'critical', pino: 'moderate', svelte: 'critical' });
    assert.deepEqual(serious, { answered: true, faults: ['fastify: high', 'ulid: critical'] });
    assert.deepEqual(await audited(t, { pino: 'moderate' }), { answered: true, faults: [] });
    assert.deepEqual(await audited(t, {}), { answered: true, faults: [] });
  });

  test('says that a registry gives no answer', async (t) => {
    assert.deepEqual(await audited(t, 405), { answered: false, reason: 'the registry answers 405' });
    assert.deepEqual(await audited(t, null), { answered: false, reason: 'the registry gives no answer' });
  });
});

/** What `scripts/audit.cjs` says when a registry answers so: severities by package, a status, or a connection that breaks. */
async function audited(t: TestContext, answer: Readonly<Record<string, string>> | number | null): Promise<unknown> {
  const registry = createServer((request, response) => {
    request.resume().on('end', () => {
      if (answer === null) return response.destroy();
      if (typeof answer === 'number') return response.writeHead(answer).end();
      if (request.method !== 'POST') return response.writeHead(404).end('{}');
      const faults = Object.entries(answer).map(([name, severity], id) => {
        return [name, [{ id, url: '', title: 'a fault', severity, vulnerable_versions: '*', cwe: [], cvss: {} }]];
      });
      return response.setHeader('content-type', 'application/json').end(JSON.stringify(Object.fromEntries(faults)));
    });
  });
  registry.listen(0, '127.0.0.1');
  await once(registry, 'listening');
  try {
    const dir = await scratch(t);
    for (const name of ['package.json', 'package-lock.json']) await copyFile(join(ROOT, name), join(dir, name));
    const { port } = registry.address() as AddressInfo;
    const env = {
      ...process.env,
      npm_config_registry: `http://127.0.0.1:${port}/`,
      npm_config_cache: join(dir, 'cache'),
    };
    const script = `console.log(JSON.stringify(require('./scripts/audit.cjs').audit(process.argv[1])))`;
    const { stdout } = await run(process.execPath, ['-e', script, dir], { cwd: ROOT, env });
    return JSON.parse(stdout);
  } finally {
    registry.closeAllConnections();
    registry.close();
  }
}
