import { type Credential, type CredentialChange, type Credentials, tooMany } from '../../core/credential.ts';
import { SESSIONS_OF_TOKEN, SHARES, TOKENS } from '../../core/limits.ts';
import { isoTime } from '../../core/time.ts';

/** Tokens, sessions and links, in a plain list. */
export class CredentialList {
  #list: readonly Credential[] = [];
  #revision = 0;

  all(known?: number): Credentials | null {
    if (known === this.#revision) return null;
    const order = ({ createdAt, id }: Credential): string => `${createdAt} ${id}`;
    return { revision: this.#revision, list: this.#list.toSorted((a, b) => (order(a) < order(b) ? -1 : 1)) };
  }

  change({ add, uses = [], remove = [] }: CredentialChange, nowMs: number): void {
    const usedAt = new Map(uses.map((use) => [use.id, use.usedAt]));
    const left = this.#list
      .filter(({ id, parentId }) => !remove.includes(id) && !remove.includes(parentId ?? ''))
      .map((one) => ({ ...one, usedAt: latest(one.usedAt, usedAt.get(one.id) ?? null) }));
    this.#list = add ? [...withRoomFor(add, left, nowMs), add] : left;
    this.#revision += 1;
  }
}

function withRoomFor(
  { kind, parentId }: Credential,
  list: readonly Credential[],
  nowMs: number,
): readonly Credential[] {
  const now = isoTime(nowMs);
  const kept = list.filter((one) => one.kind === 'token' || one.expiresAt === null || one.expiresAt > now);
  const like = kept.filter((one) => one.kind === kind && one.parentId === parentId);
  if (kind !== 'session') {
    if (like.length >= (kind === 'token' ? TOKENS : SHARES)) throw tooMany(kind);
    return kept;
  }
  const lastUse = ({ usedAt, createdAt }: Credential): string => usedAt ?? createdAt;
  const newest = like.toSorted((a, b) => compare(lastUse(b), lastUse(a)) || compare(a.id, b.id));
  const gone = new Set(newest.slice(SESSIONS_OF_TOKEN - 1));
  return kept.filter((one) => !gone.has(one));
}

function latest(a: string | null, b: string | null): string | null {
  return b === null || (a !== null && a > b) ? a : b;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
