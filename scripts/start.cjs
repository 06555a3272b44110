'use strict';
// `npm start`: prepare the clone where something is stale, then serve. Flags after `--` go to `tasktrail serve`.

const { install, buildPage, node, ownEnv, root, stop } = require('./prepare.cjs');
const { spawn } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');

install();
buildPage();

const command = path.join(root, 'bin', 'tasktrail.js');
const server = spawn(node, [command, 'serve'].concat(process.argv.slice(2)), { stdio: 'inherit', env: ownEnv() });

['SIGINT', 'SIGTERM', 'SIGHUP'].forEach((signal) => {
  process.on(signal, () => {
    // Ctrl-C at a terminal reaches the server by itself, and a second one would mean "at once".
    if (signal !== 'SIGINT' || !process.stdin.isTTY) server.kill(signal);
  });
});
server.on('error', (error) => stop(`the server cannot be started: ${error.message}`));
server.on('exit', (code, signal) => {
  process.exit(code === null ? 128 + os.constants.signals[signal] : code);
});
