import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../../src/core/entry.ts';
import { github } from '../../../src/inlet/webhooks/github.ts';
import { jira } from '../../../src/inlet/webhooks/jira.ts';
import { matchBuiltIn } from '../../../src/inlet/webhooks/match.ts';
import { slack } from '../../../src/inlet/webhooks/slack.ts';
import { acknowledgement, comment, type Reply } from '../../../src/outlet/replies/request.ts';
import { delivery, formDelivery, githubPayload, payloads } from '../../support/webhooks.ts';

const ACCOUNTS = {
  github: { url: 'https://api.github.com', token: 'ghp_x' },
  jira: { url: 'https://acme.atlassian.net/', email: 'bot@acme.example', token: 'j' },
  slack: { url: 'https://slack.com/api/', token: 'xoxb-1' },
};
const placeOf = (name: string, index = 0) =>
  github.read(delivery(githubPayload(name, index), { 'x-github-event': name })).sourceMetadata;
const jiraPlace = () => jira.read(delivery(payloads('jira')('comment_created'))).sourceMetadata;
const slackPlace = () => slack.read(delivery(payloads('slack')('app_mention'))).sourceMetadata;

function sent(reply: Reply) {
  assert.ok(reply.ok, JSON.stringify(reply));
  const { method, url, headers, body } = reply.request;
  return { method, url, headers, body: JSON.parse(body) as Record<string, unknown> };
}

describe('the acknowledgement on GitHub', () => {
  test('is a reaction on the very thing that was said', () => {
    const url = (name: string, index?: number) => sent(acknowledgement(placeOf(name, index), ACCOUNTS, 'on it')).url;
    const base = 'https://api.github.com/repos/acme/shop';
    assert.equal(url('issue_comment'), `${base}/issues/comments/9001/reactions`);
    assert.equal(url('issues'), `${base}/issues/42/reactions`);
    assert.equal(url('pull_request'), `${base}/issues/57/reactions`);
    assert.equal(url('pull_request_review'), `${base}/issues/57/reactions`);
    assert.equal(url('pull_request_review_comment'), `${base}/pulls/comments/9100/reactions`);
    assert.equal(url('commit_comment'), `${base}/comments/9300/reactions`);
  });

  test('bears eyes, and the token in its header alone', () => {
    const { method, headers, body, url } = sent(acknowledgement(placeOf('issues'), ACCOUNTS, 'on it'));
    assert.equal(method, 'POST');
    assert.deepEqual(body, { content: 'eyes' });
    assert.equal(headers.authorization, 'Bearer ghp_x');
    assert.ok(!url.includes('ghp_x'));
  });

  test('is skipped without a token, and where no reaction can be', () => {
    assert.deepEqual(acknowledgement(placeOf('issues'), {}, 'x'), { ok: false, reason: 'no_token' });
    assert.deepEqual(acknowledgement(placeOf('discussion_comment'), ACCOUNTS, 'x'), { ok: false, reason: 'no_place' });
    assert.deepEqual(acknowledgement({ provider: 'sentry' }, ACCOUNTS, 'x'), { ok: false, reason: 'no_place' });
  });

  test('goes to GitHub, whatever the payload calls the place', () => {
    const places: JsonObject[] = [
      { repo: 'acme/shop/../../evil', issue_number: 1 },
      { repo: '../..', issue_number: 1 },
      { repo: 'acme/..', issue_number: 1 },
      { repo: 'acme/shop?x=', issue_number: 1 },
      { repo: 'acme/shop#', issue_number: 1 },
      { repo: 'evil.example', issue_number: 1 },
      { repo: 'acme/shop', issue_number: '1/../2' },
      { repo: 'acme/shop', issue_number: -1 },
      { repo: 'acme/shop', comment_kind: 'constructor', comment_id: 5 },
    ];
    for (const place of places) {
      assert.equal(acknowledgement({ provider: 'github', ...place }, ACCOUNTS, 'x').ok, false, JSON.stringify(place));
    }
  });
});

describe('a comment', () => {
  test('on GitHub bears our mark, so that it is never a command to us', () => {
    const { url, body } = sent(comment(placeOf('issue_comment'), ACCOUNTS, { text: '/agent is done' }));
    assert.equal(url, 'https://api.github.com/repos/acme/shop/issues/42/comments');
    const echo = githubPayload('issue_comment');
    Object.assign(echo.comment as object, { body: body.body });
    const match = matchBuiltIn(github.read(delivery(echo, { 'x-github-event': 'issue_comment' })));
    assert.equal(match.kind === 'ignored' && match.reason, 'own_message');
  });

  test('on Jira does so too, with the account in its header', () => {
    const { url, headers, body } = sent(comment(jiraPlace(), ACCOUNTS, { text: 'done\n/agent again' }));
    assert.equal(url, 'https://acme.atlassian.net/rest/api/2/issue/SHOP-42/comment');
    assert.equal(headers.authorization, `Basic ${Buffer.from('bot@acme.example:j').toString('base64')}`);
    const echo = payloads('jira')('comment_created');
    Object.assign(echo.comment as object, { body: body.body });
    const match = matchBuiltIn(jira.read(delivery(echo)));
    assert.equal(match.kind === 'ignored' && match.reason, 'own_message');
    assert.equal(comment({ ...jiraPlace(), issue_key: 'A-1/../x' }, ACCOUNTS, { text: 'x' }).ok, false);
    assert.deepEqual(comment(jiraPlace(), {}, { text: 'x' }), { ok: false, reason: 'no_token' });
  });

  test('on Slack goes to the thread, and can mention nobody', () => {
    const { url, headers, body } = sent(acknowledgement(slackPlace(), ACCOUNTS, 'On it <!channel> & <@U0MIA>'));
    assert.equal(url, 'https://slack.com/api/chat.postMessage');
    assert.equal(headers.authorization, 'Bearer xoxb-1');
    assert.deepEqual(body, {
      channel: 'C0DEV',
      thread_ts: '1769248800.000100',
      text: 'On it &lt;!channel&gt; &amp; &lt;@U0MIA&gt;',
      unfurl_links: false,
      unfurl_media: false,
    });
  });

  test('on Slack asks for approval with buttons that come back as answers', () => {
    const { body } = sent(comment(slackPlace(), ACCOUNTS, { text: 'The plan', approve: 'task-01KABC' }));
    const blocks = body.blocks as { type: string; elements: { action_id: string; value: string }[] }[];
    const buttons = blocks.find(({ type }) => type === 'actions')?.elements ?? [];
    const answers = buttons.map(({ action_id, value }) => {
      const payload = { ...payloads('slack')('block_actions'), actions: [{ action_id, value }] };
      const match = matchBuiltIn(slack.read(formDelivery({ payload: JSON.stringify(payload) })));
      return match.kind === 'answer' && match.answer;
    });
    assert.deepEqual(answers, [
      { verdict: 'approve', taskId: 'task-01KABC', comment: '' },
      { verdict: 'reject', taskId: 'task-01KABC', comment: '' },
    ]);
  });

  test('on Slack goes by an incoming webhook where there is no token', () => {
    const { url, headers, body } = sent(
      acknowledgement(slackPlace(), { slackWebhook: 'https://hooks.slack.com/services/x' }, 'on it'),
    );
    assert.equal(url, 'https://hooks.slack.com/services/x');
    assert.equal(headers.authorization, undefined);
    assert.deepEqual(body, { text: 'on it', unfurl_links: false, unfurl_media: false });
    assert.deepEqual(acknowledgement(slackPlace(), {}, 'on it'), { ok: false, reason: 'no_token' });
  });

  test('on Slack is cut as it is sent, never within an entity', () => {
    for (const text of ['<'.repeat(5_000), `${'x'.repeat(2_898)}<x`, `${'x'.repeat(2_896)}&&`, '&'.repeat(725)]) {
      const shown = String(sent(acknowledgement(slackPlace(), ACCOUNTS, text)).body.text);
      assert.ok(shown.length <= 2_901);
      assert.match(shown, /^(?:&(?:amp|lt|gt);|[^&])*$/);
      assert.ok(shown.endsWith('…') || shown.length === text.replaceAll('&', '&amp;').length);
    }
  });

  test('is cut to what the provider takes, never within a character', () => {
    const text = '🚀'.repeat(50_000);
    for (const place of [placeOf('issues'), jiraPlace(), slackPlace()]) {
      const { body } = sent(comment(place, ACCOUNTS, { text }));
      const shown = String(body.body ?? body.text);
      assert.ok(shown.length < 65_536 && shown.isWellFormed() && shown.endsWith('…'));
    }
  });

  test('keeps its foot when its text is cut', () => {
    for (const place of [placeOf('issues'), jiraPlace(), slackPlace()]) {
      const { body } = sent(comment(place, ACCOUNTS, { text: '<'.repeat(70_000), foot: 'https://trail.example/t/x' }));
      const shown = String(body.body ?? body.text);
      assert.ok(shown.endsWith('…\nhttps://trail.example/t/x') || shown.endsWith('…\n\nhttps://trail.example/t/x'));
      assert.ok(shown.length < (place.provider === 'slack' ? 2_905 : 65_536));
    }
  });

  test('calls nobody, whatever an agent says', () => {
    const said = { text: 'cc @acme/all @mia [~accountid:1] a@b' };
    const github = String(sent(comment(placeOf('issues'), ACCOUNTS, said)).body.body);
    assert.doesNotMatch(github, /@\w/);
    assert.equal(github.replaceAll('\u200b', '').endsWith(said.text), true);
    assert.doesNotMatch(String(sent(comment(jiraPlace(), ACCOUNTS, said)).body.body), /\[~/);
  });

  test('goes to the addresses that are set, with or without a slash at their end', () => {
    const at = (url: string) => ({ github: { url, token: 'g' }, slack: { url, token: 's' } });
    for (const url of ['https://ghe.example/api/v3', 'https://ghe.example/api/v3/']) {
      assert.equal(
        sent(comment(placeOf('issue_comment'), at(url), { text: 'x' })).url,
        'https://ghe.example/api/v3/repos/acme/shop/issues/42/comments',
      );
      assert.equal(
        sent(comment(slackPlace(), at(url), { text: 'x' })).url,
        'https://ghe.example/api/v3/chat.postMessage',
      );
    }
  });
});
