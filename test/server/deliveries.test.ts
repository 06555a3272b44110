import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test, { type TestContext } from 'node:test';
import type { Live } from '../../src/core/live.ts';
import type { AnyPlugin } from '../../src/core/plugin.ts';
import type { WebhooksOptions } from '../../src/inlet/webhooks/index.ts';
import { type ServedOptions, served } from '../support/served.ts';
import { githubPayload, payloads, SECRET, signed } from '../support/webhooks.ts';

const STAGES = ['received', 'validation', 'command_matching', 'immediate_response', 'task_created', 'queue_push'];

/** An agent that answers its prompt at once: what agents do is tested elsewhere. */
const echo: AnyPlugin = {
  id: 'default',
  name: 'Echo',
  takesContext: true,
  execute: ({ prompt }: { prompt: string }) => prompt,
};

async function receiving(t: TestContext, webhooks: Partial<WebhooksOptions> = {}, options: ServedOptions = {}) {
  const server = await served(t, { agents: [echo], webhooks, ...options });
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    server.json('POST', path, body, headers);
  const github = (payload: object, { id = String(randomUUID()), event = 'issue_comment', secret = SECRET } = {}) => {
    const body = JSON.stringify(payload);
    const signature = `sha256=${signed(secret, body)}`;
    return post('/webhooks/github', body, {
      ...{ 'x-github-event': event, 'x-github-delivery': id, 'x-hub-signature-256': signature },
    });
  };
  const stages = async (taskId: string) => (await server.json('GET', `/api/tasks/${taskId}/logs/webhook-flow`)).body;
  const log = async (id: string) => (await server.json('GET', `/api/webhooks/${id}/deliveries`)).body.deliveries;
  return { ...server, post, github, stages, log };
}

/** What `look` answers first that is there, asked again after each change of a task. */
async function until<T>(live: Live, look: () => Promise<T | undefined>): Promise<T> {
  let poke = (): void => {};
  const stop = live.watch(() => poke());
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        poke = resolve;
      });
      const found = await look();
      if (found !== undefined) return found;
      await changed;
    }
  } finally {
    stop();
  }
}

/** A comment of a member that says a command. */
function comment(body = '/agent look at this'): object {
  const payload = githubPayload('issue_comment');
  const member = { ...(payload.comment as object), body, author_association: 'MEMBER' };
  return { ...payload, comment: member };
}

test('a delivery that says a command leaves its six stages in order on one task, with what each is about', async (t) => {
  const { github, stages, json } = await receiving(t);
  const { status, body } = await github(comment());
  assert.equal(status, 202);
  const taskId: string = body.task_id;
  const flow = await stages(taskId);
  assert.deepEqual(
    flow.map(({ stage }: { stage: string }) => stage),
    STAGES,
  );
  const [received, validation, matching, response, created, pushed] = flow;
  assert.equal(received.event_type, 'issue_comment.created');
  assert.equal(received.payload.comment.body, '/agent look at this');
  assert.deepEqual([validation.status, validation.signature], ['passed', 'valid']);
  assert.deepEqual([matching.command, matching.matched], ['agent', true]);
  assert.deepEqual([response.status, response.reason], ['skipped', 'no_token']);
  assert.equal(created.task_id, taskId);
  assert.equal(pushed.queue, 'agents');
  const times = flow.map(({ timestamp }: { timestamp: string }) => timestamp);
  assert.deepEqual(times, times.toSorted());
  const { body: task } = await json('GET', `/api/tasks/${taskId}`);
  assert.deepEqual([task.source, task.provider, task.assigned_agent], ['webhook', 'github', 'default']);
  const { event_type, repo, issue_number, webhook_id } = task.input.source_metadata;
  assert.equal(event_type, 'issue_comment.created');
  assert.ok(repo && issue_number && webhook_id);
});

test('the stages are committed with the task: who sees the task sees them all', async (t) => {
  const { github, stages } = await receiving(t, {}, {});
  const answers = await Promise.all(Array.from({ length: 20 }, () => github(comment())));
  for (const { body } of answers) assert.equal((await stages(body.task_id)).length, STAGES.length);
});

test('each provider is taken by its own signature, and each delivery sent a hundred times at once makes one task', async (t) => {
  const { post, github, json } = await receiving(t);
  const jira = JSON.stringify(payloads('jira')('comment_created'));
  const sentry = JSON.stringify(payloads('sentry')('event_alert'));
  const mention = JSON.stringify(payloads('slack')('app_mention'));
  const now = String(Math.floor(Date.now() / 1000));
  const same = comment();
  const senders: Record<string, () => ReturnType<typeof post>> = {
    github: () => github(same, { id: 'one' }),
    jira: () =>
      post('/webhooks/jira', jira, {
        ...{ 'x-hub-signature': `sha256=${signed(SECRET, jira)}`, 'x-atlassian-webhook-identifier': 'one' },
      }),
    sentry: () =>
      post('/webhooks/sentry', sentry, {
        ...{
          'sentry-hook-signature': signed(SECRET, sentry),
          'sentry-hook-resource': 'event_alert',
          'request-id': 'one',
        },
      }),
    slack: () =>
      post('/webhooks/slack', mention, {
        ...{ 'x-slack-signature': `v0=${signed(SECRET, `v0:${now}:`, mention)}`, 'x-slack-request-timestamp': now },
      }),
  };
  for (const [provider, send] of Object.entries(senders)) {
    const answers = await Promise.all(Array.from({ length: 100 }, send));
    const ids = new Set(answers.map(({ body }) => body.task_id));
    assert.deepEqual([ids.size, ids.has(undefined)], [1, false], `${provider}: ${JSON.stringify(answers[0]?.body)}`);
    const accepted = answers.filter(({ status }) => status === 202);
    assert.equal(accepted.length, 1, provider);
    assert.ok(answers.every(({ status, body }) => status === 202 || (status === 200 && body.status === 'duplicate')));
    const { body } = await json('GET', `/api/tasks?q=&source=${provider}`);
    assert.equal(body.tasks.length, 1, provider);
  }
});

test('a body without an id of its own counts as the same for a minute', async (t) => {
  let nowMs = Date.parse('2026-01-24T10:00:00.000Z');
  const clock = { now: () => nowMs };
  const { post } = await receiving(t, { mayBeUnsigned: true, secrets: {}, clock }, { clock });
  const send = () => post('/webhooks/sentry', JSON.stringify(payloads('sentry')('mission')));
  const first = await send();
  assert.equal(first.status, 202);
  const second = await send();
  assert.deepEqual([second.status, second.body], [200, { status: 'duplicate', task_id: first.body.task_id }]);
  nowMs += 60_001;
  assert.equal((await send()).status, 202);
});

test('a wrong secret, a flipped bit, a missing and an odd header are refused and written down with the reason', async (t) => {
  const { post, github, log, json } = await receiving(t);
  const body = JSON.stringify(comment());
  const good = `sha256=${signed(SECRET, body)}`;
  const headers = { 'x-github-event': 'issue_comment', 'x-github-delivery': 'odd' };
  const wrong = [
    await github(comment(), { secret: 'another' }),
    await post('/webhooks/github', body.replace('look', 'lOok'), { ...headers, 'x-hub-signature-256': good }),
    await post('/webhooks/github', body, headers),
    await post('/webhooks/github', body, { ...headers, 'x-hub-signature-256': good.replace('sha256', 'sha1') }),
  ];
  for (const { status, body: problem } of wrong) {
    assert.deepEqual([status, problem.code], [401, 'invalid_signature']);
  }
  const reasons = (await log('github')).map(({ outcome, reason }: Record<string, string>) => `${outcome} ${reason}`);
  assert.deepEqual(reasons, [
    'refused odd_header',
    'refused missing_header',
    'refused wrong_signature',
    'refused wrong_signature',
  ]);
  assert.equal((await json('GET', '/api/tasks')).body.total, 0);
  // A stranger who knew the id of a delivery has not taken its place.
  assert.equal((await github(comment(), { id: 'odd' })).status, 202);
});

test('why nothing ran is written down: no command, not allowed, an edit, an event that no command looks at', async (t) => {
  const { github, log } = await receiving(t);
  const outsider = comment() as { comment: object };
  const sends = [
    await github(comment('looks good to me')),
    await github({ ...outsider, comment: { ...outsider.comment, author_association: 'NONE' } }),
    await github({ ...comment(), action: 'edited' }),
    await github(githubPayload('push'), { event: 'push' }),
  ];
  assert.deepEqual(
    sends.map(({ status, body }) => [status, body.status, body.reason]),
    [
      [200, 'ignored', 'no_command'],
      [200, 'ignored', 'not_allowed'],
      [200, 'ignored', 'not_new'],
      [200, 'ignored', 'unsupported_event'],
    ],
  );
  const kept = await log('github');
  assert.deepEqual(
    kept.map(({ reason }: { reason: string }) => reason),
    ['unsupported_event', 'not_new', 'not_allowed', 'no_command'],
  );
  assert.ok(
    kept.every(({ task_id: taskId, replayable }: { task_id: null; replayable: boolean }) => !taskId && replayable),
  );
});

test('what was ignored may be sent again under the same id, and is looked at anew', async (t) => {
  const { github } = await receiving(t);
  assert.equal((await github(comment('hello'), { id: 'again' })).body.reason, 'no_command');
  assert.equal((await github(comment(), { id: 'again' })).status, 202);
  assert.equal((await github(comment(), { id: 'again' })).body.status, 'duplicate');
});

test('a kept delivery is replayed: what is asked and who asks is decided anew, and the task says what it repeats', async (t) => {
  const { github, log, json, stages } = await receiving(t);
  await github(comment('hello'));
  await github(comment());
  const [accepted, ignored] = await log('github');
  const again = await json('POST', `/api/webhooks/github/deliveries/${ignored.n}/replay`);
  assert.deepEqual([again.status, again.body.reason], [200, 'no_command']);
  const replayed = await json('POST', `/api/webhooks/github/deliveries/${accepted.n}/replay`);
  assert.equal(replayed.status, 202);
  assert.notEqual(replayed.body.task_id, accepted.task_id);
  assert.equal((await stages(replayed.body.task_id))[0].replay_of, accepted.n);
  assert.equal((await log('github'))[0].replay_of, accepted.n);
  const missing = await json('POST', '/api/webhooks/github/deliveries/999/replay');
  assert.deepEqual([missing.status, missing.body.code], [404, 'delivery_not_found']);
  const foreign = await json('GET', `/api/webhooks/jira/deliveries/${accepted.n}`);
  assert.deepEqual([foreign.status, foreign.body.code], [404, 'delivery_not_found']);
});

test('secrets in a payload are masked in the stage, the delivery log and the input', async (t) => {
  const token = `ghp_${'a1B2'.repeat(9)}`;
  const { github, log, json } = await receiving(t);
  const { body } = await github(comment(`/agent use ${token}`));
  const { body: full } = await json('GET', `/api/tasks/${body.task_id}/logs/full`);
  const [{ n }] = await log('github');
  const { body: delivery } = await json('GET', `/api/webhooks/github/deliveries/${n}`);
  for (const shown of [full, delivery]) assert.ok(!JSON.stringify(shown).includes(token));
  assert.ok(delivery.body.includes('/agent use'));
});

test('headers that prove who sent it are not kept', async (t) => {
  const { github, log, json } = await receiving(t);
  await github(comment());
  const [{ n }] = await log('github');
  const { body } = await json('GET', `/api/webhooks/github/deliveries/${n}`);
  assert.deepEqual(Object.keys(body.headers).toSorted(), [
    'content-type',
    'user-agent',
    'x-github-delivery',
    'x-github-event',
  ]);
});

test('without its secret a provider answers 503 and says what is missing; on a loopback of nobody else it is taken unsigned', async (t) => {
  const closed = await receiving(t, { secrets: {} });
  const { status, body } = await closed.github(comment());
  assert.deepEqual([status, body.code], [503, 'webhook_not_configured']);
  assert.match(body.detail, /no secret of github is set/);
  assert.equal((await closed.log('github'))[0].reason, 'not_configured');
  const open = await receiving(t, { secrets: {}, mayBeUnsigned: true });
  const taken = await open.github(comment());
  assert.equal(taken.status, 202);
  assert.equal((await open.stages(taken.body.task_id))[1].signature, 'none');
});

test('unsigned deliveries of a page on the web, or under another host name, are refused', async (t) => {
  const { post } = await receiving(t, { secrets: {}, mayBeUnsigned: true });
  const body = JSON.stringify(payloads('sentry')('mission'));
  const foreign = await post('/webhooks/sentry', body, { origin: 'https://evil.example' });
  assert.deepEqual([foreign.status, foreign.body.code], [503, 'webhook_not_configured']);
  const signedOnes = await receiving(t);
  const headers = { 'sentry-hook-signature': signed(SECRET, body), origin: 'https://sentry.io' };
  assert.equal((await signedOnes.post('/webhooks/sentry', body, headers)).status, 202);
});

test('a body that is no JSON, no object, too deep or empty is refused and written down', async (t) => {
  const { post, log } = await receiving(t);
  const bodies = ['{"half":', '[1,2]', `${'{"a":'.repeat(80)}1${'}'.repeat(80)}`, ''];
  for (const body of bodies) {
    const headers = { 'x-github-event': 'issues', 'x-hub-signature-256': `sha256=${signed(SECRET, body)}` };
    const { status } = await post('/webhooks/github', body, headers);
    assert.ok([400, 401].includes(status), `${body.slice(0, 10)}: ${status}`);
  }
  const reasons = (await log('github')).map(({ reason }: { reason: string }) => reason);
  assert.deepEqual(reasons, ['wrong_signature', 'nested_too_deep', 'invalid_json', 'invalid_json']);
});

test('the challenge of Slack comes back, and forms of Slack are read', async (t) => {
  const { post } = await receiving(t);
  const now = String(Math.floor(Date.now() / 1000));
  const slack = (body: string, type = 'application/json') =>
    post('/webhooks/slack', body, {
      'content-type': type,
      'x-slack-signature': `v0=${signed(SECRET, `v0:${now}:`, body)}`,
      'x-slack-request-timestamp': now,
    });
  const challenge = payloads('slack')('url_verification');
  const { status, body } = await slack(JSON.stringify(challenge));
  assert.deepEqual([status, body.challenge], [200, challenge.challenge]);
  const form = new URLSearchParams(payloads('slack')('slash_command') as Record<string, string>).toString();
  assert.equal((await slack(form, 'application/x-www-form-urlencoded')).status, 202);
});

test('an acknowledgement that fails is noted and stops nothing; a slow one is not waited for, and noted later', async (t) => {
  const failing = await receiving(t, {
    acknowledge: async () => ({ status: 'failed', what: 'reaction', reason: 'answered 500' }),
  });
  const { body } = await failing.github(comment());
  assert.deepEqual((await failing.stages(body.task_id))[3].reason, 'answered 500');
  const { promise, resolve } = Promise.withResolvers<{ status: 'sent'; what: string }>();
  const slow = await receiving(t, { acknowledge: () => promise });
  const answer = await slow.github(comment());
  assert.equal(answer.status, 202);
  assert.equal((await slow.stages(answer.body.task_id))[3].status, 'pending');
  resolve({ status: 'sent', what: 'reaction' });
  await slow.tasks.wait(answer.body.task_id);
  const last = await until(slow.live, async () => (await slow.stages(answer.body.task_id))[6]);
  assert.deepEqual([last.stage, last.status, last.what], ['immediate_response', 'sent', 'reaction']);
});

test('an agent that is not known leaves no task, and the delivery says why', async (t) => {
  const { github, log, json } = await receiving(t, {}, { agents: [] });
  const { status, body } = await github(comment(), { id: 'x' });
  assert.deepEqual([status, body.code], [400, 'unknown_agent']);
  const [kept] = await log('github');
  assert.deepEqual([kept.outcome, kept.reason, kept.task_id], ['failed', 'unknown_agent', null]);
  assert.equal((await json('GET', '/api/tasks')).body.total, 0);
});

test('strangers cannot fill the log: beyond sixty a minute refused deliveries are only counted', async (t) => {
  let nowMs = Date.now();
  const clock = { now: () => nowMs };
  const { github, json } = await receiving(t, { clock }, { clock });
  for (let n = 0; n < 70; n++) await github(comment(), { secret: 'wrong' });
  const all = async () => (await json('GET', '/api/webhooks/github/deliveries?limit=1000')).body.deliveries;
  assert.equal((await all()).length, 60);
  nowMs += 60_000;
  await github(comment(), { secret: 'wrong' });
  assert.match((await all())[0].detail, /10 more before it were not written down/);
});

test('what opens something else in a delivery of Slack is kept nowhere', async (t) => {
  const { post, log, json } = await receiving(t);
  const now = String(Math.floor(Date.now() / 1000));
  const fields = payloads('slack')('slash_command') as Record<string, string>;
  const opener = 'https://hooks.slack.com/commands/T1/123/abcSECRETdef';
  const body = new URLSearchParams({ ...fields, token: 'VerifTok12345678901234', response_url: opener }).toString();
  const { status, body: answer } = await post('/webhooks/slack', body, {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-signature': `v0=${signed(SECRET, `v0:${now}:`, body)}`,
    'x-slack-request-timestamp': now,
  });
  assert.equal(status, 202);
  const { body: full } = await json('GET', `/api/tasks/${answer.task_id}/logs/full`);
  const [{ n }] = await log('slack');
  const { body: kept } = await json('GET', `/api/webhooks/slack/deliveries/${n}`);
  for (const shown of [full, kept]) assert.doesNotMatch(JSON.stringify(shown), /VerifTok|abcSECRET/);
  assert.ok(kept.replayable);
});

test('behind a proxy nobody from elsewhere is taken unsigned, and nothing that is packed is unpacked', async (t) => {
  const settings = { publicUrl: 'https://trail.example', trustProxy: '127.0.0.1' };
  const { post } = await receiving(t, { secrets: {}, mayBeUnsigned: true }, { settings });
  const body = JSON.stringify(payloads('sentry')('mission'));
  const stranger = await post('/webhooks/sentry', body, { 'x-forwarded-for': '8.8.8.8' });
  assert.deepEqual([stranger.status, stranger.body.code], [503, 'webhook_not_configured']);
  const packed = await post('/webhooks/sentry', body, { 'content-encoding': 'gzip' });
  assert.deepEqual([packed.status, packed.body.code], [415, 'unsupported_media_type']);
});
