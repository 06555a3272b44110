import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Outgoing } from '../../../src/outlet/outbound/dispatch.ts';
import { replier } from '../../../src/outlet/replies/replier.ts';
import { type SendOptions, send as sendBy } from '../../../src/outlet/replies/send.ts';
import { answer, inTurn, provider } from './support.ts';

const TOKEN = 'ghp_0123456789abcdefghij';
/** As the settings name an address: loopback is fine. What others name is in test/security/outbound.test.ts. */
const send = (request: Outgoing, options: SendOptions = {}) => sendBy(request, { namedBy: 'settings', ...options });
const to = (url: string, headers: Record<string, string> = {}): Outgoing => ({
  method: 'POST',
  url,
  headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
  body: '{"text":"on it"}',
});

describe('sending', () => {
  test('says that it was sent', async (t) => {
    const there = await provider(t, answer(201, '{"id":1}'));
    assert.deepEqual(await send(to(`${there.url}/a`)), { ok: true, status: 201 });
    assert.equal(there.heard[0]?.headers.authorization, `Bearer ${TOKEN}`);
    assert.deepEqual(there.heard[0]?.body, { text: 'on it' });
  });

  test('believes Slack, which refuses with 200', async (t) => {
    const there = await provider(t, answer(200, '{"ok":false,"error":"channel_not_found"}'));
    const asked = () => send(to(there.url), { isSlack: true });
    assert.deepEqual(await asked(), { ok: false, reason: 'refused: channel_not_found' });
    there.answering = answer(200, JSON.stringify({ ok: false, error: `no <b>${TOKEN}</b>` }));
    assert.deepEqual(await asked(), { ok: false, reason: 'refused: no reason given' });
  });

  test('takes whatever else comes with 200, however long', async (t) => {
    const there = await provider(t);
    for (const body of ['ok', '', 'null', '[]', '{"ok":', '"', '\u0000\ufffd', 'x'.repeat(3_000_000)]) {
      there.answering = answer(200, body);
      for (const isSlack of [false, true]) {
        assert.deepEqual(await send(to(there.url), { isSlack }), { ok: true, status: 200 });
      }
    }
    there.answering = answer(200, '{"ok":false,"error":"of its own"}');
    assert.deepEqual(await send(to(there.url)), { ok: true, status: 200 });
  });

  test('follows no redirect: the token is for the address that was set', async (t) => {
    const elsewhere = await provider(t);
    for (const status of [301, 302, 307, 308]) {
      const there = await provider(t, answer(status, '', { location: elsewhere.url }));
      const sent = await send(to(there.url), { tries: 3 });
      assert.deepEqual(sent, { ok: false, reason: `HTTP ${status}: such a redirect is not followed` });
      assert.equal(there.heard.length, 1);
    }
    assert.equal(elsewhere.heard.length, 0);
  });

  test('gives up on who does not answer', async (t) => {
    const there = await provider(t, () => {});
    assert.deepEqual(await send(to(there.url), { timeoutMs: 50 }), { ok: false, reason: 'no answer within 0.05 s' });
    there.answering = (response) => response.writeHead(200).write('{');
    assert.equal((await send(to(there.url), { timeoutMs: 50 })).ok, false);
  });

  test('is tried again after 500, after a broken connection, and when a limit says so', async (t) => {
    const broken = inTurn(
      answer(500),
      (response) => void response.destroy(),
      answer(429, '', { 'retry-after': '1' }),
      answer(200, 'ok'),
    );
    const there = await provider(t, broken);
    assert.deepEqual(await send(to(there.url), { tries: 4 }), { ok: true, status: 200 });
    const [, , third, fourth] = there.heard;
    assert.ok(Number(fourth?.atMs) - Number(third?.atMs) >= 990, 'as long as it was told to wait');
  });

  test('is not tried again where that cannot help, nor by who waits, nor after too long a pause', async (t) => {
    const there = await provider(t);
    const asked = async (given: ReturnType<typeof answer>, tries?: number) => {
      there.heard.length = 0;
      there.answering = given;
      const sent = await send(to(there.url), tries === undefined ? {} : { tries });
      return [there.heard.length, sent.ok ? '' : sent.reason];
    };
    assert.deepEqual(await asked(answer(404), 4), [1, 'HTTP 404']);
    assert.deepEqual(await asked(answer(401), 4), [1, 'HTTP 401']);
    assert.deepEqual(await asked(answer(500)), [1, 'HTTP 500']);
    assert.deepEqual(await asked(answer(429, '', { 'retry-after': '86400' }), 4), [1, 'HTTP 429']);
    assert.deepEqual(await asked(answer(503, '', { 'retry-after': 'soon' }), 2), [2, 'HTTP 503']);
    assert.deepEqual(await asked(answer(403, '', { 'retry-after': '0' }), 2), [2, 'HTTP 403']);
  });

  test('ends at once when we stop', async (t) => {
    const there = await provider(t, () => {});
    const stop = new AbortController();
    const sending = send(to(there.url), { signal: stop.signal, tries: 4 });
    await there.asked(1);
    stop.abort();
    assert.deepEqual(await sending, { ok: false, reason: 'stopped', stopped: true });
  });

  test('never throws, and no reason bears a token or an address', async () => {
    const strange = ['http://127.0.0.1:1/secret', 'not a url', 'ftp://x', `http://user:${TOKEN}@127.0.0.1:1/`];
    const requests = [...strange.map((url) => to(url)), to('http://127.0.0.1:1/', { authorization: `a\n${TOKEN}` })];
    for (const request of requests) {
      const sent = await send(request);
      assert.ok(!sent.ok);
      assert.doesNotMatch(sent.reason, /ghp_|secret|127\.0\.0\.1/);
    }
  });
});

describe('a replier', () => {
  const place = { provider: 'github', repo: 'acme/shop', issue_number: 42 };

  test('acknowledges once, and says what it sent', async (t) => {
    const there = await provider(t, answer(500));
    const accounts = { github: { url: there.url, token: TOKEN } };
    assert.deepEqual(await replier(accounts).acknowledge(place, 'on it'), {
      status: 'failed',
      what: 'reaction',
      reason: 'HTTP 500',
    });
    assert.equal(there.heard.length, 1);
    there.answering = answer(201, '{}');
    assert.deepEqual(await replier(accounts).acknowledge(place, 'on it'), { status: 'sent', what: 'reaction' });
    assert.equal(there.heard[1]?.path, '/repos/acme/shop/issues/42/reactions');
  });

  test('tries an answer again', async (t) => {
    const there = await provider(t, inTurn(answer(502), answer(201, '{}')));
    const said = await replier({ github: { url: there.url, token: TOKEN } }).say(place, { text: 'done' });
    assert.deepEqual(said, { status: 'sent', what: 'comment' });
    assert.equal(there.heard.length, 2);
  });

  test('skips where it has no account or no place', async () => {
    const none = replier({});
    assert.deepEqual(await none.say(place, { text: 'x' }), { status: 'skipped', what: 'comment', reason: 'no_token' });
    assert.deepEqual(await none.acknowledge({ provider: 'sentry' }, 'x'), {
      status: 'skipped',
      what: 'comment',
      reason: 'no_place',
    });
    assert.equal(none.reaches(place), false);
    const slack = replier({ slackWebhook: 'http://127.0.0.1:1/' });
    assert.equal(slack.reaches({ provider: 'slack' }), true);
    assert.equal(slack.reaches({ provider: 'constructor' }), false);
  });
});
