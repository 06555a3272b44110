import type { FastifyRequest } from 'fastify';
import type { Credential } from '../../core/credential.ts';
import { TrailError } from '../../core/error.ts';
import { SESSION_MS } from '../../core/limits.ts';
import type { Intake, StoreReader } from '../../core/ports.ts';
import { type Clock, isoTime } from '../../core/time.ts';
import type { ServerSettings } from '../parts.ts';
import { type Caller, isFromHere, LOOPBACK_CALLER } from './caller.ts';
import { SESSION_COOKIE, sharesIn } from './cookies.ts';
import { CredentialBook, type Hold } from './credential-book.ts';
import { type FixedToken, FixedTokens } from './fixed-tokens.ts';
import { digestOf, newId, newSecret } from './secret.ts';
import { isSignedShare, SHARE_PREFIX, sharedTaskOf, shareIdOf, shareText } from './shares.ts';
import { newToken, TOKEN_PREFIX, type TokenWish } from './tokens.ts';

export interface AccessParts {
  readonly store: Pick<StoreReader, 'credentials' | 'task'>;
  readonly intake: Pick<Intake, 'changeCredentials' | 'hide'>;
  readonly clock: Clock;
  readonly settings: ServerSettings;
  /** Signs links, and is kept beside the data. */
  readonly signingKey: Buffer;
}

/** A token as it is shown. */
export interface ShownToken {
  readonly credential: Credential | null;
  readonly fixed: FixedToken | null;
  readonly usedAt: string | null;
}

/** What the token of this run is called. */
const LOCAL = 'local';
const BEARER_PROTOCOL = 'tasktrail.bearer.';
const HOST_HERE = /^(?:localhost|127\..*|\[::1\])$/i;
const NO_HOLD: Hold = { signal: new AbortController().signal, release: () => {} };

/**
 * Who may in. Without tokens in the settings a caller on loopback is admin, until stored tokens close that too: they do where the
 * settings say that others reach this server. Tokens for scripts on one's own machine change nothing for its browser.
 */
export class Access {
  readonly #parts: AccessParts;
  readonly #fixed: FixedTokens;
  readonly #book: CredentialBook;

  private constructor(parts: AccessParts, fixed: FixedTokens, book: CredentialBook) {
    this.#parts = parts;
    this.#fixed = fixed;
    this.#book = book;
  }

  static async open(parts: AccessParts): Promise<Access> {
    const { tokens, localToken } = parts.settings;
    const local = localToken === undefined ? [] : [{ role: 'admin', token: localToken, name: LOCAL } as const];
    const fixed = new FixedTokens([...tokens, ...local], parts.signingKey);
    return new Access(parts, fixed, await CredentialBook.open({ ...parts, isFixed: (id) => fixed.has(id) }));
  }

  /** Null for nobody that we know. */
  async callerOf(request: FastifyRequest): Promise<Caller | null> {
    const bearer = bearerOf(request);
    if (bearer === undefined) return this.#callerByCookie(request);
    if (bearer.startsWith(SHARE_PREFIX)) return this.#callerByShare([bearer], sharedTaskOf(request));
    const token = await this.#token(bearer);
    // The command line on an open server is who everybody on this machine is.
    if (token?.name === LOCAL && !token.kept && this.#isOpen(request)) return LOOPBACK_CALLER;
    if (token) return this.#callerByToken(token);
    // Whoever needs no token may have set any; one of ours that does not hold any more is refused.
    return !bearer.startsWith(TOKEN_PREFIX) && this.#isOpen(request) ? LOOPBACK_CALLER : null;
  }

  /** A caller who bears a link to this task, though the request is for another thing. */
  async readerOf(request: FastifyRequest, taskId: string | undefined): Promise<Caller | null> {
    return this.#callerByShare(sharesIn(request), taskId);
  }

  /** Let something go on for this caller until what opened it is over. */
  hold({ credentialId }: Caller): Hold {
    return credentialId === undefined ? NO_HOLD : this.#book.hold(credentialId);
  }

  /** Those of the settings first. */
  tokens(): readonly ShownToken[] {
    const fixed = this.#fixed.list.slice(0, this.#parts.settings.tokens.length);
    return [
      ...fixed.map((token) => ({
        credential: null,
        fixed: token,
        usedAt: this.#book.usedAt({ ...token, usedAt: null }),
      })),
      ...this.#kept('token').map((token) => ({ credential: token, fixed: null, usedAt: this.#book.usedAt(token) })),
    ];
  }

  /** What the token is, this once. Throws `invalid_token`, `too_many_tokens`, `last_token`. */
  async createToken(wish: TokenWish, by: string | null): Promise<{ token: string; credential: Credential }> {
    if (wish.role !== 'admin' && this.#closesWithTokens && this.#kept('token').length === 0) {
      throw new TrailError(
        'last_token',
        'others reach this server, so its first token lets in nobody without one: make one for an admin first',
      );
    }
    const made = newToken(wish, { by, nowMs: this.#parts.clock.now() });
    await this.#parts.intake.hide([made.token]);
    await this.#book.change({ add: made.credential });
    return { ...made, credential: this.#book.find(made.credential.id) ?? made.credential };
  }

  /** Throws `token_not_found`, `token_fixed`, `last_token`. */
  async revokeToken(id: string): Promise<Credential> {
    if (this.#fixed.has(id)) {
      throw new TrailError('token_fixed', 'the token stands in TASKTRAIL_TOKENS; change the setting and start again');
    }
    const token = this.#find('token', id);
    if (!token) throw new TrailError('token_not_found', `there is no token ${JSON.stringify(id.slice(0, 100))}`);
    if (this.#closesWithTokens && this.#kept('token').length === 1) {
      throw new TrailError(
        'last_token',
        'others reach this server, and without a token everybody would be admin: make another token first',
      );
    }
    await this.#book.change({ remove: [id] });
    return token;
  }

  /** A session for a token, as what its cookie holds. Throws `unauthorized`. */
  async signIn(secret: string): Promise<{ cookie: string; session: Credential; caller: Caller }> {
    const token = await this.#token(secret);
    if (!token) throw new TrailError('unauthorized', 'the token is wrong, has expired or was revoked');
    const { clock } = this.#parts;
    const nowMs = clock.now();
    const cookie = newSecret();
    const untilMs = Math.min(nowMs + SESSION_MS, token.expiresAt === null ? Infinity : Date.parse(token.expiresAt));
    const session: Credential = {
      ...{ id: newId('ses'), kind: 'session', digest: digestOf(cookie).toString('base64url'), role: token.role },
      ...{ name: token.name, hint: null, taskId: null, parentId: token.id, createdAt: isoTime(nowMs), createdBy: null },
      ...{ expiresAt: isoTime(untilMs), usedAt: isoTime(nowMs) },
    };
    await this.#book.change({ add: session });
    this.#book.use(token.id);
    return { cookie, session, caller: sessionCaller(session) };
  }

  /** Answers whether somebody was signed in. */
  async signOut(request: FastifyRequest): Promise<boolean> {
    const cookie = request.cookies[SESSION_COOKIE];
    const session = cookie === undefined ? undefined : this.#book.ofSecret(cookie);
    if (session?.kind !== 'session') return false;
    await this.#book.change({ remove: [session.id] });
    return true;
  }

  /** When the caller's own session ends, or what else opened it. */
  expiryOf({ credentialId }: Caller): string | null {
    return (credentialId === undefined ? undefined : this.#book.find(credentialId))?.expiresAt ?? null;
  }

  shares(taskId?: string): readonly Credential[] {
    const shares = this.#kept('share').filter((share) => this.#book.holds(share));
    return shares
      .filter((share) => taskId === undefined || share.taskId === taskId)
      .map((share) => ({ ...share, usedAt: this.#book.usedAt(share) }));
  }

  /** A link to a task, as what stands in its address. Throws `task_not_found`, `task_deleted`, `too_many_shares`. */
  async createShare(
    taskId: string,
    expiresAt: string,
    by: string | null,
  ): Promise<{ text: string; share: Credential }> {
    await this.#parts.store.task(taskId);
    const share: Credential = {
      ...{
        id: newId('shr'),
        kind: 'share',
        digest: '',
        role: 'reader',
        name: null,
        hint: null,
        taskId,
        parentId: null,
      },
      ...{ createdAt: isoTime(this.#parts.clock.now()), createdBy: by, expiresAt, usedAt: null },
    };
    await this.#book.change({ add: share });
    const text = shareText(share, this.#parts.signingKey);
    await this.#parts.intake.hide([text]);
    return { text, share };
  }

  /** Throws `share_not_found`. */
  async revokeShare(id: string): Promise<Credential> {
    const share = this.#find('share', id);
    if (!share) throw new TrailError('share_not_found', `there is no link ${JSON.stringify(id.slice(0, 100))}`);
    await this.#book.change({ remove: [id] });
    return share;
  }

  /** What a link is, while it holds. */
  async shareOf(text: string): Promise<Credential | undefined> {
    const id = shareIdOf(text);
    if (id === undefined) return undefined;
    if (!this.#find('share', id)) await this.#book.lookAgain();
    const share = this.#find('share', id);
    const good = share && isSignedShare(text, share, this.#parts.signingKey) && this.#book.holds(share);
    return good ? share : undefined;
  }

  /** Safe to call twice. */
  close(): Promise<void> {
    return this.#book.close();
  }

  async #callerByCookie(request: FastifyRequest): Promise<Caller | null> {
    const cookie = request.cookies[SESSION_COOKIE];
    const session = cookie === undefined ? undefined : await this.#ofSecret(cookie);
    if (session?.kind === 'session') {
      this.#book.use(session.id);
      if (session.parentId !== null) this.#book.use(session.parentId);
      return sessionCaller(session);
    }
    if (this.#isOpen(request)) return LOOPBACK_CALLER;
    return this.#callerByShare(sharesIn(request), sharedTaskOf(request));
  }

  #callerByToken({ id, role, name, expiresAt: _, kept }: FoundToken): Caller {
    this.#book.use(id);
    return { kind: 'token', role, name, tokenId: id, ...(kept && { credentialId: id }) };
  }

  async #callerByShare(texts: readonly string[], taskId: string | undefined): Promise<Caller | null> {
    if (taskId === undefined) return null;
    for (const text of texts) {
      const share = await this.shareOf(text);
      if (share?.taskId !== taskId) continue;
      this.#book.use(share.id);
      return { kind: 'share', role: 'reader', name: null, taskId, credentialId: share.id };
    }
    return null;
  }

  async #token(secret: string): Promise<FoundToken | undefined> {
    const fixed = this.#fixed.find(secret);
    if (fixed) return { id: fixed.id, role: fixed.role, name: fixed.name ?? null, expiresAt: null, kept: false };
    if (!secret.startsWith(TOKEN_PREFIX)) return undefined;
    const token = await this.#ofSecret(secret);
    return token?.kind === 'token' ? { ...token, kept: true } : undefined;
  }

  async #ofSecret(secret: string): Promise<Credential | undefined> {
    const known = this.#book.ofSecret(secret);
    if (known) return known;
    await this.#book.lookAgain();
    return this.#book.ofSecret(secret);
  }

  /** Whoever calls from this machine is admin. */
  #isOpen(request: FastifyRequest): boolean {
    const { tokens, loopback } = this.#parts.settings;
    if (!loopback || tokens.length > 0 || !isFromHere(request)) return false;
    return !this.#closesWithTokens || this.#kept('token').length === 0;
  }

  /** A server on loopback that the settings offer to others. */
  get #closesWithTokens(): boolean {
    const { tokens, loopback, publicUrl, allowedHosts, trustProxy = [] } = this.#parts.settings;
    if (!loopback || tokens.length > 0) return false;
    const elsewhere = publicUrl !== undefined && !HOST_HERE.test(new URL(publicUrl).hostname);
    return elsewhere || allowedHosts.length > 0 || trustProxy.length > 0;
  }

  #find(kind: Credential['kind'], id: string): Credential | undefined {
    const credential = this.#book.find(id);
    return credential?.kind === kind ? credential : undefined;
  }

  #kept(kind: Credential['kind']): readonly Credential[] {
    return this.#book.all.filter((credential) => credential.kind === kind);
  }
}

interface FoundToken extends Pick<Credential, 'id' | 'role' | 'name' | 'expiresAt'> {
  /** In the store, so it may be revoked. */
  readonly kept: boolean;
}

function sessionCaller({ id, role, name, parentId }: Credential): Caller {
  return { kind: 'session', role, name, credentialId: id, ...(parentId !== null && { tokenId: parentId }) };
}

function bearerOf({ headers }: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const protocols = headers['sec-websocket-protocol']?.split(',') ?? [];
  const protocol = protocols.map((name) => name.trim()).find((name) => name.startsWith(BEARER_PROTOCOL));
  return protocol && Buffer.from(protocol.slice(BEARER_PROTOCOL.length), 'base64url').toString();
}
