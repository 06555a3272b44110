import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { promisify } from 'node:util';
import { demoPlugin } from '../../src/plugins/demo.ts';
import { scratch } from '../support/scratch.ts';
import { served } from '../support/served.ts';

const run = promisify(execFile);

test('every command of docs/api.md works as it is written', async (t) => {
  const page = await readFile(new URL('../../docs/api.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => block ?? '');
  assert.ok(blocks.length > 6);
  for (const tool of ['curl', 'jq', 'gzip']) {
    const found = await run('sh', ['-c', `command -v ${tool}`]).then(
      () => true,
      () => false,
    );
    if (!found) return t.skip(`${tool} is not installed`);
  }
  const { url } = await served(t, { plugins: [demoPlugin] });
  const cwd = await scratch(t);
  const script = blocks.join('\n').replace('http://127.0.0.1:8000', url);
  assert.ok(script.includes(url));
  // Each curl fails on a status of 400 or more, and the script with it.
  const { stdout } = await run(
    'bash',
    ['-euo', 'pipefail', '-c', `curl() { command curl -S --fail-with-body "$@"; }\n${script}`],
    { cwd },
  );
  assert.match(stdout, /"accepted":2,"filtered":0,"first_seq":2,"last_seq":3/);
  assert.match(stdout, /^event: end$/m);
  assert.match(stdout, /^once$/m);
  return undefined;
});
