import { createHmac } from 'node:crypto';
import type { Token } from '../parts.ts';
import { digestOf, isSame } from './secret.ts';

/** A token of the settings. */
export interface FixedToken extends Omit<Token, 'token'> {
  readonly id: string;
}

/** The tokens that stand as long as the process does. */
export class FixedTokens {
  readonly #known: readonly (FixedToken & { readonly digest: Buffer })[];

  /** Ids are made with a key: sessions are kept under them, and a short token must not be found from its id. */
  constructor(tokens: readonly Token[], key: Buffer) {
    this.#known = tokens.map(({ token, role, name }) => {
      const id = `fixed_${createHmac('sha256', key).update(token).digest('base64url').slice(0, 12)}`;
      return { id, digest: digestOf(token), role, ...(name !== undefined && { name }) };
    });
  }

  get list(): readonly FixedToken[] {
    return this.#known;
  }

  has(id: string): boolean {
    return this.#known.some((token) => token.id === id);
  }

  /** Every token is compared, in constant time: how long it takes tells nothing. */
  find(secret: string): FixedToken | undefined {
    const digest = digestOf(secret);
    let found: FixedToken | undefined;
    for (const token of this.#known) if (isSame(token.digest, digest)) found = token;
    return found;
  }
}
