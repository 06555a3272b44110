import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { customProvider } from '../../../src/inlet/webhooks/custom.ts';
import type { Delivery } from '../../../src/inlet/webhooks/delivery.ts';
import type { Provider } from '../../../src/inlet/webhooks/provider.ts';
import { PROVIDERS } from '../../../src/inlet/webhooks/webhook.ts';
import { delivery, NOW_MS, SECRET, signed } from '../../support/webhooks.ts';

interface Signer {
  readonly provider: Provider;
  readonly header: string;
  sign(secret: string, body: Uint8Array): Record<string, string>;
}

const TIME = String(NOW_MS / 1000);
const SIGNERS: readonly Signer[] = [
  {
    provider: known('github'),
    header: 'x-hub-signature-256',
    sign: (secret, body) => ({ 'x-hub-signature-256': `sha256=${signed(secret, body)}` }),
  },
  {
    provider: known('jira'),
    header: 'x-hub-signature',
    sign: (secret, body) => ({ 'x-hub-signature': `sha256=${signed(secret, body)}` }),
  },
  {
    provider: known('slack'),
    header: 'x-slack-signature',
    sign: (secret, body) => ({
      'x-slack-signature': `v0=${signed(secret, `v0:${TIME}:`, body)}`,
      'x-slack-request-timestamp': TIME,
    }),
  },
  {
    provider: known('sentry'),
    header: 'sentry-hook-signature',
    sign: (secret, body) => ({ 'sentry-hook-signature': signed(secret, body) }),
  },
  {
    provider: customProvider('forge', { type: 'hmac-sha256', header: 'X-Signed', encoding: 'base64', prefix: 'v1,' }),
    header: 'x-signed',
    sign: (secret, body) => ({ 'x-signed': `v1,${Buffer.from(signed(secret, body), 'hex').toString('base64')}` }),
  },
];

for (const { provider, header, sign } of SIGNERS) {
  describe(`a delivery of ${provider.name}`, () => {
    const body = new TextEncoder().encode('{"text":"grüße 🚀"}');
    const good = sign(SECRET, body);
    const sent = (headers: Delivery['headers'], bytes = body): Delivery => ({ headers, body: bytes, nowMs: NOW_MS });
    const reason = async (headers: Delivery['headers'], secret = SECRET) => {
      const verdict = await provider.verify(sent(headers), secret);
      return verdict.ok ? 'ok' : verdict.reason;
    };

    test('is taken with its signature, in headers of any case', async () => {
      assert.equal(await reason(good), 'ok');
      assert.equal(
        await reason(Object.fromEntries(Object.entries(good).map(([name, value]) => [name.toUpperCase(), value]))),
        'ok',
      );
    });

    test('is refused with another secret, and with none at all', async () => {
      assert.equal(await reason(good, 'another secret'), 'wrong_signature');
      assert.equal(await reason(good, ''), 'no_secret');
      assert.equal(await reason(sign(' ', body), ''), 'no_secret');
    });

    test('is refused without its header, and with an odd one', async () => {
      const value = good[header] ?? '';
      assert.equal(await reason({ ...good, [header]: undefined }), 'missing_header');
      for (const odd of [
        '',
        'sha256=',
        value.slice(0, -1),
        `${value}00`,
        `x${value}`,
        `sha1=${value}`,
        `${value}, ${value}`,
      ]) {
        assert.equal(await reason({ ...good, [header]: odd }), 'odd_header', odd);
      }
      assert.equal(await reason({ ...good, [header]: [value, value] }), 'odd_header');
    });

    test('is refused when one bit of its body or its signature is another', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), async (any, place) => {
          const bytes = provider.name === 'github' ? new TextEncoder().encode(Buffer.from(any).toString('hex')) : any;
          const headers = sign(SECRET, bytes);
          assert.equal((await provider.verify(sent(headers, bytes), SECRET)).ok, true);
          const other = Uint8Array.from(bytes);
          other[(place >> 3) % bytes.length] = (bytes[(place >> 3) % bytes.length] ?? 0) ^ (1 << (place & 7));
          assert.equal((await provider.verify(sent(headers, other), SECRET)).ok, false);
          const value = Buffer.from(headers[header] ?? '');
          value[(place >> 3) % value.length] = (value[(place >> 3) % value.length] ?? 0) ^ (1 << (place % 5));
          const forged = { ...headers, [header]: value.toString('latin1') };
          assert.equal((await provider.verify(sent(forged, bytes), SECRET)).ok, false);
        }),
        { numRuns: 200 },
      );
    });

    test('is refused when its body was written anew, though it says the same', async () => {
      assert.equal(
        (await provider.verify(sent(good, new TextEncoder().encode('{ "text": "grüße 🚀" }')), SECRET)).ok,
        false,
      );
    });
  });
}

describe('published examples of signatures', () => {
  test('GitHub: the one of its documentation', async () => {
    const headers = {
      'X-Hub-Signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    };
    assert.deepEqual(await known('github').verify(delivery('Hello, World!', headers), SECRET), { ok: true });
    assert.equal((await known('github').verify(delivery('Hello World!', headers), SECRET)).ok, false);
  });

  test('Jira: the one without a comma', async () => {
    const headers = { 'X-Hub-Signature': 'sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9' };
    assert.deepEqual(await known('jira').verify(delivery('Hello World!', headers), SECRET), { ok: true });
  });

  test('Slack: the one of its documentation, and not five minutes later', async () => {
    const body =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar' +
      '&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com' +
      '%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
    const headers = {
      'X-Slack-Signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
      'X-Slack-Request-Timestamp': '1531420618',
    };
    const secret = '8f742231b10e8888abcd99yyyzzz85a5';
    const at = (seconds: number) => ({ ...delivery(body, headers), nowMs: (1_531_420_618 + seconds) * 1000 });
    const slack = known('slack');
    for (const seconds of [0, 300, -300]) assert.deepEqual(await slack.verify(at(seconds), secret), { ok: true });
    for (const seconds of [301, -301, 86_400]) {
      assert.deepEqual(await slack.verify(at(seconds), secret), { ok: false, reason: 'too_old' });
    }
  });
});

describe('what a header says of method and time', () => {
  test('GitHub and Jira: SHA-1 is not taken, though it is right', async () => {
    const body = 'Hello, World!';
    const sha1 = 'sha1=0123456789012345678901234567890123456789';
    assert.deepEqual(await known('jira').verify(delivery(body, { 'x-hub-signature': sha1 }), SECRET), {
      ok: false,
      reason: 'odd_header',
    });
    assert.deepEqual(await known('github').verify(delivery(body, { 'x-hub-signature': sha1 }), SECRET), {
      ok: false,
      reason: 'missing_header',
    });
  });

  test('Slack: without a time, or with an odd one, nothing is checked further', async () => {
    const verdict = async (time: string | undefined) => {
      const { ok, ...rest } = await known('slack').verify(
        delivery('{}', { 'x-slack-signature': 'v0=00', 'x-slack-request-timestamp': time }),
        SECRET,
      );
      return ok || rest;
    };
    assert.deepEqual(await verdict(undefined), { reason: 'missing_header' });
    for (const odd of ['', 'now', '-5', '1e9', '1531420618.5', ' 1531420618']) {
      assert.deepEqual(await verdict(odd), { reason: 'odd_header' }, odd);
    }
  });

  test('Slack: the time is signed, so an old delivery cannot be made young', async () => {
    const old = String(NOW_MS / 1000 - 3_600);
    const signature = `v0=${signed(SECRET, `v0:${old}:`, '{}')}`;
    const verdict = (time: string) =>
      known('slack').verify(
        delivery('{}', { 'x-slack-signature': signature, 'x-slack-request-timestamp': time }),
        SECRET,
      );
    assert.deepEqual(await verdict(old), { ok: false, reason: 'too_old' });
    assert.deepEqual(await verdict(TIME), { ok: false, reason: 'wrong_signature' });
  });

  test('GitHub: bytes that are no text are never taken', async () => {
    const body = Uint8Array.of(0x7b, 0xff, 0x7d);
    const headers = { 'x-hub-signature-256': `sha256=${signed(SECRET, body)}` };
    assert.equal((await known('github').verify({ headers, body, nowMs: NOW_MS }, SECRET)).ok, false);
  });

  test('GitHub: a byte order mark belongs to what is signed', async () => {
    const body = Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d);
    const headers = { 'x-hub-signature-256': `sha256=${signed(SECRET, body)}` };
    assert.deepEqual(await known('github').verify({ headers, body, nowMs: NOW_MS }, SECRET), { ok: true });
    assert.equal((await known('github').verify({ headers, body: body.slice(3), nowMs: NOW_MS }, SECRET)).ok, false);
  });
});

describe('schemes of webhooks made at run time', () => {
  test('a bearer token is the secret, and its word may be written in any case', async () => {
    const { verify } = customProvider('forge', { type: 'bearer' });
    const verdict = (authorization: string | undefined) => verify(delivery('{}', { authorization }), SECRET);
    assert.deepEqual(await verdict(`Bearer ${SECRET}`), { ok: true });
    assert.deepEqual(await verdict(`bearer ${SECRET}`), { ok: true });
    assert.deepEqual(await verdict(`Bearer ${SECRET}x`), { ok: false, reason: 'wrong_signature' });
    assert.deepEqual(await verdict(SECRET), { ok: false, reason: 'odd_header' });
    assert.deepEqual(await verdict(undefined), { ok: false, reason: 'missing_header' });
  });

  test('a token in a header is the secret, whole', async () => {
    const { verify } = customProvider('gitlab', { type: 'header-token', header: 'X-Gitlab-Token' });
    const verdict = (token: string | undefined) => verify(delivery('{}', { 'x-gitlab-token': token }), SECRET);
    assert.deepEqual(await verdict(SECRET), { ok: true });
    assert.deepEqual(await verdict(SECRET.slice(1)), { ok: false, reason: 'wrong_signature' });
    assert.deepEqual(await verdict(''), { ok: false, reason: 'wrong_signature' });
    assert.deepEqual(await verdict(undefined), { ok: false, reason: 'missing_header' });
  });

  test('HMAC in hexadecimal with no prefix', async () => {
    const { verify } = customProvider('forge', { type: 'hmac-sha256', header: 'X-Sig', encoding: 'hex' });
    assert.deepEqual(await verify(delivery('{}', { 'x-sig': signed(SECRET, '{}') }), SECRET), { ok: true });
    assert.deepEqual(await verify(delivery('{}', { 'x-sig': signed(SECRET, '[]') }), SECRET), {
      ok: false,
      reason: 'wrong_signature',
    });
  });

  test('none takes everything, which the definition must allow in so many words', async () => {
    const { verify } = customProvider('open', { type: 'none', allow_unsigned: true });
    assert.deepEqual(await verify(delivery('{}'), ''), { ok: true });
  });
});

function known(name: string): Provider {
  const provider = PROVIDERS.get(name);
  assert.ok(provider);
  return provider;
}
