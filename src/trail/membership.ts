import { setTimeout as delay } from 'node:timers/promises';
import { asTrailError, TrailError } from '../core/error.ts';
import type { FileLock } from '../task/file-lock.ts';
import { type Card, newToken, type Owner, readCard, removeCard, takeLock, writeCard } from './owner.ts';

/** How often one that stands by looks whether the owner is gone. */
const LOOK_MS = 1_000;
/** An owner says soon after its start that it shares the directory. */
const SAID_MS = 3_000;
const SAID_LOOK_MS = 50;

/**
 * A server's part in a data directory that several servers share:
 *
 *   join ─┬─ the lock is free ──▶ owner
 *         └─ it is taken ──▶ stands by ── the owner is gone ──▶ owner
 *
 * Each says where it answers: the owner in `owner.json`, and while that does not listen another in `server.json`.
 */
export class Membership implements Owner {
  readonly token = newToken();
  readonly #dataDir: string;
  readonly #stop = new AbortController();
  readonly #elected = Promise.withResolvers<void>();
  #lock: FileLock | undefined;
  #url: string | null = null;
  #standing: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(dataDir: string) {
    this.#dataDir = dataDir;
  }

  /** Throws `owner_exists` when the owner does not share the directory. */
  static async join(dataDir: string): Promise<Membership> {
    const membership = new Membership(dataDir);
    await membership.#join();
    return membership;
  }

  get isOwner(): boolean {
    return this.#lock !== undefined;
  }

  /** Resolves when this server is the owner; never when it is not before it is closed. */
  get elected(): Promise<void> {
    return this.#elected.promise;
  }

  async publish(url: string): Promise<void> {
    this.#url = url;
    await this.#say();
  }

  /** Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #join(): Promise<void> {
    const untilMs = performance.now() + SAID_MS;
    for (;;) {
      try {
        return await this.#own();
      } catch (error) {
        const card = await readCard(this.#dataDir, 'owner');
        if (card?.shared) break;
        if (card === null && performance.now() < untilMs) await delay(SAID_LOOK_MS);
        else throw notShared(error);
      }
    }
    this.#standing = this.#standBy();
  }

  async #own(): Promise<void> {
    this.#lock = await takeLock(this.#dataDir);
    await this.#say();
    this.#elected.resolve();
  }

  async #standBy(): Promise<void> {
    const { signal } = this.#stop;
    while (!this.isOwner && !signal.aborted) {
      await delay(LOOK_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      // Taken still, or the disk does not let us write: both are looked at again.
      await this.#own().catch(() => {});
      if (!this.isOwner) await this.#say().catch(() => {});
    }
  }

  async #say(): Promise<void> {
    const card: Card = { url: this.#url, token: this.token, pid: process.pid, shared: true };
    if (this.isOwner) {
      await writeCard(this.#dataDir, 'owner', card);
      return removeCard(this.#dataDir, 'deputy', this.token);
    }
    if (this.#url === null) return;
    const owner = await readCard(this.#dataDir, 'owner');
    // The first deputy stays until it is gone.
    const deputy = await readCard(this.#dataDir, 'deputy');
    if (owner?.url == null && deputy === null) await writeCard(this.#dataDir, 'deputy', card);
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    await this.#standing;
    await removeCard(this.#dataDir, 'owner', this.token);
    await removeCard(this.#dataDir, 'deputy', this.token);
    this.#lock?.release();
  }
}

function notShared(cause: unknown): TrailError {
  const { code, message } = asTrailError(cause);
  if (code !== 'owner_exists') return asTrailError(cause);
  return new TrailError(code, `${message}; several servers share a directory only when each of them has REDIS_URL`, {
    cause,
  });
}
