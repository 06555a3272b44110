import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Json, JsonObject } from '../../../src/core/entry.ts';
import { CommandFailed } from '../../../src/core/plugin.ts';
import { Answers } from '../../../src/outlet/replies/answers.ts';
import { replier } from '../../../src/outlet/replies/replier.ts';
import type { Accounts } from '../../../src/outlet/replies/request.ts';
import { managed, plugin } from '../../task/support.ts';
import { answer, inTurn, provider } from './support.ts';

const GITHUB: JsonObject = { provider: 'github', repo: 'acme/shop', issue_number: 42 };
const SLACK: JsonObject = { provider: 'slack', channel: 'C0DEV', thread_ts: '1.2' };
const JIRA: JsonObject = { provider: 'jira', issue_key: 'SHOP-42' };
const TOKENS = ['ghp_0123456789abcdefghijABCDEFGHIJ0123', 'xoxb-1234567890-abcdefghij', 'jira-token-0123456789'];

const PLUGINS = [
  plugin('echo', (params) => (params as { text?: Json }).text ?? null),
  plugin('fails', () => {
    throw new CommandFailed('it broke', 3);
  }),
  plugin('asks', async (_params, context) => {
    await context.approval('1. look\n2. mend');
    return 'mended';
  }),
];

async function answering(t: TestContext, options: { dataDir?: string; publicUrl?: string } = {}) {
  const held = await managed(t, { plugins: PLUGINS, ...(options.dataDir && { dataDir: options.dataDir }) });
  const there = await provider(t);
  const accounts: Accounts = {
    github: { url: there.url, token: String(TOKENS[0]) },
    slack: { url: `${there.url}/api`, token: String(TOKENS[1]) },
    jira: { url: there.url, email: 'bot@acme.example', token: String(TOKENS[2]) },
  };
  const warnings: string[] = [];
  const made = (given: Accounts = accounts): Answers => {
    const answers = new Answers({
      ...held.trail.parts,
      replier: replier(given),
      publicUrl: options.publicUrl ?? 'https://trail.example/x/',
      log: { warn: (message) => warnings.push(message) },
    });
    t.after(() => answers.close());
    answers.start();
    return answers;
  };
  const asked = (place: JsonObject) => ({
    source: 'webhook',
    metadata: { delivery: 'd-1' },
    input: { message: 'do it', sourceMetadata: place },
  });
  return { ...held, there, made, asked, warnings };
}

const bodyOf = (body: JsonObject | undefined): string => String(body?.body ?? body?.text);

describe('an answer', () => {
  test('is said once where the command was said, with result, time and link', async (t) => {
    const { made, done, asked, there, trail, lines } = await answering(t);
    const answers = made();
    await answers.settled();
    const { taskId } = await done('echo', { text: 'all done' }, asked(GITHUB));
    await answers.settled();
    const [said] = there.heard;
    assert.equal(said?.path, '/repos/acme/shop/issues/42/comments');
    assert.match(bodyOf(said?.body), /^<!-- tasktrail -->\nCompleted in [\d.]+ s\.\n\nall done\n\nhttps:\/\/trail/);
    assert.ok(bodyOf(said?.body).endsWith(`https://trail.example/x/t/${taskId}`));
    await trail.change(taskId, { pinned: true });
    await answers.settled();
    assert.equal(there.heard.length, 1);
    const told = (await lines(taskId)).filter(({ type }) => type === 'webhook');
    assert.deepEqual(
      told.map(({ metadata }) => metadata),
      [{ stage: 'answer', about: 'end', status: 'sent', what: 'comment' }],
    );
    const task = await trail.get(taskId);
    assert.deepEqual(task.metadata?.answered, { end: task.completedAt });
    assert.deepEqual([task.status, task.result], ['completed', 'all done'], 'the mark changes nothing else');
  });

  test('says why a task failed, at Jira and Slack too', async (t) => {
    const { made, done, asked, there } = await answering(t);
    const answers = made();
    await answers.settled();
    await done('fails', {}, asked(JIRA));
    await done('fails', {}, asked(SLACK));
    await answers.settled();
    const at = (path: string) => there.heard.find((heard) => heard.path === path)?.body;
    assert.match(bodyOf(at('/rest/api/2/issue/SHOP-42/comment')), /^tasktrail: Failed in [\d.]+ s\.\n\nit broke\n/);
    assert.match(bodyOf(at('/api/chat.postMessage')), /^Failed in [\d.]+ s\.\n\nit broke\nhttps:/);
    assert.equal(at('/api/chat.postMessage')?.thread_ts, '1.2');
  });

  test('shows a plan with how to approve it, and the result after that', async (t) => {
    const { made, tasks, asked, there, trail, when } = await answering(t);
    const answers = made();
    await answers.settled();
    for (const place of [GITHUB, SLACK]) {
      there.heard.length = 0;
      const { taskId } = await tasks.run('asks', {}, asked(place));
      await when(taskId, ({ status }) => status === 'pending_approval');
      await answers.settled();
      const plan = there.heard[0]?.body;
      assert.match(bodyOf(plan), /The plan:\n\n1\. look\n2\. mend/);
      if (place === GITHUB) assert.match(bodyOf(plan), /`\/approve`.*`\/reject`/);
      else assert.match(JSON.stringify(plan?.blocks), new RegExp(`tasktrail_approve","value":"${taskId}"`));
      await trail.change(taskId, { status: 'approved' });
      await tasks.wait(taskId);
      await answers.settled();
      assert.equal(there.heard.length, 2);
      assert.match(bodyOf(there.heard[1]?.body), /Completed .*\n\nmended/);
      const answered = (await trail.get(taskId)).metadata?.answered ?? {};
      assert.deepEqual(Object.keys(answered), ['plan', 'end']);
    }
  });

  test('is given to tasks alone that run here and that a webhook started', async (t) => {
    const { made, done, asked, there, trail } = await answering(t);
    const answers = made();
    await answers.settled();
    await done('echo', {}, { ...asked(GITHUB), source: 'api' });
    await done('echo', {}, { source: 'webhook' });
    // Nobody but the receiver says that it came by a delivery.
    await done('echo', {}, { ...asked(GITHUB), metadata: null });
    await done('echo', {}, asked({ provider: 'sentry' }));
    const { id, complete } = await trail.task({ ...asked(GITHUB), taskId: 'task-outside' });
    await complete('mine');
    await answers.settled();
    assert.equal(there.heard.length, 0);
    assert.equal((await trail.get(id)).metadata?.answered, undefined);
  });

  test('that cannot be sent is noted in the task and stops nothing', async (t) => {
    const { made, done, asked, there, lines } = await answering(t);
    there.answering = (response, heard) => answer(heard.path.includes('/api/') ? 200 : 403)(response, heard);
    const answers = made();
    await answers.settled();
    const failed = await done('echo', {}, asked(GITHUB));
    const skipped = await done('echo', {}, asked({ provider: 'github', repo: 'acme/shop' }));
    await done('echo', {}, asked(SLACK));
    await answers.settled();
    const noted = async (taskId: string) => (await lines(taskId)).filter(({ type }) => type === 'webhook');
    const [line] = await noted(failed.taskId);
    assert.equal(line?.level, 'WARNING');
    assert.deepEqual(line?.metadata, {
      ...{ stage: 'answer', about: 'end', status: 'failed', what: 'comment', reason: 'HTTP 403' },
    });
    assert.equal((await noted(skipped.taskId))[0]?.metadata?.reason, 'no_place');
    assert.equal(there.heard.filter(({ path }) => path === '/api/chat.postMessage').length, 1);
  });

  test('leaks no token, wherever it goes or fails', async (t) => {
    const { made, done, asked, there, lines, trail, warnings } = await answering(t);
    there.answering = inTurn(answer(401, TOKENS.join()), answer(200, JSON.stringify({ ok: false, error: TOKENS[1] })));
    const answers = made();
    await answers.settled();
    const written: unknown[] = [warnings];
    for (const place of [GITHUB, SLACK, JIRA]) {
      const { taskId } = await done('echo', { text: 'x' }, asked(place));
      await answers.settled();
      written.push(await lines(taskId), await trail.get(taskId));
    }
    const bodies = there.heard.map(({ path, body }) => ({ path, body }));
    const text = JSON.stringify([written, bodies]);
    for (const token of TOKENS) assert.ok(!text.includes(token));
    assert.equal(there.heard.length, 3);
  });
});

describe('answers after a stop', () => {
  test('begin at now in an old store, and go on where they stopped', async (t) => {
    const { made, done, asked, there, trail } = await answering(t);
    const old = await done('echo', { text: 'old' }, asked(GITHUB));
    const first = made();
    await first.settled();
    await trail.change(old.taskId, { pinned: true });
    await first.settled();
    assert.equal(there.heard.length, 0, 'an old store is not answered');
    await first.close();
    await done('echo', { text: 'meanwhile' }, asked(GITHUB));
    const second = made();
    await second.settled();
    assert.deepEqual(
      there.heard.map(({ body }) => bodyOf(body).includes('meanwhile')),
      [true],
    );
  });

  test('are said when the stop came while they were sent, and not again when they were', async (t) => {
    const { made, done, asked, there, warnings } = await answering(t);
    there.answering = () => {};
    const first = made();
    await first.settled();
    await done('echo', { text: 'slow' }, asked(GITHUB));
    await there.asked(1);
    await first.close();
    there.answering = answer(201, '{}');
    const second = made();
    await second.settled();
    assert.equal(there.heard.length, 2);
    await second.close();
    const third = made();
    await third.settled();
    assert.equal(there.heard.length, 2);
    assert.deepEqual(warnings, []);
  });

  test('keep the order of each task, and no more than four are sent at once', async (t) => {
    const { made, tasks, asked, there } = await answering(t);
    let open = 0;
    let most = 0;
    there.answering = (response, heard) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        answer(201, '{}')(response, heard);
      }, 20);
    };
    const answers = made();
    await answers.settled();
    const runs = await Promise.all(Array.from({ length: 20 }, () => tasks.run('echo', {}, asked(GITHUB))));
    await Promise.all(runs.map(({ taskId }) => tasks.wait(taskId)));
    await answers.settled();
    assert.equal(there.heard.length, 20);
    assert.ok(most <= 4, `${most} at once`);
  });
});
