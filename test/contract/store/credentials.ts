import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Credential } from '../../../src/core/credential.ts';
import { SESSIONS_OF_TOKEN, SHARES, TOKENS } from '../../../src/core/limits.ts';
import type { Store } from '../../../src/core/ports.ts';
import { isoTime } from '../../../src/core/time.ts';
import { DAY_MS, type OpenStore, opened, plain, rejectsWith, START } from './support.ts';

const START_MS = Date.parse(START);

/** Tokens, sessions and links. */
export function credentialsContract(open: OpenStore): void {
  test('credentials are kept as they are, the oldest first, and forgotten with their sessions', async (t) => {
    const { store } = await opened(t, open);
    const first = credentialOf('b', { expiresAt: isoTime(START_MS + DAY_MS), createdBy: 'ada', hint: 'tt_ab' });
    const second = credentialOf('a', { createdAt: isoTime(START_MS + 1), role: 'admin', name: null });
    const session = credentialOf('s', { kind: 'session', parentId: 'b', createdAt: isoTime(START_MS + 2) });
    const share = credentialOf('l', { kind: 'share', taskId: 't', digest: '', createdAt: isoTime(START_MS + 3) });
    for (const add of [second, first, session, share]) await store.changeCredentials({ add });
    assert.deepEqual(await listed(store), plain([first, second, session, share]));
    await store.changeCredentials({ remove: ['b', 'unknown'] });
    assert.deepEqual(await listed(store), plain([second, share]));
  });

  test('who knows the revision is told nothing until something changes', async (t) => {
    const { store } = await opened(t, open);
    const before = await store.credentials();
    assert.deepEqual(before?.list, []);
    assert.equal(await store.credentials(before?.revision), null);
    await store.changeCredentials({ add: credentialOf('a') });
    const after = await store.credentials(before?.revision);
    assert.equal(after?.list.length, 1);
    assert.equal(await store.credentials(after?.revision), null);
  });

  test('the later time of use stays', async (t) => {
    const { store } = await opened(t, open);
    await store.changeCredentials({ add: credentialOf('a') });
    for (const minutes of [2, 5, 3]) {
      const uses = ['a', 'unknown'].map((id) => ({ id, usedAt: isoTime(START_MS + minutes * 60_000) }));
      await store.changeCredentials({ uses });
    }
    assert.deepEqual(
      (await listed(store)).map(({ usedAt }) => usedAt),
      [isoTime(START_MS + 5 * 60_000)],
    );
  });

  test('one token or link too many is refused, and an expired link makes room', async (t) => {
    const { store, clock } = await opened(t, open);
    const until = { expiresAt: isoTime(START_MS + 60_000) };
    for (let i = 0; i < TOKENS; i++) await store.changeCredentials({ add: credentialOf(`t${i}`, until) });
    for (let i = 0; i < SHARES; i++) {
      await store.changeCredentials({ add: credentialOf(`s${i}`, { kind: 'share', ...until }) });
    }
    const [token, share] = [credentialOf('more'), credentialOf('more-still', { kind: 'share' })];
    await rejectsWith('too_many_tokens', () => store.changeCredentials({ add: token }));
    await rejectsWith('too_many_shares', () => store.changeCredentials({ add: share }));
    clock.turn(60_001);
    // An expired token is still listed: somebody should see why a program is refused.
    await rejectsWith('too_many_tokens', () => store.changeCredentials({ add: token }));
    await store.changeCredentials({ add: share });
    assert.equal((await listed(store)).filter(({ kind }) => kind === 'share').length, 1);
  });

  test('of too many sessions of a token the one that was used longest ago goes', async (t) => {
    const { store } = await opened(t, open);
    const session = (id: string, parentId: string) => credentialOf(id, { kind: 'session', parentId });
    await store.changeCredentials({ add: session('other', 'b') });
    for (let i = 0; i < SESSIONS_OF_TOKEN; i++) await store.changeCredentials({ add: session(`s${i}`, 'a') });
    const uses = Array.from({ length: SESSIONS_OF_TOKEN }, (_, i) => `s${i}`).filter((id) => id !== 's7');
    await store.changeCredentials({ uses: uses.map((id) => ({ id, usedAt: isoTime(START_MS + 1) })) });
    await store.changeCredentials({ add: session('new', 'a') });
    const ids = (await listed(store)).map(({ id }) => id);
    assert.equal(ids.length, SESSIONS_OF_TOKEN + 1);
    assert.ok(ids.includes('other') && ids.includes('new') && !ids.includes('s7'));
  });

  test('credentials are still there when the store is opened again', async (t) => {
    const { store } = await opened(t, open);
    if (!store.reopen) return t.skip('this store keeps nothing');
    await store.changeCredentials({ add: credentialOf('a') });
    const again = await store.reopen();
    assert.deepEqual(await listed(again), [plain(credentialOf('a'))]);
  });
}

async function listed(store: Store): Promise<readonly Credential[]> {
  return plain((await store.credentials())?.list ?? []);
}

function credentialOf(id: string, over: Partial<Credential> = {}): Credential {
  return {
    ...{ id, kind: 'token', digest: `digest of ${id}`, role: 'reader', name: 'ci', hint: null, taskId: null },
    ...{ parentId: null, createdAt: START, createdBy: null, expiresAt: null, usedAt: null },
    ...over,
  };
}
