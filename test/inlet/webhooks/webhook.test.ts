import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Compile } from 'typebox/compile';
import { TrailError } from '../../../src/core/error.ts';
import { mayStart } from '../../../src/inlet/webhooks/allow.ts';
import { WebhookDefinition } from '../../../src/inlet/webhooks/definition.ts';
import type { Delivery } from '../../../src/inlet/webhooks/delivery.ts';
import { compileWebhook } from '../../../src/inlet/webhooks/webhook.ts';
import { delivery, formDelivery, githubPayload, payloads, SECRET, signed } from '../../support/webhooks.ts';

const shape = Compile(WebhookDefinition);

/** A definition as it would come in: checked by its shape, then prepared. */
function webhook(given: object) {
  const definition = {
    name: 'Reviews',
    provider: 'github',
    commands: [{ name: 'review', prompt: 'Review it' }],
    ...given,
  };
  assert.ok(shape.Check(definition), JSON.stringify([...shape.Errors(definition)][0]));
  return compileWebhook(definition);
}

function outcome(hook: ReturnType<typeof webhook>, sent: Delivery) {
  const event = hook.provider.read(sent, { webhookId: 'wh-1' });
  const match = hook.match(event);
  if (match.kind === 'ignored') return match.reason;
  if (match.kind === 'answer') return match.answer.verdict;
  return `${match.command.name}: ${hook.prompt(match.command, event, match.request).text}`;
}

const github = (name: string, index = 0) => delivery(githubPayload(name, index), { 'x-github-event': name });
const forge = (body: object) => delivery({ event: 'build.failed', ...body });
const FORGE = { provider: 'forge', signature: { type: 'hmac-sha256', header: 'X-Sig', encoding: 'hex' } };

describe('a webhook made at run time', () => {
  test('starts the first command whose trigger and conditions fit', () => {
    const hook = webhook({
      commands: [
        { name: 'never', prompt: 'x', conditions: [{ path: 'issue.number', equals: 1 }] },
        { name: 'triage', prompt: 'Triage {{issue.title}} ({{issue.labels[*].name}})', trigger: 'issues.opened' },
        { name: 'ask', prompt: '{{tasktrail.sender}} asks: {{tasktrail.request}}', trigger: '/agent' },
      ],
    });
    assert.equal(outcome(hook, github('issues')), 'triage: Triage Checkout fails with an empty cart (bug, payments)');
    assert.equal(outcome(hook, github('issue_comment')), 'ask: mona asks: fix the empty cart');
  });

  test('says why it starts nothing', () => {
    const hook = webhook({
      trigger: ['issue*', 'push'],
      conditions: [{ path: 'repository.full_name', equals: 'acme/shop' }],
      commands: [
        { name: 'review', prompt: 'x', trigger: '/review', conditions: [{ path: 'issue.number', equals: 1 }] },
      ],
    });
    assert.equal(outcome(hook, github('ping')), 'ping');
    assert.equal(outcome(hook, github('workflow_run')), 'unsupported_event');
    assert.equal(outcome(hook, github('push')), 'not_new');
    assert.equal(outcome(hook, github('issue_comment', 5)), 'not_new');
    assert.equal(outcome(hook, github('issue_comment')), 'no_command');
    const asked = githubPayload('issue_comment');
    Object.assign(asked.comment as object, { body: '/review please' });
    assert.equal(outcome(hook, delivery(asked, { 'x-github-event': 'issue_comment' })), 'conditions_not_met');
    asked.repository = { full_name: 'acme/other' };
    assert.equal(outcome(hook, delivery(asked, { 'x-github-event': 'issue_comment' })), 'conditions_not_met');
  });

  test('names the condition that does not hold', () => {
    const hook = webhook({
      commands: [{ name: 'one', prompt: 'x', conditions: [{ path: 'action', equals: 'closed' }] }],
    });
    const match = hook.match(hook.provider.read(github('issues')));
    assert.equal(match.kind === 'ignored' && match.detail, 'one: action: expected equals "closed", got "opened"');
  });

  test('takes stars in types of events for any characters', () => {
    const fits = (trigger: string) => outcome(webhook({ trigger }), github('issues')) !== 'unsupported_event';
    for (const trigger of ['*', 'issues.*', '*.opened', 'issues.opened', 'i*s*d', '**', 'iss*.opened'])
      assert.ok(fits(trigger), trigger);
    for (const trigger of ['issues', 'issues.*x', 'ssues.*', '*.open', 'issues.opened*opened', 'i*z*d']) {
      assert.ok(!fits(trigger), trigger);
    }
  });

  test('reads answers to a plan as the built-in commands do', () => {
    const hook = webhook({ commands: [{ name: 'plan', prompt: 'x', trigger: '/plan', approval: true }] });
    assert.equal(outcome(hook, github('issue_comment', 4)), 'approve');
  });

  test('of Slack knows its slash command by its name', () => {
    const hook = webhook({
      provider: 'slack',
      commands: [{ name: 'ask', prompt: '{{tasktrail.request}}', trigger: '/agent' }],
    });
    const form = payloads('slack')('slash_command') as Record<string, string>;
    assert.equal(outcome(hook, formDelivery(form)), 'ask: fix the empty cart');
    assert.equal(outcome(hook, formDelivery({ ...form, command: '/other' })), 'no_command');
  });

  test('of any sender is verified, read and matched', async () => {
    const hook = webhook({
      ...FORGE,
      trigger: 'build.*',
      conditions: [{ path: 'branch', in: ['main'] }],
      commands: [{ name: 'fix', prompt: 'Fix {{job.name}} on {{branch}} of {{tasktrail.repo}}', priority: 5 }],
    });
    const sent = forge({
      branch: 'main',
      job: { name: 'unit' },
      repository: { full_name: 'acme/shop' },
      message: 'red',
    });
    const ok = { ...sent, headers: { ...sent.headers, 'x-sig': signed(SECRET, sent.body) } };
    assert.deepEqual(await hook.provider.verify(ok, SECRET), { ok: true });
    assert.equal((await hook.provider.verify(ok, 'other secret')).ok, false);
    assert.equal(outcome(hook, ok), 'fix: Fix unit on main of acme/shop');
    const event = hook.provider.read(
      { ...ok, headers: { ...ok.headers, 'Webhook-Id': 'msg_1' } },
      { webhookId: 'wh-1' },
    );
    assert.deepEqual(event.sourceMetadata, {
      provider: 'forge',
      event_type: 'build.failed',
      webhook_id: 'wh-1',
      delivery_id: 'msg_1',
      repo: 'acme/shop',
    });
    assert.equal(event.message, 'red');
    assert.ok(mayStart(event).ok);
    assert.equal(outcome(hook, forge({ branch: 'topic' })), 'conditions_not_met');
    assert.equal(outcome(hook, delivery({ event: 'deploy' })), 'unsupported_event');
  });

  test('of a known provider may have a scheme of its own', async () => {
    const hook = webhook({ signature: { type: 'header-token', header: 'X-Token' } });
    const sent = delivery(githubPayload('issues'), { 'x-github-event': 'issues', 'x-token': SECRET });
    assert.deepEqual(await hook.provider.verify(sent, SECRET), { ok: true });
    assert.equal(hook.provider.read(sent).eventType, 'issues.opened');
  });

  test('lets a payload write nothing into what we say of it', () => {
    const hook = webhook({ ...FORGE, commands: [{ name: 'fix', prompt: '{{tasktrail.webhook_id}} {{a}}' }] });
    const sent = forge({ tasktrail: { webhook_id: 'forged' }, a: '{{tasktrail.webhook_id}}' });
    assert.equal(outcome(hook, sent), 'fix: wh-1 {{tasktrail.webhook_id}}');
    const polluted = delivery('{"__proto__":{"tasktrail":"x"},"a":1}');
    assert.equal(outcome(hook, polluted), 'fix: wh-1 1');
  });
});

describe('a definition', () => {
  const faults = (given: object) => {
    try {
      webhook(given);
    } catch (error) {
      assert.ok(error instanceof TrailError);
      assert.equal(error.code, 'invalid_webhook');
      return error.errors?.map(({ path }) => path);
    }
    return assert.fail('it was taken');
  };

  test('that is bad is refused when it is saved, with every bad place', () => {
    assert.deepEqual(
      faults({
        conditions: [
          { path: 'ok', exists: true },
          { path: 'a..b', exists: true },
        ],
        commands: [
          { name: 'one', prompt: '{{' },
          { name: 'two', prompt: 'x', conditions: [{ path: 'a', matches: '(' }] },
          { name: 'one', prompt: 'x' },
        ],
      }),
      ['conditions[1]', 'commands[0].prompt', 'commands[1].conditions[0]', 'commands[2].name'],
    );
  });

  test('says how its deliveries are signed, unless the provider is known', () => {
    assert.deepEqual(faults({ provider: 'forge' }), ['signature']);
    for (const provider of ['github', 'jira', 'slack', 'sentry'])
      assert.equal(webhook({ provider }).provider.name, provider);
  });

  test('names users only where a delivery tells who sent it', () => {
    assert.deepEqual(faults({ ...FORGE, users: ['mia'] }), ['users']);
    assert.deepEqual(faults({ provider: 'sentry', users: ['mia'] }), ['users']);
    assert.ok(webhook({ users: ['mona'] }));
  });

  test('has the shape that routes and config file share', () => {
    const good = { name: 'x', provider: 'github', commands: [{ name: 'a', prompt: 'b' }] };
    assert.ok(shape.Check(good));
    const bad: object[] = [
      { ...good, commands: [] },
      { ...good, provider: 'Git Hub' },
      { ...good, provider: '../x' },
      { ...good, secret: 'short' },
      { ...good, extra: 1 },
      { ...good, trigger: '/two words' },
      { ...good, trigger: [] },
      { ...good, signature: { type: 'none' } },
      { ...good, signature: { type: 'none', allow_unsigned: false } },
      { ...good, signature: { type: 'hmac-sha1', header: 'x', encoding: 'hex' } },
      { ...good, signature: { type: 'hmac-sha256', header: 'x y', encoding: 'hex' } },
      { ...good, signature: { type: 'hmac-sha256', header: 'x', encoding: 'utf8' } },
      { ...good, commands: [{ name: 'a' }] },
      { ...good, commands: [{ name: 'a', prompt: 'b', agent: '../../bin/sh' }] },
      { ...good, commands: [{ name: 'a', prompt: 'b', priority: 0.5 }] },
      { ...good, commands: [{ name: 'a b', prompt: 'b' }] },
      { ...good, commands: new Array(51).fill({ name: 'a', prompt: 'b' }) },
    ];
    for (const definition of bad) assert.ok(!shape.Check(definition), JSON.stringify(definition).slice(0, 200));
    assert.ok(shape.Check({ ...good, signature: { type: 'none', allow_unsigned: true } }));
  });
});
