import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { mayStart } from '../../../src/inlet/webhooks/allow.ts';
import { github } from '../../../src/inlet/webhooks/github.ts';
import { matchBuiltIn } from '../../../src/inlet/webhooks/match.ts';
import { delivery, type Examples, githubExamples, githubPayload, SECRET, signed } from '../../support/webhooks.ts';

const HEADERS = { 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958', 'x-github-hook-id': '501' };
const read = (name: string, payload: unknown) => github.read(delivery(payload, { ...HEADERS, 'x-github-event': name }));
const outcome = (name: string, payload: unknown) => {
  const event = read(name, payload);
  const match = matchBuiltIn(event);
  if (match.kind === 'ignored') return match.reason;
  const permission = mayStart(event);
  if (!permission.ok) return permission.reason;
  return match.kind === 'command' ? match.request : `${match.answer.verdict}: ${match.answer.comment}`;
};

/** What each of our own examples asks for. */
const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  issues: ['find out why, and propose a fix', 'not_new', 'not_new'],
  issue_comment: ['fix the empty cart', 'add a test', 'not_allowed', 'not_allowed', 'approve: looks right', 'not_new'],
  pull_request: ['please review the error paths', 'not_new'],
  pull_request_review: ['apply what I asked for'],
  pull_request_review_comment: ['rename this'],
  discussion_comment: ['summarise'],
  commit_comment: ['explain'],
  push: ['unsupported_event'],
  workflow_run: ['unsupported_event'],
  ping: ['ping'],
};

describe('our own payloads of GitHub', () => {
  for (const { name, examples } of githubExamples()) {
    test(`${name}: each asks for what a person would say that it asks for`, () => {
      assert.deepEqual(
        examples.map((payload) => outcome(name, payload)),
        OUTCOMES[name],
      );
    });
  }
});

/** The payloads that GitHub's users collected: of github.com, and of each GitHub Enterprise Server. */
const COLLECTED = ['api.github.com', 'ghes-31', 'ghes-32', 'ghes-33', 'ghes-34', 'ghes-35'].map((place) => {
  const file = new URL(`../${place}/index.json`, import.meta.resolve('@octokit/webhooks-examples'));
  return { source: place, events: JSON.parse(readFileSync(file, 'utf8')) as readonly Examples[] };
});

for (const { source, events } of [{ source: 'our own', events: githubExamples() }, ...COLLECTED]) {
  test(`all payloads of ${source} are taken with their signature and read`, async () => {
    assert.ok(events.length > 0);
    for (const { name, examples } of events) {
      for (const payload of examples) {
        const unsigned = delivery(payload, { ...HEADERS, 'x-github-event': name });
        const signature = `sha256=${signed(SECRET, unsigned.body)}`;
        const sent = { ...unsigned, headers: { ...unsigned.headers, 'x-hub-signature-256': signature } };
        assert.deepEqual(await github.verify(sent, SECRET), { ok: true }, name);
        const event = github.read(sent);
        assert.equal(event.eventType, 'action' in payload ? `${name}.${payload.action}` : name);
        assert.equal(event.spoken.length, event.message.length);
        assert.equal(event.deliveryId, HEADERS['x-github-delivery']);
        assert.equal(event.kind === 'ping', name === 'ping');
        // Nobody in them asks for an agent.
        if (source !== 'our own') assert.equal(matchBuiltIn(event).kind, 'ignored', name);
      }
    }
  });
}

describe('what GitHub tells', () => {
  test('is the metadata of the task, and the place to answer', () => {
    const event = read('issue_comment', githubPayload('issue_comment'));
    assert.deepEqual(event.sourceMetadata, {
      provider: 'github',
      event_type: 'issue_comment.created',
      webhook_id: '501',
      delivery_id: HEADERS['x-github-delivery'],
      repo: 'acme/shop',
      issue_number: 42,
      comment_id: 9001,
      comment_kind: 'issue_comment',
      url: 'https://github.com/acme/shop/issues/42#issuecomment-9001',
      sender: 'mona',
      thread: 'acme/shop#42',
    });
    assert.deepEqual(event.sender, {
      id: '11',
      name: 'mona',
      login: 'mona',
      isBot: false,
      standing: 'member',
      association: 'MEMBER',
    });
    assert.equal(event.message, '/agent fix the empty cart');
    assert.equal(event.title, 'Checkout fails with an empty cart');
  });

  test('a comment on a pull request is one of a pull request', () => {
    const event = read('issue_comment', githubPayload('issue_comment', 1));
    assert.equal(event.sourceMetadata.pull_request, true);
    assert.equal(event.sourceMetadata.issue_number, 57);
  });

  test('of an issue the title and the body are said', () => {
    const event = read('issues', githubPayload('issues'));
    assert.match(event.message, /^Checkout fails with an empty cart\n\nIt breaks for every guest\./);
  });

  test('a run-time webhook has the id it was made with', () => {
    const sent = delivery(githubPayload('push'), { ...HEADERS, 'x-github-event': 'push' });
    assert.equal(github.read(sent, { webhookId: 'wh-7' }).sourceMetadata.webhook_id, 'wh-7');
  });

  test('a delivery in a form, which GitHub offers too, says the same', () => {
    const payload = githubPayload('issue_comment');
    const form = delivery(new URLSearchParams({ payload: JSON.stringify(payload) }).toString(), {
      ...HEADERS,
      'x-github-event': 'issue_comment',
      'content-type': 'application/x-www-form-urlencoded',
    });
    assert.deepEqual(github.read(form), read('issue_comment', payload));
  });

  test('an event of no name is unknown, and an odd id is none', () => {
    const event = github.read(delivery({}, { 'x-github-delivery': 'a b\u0007' }));
    assert.equal(event.eventType, 'unknown');
    assert.equal(event.deliveryId, null);
    assert.equal(event.sender, null);
  });

  test('a body that is no object is refused, and so is one that is nested too deep', () => {
    const deep = `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`;
    for (const body of ['', 'null', '[]', '"text"', '{"a":', '['.repeat(100_000)]) {
      assert.throws(() => read('issues', body), { code: 'invalid_json' });
    }
    assert.throws(() => read('issues', deep), { code: 'nested_too_deep' });
  });

  test('a text that is too long is cut, and says so', () => {
    const payload = githubPayload('issue_comment');
    Object.assign(payload.comment as object, { body: `/agent ${'x'.repeat(200_000)}` });
    const event = read('issue_comment', payload);
    assert.equal(event.message.length, 100_000);
    assert.equal(event.sourceMetadata.message_cut, true);
  });
});

describe('who may start an agent from GitHub', () => {
  const by = (changes: object, sender?: object) => {
    const payload = githubPayload('issue_comment');
    Object.assign(payload.comment as object, changes);
    if (sender) payload.sender = sender;
    return read('issue_comment', payload);
  };
  const permitted = (association: string) => mayStart(by({ author_association: association })).ok;

  test('owners, members and collaborators may, others may not', () => {
    for (const association of ['OWNER', 'MEMBER', 'COLLABORATOR']) assert.ok(permitted(association), association);
    for (const association of [
      'CONTRIBUTOR',
      'FIRST_TIMER',
      'FIRST_TIME_CONTRIBUTOR',
      'MANNEQUIN',
      'NONE',
      '',
      'owner',
    ]) {
      assert.ok(!permitted(association), association);
    }
  });

  test('who is named may, by login in any case or by id', () => {
    const event = by({ author_association: 'NONE' });
    assert.ok(mayStart(event, { users: ['Mona'] }).ok);
    assert.ok(mayStart(event, { users: ['11'] }).ok);
    assert.ok(!mayStart(event, { users: ['mon'] }).ok);
  });

  test('bots may not, whatever they are called and though they are named', () => {
    const bots = [
      by({ user: { login: 'x', id: 1, type: 'Bot' }, author_association: 'OWNER' }),
      by({ user: { login: 'x[bot]', id: 1, type: 'User' }, author_association: 'OWNER' }),
      by({ performed_via_github_app: { id: 3, slug: 'writer' } }),
      by({}, { login: 'mover[bot]', id: 2, type: 'Bot' }),
    ];
    for (const event of bots) assert.ok(!mayStart(event, { users: ['x', 'x[bot]', 'mona', '1', '11'] }).ok);
  });

  test("an issue that a member transferred is still its author's", () => {
    const payload = githubPayload('issues');
    const stranger = { login: 'stranger', id: 99, type: 'User' };
    Object.assign(payload.issue as object, { user: stranger, author_association: 'NONE' });
    const event = read('issues', payload);
    assert.equal(event.sender?.login, 'stranger');
    assert.ok(!mayStart(event).ok);
  });

  test('of a change the one who made it counts, whom only the config can name', () => {
    const payload = githubPayload('issues', 2);
    payload.sender = { login: 'olga', id: 12, type: 'User' };
    const event = read('issues', payload);
    assert.equal(event.sender?.login, 'olga');
    assert.ok(!mayStart(event).ok);
    assert.ok(mayStart(event, { users: ['olga'] }).ok);
  });

  test('a delivery that names nobody starts nothing', () => {
    const payload = githubPayload('push');
    delete payload.sender;
    assert.ok(!mayStart(read('push', payload), { users: ['undefined', 'null', ''] }).ok);
  });
});

test('what we wrote ourselves is no command to us', () => {
  const payload = githubPayload('issue_comment');
  Object.assign(payload.comment as object, { body: '<!-- tasktrail -->\n/agent fix it again' });
  assert.equal(outcome('issue_comment', payload), 'own_message');
});

test('the word alone asks for what the title says', () => {
  const payload = githubPayload('issue_comment');
  Object.assign(payload.comment as object, { body: '/agent' });
  assert.equal(outcome('issue_comment', payload), 'Checkout fails with an empty cart');
});
