'use strict';
// Whether packages that are installed with us have known faults, as the registry tells. Not every registry answers that, and none
// does offline; then the reason is given, so that nobody takes silence for a clean bill.

const { spawnSync } = require('node:child_process');
const { root } = require('./prepare.cjs');

const AUDIT_MS = 60000;
const ARGS = ['audit', '--json', '--omit=dev', '--package-lock-only', '--fetch-retries=0', '--fetch-timeout=20000'];
const SERIOUS = ['high', 'critical'];

/** `{ answered: true, faults: [] }`, or `{ answered: false, reason: '' }`. */
function audit(dir) {
  const run = spawnSync('npm', ARGS, { cwd: dir || root, encoding: 'utf8', timeout: AUDIT_MS, maxBuffer: 1 << 26 });
  if (run.error)
    return { answered: false, reason: run.error.code === 'ETIMEDOUT' ? 'it took too long' : run.error.code };
  const report = reportOf(run.stdout);
  if (report === null || !report.vulnerabilities) return { answered: false, reason: reasonOf(report) };
  const faults = Object.keys(report.vulnerabilities)
    .map((name) => report.vulnerabilities[name])
    .filter((found) => SERIOUS.indexOf(found.severity) !== -1)
    .map((found) => `${found.name}: ${found.severity}`);
  return { answered: true, faults };
}

function reportOf(text) {
  try {
    return JSON.parse(text);
  } catch (_error) {
    return null;
  }
}

function reasonOf(report) {
  const { statusCode, error } = report || {};
  const { code } = error || {};
  if (statusCode) return `the registry answers ${statusCode}`;
  return code || 'the registry gives no answer';
}

module.exports = { audit };
