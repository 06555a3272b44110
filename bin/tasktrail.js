#!/usr/bin/env node
// biome-ignore-all lint/style/useNodejsImportProtocol: older Node versions do not know it, and they must get far enough to say which one is needed
import { spawn } from 'child_process';
import { existsSync, readFileSync } from 'fs';
import module from 'module';
import { constants } from 'os';
import { dirname, join } from 'path';
import { fileURLToPath, pathToFileURL } from 'url';
import v8 from 'v8';

const NEEDED = 24;
const FILE = fileURLToPath(import.meta.url);
const ROOT = join(dirname(FILE), '..');

start();

function start() {
  if (major(process.versions.node) >= NEEDED) return load();
  const own = ownNode();
  if (own !== null) return runWith(own);
  console.error(
    `tasktrail: expected Node.js ${NEEDED} or newer, got ${process.versions.node}; install it from https://nodejs.org`,
  );
  process.exitCode = 1;
}

function load() {
  if (module.enableCompileCache) module.enableCompileCache();
  const source = join(ROOT, 'src', 'cli', 'main.ts');
  const file = existsSync(source) ? source : join(ROOT, 'dist', 'cli', 'main.js');
  // What a server loads stays. V8 would take it for a sign that young objects need more room, and never give that back, so
  // their room does not grow until the server listens.
  if (process.argv[2] === 'serve') v8.setFlagsFromString('--semi-space-growth-factor=1');
  import(pathToFileURL(file).href).then((cli) => cli.main(process.argv));
}

// In a clone the right Node lies among the dependencies.
function ownNode() {
  const home = join(ROOT, 'node_modules', 'node');
  try {
    const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    const path = join(home, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return major(version) >= NEEDED && existsSync(path) ? path : null;
  } catch (_error) {
    return null;
  }
}

// The same words with the other Node: its input, output, signals and exit code are ours.
function runWith(node) {
  const child = spawn(node, [FILE].concat(process.argv.slice(2)), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to both of us: once is enough.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    console.error(`tasktrail: ${node} could not be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal]);
  });
}

function major(version) {
  return parseInt(version, 10);
}
