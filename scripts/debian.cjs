'use strict';
// Programs that tests use and npm does not bring. As root on Debian (a container, CI) the missing ones are installed;
// anyone else is shown the command, and the tests that need them skip themselves with the reason.

const { say } = require('./prepare.cjs');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/** Which command tells that a package is there, and what is left out without it. */
const PACKAGES = [
  { name: 'chromium', command: 'chromium', use: 'tests of the web page in a real browser' },
  { name: 'curl', command: 'curl', use: 'tests of the documented curl commands' },
  { name: 'git', command: 'git', use: 'tests of the repositories that agents work in' },
  { name: 'jq', command: 'jq', use: 'tests of the documented jq commands' },
  { name: 'redis-server', command: 'redis-server', use: 'tests of the Redis parts' },
  { name: 'sqlite3', command: 'sqlite3', use: 'tests that read the database with the SQLite shell' },
  { name: 'strace', command: 'strace', use: 'tests that make system calls fail' },
  { name: 'zstd', command: 'zstd', use: 'tests of bodies compressed by the zstd command' },
];

/** Install what is missing where that is possible. Answers one reason for each package that is still missing. */
function addDebianPackages() {
  let missing = PACKAGES.filter((item) => !onPath(item.command));
  if (missing.length === 0) return [];
  const names = missing.map((item) => item.name);
  if (onPath('apt-get') && process.getuid && process.getuid() === 0) {
    say(`installing Debian packages: ${names.join(', ')} …`);
    aptGet(['update']);
    aptGet(['install', '-y', '--no-install-recommends'].concat(names));
    missing = missing.filter((item) => !onPath(item.command));
  } else say(`some tests need programs that are missing here; on Debian: sudo apt-get install ${names.join(' ')}`);
  return missing.map((item) => `${item.use} (${item.name} is not installed)`);
}

module.exports = { addDebianPackages };

function aptGet(args) {
  // RUNLEVEL keeps a package from starting its service.
  const env = Object.assign({}, process.env, { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' });
  const run = spawnSync('apt-get', ['-qq'].concat(args), { encoding: 'utf8', env, maxBuffer: 1 << 26 });
  if (run.status !== 0) say(`apt-get ${args[0]} failed: ${run.error ? run.error.message : run.stderr.trim()}`);
}

function onPath(command) {
  return (process.env.PATH || '').split(path.delimiter).some((dir) => {
    try {
      fs.accessSync(path.join(dir, command), fs.constants.X_OK);
      return true;
    } catch (_error) {
      return false;
    }
  });
}
