import { setTimeout as delay } from 'node:timers/promises';
import type { Credential, CredentialChange, Credentials } from '../../core/credential.ts';
import { ACCESS_REFRESH_MS, SESSION_IDLE_MS, USED_EVERY_MS } from '../../core/limits.ts';
import type { Intake, StoreReader } from '../../core/ports.ts';
import { type Clock, isoTime } from '../../core/time.ts';
import { digestOf, isSame } from './secret.ts';

/** Who shows an unknown secret makes us look again, at most so often. */
const LOOK_AGAIN_MS = 200;
/** Of a digest so much finds the credential; the whole is compared in constant time. */
const PLACE_CHARS = 12;

export interface BookParts {
  readonly store: Pick<StoreReader, 'credentials'>;
  readonly intake: Pick<Intake, 'changeCredentials'>;
  readonly clock: Clock;
  /** A token of the settings has this id. */
  readonly isFixed: (id: string) => boolean;
}

/** Something that goes on for as long as what opened it holds. */
export interface Hold {
  /** Aborts when it expired or was revoked. */
  readonly signal: AbortSignal;
  release(): void;
}

/** What is kept in the store, in memory: known as soon as this process changes it, and within seconds when another one does. */
export class CredentialBook {
  readonly #parts: BookParts;
  #revision: number | undefined;
  #byId: ReadonlyMap<string, Credential> = new Map();
  #byPlace: ReadonlyMap<string, Credential> = new Map();
  /** Last uses that are not stored yet, as Unix ms. */
  readonly #uses = new Map<string, number>();
  #storedUsesAtMs: number;
  readonly #holds = new Map<string, { readonly controller: AbortController; count: number }>();
  #looking: Promise<void> | undefined;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  readonly #timer: NodeJS.Timeout;

  private constructor(parts: BookParts) {
    this.#parts = parts;
    this.#storedUsesAtMs = parts.clock.now();
    this.#timer = setInterval(() => void this.#turn(), ACCESS_REFRESH_MS);
    this.#timer.unref();
  }

  static async open(parts: BookParts): Promise<CredentialBook> {
    const book = new CredentialBook(parts);
    try {
      await book.#read();
      return book;
    } catch (error) {
      clearInterval(book.#timer);
      throw error;
    }
  }

  get all(): readonly Credential[] {
    return [...this.#byId.values()];
  }

  /** With its last use as it is known here. */
  find(id: string): Credential | undefined {
    const credential = this.#byId.get(id);
    return credential && { ...credential, usedAt: this.usedAt(credential) };
  }

  /** The token or session of this secret, while it holds. */
  ofSecret(secret: string): Credential | undefined {
    const digest = digestOf(secret);
    const credential = this.#byPlace.get(placeOf(digest.toString('base64url')));
    if (!credential || !isSame(Buffer.from(credential.digest, 'base64url'), digest)) return undefined;
    return this.holds(credential) ? credential : undefined;
  }

  /** It is kept, has not expired, was used not too long ago, and so is and has what it was got for. */
  holds(credential: Credential): boolean {
    const { id, kind, expiresAt, parentId, createdAt } = credential;
    const nowMs = this.#parts.clock.now();
    if (!this.#byId.has(id) || (expiresAt !== null && Date.parse(expiresAt) <= nowMs)) return false;
    if (kind !== 'session') return true;
    if (Date.parse(this.usedAt(credential) ?? createdAt) + SESSION_IDLE_MS <= nowMs) return false;
    const parent = this.#byId.get(parentId ?? '');
    return parent ? this.holds(parent) : parentId !== null && this.#parts.isFixed(parentId);
  }

  usedAt({ id, usedAt }: Pick<Credential, 'id' | 'usedAt'>): string | null {
    const usedMs = this.#uses.get(id);
    if (usedMs === undefined) return usedAt;
    const used = isoTime(usedMs);
    return usedAt !== null && usedAt > used ? usedAt : used;
  }

  /** Nothing is written now: whoever asks does not wait for it. */
  use(id: string): void {
    this.#uses.set(id, this.#parts.clock.now());
  }

  /** Let something go on for as long as this holds; meanwhile it counts as used. */
  hold(id: string): Hold {
    const held = this.#holds.get(id) ?? { controller: new AbortController(), count: 0 };
    held.count += 1;
    this.#holds.set(id, held);
    let released = false;
    return {
      signal: held.controller.signal,
      release: () => {
        if (released) return;
        released = true;
        held.count -= 1;
        if (held.count === 0 && this.#holds.get(id) === held) this.#holds.delete(id);
      },
    };
  }

  async change(change: CredentialChange): Promise<void> {
    await this.#parts.intake.changeCredentials(change);
    await this.#read();
  }

  /** Another process may have made a moment ago what we do not know. All who ask meanwhile share one look. */
  lookAgain(): Promise<void> {
    this.#looking ??= this.#lookSoon().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** Safe to call twice. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#storeUses().catch(() => {});
  }

  async #turn(): Promise<void> {
    try {
      await this.#read();
      this.#endHolds();
      for (const id of this.#holds.keys()) this.use(id);
      if (this.#parts.clock.now() - this.#storedUsesAtMs >= USED_EVERY_MS) await this.#storeUses();
    } catch {
      // A store that cannot be used now is asked again at the next turn; what expires does so without it.
      this.#endHolds();
    }
  }

  async #lookSoon(): Promise<void> {
    const waitMs = this.#lookedAtMs + LOOK_AGAIN_MS - performance.now();
    if (waitMs > 0) await delay(waitMs);
    await this.#read();
  }

  async #read(): Promise<void> {
    this.#lookedAtMs = performance.now();
    const credentials = await this.#parts.store.credentials(this.#revision);
    if (credentials) this.#take(credentials);
  }

  #take({ revision, list }: Credentials): void {
    // Of two answers the later one may come first.
    if (this.#revision !== undefined && revision < this.#revision) return;
    this.#revision = revision;
    this.#byId = new Map(list.map((credential) => [credential.id, credential]));
    const secret = list.filter(({ kind }) => kind !== 'share');
    this.#byPlace = new Map(secret.map((credential) => [placeOf(credential.digest), credential]));
    for (const id of this.#uses.keys()) if (!this.#byId.has(id) && !this.#parts.isFixed(id)) this.#uses.delete(id);
    this.#endHolds();
  }

  #endHolds(): void {
    for (const [id, { controller }] of this.#holds) {
      const credential = this.#byId.get(id);
      if (credential && this.holds(credential)) continue;
      this.#holds.delete(id);
      controller.abort();
    }
  }

  async #storeUses(): Promise<void> {
    this.#storedUsesAtMs = this.#parts.clock.now();
    const used = [...this.#uses].filter(([id]) => this.#byId.has(id));
    if (used.length === 0) return;
    await this.change({ uses: used.map(([id, usedMs]) => ({ id, usedAt: isoTime(usedMs) })) });
    for (const [id, usedMs] of used) if (this.#uses.get(id) === usedMs) this.#uses.delete(id);
  }
}

function placeOf(digest: string): string {
  return digest.slice(0, PLACE_CHARS);
}
