import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { AnyPlugin } from '../../src/core/plugin.ts';
import type { TaskDraft } from '../../src/core/task.ts';
import type { WebhooksOptions } from '../../src/inlet/webhooks/index.ts';
import { type ServedOptions, served } from '../support/served.ts';
import { githubPayload, payloads, SECRET, signed } from '../support/webhooks.ts';

const echo: AnyPlugin = {
  id: 'default',
  name: 'Echo',
  takesContext: true,
  execute: ({ prompt }: { prompt: string }) => prompt,
};

async function hooked(t: TestContext, webhooks: Partial<WebhooksOptions> = {}, options: ServedOptions = {}) {
  const server = await served(t, { agents: [echo], webhooks, ...options });
  /** Send what a build server would: signed with HMAC-SHA256 in a header of its own. */
  const build = (id: string, secret: string, payload: object, headers: Record<string, string> = {}) => {
    const body = JSON.stringify(payload);
    return server.json('POST', `/webhooks/builds/${id}`, body, { 'x-signature': signed(secret, body), ...headers });
  };
  const github = (payload: object, id: string, event = 'issue_comment') => {
    const body = JSON.stringify(payload);
    return server.json('POST', '/webhooks/github', body, {
      ...{ 'x-github-event': event, 'x-github-delivery': id, 'x-hub-signature-256': `sha256=${signed(SECRET, body)}` },
    });
  };
  return { ...server, build, github };
}

const definition = {
  webhook_id: 'nightly',
  name: 'Nightly builds',
  provider: 'builds',
  signature: { type: 'hmac-sha256', header: 'X-Signature', encoding: 'hex' },
  conditions: [{ path: 'build.branch', in: ['main', 'release'] }],
  commands: [
    {
      name: 'explain',
      trigger: 'build.failed',
      prompt: 'Why did {{build.name}} fail? Its log: {{build.log}}',
      priority: 5,
    },
  ],
};
const failed = { event: 'build.failed', build: { name: 'api', branch: 'main', log: 'exit 1' } };

test('a webhook is made at run time, its secret shown once, and its deliveries start tasks with the rendered prompt', async (t) => {
  const { json, build, tasks } = await hooked(t);
  const { status, body: made } = await json('POST', '/api/webhooks', definition);
  assert.equal(status, 201);
  assert.ok(made.secret.length >= 32);
  assert.deepEqual([made.url, made.origin, made.configured], ['/webhooks/builds/nightly', 'api', true]);
  const { body: read } = await json('GET', '/api/webhooks/nightly');
  assert.equal(read.secret, undefined);
  assert.ok(!JSON.stringify((await json('GET', '/api/webhooks')).body).includes(made.secret));
  const sent = await build('nightly', made.secret, failed, { 'x-delivery-id': '7' });
  assert.equal(sent.status, 202, JSON.stringify(sent.body));
  const task = await tasks.wait(sent.body.task_id);
  assert.deepEqual([task.status, task.provider, task.priority], ['completed', 'builds', 5]);
  assert.equal(task.result, 'Why did api fail? Its log: exit 1');
  assert.deepEqual(task.metadata?.webhook, 'nightly');
  assert.equal((await json('GET', '/api/webhooks/nightly')).body.last_delivery.task_id, task.taskId);
});

test('what stands in a payload is data: a template is not rendered twice', async (t) => {
  const { json, build, tasks } = await hooked(t);
  const { body: made } = await json('POST', '/api/webhooks', definition);
  const hostile = { ...failed, build: { ...failed.build, log: '{{build.name}} $(rm -rf /) `id`' } };
  const { body } = await build('nightly', made.secret, hostile);
  const task = await tasks.wait(body.task_id);
  assert.equal(task.result, 'Why did api fail? Its log: {{build.name}} $(rm -rf /) `id`');
});

test('conditions and triggers that are not met start nothing and say which', async (t) => {
  const { json, build } = await hooked(t);
  const { body: made } = await json('POST', '/api/webhooks', definition);
  const branch = await build('nightly', made.secret, { ...failed, build: { ...failed.build, branch: 'feature' } });
  assert.deepEqual([branch.status, branch.body.reason], [200, 'conditions_not_met']);
  assert.match(branch.body.detail, /build\.branch/);
  const event = await build('nightly', made.secret, { ...failed, event: 'build.passed' });
  assert.deepEqual([event.status, event.body.reason], [200, 'unsupported_event']);
});

test('bad templates, conditions, triggers and schemes are refused when they are saved, each named', async (t) => {
  const { json } = await hooked(t);
  const [command] = definition.commands;
  const bad: [object, RegExp][] = [
    [{ ...definition, commands: [{ ...command, prompt: 'Fix {{build.name' }] }, /commands\[0\]\.prompt/],
    [{ ...definition, commands: [{ ...command, prompt: '{{}}' }] }, /commands\[0\]\.prompt/],
    [{ ...definition, conditions: [{ path: 'a', matches: '(' }] }, /conditions\[0\]/],
    [{ ...definition, conditions: [{ path: 'a[', exists: true }] }, /conditions\[0\]/],
    [{ ...definition, commands: [] }, /commands/],
    [{ ...definition, signature: { type: 'none' } }, /signature/],
    [{ ...definition, signature: undefined }, /signature/],
    [{ ...definition, webhook_id: '../x' }, /webhook_id/],
    [{ ...definition, colour: 'red' }, /colour/],
    [{ ...definition, commands: [{ ...command, workspace: { repo: 'x', ref: '' } }] }, /workspace/],
    [{ ...definition, users: ['someone'] }, /users/],
  ];
  for (const [body, place] of bad) {
    const { status, body: problem } = await json('POST', '/api/webhooks', body);
    assert.deepEqual([status, problem.code], [400, 'invalid_webhook'], JSON.stringify(body));
    assert.match(JSON.stringify(problem.errors), place);
  }
  assert.equal((await json('GET', '/api/webhooks')).body.webhooks.length, 4, 'the built-in ones alone');
});

test('a template that holds a secret is refused: it would be masked before it is stored', async (t) => {
  const { json } = await hooked(t);
  const prompt = `Use ghp_${'a1B2'.repeat(9)}`;
  const { status, body } = await json('POST', '/api/webhooks', {
    ...definition,
    commands: [{ ...definition.commands[0], prompt }],
  });
  assert.deepEqual([status, body.code], [400, 'invalid_webhook']);
});

test('a change keeps the secret, counts at once, and a webhook that is switched off says so', async (t) => {
  const { json, build } = await hooked(t);
  const { body: made } = await json('POST', '/api/webhooks', definition);
  const changed = await json('PUT', '/api/webhooks/nightly', { ...definition, conditions: [] });
  assert.equal(changed.status, 200);
  const feature = { ...failed, build: { ...failed.build, branch: 'feature' } };
  assert.equal((await build('nightly', made.secret, feature)).status, 202);
  const off = await json('POST', '/api/webhooks/nightly/disable');
  assert.equal(off.body.enabled, false);
  const ignored = await build('nightly', made.secret, failed);
  assert.deepEqual([ignored.status, ignored.body.reason], [200, 'disabled']);
  await json('POST', '/api/webhooks/nightly/enable');
  assert.equal((await build('nightly', made.secret, failed)).status, 202);
  const rotated = await json('PUT', '/api/webhooks/nightly', { ...definition, secret: 'a new secret of ours' });
  assert.equal(rotated.body.secret, undefined);
  assert.equal((await build('nightly', made.secret, { ...failed, n: 2 })).status, 401);
  assert.equal((await build('nightly', 'a new secret of ours', { ...failed, n: 3 })).status, 202);
});

test('a deleted webhook is gone with its delivery log; an id is taken once', async (t) => {
  const { json, build } = await hooked(t);
  const { body: made } = await json('POST', '/api/webhooks', definition);
  const twice = await json('POST', '/api/webhooks', definition);
  assert.deepEqual([twice.status, twice.body.code], [409, 'webhook_exists']);
  await build('nightly', made.secret, failed);
  assert.equal((await json('DELETE', '/api/webhooks/nightly')).status, 204);
  assert.equal((await build('nightly', made.secret, failed)).body.code, 'webhook_not_found');
  assert.equal((await json('GET', '/api/webhooks/nightly/deliveries')).status, 404);
  assert.equal((await json('DELETE', '/api/webhooks/nightly')).status, 404);
});

test('a delivery is tried out without starting or storing anything', async (t) => {
  const { json } = await hooked(t);
  await json('POST', '/api/webhooks', definition);
  const { status, body } = await json('POST', '/api/webhooks/nightly/test', {
    payload: { event: 'build.failed', build: { name: 'api', branch: 'main' } },
  });
  assert.equal(status, 200);
  assert.deepEqual(
    [body.outcome, body.command, body.prompt, body.missing],
    ['accepted', 'explain', 'Why did api fail? Its log: ', ['build.log']],
  );
  const nothing = await json('POST', '/api/webhooks/nightly/test', { payload: { event: 'other' } });
  assert.deepEqual([nothing.body.outcome, nothing.body.reason], ['ignored', 'conditions_not_met']);
  assert.equal((await json('GET', '/api/tasks')).body.total, 0);
  assert.deepEqual((await json('GET', '/api/webhooks/nightly/deliveries')).body.deliveries, []);
});

test('built-in providers are listed, and cannot be changed, deleted or switched off', async (t) => {
  const { json } = await hooked(t, { secrets: { github: SECRET } });
  const { body } = await json('GET', '/api/webhooks');
  const shown = body.webhooks.map((hook: { webhook_id: string; configured: boolean; origin: string }) => [
    ...[hook.webhook_id, hook.origin, hook.configured],
  ]);
  assert.deepEqual(shown, [
    ['github', 'builtin', true],
    ['jira', 'builtin', false],
    ['slack', 'builtin', false],
    ['sentry', 'builtin', false],
  ]);
  for (const [method, path] of [
    ['PUT', '/api/webhooks/github'],
    ['DELETE', '/api/webhooks/github'],
    ['POST', '/api/webhooks/github/disable'],
  ] as const) {
    const answer = await json(method, path, method === 'PUT' ? definition : undefined);
    assert.deepEqual([answer.status, answer.body.code], [409, 'webhook_fixed'], path);
  }
});

test('the config names commands of a built-in provider, who may start them, and webhooks of its own', async (t) => {
  const { github, json } = await hooked(t, {
    configured: {
      github: {
        secret: null,
        definition: {
          name: 'github',
          provider: 'github',
          users: ['octocat'],
          commands: [{ name: 'review', trigger: '/review', prompt: 'Review {{repository.full_name}}' }],
        },
      },
    },
  });
  const payload = githubPayload('issue_comment');
  const said = (body: string, login: string) => {
    const user = { ...((payload.comment as { user: object }).user ?? {}), login };
    return {
      ...payload,
      sender: user,
      comment: { ...(payload.comment as object), user, body, author_association: 'NONE' },
    };
  };
  assert.equal((await github(said('/review please', 'octocat'), '1')).status, 202);
  assert.equal((await github(said('/agent please', 'octocat'), '2')).body.reason, 'no_command');
  assert.equal((await github(said('/review please', 'stranger'), '3')).body.reason, 'not_allowed');
  const { body } = await json('GET', '/api/webhooks/github');
  assert.deepEqual([body.origin, body.commands[0].name], ['config', 'review']);
});

test('readers look, and only admins change', async (t) => {
  const tokens = [
    { role: 'reader', token: 'reader-token' },
    { role: 'writer', token: 'writer-token' },
    { role: 'admin', token: 'admin-token' },
  ] as const;
  const { json } = await hooked(t, {}, { settings: { tokens } });
  const as = (role: string) => ({ authorization: `Bearer ${role}-token` });
  assert.equal((await json('GET', '/api/webhooks', undefined, as('reader'))).status, 200);
  assert.equal((await json('GET', '/api/webhooks')).status, 401);
  for (const role of ['reader', 'writer']) {
    assert.equal((await json('POST', '/api/webhooks', definition, as(role))).status, 403, role);
  }
  assert.equal((await json('POST', '/api/webhooks', definition, as('admin'))).status, 201);
  const replay = await json('POST', '/api/webhooks/nightly/deliveries/1/replay', undefined, as('reader'));
  assert.equal(replay.status, 403);
});

/** A task that waits for a person, as the planning step leaves it. */
const waiting = (taskId: string, sourceMetadata: Record<string, string | number>): TaskDraft => ({
  taskId,
  status: 'pending_approval',
  runner: 'agent:other',
  source: 'webhook',
  provider: 'github',
  metadata: { plan: 'do it' },
  input: { message: 'do it', sourceMetadata },
});

function answerBy(association: string, body: string): object {
  const payload = githubPayload('issue_comment');
  return { ...payload, comment: { ...(payload.comment as object), body, author_association: association } };
}

test('a comment approves or rejects the task that waits in its place, with the reason', async (t) => {
  const { github, intake, json } = await hooked(t);
  const started = await github(answerBy('MEMBER', '/agent hello'), '0');
  const { thread, repo } = (await json('GET', `/api/tasks/${started.body.task_id}`)).body.input.source_metadata;
  await intake.createTask(waiting('task-A', { thread, repo }));
  await intake.createTask(waiting('task-B', { thread: 'other/repo#1', repo: 'other/repo' }));
  const outsider = await github(answerBy('NONE', '/approve'), '1');
  assert.deepEqual([outsider.status, outsider.body.reason], [200, 'not_allowed']);
  const approved = await github(answerBy('MEMBER', '/approve'), '2');
  assert.deepEqual([approved.status, approved.body], [200, { status: 'approved', task_id: 'task-A' }]);
  const [record] = (await json('GET', '/api/audit?action=task.approve')).body.records;
  assert.deepEqual(
    [record.actor.kind, record.target.id, record.details],
    ['webhook', 'task-A', { provider: 'github' }],
  );
  assert.ok(record.actor.name, 'the audit names who commented');
  const again = await github(answerBy('MEMBER', '/approve'), '3');
  assert.equal(again.body.reason, 'nothing_waits');
  const foreign = await github(answerBy('MEMBER', '/approve task-B'), '4');
  assert.equal(foreign.body.reason, 'not_its_place');
  await intake.createTask(waiting('task-C', { thread, repo }));
  const rejected = await github(answerBy('OWNER', '/reject too risky'), '5');
  assert.deepEqual(rejected.body, { status: 'rejected', task_id: 'task-C' });
  const { body } = await json('GET', '/api/tasks/task-C');
  assert.deepEqual([body.status, body.error], ['rejected', 'too risky']);
  const inputs = (await json('GET', '/api/tasks/task-C/logs/user-inputs')).body;
  assert.deepEqual([inputs[0].question_type, inputs[0].content], ['approval', 'too risky']);
  assert.equal((await github(answerBy('OWNER', '/reject too risky'), '5')).body.status, 'duplicate');
});

test('a button in Slack answers for the task under which it stands, whoever started it', async (t) => {
  const { intake, json } = await hooked(t);
  await intake.createTask({ ...waiting('task-A', {}), provider: 'sentry' });
  const click = payloads('slack')('block_actions') as { actions: { value: string }[] };
  const [action] = click.actions;
  const payload = JSON.stringify({ ...click, actions: [{ ...action, value: 'task-A' }] });
  const body = new URLSearchParams({ payload }).toString();
  const now = String(Math.floor(Date.now() / 1000));
  const { status, body: told } = await json('POST', '/webhooks/slack', body, {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-signature': `v0=${signed(SECRET, `v0:${now}:`, body)}`,
    'x-slack-request-timestamp': now,
  });
  assert.deepEqual([status, told], [200, { status: 'approved', task_id: 'task-A' }]);
});

test('what is signed by none is taken only where the webhook says so in so many words', async (t) => {
  const { json } = await hooked(t);
  const open = { ...definition, webhook_id: 'open', signature: { type: 'none', allow_unsigned: true } };
  const { body: made } = await json('POST', '/api/webhooks', open);
  assert.deepEqual([made.secret, made.configured], [null, true]);
  assert.equal((await json('POST', '/webhooks/builds/open', failed)).status, 202);
  assert.equal((await json('POST', '/webhooks/other/open', failed)).body.code, 'webhook_not_found');
  assert.equal((await json('POST', '/webhooks/unknown', failed)).body.code, 'webhook_not_found');
});

test('a webhook that needs a signature from now on gets a secret, which is shown; its agents must be there', async (t) => {
  const { json } = await hooked(t, { mayBeUnsigned: true });
  const open = { ...definition, signature: { type: 'none', allow_unsigned: true } };
  await json('POST', '/api/webhooks', open);
  const { body: closed } = await json('PUT', '/api/webhooks/nightly', definition);
  assert.ok(closed.secret.length >= 32);
  assert.equal((await json('POST', '/webhooks/builds/nightly', failed)).body.code, 'invalid_signature');
  const nobody = { ...definition, webhook_id: 'x', commands: [{ ...definition.commands[0], planner: 'nobody' }] };
  const { status, body } = await json('POST', '/api/webhooks', nobody);
  assert.deepEqual([status, body.errors[0].path], [400, 'commands[0].planner']);
});

test("an answer is not given again in a person's name", async (t) => {
  const { github, intake, json } = await hooked(t);
  const started = await github(answerBy('MEMBER', '/agent hello'), '0');
  const { thread, repo } = (await json('GET', `/api/tasks/${started.body.task_id}`)).body.input.source_metadata;
  await intake.createTask(waiting('task-A', { thread, repo }));
  await github(answerBy('MEMBER', '/approve'), '1');
  await intake.createTask(waiting('task-B', { thread, repo }));
  const [{ n }] = (await json('GET', '/api/webhooks/github/deliveries')).body.deliveries;
  const again = await json('POST', `/api/webhooks/github/deliveries/${n}/replay`);
  assert.deepEqual([again.status, again.body.code], [409, 'not_replayable']);
  assert.equal((await json('GET', '/api/tasks/task-B')).body.status, 'pending_approval');
});
