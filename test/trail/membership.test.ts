import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { Membership } from '../../src/trail/membership.ts';
import { readOwner, takeOwnership } from '../../src/trail/owner.ts';
import { sharedKey } from '../../src/trail/shared-key.ts';
import { scratch } from '../support/scratch.ts';

test('the first is the owner, the next stands by and takes over when it goes', async (t) => {
  const dataDir = await scratch(t);
  const first = await Membership.join(dataDir);
  const second = await Membership.join(dataDir);
  t.after(() => second.close());
  assert.deepEqual([first.isOwner, second.isOwner], [true, false]);
  await first.elected;
  await first.publish('http://127.0.0.1:1');
  await second.publish('http://127.0.0.1:2');
  assert.equal((await readOwner(dataDir))?.url, 'http://127.0.0.1:1');
  await first.close();
  await first.close();
  await second.elected;
  assert.deepEqual([second.isOwner, (await readOwner(dataDir))?.url], [true, 'http://127.0.0.1:2']);
});

test('while the owner does not listen, one that stands by and does is the one that commands find', async (t) => {
  const dataDir = await scratch(t);
  const worker = await Membership.join(dataDir);
  assert.equal(await readOwner(dataDir), null);
  const api = await Membership.join(dataDir);
  await api.publish('http://127.0.0.1:2');
  const { url, token } = (await readOwner(dataDir)) ?? {};
  assert.deepEqual([url, token], ['http://127.0.0.1:2', api.token]);
  assert.equal((await stat(join(dataDir, 'server.json'))).mode & 0o777, 0o600);
  await api.close();
  assert.equal(await readOwner(dataDir), null);
  await worker.close();
});

test('an owner that does not share refuses those that would, and one that shares those that would not', async (t) => {
  const dataDir = await scratch(t);
  const alone = await takeOwnership(dataDir);
  await alone.publish('http://127.0.0.1:1');
  await assert.rejects(Membership.join(dataDir), { code: 'owner_exists', message: /127\.0\.0\.1:1 .*REDIS_URL/ });
  await alone.close();
  const shared = await Membership.join(dataDir);
  t.after(() => shared.close());
  await assert.rejects(takeOwnership(dataDir), {
    code: 'owner_exists',
    message: new RegExp(`^the server \\(pid ${process.pid}\\) owns`),
  });
});

test('of many that ask at once for the key that they share all get the same', async (t) => {
  const dataDir = await scratch(t);
  const keys = await Promise.all(Array.from({ length: 20 }, () => sharedKey(dataDir)));
  assert.equal(new Set(keys.map(({ id, key }) => `${id} ${key.toString('hex')}`)).size, 1);
  assert.equal(keys[0]?.key.length, 32);
  assert.equal((await stat(join(dataDir, 'shared.json'))).mode & 0o777, 0o600);
  assert.ok(!(await readFile(join(dataDir, 'shared.json'), 'utf8')).includes('undefined'));
});
