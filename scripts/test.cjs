'use strict';
// `npm test`: everything that has to be right, on a fresh clone too. Every step runs even when an earlier one failed, so
// that one run shows all faults. `npm test -- FILE…` runs just those test files. `--long` runs the slow tests alone,
// `--security` all that attack us, the slow ones too, `--e2e-long` the slow tests of the page and of whole servers.

const { install, buildPage, node, ownEnv, root, say } = require('./prepare.cjs');
const { audit } = require('./audit.cjs');
const { addDebianPackages } = require('./debian.cjs');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const TEST_TIMEOUT_MS = 600000;
const LONG_TEST_TIMEOUT_MS = 7200000;

const options = process.argv.slice(2).filter((word) => word.startsWith('--'));
const named = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const security = options.indexOf('--security') !== -1;
const e2eLong = options.indexOf('--e2e-long') !== -1;
const long = options.indexOf('--long') !== -1 || security || e2eLong;
const started = Date.now();

install();
const missing = addDebianPackages();
buildPage();

const results = [];
if (named.length === 0 && !long) {
  check('lint and format', 'biome', [process.env.CI ? 'ci' : 'check', '--error-on-warnings']);
  check('types', 'tsc', ['--noEmit', '-p', '.']);
  checkPage();
  check('unused code', 'knip', []);
  checkPackages();
}
const files = named.length > 0 ? named : chosenFiles();
runTests(files);

missing.forEach((reason) => {
  say(`skipped: ${reason}`);
});
const failed = results.filter((result) => !result.ok).map((result) => result.name);
const seconds = Math.round((Date.now() - started) / 1000);
if (failed.length > 0) say(`FAILED after ${seconds} s: ${failed.join(', ')}`);
else say(`all is well after ${seconds} s: ${results.map((result) => result.name).join(', ')}`);
process.exit(failed.length > 0 ? 1 : 0);

function check(name, command, args) {
  const run = spawnSync(path.join(root, 'node_modules', '.bin', command), args, {
    cwd: root,
    encoding: 'utf8',
    env: ownEnv(),
    maxBuffer: 1 << 26,
  });
  const ok = run.status === 0;
  results.push({ name, ok });
  say(`${ok ? 'ok' : 'FAILED'}: ${name}`);
  if (!ok) process.stdout.write(`${run.error ? run.error.message : run.stdout + run.stderr}\n`);
}

/** svelte-check drives the TypeScript compiler from within, which 7 does not offer any more. */
function checkPage() {
  const manifest = path.join(root, 'node_modules', 'typescript', 'package.json');
  const version = JSON.parse(fs.readFileSync(manifest, 'utf8')).version;
  if (Number(version.split('.')[0]) < 7) {
    check('types of the web page', 'svelte-check', ['--tsconfig', path.join('src', 'web', 'tsconfig.json')]);
  } else missing.push(`types of the web page (svelte-check needs TypeScript 5 or 6, got ${version})`);
}

/** Known faults of packages that come with us. A registry that gives no answer is named at the end. */
function checkPackages() {
  const name = 'no serious fault is known of the packages';
  const found = audit();
  if (!found.answered) {
    missing.push(`npm audit (${found.reason})`);
    return;
  }
  const ok = found.faults.length === 0;
  results.push({ name, ok });
  say(`${ok ? 'ok' : 'FAILED'}: ${name}`);
  if (!ok) process.stdout.write(`${found.faults.join('\n')}\n`);
}

function runTests(paths) {
  const timeoutMs = long ? LONG_TEST_TIMEOUT_MS : TEST_TIMEOUT_MS;
  const reporter = `--test-reporter=${path.join(root, 'scripts', 'test-reporter.js')}`;
  const args = ['--test', '--test-concurrency=2', `--test-timeout=${timeoutMs}`, reporter].concat(paths);
  const run = spawnSync(node, args, { cwd: root, env: ownEnv(), stdio: ['ignore', 'inherit', 'inherit'] });
  results.push({ name: `${paths.length} test files`, ok: run.status === 0 });
}

function chosenFiles() {
  const folder = path.join('test', 'security');
  if (security) return testFiles(folder, false).concat(testFiles(folder, true));
  if (e2eLong) return ['web', 'e2e'].flatMap((room) => testFiles(path.join('test', room), true));
  return testFiles('test', long);
}

/** Slow tests bear `.long.` in their names and are left to `npm run test:long`. */
function testFiles(folder, wantLong) {
  const found = [];
  fs.readdirSync(path.join(root, folder), { withFileTypes: true }).forEach((item) => {
    const place = path.join(folder, item.name);
    if (item.isDirectory()) found.push.apply(found, testFiles(place, wantLong));
    else if (/\.test\.ts$/.test(item.name) && /\.long\.test\.ts$/.test(item.name) === wantLong) found.push(place);
  });
  return found.sort();
}
