import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from '../support/scratch.ts';

const CLONER = fileURLToPath(new URL('../fixtures/programs/cloner.ts', import.meta.url));
const skip = spawnSync('git', ['--version']).error ? 'git is not installed' : false;
const BRANCHES = ['b0', 'b1', 'b2'];
const ROUNDS = 4;

test('processes that clone the same repository at once take turns at its cache', { skip }, async (t) => {
  const dir = await scratch(t);
  const remote = join(dir, 'remote');
  await mkdir(remote);
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'init.defaultBranch=main'];
  const env = { PATH: process.env.PATH, HOME: dir };
  const git = (...args: string[]) => execFileSync('git', [...who, '-C', remote, ...args], { env });
  const commit = async (branch: string, text: string): Promise<void> => {
    git('checkout', '-q', '-B', branch);
    await writeFile(join(remote, 'a.txt'), text);
    git('add', '.');
    git('commit', '-q', '-m', text);
  };
  git('init', '-q');
  const caches = join(dir, 'caches');
  const cloners = await Promise.all(['one', 'two'].map((name) => cloner(t, [caches, remote, join(dir, name)])));
  for (let round = 0; round < ROUNDS; round++) {
    for (const branch of BRANCHES) await commit(branch, `${branch} in round ${round}`);
    // The first time, and once more, the cache is not there yet.
    if (round === 2) for (const cache of await readdir(caches)) await rm(join(caches, cache), { recursive: true });
    await Promise.all(cloners.map((clone) => clone(round)));
    for (const name of ['one', 'two'])
      for (const branch of BRANCHES) {
        const text = await readFile(join(dir, name, `${round}-${branch}`, 'a.txt'), 'utf8');
        assert.equal(text, `${branch} in round ${round}`);
      }
  }
  assert.equal((await readdir(caches)).length, 1);
});

/** A process that clones all branches when it is told to; resolves when it is up. */
async function cloner(t: TestContext, args: readonly string[]): Promise<(round: number) => Promise<void>> {
  const child = spawn(process.execPath, [CLONER, ...args, ...BRANCHES], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'close');
  t.after(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  const printed = createInterface(child.stdout)[Symbol.asyncIterator]();
  assert.equal((await printed.next()).value, 'ready');
  return async (round) => {
    child.stdin.write(`${round}\n`);
    assert.equal((await printed.next()).value, 'cloned', 'it ended');
  };
}
