import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { WEBHOOK_WORD_CHARS } from '../../core/limits.ts';
import { type Delivery, header } from './delivery.ts';

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: Refusal };

/**
 * - `no_secret`: there is no secret to check with
 * - `missing_header`: the signature, or what belongs to it, is not there
 * - `odd_header`: it is there twice, or is none of the only form that is taken
 * - `too_old`: it was signed too long ago, or in the future
 * - `wrong_signature`: somebody else signed, or other bytes
 */
export type Refusal = 'no_secret' | 'missing_header' | 'odd_header' | 'too_old' | 'wrong_signature';

const HeaderName = Type.String({ pattern: '^[A-Za-z0-9-]{1,100}$', description: 'Name of a header, in any case' });

/** How deliveries of a webhook made at run time are signed. */
export const SignatureScheme = Type.Union([
  Type.Object(
    {
      type: Type.Literal('hmac-sha256'),
      header: HeaderName,
      prefix: Type.Optional(
        Type.String({ maxLength: WEBHOOK_WORD_CHARS, description: 'Before the digest, as `sha256=`' }),
      ),
      encoding: Type.Union([Type.Literal('hex'), Type.Literal('base64')]),
    },
    { additionalProperties: false, description: 'HMAC-SHA256 of the raw body under the secret' },
  ),
  Type.Object(
    { type: Type.Literal('bearer'), header: Type.Optional(HeaderName) },
    { additionalProperties: false, description: '`Bearer SECRET` in a header (default Authorization)' },
  ),
  Type.Object(
    { type: Type.Literal('header-token'), header: HeaderName },
    { additionalProperties: false, description: 'The secret alone in a header' },
  ),
  Type.Object(
    { type: Type.Literal('none'), allow_unsigned: Type.Literal(true) },
    {
      additionalProperties: false,
      description: 'Anybody who knows the URL may send; must be allowed in so many words',
    },
  ),
]);
export type SignatureScheme = Static<typeof SignatureScheme>;

const OK: Verdict = { ok: true };

export function refused(reason: Refusal): Verdict {
  return { ok: false, reason };
}

/** Check a delivery as a scheme says. */
export function verifyScheme(scheme: SignatureScheme, delivery: Delivery, secret: string): Verdict {
  switch (scheme.type) {
    case 'none':
      return OK;
    case 'hmac-sha256': {
      const { header: name, prefix = '', encoding } = scheme;
      return verifyHmac({ delivery, secret, header: name, prefix, encoding, signed: [delivery.body] });
    }
    case 'bearer':
      return verifyToken(delivery, secret, { header: scheme.header ?? 'authorization', prefix: 'Bearer ' });
    case 'header-token':
      return verifyToken(delivery, secret, { header: scheme.header, prefix: '' });
  }
}

interface Hmac {
  readonly delivery: Delivery;
  readonly secret: string;
  readonly header: string;
  readonly prefix: string;
  readonly encoding: 'hex' | 'base64';
  /** What is signed, in pieces: the body is never copied into a text. */
  readonly signed: readonly (string | Uint8Array)[];
}

/** HMAC-SHA256, no other method: a header that names one is odd. */
export function verifyHmac({ delivery, secret, header: name, prefix, encoding, signed }: Hmac): Verdict {
  if (secret === '') return refused('no_secret');
  const given = header(delivery, name);
  if (given === undefined) return refused('missing_header');
  if (given === null || !given.startsWith(prefix)) return refused('odd_header');
  const digest = given.slice(prefix.length);
  if (!DIGEST[encoding].test(digest)) return refused('odd_header');
  // Compared as bytes of the text: of two texts for the same digest, base64 has some, only ours is taken.
  const wanted = Buffer.from(digestOf(secret, signed, encoding));
  const got = Buffer.from(encoding === 'hex' ? digest.toLowerCase() : digest);
  return wanted.length === got.length && timingSafeEqual(wanted, got) ? OK : refused('wrong_signature');
}

/** HMAC-SHA256 of the pieces, as it stands in a header. */
export function digestOf(secret: string, signed: readonly (string | Uint8Array)[], encoding: 'hex' | 'base64'): string {
  const hmac = createHmac('sha256', secret);
  for (const piece of signed) hmac.update(piece);
  return hmac.digest(encoding);
}

const DIGEST = { hex: /^[0-9a-fA-F]{64}$/, base64: /^[A-Za-z0-9+/]{43}=$/ };

/** Hashed before it is compared: not even the secret's length shows in the time it takes. */
function verifyToken(delivery: Delivery, secret: string, place: { header: string; prefix: string }): Verdict {
  if (secret === '') return refused('no_secret');
  const given = header(delivery, place.header);
  if (given === undefined) return refused('missing_header');
  if (given === null || given.slice(0, place.prefix.length).toLowerCase() !== place.prefix.toLowerCase()) {
    return refused('odd_header');
  }
  const token = given.slice(place.prefix.length).trim();
  return timingSafeEqual(sha256(token), sha256(secret)) ? OK : refused('wrong_signature');
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
