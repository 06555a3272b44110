import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 32;
const ID_BYTES = 9;

/**
 * 256 random bits, so that one round of SHA-256 is enough to keep it: nobody can try them all. A slow hash is for what people think
 * up, and would cost every request that shows a token.
 */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

export function newId(kind: string): string {
  return `${kind}_${randomBytes(ID_BYTES).toString('base64url')}`;
}

export function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Takes as long wherever they differ. */
export function isSame(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
