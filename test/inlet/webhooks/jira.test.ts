import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mayStart } from '../../../src/inlet/webhooks/allow.ts';
import { jira } from '../../../src/inlet/webhooks/jira.ts';
import { matchBuiltIn } from '../../../src/inlet/webhooks/match.ts';
import { delivery, payloads } from '../../support/webhooks.ts';

const payload = payloads('jira');
const read = (body: unknown) =>
  jira.read(delivery(body, { 'X-Atlassian-Webhook-Identifier': 'a7c7a7f0-1' }), { webhookId: 'wh-jira' });
const outcome = (name: string) => {
  const match = matchBuiltIn(read(payload(name)));
  if (match.kind === 'ignored') return match.reason;
  return match.kind === 'command' ? match.request : `${match.answer.verdict}: ${match.answer.comment}`;
};

describe('a delivery of Jira', () => {
  test('asks for what a person would say that it asks for', () => {
    assert.equal(outcome('comment_created'), 'fix the cart');
    assert.equal(outcome('issue_created'), 'find out why');
    assert.equal(outcome('comment_updated'), 'not_new');
    assert.equal(outcome('issue_updated'), 'not_new');
    assert.equal(outcome('sprint_started'), 'unsupported_event');
    assert.equal(outcome('approve'), 'approve: ');
    assert.equal(outcome('reject'), 'reject: too risky');
  });

  test("of Atlassian's editor counts outside code and quotes", () => {
    const event = read(payload('comment_document'));
    assert.equal(outcome('comment_document'), 'fix the cart');
    assert.equal(event.spoken.length, event.message.length);
    assert.match(event.message, /^\/agent quoted\n/);
  });

  test('tells the metadata of the task', () => {
    assert.deepEqual(read(payload('comment_created')).sourceMetadata, {
      provider: 'jira',
      event_type: 'comment_created',
      webhook_id: 'wh-jira',
      delivery_id: 'a7c7a7f0-1',
      issue_key: 'SHOP-42',
      issue_id: '10042',
      issue_type: 'Bug',
      project: 'SHOP',
      comment_id: '20001',
      thread: 'SHOP-42',
    });
    assert.equal(read(payload('issue_created')).eventType, 'jira:issue_created');
    assert.equal(read(payload('issue_created')).title, 'Checkout fails');
  });

  test('may start an agent when a member wrote it, no customer, no app, nobody unknown', () => {
    assert.ok(mayStart(read(payload('comment_created'))).ok);
    assert.ok(mayStart(read(payload('issue_created'))).ok);
    assert.ok(!mayStart(read(payload('comment_customer'))).ok);
    assert.ok(!mayStart(read(payload('comment_app')), { users: ['557058:1'] }).ok);
    const nobody = payload('comment_created');
    Object.assign(nobody.comment as object, { author: { key: 'mia', displayName: 'Mia' } });
    assert.ok(!mayStart(read(nobody)).ok);
    assert.ok(mayStart(read(nobody), { users: ['mia'] }).ok);
  });

  test('once people are named, only they may; a name that is shown names nobody', () => {
    const event = read(payload('comment_created'));
    assert.ok(mayStart(event, { users: ['5b10ac8d82e05b22cc7d4ef5'] }).ok);
    assert.ok(!mayStart(event, { users: ['somebody-else'] }).ok);
    assert.ok(!mayStart(event, { users: ['Mia Krystof'] }).ok);
  });

  test('that we wrote ourselves is no command to us', () => {
    const own = payload('comment_created');
    Object.assign(own.comment as object, { body: 'tasktrail: done\n/agent fix the cart' });
    assert.equal(matchBuiltIn(read(own)).kind, 'ignored');
  });

  test('of an unknown shape is read without an error', () => {
    for (const body of [
      {},
      { webhookEvent: 7, comment: 'x', issue: [] },
      { comment: { body: { type: [], content: {} } } },
    ]) {
      assert.equal(read(body).kind, 'other');
    }
  });
});
