import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { mayStart } from '../../../src/inlet/webhooks/allow.ts';
import { matchBuiltIn } from '../../../src/inlet/webhooks/match.ts';
import { slack } from '../../../src/inlet/webhooks/slack.ts';
import { delivery, formDelivery, payloads } from '../../support/webhooks.ts';

const payload = payloads('slack');
const event = (name: string) => slack.read(delivery(payload(name), { 'x-slack-retry-num': '1' }));
const slash = (changes: Record<string, string> = {}) =>
  slack.read(formDelivery({ ...(payload('slash_command') as Record<string, string>), ...changes }));
const click = (changes: object = {}) =>
  slack.read(formDelivery({ payload: JSON.stringify({ ...payload('block_actions'), ...changes }) }));

describe('an event of Slack', () => {
  test('that mentions us is a command: all but the mention is the request', () => {
    assert.deepEqual(matchBuiltIn(event('app_mention')), {
      kind: 'command',
      command: 'agent',
      request: 'fix the empty cart & tell me',
    });
  });

  test('tells the metadata of the task and the thread to answer in', () => {
    assert.deepEqual(event('app_mention').sourceMetadata, {
      provider: 'slack',
      event_type: 'app_mention',
      webhook_id: null,
      delivery_id: 'Ev0001',
      team_id: 'T0ACME',
      channel: 'C0DEV',
      user: 'U0MIA',
      ts: '1769248800.000100',
      thread_ts: '1769248800.000100',
      retry: '1',
      thread: 'C0DEV:1769248800.000100',
    });
  });

  test('that tries the address has its challenge sent back', () => {
    const tried = event('url_verification');
    assert.equal(tried.challenge, payload('url_verification').challenge);
    assert.deepEqual(matchBuiltIn(tried).kind === 'ignored' && matchBuiltIn(tried), {
      kind: 'ignored',
      reason: 'challenge',
      detail: 'its challenge is sent back',
    });
  });

  test('that is edited, or speaks to others, starts nothing', () => {
    const reason = (name: string) => {
      const match = matchBuiltIn(event(name));
      return match.kind === 'ignored' ? match.reason : match.kind;
    };
    assert.equal(reason('app_mention_edited'), 'not_new');
    assert.equal(reason('message'), 'unsupported_event');
    assert.equal(reason('reaction_added'), 'unsupported_event');
  });

  test('with a mention and nothing else asks for nothing', () => {
    const empty = payload('app_mention');
    Object.assign(empty.event as object, { text: ' <@U0BOT>  ' });
    const match = matchBuiltIn(slack.read(delivery(empty)));
    assert.equal(match.kind === 'ignored' && match.reason, 'no_command');
  });

  test('answers for a plan with a word in its thread, or after a mention with a reason', () => {
    assert.deepEqual(matchBuiltIn(event('thread_approve')), {
      kind: 'answer',
      answer: { verdict: 'approve', taskId: null, comment: '' },
    });
    assert.deepEqual(matchBuiltIn(event('mention_reject')), {
      kind: 'answer',
      answer: { verdict: 'reject', taskId: null, comment: 'not before Monday' },
    });
    assert.equal(event('thread_approve').sourceMetadata.thread, 'C0DEV:1769248800.000100');
  });

  test('of a member may start an agent; of a bot, a guest or another company it may not', () => {
    assert.ok(mayStart(event('app_mention')).ok);
    for (const name of ['app_mention_bot', 'app_mention_guest', 'app_mention_foreign']) {
      assert.ok(!mayStart(event(name)).ok, name);
    }
    assert.ok(!mayStart(event('app_mention_bot'), { users: ['U0MIA', 'B0OTHER'] }).ok);
    assert.ok(mayStart(event('app_mention_guest'), { users: ['U0MIA'] }).ok);
    assert.ok(!mayStart(event('app_mention'), { users: ['U0OTHER'] }).ok);
  });
});

describe('a slash command', () => {
  test('is a command: its text is the request', () => {
    assert.deepEqual(matchBuiltIn(slash()), { kind: 'command', command: 'agent', request: 'fix the empty cart' });
    assert.equal(slash().eventType, 'slash_command');
    assert.equal(slash().deliveryId, '1.2.abc');
    assert.equal(slash().sourceMetadata.command, '/agent');
    assert.deepEqual(slash().sender, {
      id: 'U0MIA',
      name: 'mia',
      login: null,
      isBot: false,
      standing: 'member',
      association: null,
    });
  });

  test('without a text asks for nothing', () => {
    const match = matchBuiltIn(slash({ text: '' }));
    assert.equal(match.kind === 'ignored' && match.reason, 'no_command');
  });

  test('answers for the task it names', () => {
    assert.deepEqual(matchBuiltIn(slash({ text: 'reject task-01KABC too risky' })), {
      kind: 'answer',
      answer: { verdict: 'reject', taskId: 'task-01KABC', comment: 'too risky' },
    });
    assert.equal(matchBuiltIn(slash({ text: 'approve the new icons' })).kind, 'command');
  });

  test('that only looks at our certificate is a ping', () => {
    const match = matchBuiltIn(slack.read(formDelivery(payload('ssl_check') as Record<string, string>)));
    assert.equal(match.kind === 'ignored' && match.reason, 'ping');
  });
});

describe('a button of Slack', () => {
  test('answers for the task that its value names', () => {
    assert.deepEqual(matchBuiltIn(click()), {
      kind: 'answer',
      answer: { verdict: 'approve', taskId: 'task-01KABC', comment: '' },
    });
    assert.equal(click().eventType, 'block_actions');
    assert.ok(mayStart(click()).ok);
  });

  test('pressed by somebody of another workspace counts for nothing', () => {
    assert.ok(!mayStart(click({ user: { id: 'U9', username: 'x', team_id: 'T0OTHER' } })).ok);
  });

  test('that is none of ours means nothing', () => {
    for (const actions of [[], [{ action_id: 'constructor', value: 'x' }], 'x', [{ action_id: '__proto__' }]]) {
      assert.equal(matchBuiltIn(click({ actions })).kind, 'ignored');
    }
  });
});
