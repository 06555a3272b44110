'use strict';
// What must be true before a clone can run: the packages of the lockfile, the Node they pin, and the web page.
// The machine's own Node runs this file before ours is there, so its syntax stays as old as Node 12.

const OLDEST_NODE = 18;
if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  stop(
    `installing needs Node ${OLDEST_NODE} or newer with npm, got ${process.version} at ${process.execPath}; update Node`,
  );
}

const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.dirname(__dirname);
const modules = path.join(root, 'node_modules');
const commands = path.join(modules, '.bin');
const node = path.join(commands, 'node');
const installStamp = path.join(modules, '.tasktrail-lock');
const dist = path.join(root, 'dist');
const page = path.join(dist, 'web');
const pageStamp = path.join(dist, 'web.sha256');
/** Read at run time, so the compiler does not see them. */
const MIGRATIONS = path.join('store', 'sqlite', 'migrations');
/** What the page is made of. The lockfile stands for the packages in it. */
const PAGE_SOURCES = ['package-lock.json', 'src/client', 'src/core', 'src/query', 'src/web'];

/** Install what the lockfile names when it changed since the last time, and make sure that the pinned Node runs. */
function install() {
  const lock = fs.readFileSync(path.join(root, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).digest('hex');
  if (read(installStamp) !== wanted) {
    if (!installedByHand(lock)) runNpmCi();
    checkNode();
    linkCommand();
    fs.writeFileSync(installStamp, wanted);
  } else if (process.version !== `v${pinnedVersion()}`) checkNode();
}

/** Build the web page when its sources or packages changed since the last build. */
function buildPage() {
  const wanted = fingerprint(PAGE_SOURCES);
  if (fs.existsSync(path.join(page, 'index.html')) && read(pageStamp) === wanted) return;
  say('building the web page …');
  const vite = path.join(modules, 'vite', 'bin', 'vite.js');
  const args = [vite, 'build', '-c', path.join('src', 'web', 'vite.config.ts'), '--logLevel', 'warn'];
  const built = spawnSync(node, args, { cwd: root, encoding: 'utf8', env: ownEnv() });
  if (built.status !== 0) stop(`the web page cannot be built:\n${outputOf(built)}`);
  fs.writeFileSync(pageStamp, wanted);
}

/**
 * Build what is published besides the page: `src/` as JavaScript with its types, because Node does not strip types of what lies in
 * node_modules. A clone itself runs from `src/`.
 */
function buildPackage() {
  say('building the package …');
  fs.mkdirSync(dist, { recursive: true });
  fs.readdirSync(dist)
    .map((name) => path.join(dist, name))
    .filter((place) => place !== page && place !== pageStamp)
    .forEach((place) => {
      fs.rmSync(place, { recursive: true });
    });
  const compiler = path.join(modules, 'typescript', 'bin', 'tsc');
  const built = spawnSync(node, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    encoding: 'utf8',
    env: ownEnv(),
  });
  if (built.status !== 0) stop(`the package cannot be built:\n${outputOf(built)}`);
  copyInto(path.join(dist, MIGRATIONS), path.join(root, 'src', MIGRATIONS), /\.sql$/);
  copyInto(
    path.join(dist, 'redoc'),
    path.join(modules, 'redoc', 'bundles'),
    /^redoc\.standalone\.js(\.LICENSE\.txt)?$/,
  );
}

function copyInto(to, from, wanted) {
  fs.mkdirSync(to);
  fs.readdirSync(from)
    .filter((name) => wanted.test(name))
    .forEach((name) => {
      fs.copyFileSync(path.join(from, name), path.join(to, name));
    });
}

/** The environment in which our own commands come first, whatever started us. */
function ownEnv() {
  return Object.assign({}, process.env, { PATH: [commands].concat(otherPaths()).join(path.delimiter) });
}

function say(line) {
  process.stderr.write(`tasktrail: ${line}\n`);
}

function stop(line) {
  say(line);
  process.exit(1);
}

module.exports = { root, node, install, buildPage, buildPackage, ownEnv, say, stop };

/** Whether `npm ci` or `npm install`, typed by someone, has left just what the lockfile wants. */
function installedByHand(lock) {
  const installed = read(path.join(modules, '.package-lock.json'));
  if (installed === null || !fs.existsSync(node)) return false;
  const have = JSON.parse(installed).packages;
  const want = JSON.parse(lock.toString('utf8')).packages;
  return Object.keys(want).every((place) => {
    if (place === '') return true;
    // A package for another platform is left out by npm, and one that is there has to be the right one.
    if (have[place] === undefined) return want[place].optional === true;
    return have[place].version === want[place].version && have[place].integrity === want[place].integrity;
  });
}

function runNpmCi() {
  say('installing packages (the first time takes up to a minute) …');
  const env = Object.assign({}, process.env, writableCache(), {
    // `npm ci` removes our own Node, so the machine's has to run it.
    PATH: otherPaths().join(path.delimiter),
  });
  const flags = ['--include=dev', '--include=optional', '--ignore-scripts=false'];
  const quiet = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
  const args = ['ci'].concat(flags, quiet);
  const done = spawnSync('npm', args, {
    cwd: root,
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });
  if (done.error) stop(`npm cannot be started (${done.error.message}); install Node with npm`);
  if (done.status !== 0) stop(`npm ci failed:\n${outputOf(done)}`);
}

/** A home that cannot be written to is no reason to fail: npm then gets a cache of its own. */
function writableCache() {
  const cache = process.env.npm_config_cache || path.join(process.env.HOME || '/nonexistent', '.npm');
  try {
    if (!fs.existsSync(cache)) fs.mkdirSync(cache);
    fs.accessSync(cache, fs.constants.W_OK);
    return {};
  } catch (_error) {
    return {
      npm_config_cache: path.join(root, '.cache', 'npm'),
      npm_config_logs_dir: path.join(root, '.cache', 'npm-logs'),
    };
  }
}

function checkNode() {
  const wanted = pinnedVersion();
  const told = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (told.error) stop(`expected Node ${wanted} at ${node}, which cannot be started here: ${told.error.message}`);
  if (told.stdout.trim() !== `v${wanted}`) {
    stop(
      `expected Node ${wanted} at ${node}, got ${told.stdout.trim() || outputOf(told)}; delete node_modules and try again`,
    );
  }
}

/** With this link `npx tasktrail` starts at once; without it npx makes itself a copy of the package first. */
function linkCommand() {
  const link = path.join(commands, 'tasktrail');
  try {
    fs.unlinkSync(link);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  fs.symlinkSync(path.join('..', '..', 'bin', 'tasktrail.js'), link);
}

function pinnedVersion() {
  return JSON.parse(fs.readFileSync(path.join(modules, 'node', 'package.json'), 'utf8')).version;
}

function otherPaths() {
  return (process.env.PATH || '').split(path.delimiter).filter((dir) => dir !== commands);
}

function outputOf(run) {
  return `${run.stdout || ''}${run.stderr || ''}`.trim();
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}

function fingerprint(places) {
  const hash = createHash('sha256');
  places.forEach((place) => {
    addTo(hash, place);
  });
  return hash.digest('hex');
}

/** Contents, not times: a checkout or a copy touches every file without changing one. */
function addTo(hash, place) {
  const full = path.join(root, place);
  if (!fs.existsSync(full)) return;
  if (fs.statSync(full).isDirectory()) {
    fs.readdirSync(full)
      .sort()
      .forEach((name) => {
        addTo(hash, path.join(place, name));
      });
    return;
  }
  const content = fs.readFileSync(full);
  hash.update(`${place}\0${content.length}\0`).update(content);
}
