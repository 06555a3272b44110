import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from '../support/scratch.ts';

const SCRIPTS = fileURLToPath(new URL('../../scripts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/**
 * A clone that holds our scripts and stand-ins for what they call: an `npm` that lays packages down and writes down how it was
 * called, a `vite` that writes a page, and a server that tells how it was started. Its path has a space.
 */
export async function makeClone(t: TestContext) {
  const base = await scratch(t);
  const root = join(base, 'a clone');
  const tools = join(base, 'tools');
  for (const dir of [join(root, 'bin'), join(root, 'src', 'web'), tools]) await mkdir(dir, { recursive: true });
  await cp(SCRIPTS, join(root, 'scripts'), { recursive: true });
  await writeFile(join(root, 'package-lock.json'), lockOf('1.0.0'));
  await writeFile(join(root, 'src', 'web', 'main.ts'), 'first');
  await writeFile(join(root, 'bin', 'tasktrail.js'), SERVER);
  await writeFile(join(tools, 'packages.cjs'), PACKAGES);
  await writeFile(join(tools, 'npm'), `#!/bin/sh\nexec node "${join(tools, 'packages.cjs')}" "$@"\n`);
  await chmod(join(tools, 'npm'), 0o755);
  await symlink(process.execPath, join(tools, 'node'));

  function spawnScript(script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    return spawn(process.execPath, [join('scripts', script), ...args], {
      cwd: root,
      env: { PATH: `${tools}:/usr/bin:/bin`, HOME: base, NPM_LOG: join(base, 'npm.log'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
  return {
    root,
    spawnScript,
    run: (script: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
      new Promise((resolve, reject) => {
        const child = spawnScript(script, args, env);
        let output = '';
        for (const stream of [child.stdout, child.stderr]) {
          stream.setEncoding('utf8').on('data', (text: string) => {
            output += text;
          });
        }
        child.on('error', reject);
        child.on('close', (code) => resolve({ code, output }));
      }),
    /** How npm was called so far: its arguments, and the cache it was given. */
    npmCalls: async () =>
      (await readFile(join(base, 'npm.log'), 'utf8').catch(() => ''))
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { args: string[]; cache: string | null; path: string }),
    changeLock: (version: string) => writeFile(join(root, 'package-lock.json'), lockOf(version)),
  };
}

function lockOf(version: string): string {
  return JSON.stringify({ packages: { '': {}, 'node_modules/thing': { version } } });
}

const PACKAGES = `
const fs = require('node:fs');
const path = require('node:path');
const call = { args: process.argv.slice(2), cache: process.env.npm_config_cache || null, path: process.env.PATH };
fs.appendFileSync(process.env.NPM_LOG, JSON.stringify(call) + '\\n');
if (process.env.NPM_FAILS) { console.error('npm error the registry does not answer'); process.exit(1); }
console.log('added 1 package');
fs.rmSync('node_modules', { recursive: true, force: true });
fs.mkdirSync('node_modules/.bin', { recursive: true });
fs.mkdirSync('node_modules/node');
fs.mkdirSync('node_modules/vite/bin', { recursive: true });
const version = process.env.PINNED || process.versions.node;
fs.writeFileSync('node_modules/node/package.json', JSON.stringify({ version }));
fs.symlinkSync(process.execPath, 'node_modules/.bin/node');
fs.writeFileSync('node_modules/vite/bin/vite.js', \`
const fs = require('node:fs');
if (process.env.VITE_FAILS) { console.error('main.ts: unexpected token'); process.exit(1); }
fs.mkdirSync('dist/web', { recursive: true });
fs.writeFileSync('dist/web/index.html', fs.readFileSync('src/web/main.ts'));
\`);
`;

const SERVER = `
process.on('SIGTERM', () => { console.log('told to stop'); process.exit(7); });
console.log('served', JSON.stringify(process.argv.slice(2)));
const code = process.argv.indexOf('--exit');
if (code > 0) process.exit(Number(process.argv[code + 1]));
setInterval(() => {}, 1000);
`;
