import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { EntryInput, JsonObject } from '../../../src/core/entry.ts';
import { Notices } from '../../../src/outlet/slack/notices.ts';
import { type NoticeSettings, type Rule, STALLED } from '../../../src/outlet/slack/rules.ts';
import { managed } from '../../task/support.ts';
import { answer, inTurn, provider } from '../replies/support.ts';

const TOKEN = 'xoxb-1234567890-abcdefghijklmnop';
const QUIET: NoticeSettings = { channel: 'C0TRAIL', on: [], rules: [] };
const USUAL: NoticeSettings = { ...QUIET, on: ['failed', 'timed_out', 'pending_approval'] };

const ruleOf = (given: Partial<Rule>): Rule => ({
  ...{ name: 'r', channel: null, coolDownMs: 300_000, lines: null },
  ...given,
});

async function noticing(t: TestContext) {
  const { trail } = await managed(t, { idle: true });
  const there = await provider(t);
  const warnings: string[] = [];
  let aheadMs = 0;
  const started = async (settings: NoticeSettings, { bot = true } = {}): Promise<Notices> => {
    const accounts = {
      ...(bot && { slack: { url: `${there.url}/api`, token: TOKEN } }),
      slackWebhook: `${there.url}/services/secret-hook`,
    };
    const notices = new Notices({
      ...trail.parts,
      ...{ settings, accounts, publicUrl: 'https://trail.example/' },
      clock: { now: () => Date.now() + aheadMs },
      log: { warn: (message) => warnings.push(message) },
    });
    t.after(() => notices.close());
    notices.start();
    await notices.settled();
    return notices;
  };
  const failed = async (taskId: string, ...lines: readonly (EntryInput | string)[]) => {
    await trail.create({ taskId, title: `The ${taskId}` });
    if (lines.length > 0) {
      await trail.append(
        taskId,
        lines.map((line) => (typeof line === 'string' ? { message: line } : line)),
      );
    }
    return trail.fail(taskId, 'it broke', { metrics: { durationSeconds: 125, costUsd: 1.5 } });
  };
  return { trail, there, started, failed, warnings, ahead: (ms: number) => (aheadMs += ms) };
}

/** The texts of a message, part by part. */
function parts(body: JsonObject | undefined): readonly string[] {
  const blocks = (body?.blocks ?? []) as readonly { text?: { text: string } }[];
  return blocks.flatMap(({ text }) => text?.text ?? []);
}

const error = (message: string): EntryInput => ({ message, level: 'ERROR' });

describe('a notice', () => {
  test('of a failed task shows what was around its first error, and leads to that very line', async (t) => {
    const { there, started, failed } = await noticing(t);
    const notices = await started(USUAL);
    const around = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `line ${from + n}`);
    await failed('task-a', ...around(1, 9), error('first'), ...around(11, 19), error('second'));
    await notices.settled();
    assert.equal(there.heard.length, 1);
    const [heard] = there.heard;
    assert.equal(heard?.path, '/api/chat.postMessage');
    assert.equal(heard?.headers.authorization, `Bearer ${TOKEN}`);
    assert.equal(heard?.body.channel, 'C0TRAIL');
    assert.equal(heard?.body.text, 'Failed in 2 min 5 s, $1.50: The task-a');
    const [head, code, link] = parts(heard?.body);
    assert.equal(head, heard?.body.text);
    assert.equal(
      code,
      [
        ...['```', '  7 INFO line 7', '  8 INFO line 8', '  9 INFO line 9', '▶ 10 ERROR first'],
        ...[
          '  11 INFO line 11',
          '  12 INFO line 12',
          '  13 INFO line 13',
          '  14 INFO line 14',
          '  15 INFO line 15',
          '```',
        ],
      ].join('\n'),
    );
    assert.equal(link, 'https://trail.example/t/task-a?seq=10');
  });

  test('without an error line says why it failed', async (t) => {
    const { there, started, failed } = await noticing(t);
    const notices = await started(USUAL);
    await failed('task-a', 'fine');
    await notices.settled();
    assert.deepEqual(parts(there.heard[0]?.body).slice(1), ['```\nit broke\n```', 'https://trail.example/t/task-a']);
  });

  test('of a plan has it with buttons', async (t) => {
    const { trail, there, started } = await noticing(t);
    const notices = await started(USUAL);
    await trail.create({ taskId: 'task-a', status: 'pending_approval', metadata: { plan: '1. look\n2. mend' } });
    await notices.settled();
    await trail.change('task-a', { title: 'renamed while it waits' });
    await notices.settled();
    assert.equal(there.heard.length, 1);
    assert.equal(parts(there.heard[0]?.body)[1], '```\n1. look\n2. mend\n```');
    assert.match(JSON.stringify(there.heard[0]?.body.blocks), /"tasktrail_approve","value":"task-a"/);
  });

  test('bears hostile text without harm', async (t) => {
    const { there, trail, started } = await noticing(t);
    const notices = await started(USUAL);
    const texts = [
      '```\n<!channel> & <@U1> ```` `` `',
      '<'.repeat(900_000),
      '`'.repeat(10_000),
      `\u001b[31m${'🚀'.repeat(2_000)}\u0007\u0000`,
      '&'.repeat(3_000),
    ];
    for (const [index, text] of texts.entries()) {
      const taskId = `task-${index}`;
      await trail.create({ taskId, title: text.slice(0, 900) });
      await trail.append(
        taskId,
        [text, text, text].map((message) => ({ message })),
      );
      await trail.append(taskId, [error(`the reason ${text}`), error(text), error(text)]);
      await trail.fail(taskId, text);
      const plan = { plan: text.slice(0, 100_000) };
      await trail.create({ taskId: `${taskId}-plan`, status: 'pending_approval', metadata: plan });
    }
    await notices.settled();
    assert.equal(there.heard.length, 2 * texts.length);
    for (const { body } of there.heard) {
      assert.doesNotMatch(JSON.stringify(body), /<|\\u001b|\\u0000/);
      assert.ok(String(body.text).length < 1_000);
      for (const part of parts(body)) {
        assert.ok(part.length <= 2_900, `${part.length} characters`);
        assert.ok(part.isWellFormed());
        assert.match(part, /^(?:&(?:amp|lt|gt);|[^&])*$/);
      }
      const [, code = ''] = parts(body);
      assert.ok(code.startsWith('```\n') && code.endsWith('\n```'));
      assert.doesNotMatch(code.slice(4, -4), /``/, 'nothing in it can close it');
      if (String(body.text).startsWith('Failed')) assert.match(code, /▶ 4 ERROR the reason/);
    }
  });

  test('comes once for a task that ends at once, whatever changes later and over a stop', async (t) => {
    const { there, trail, started, failed } = await noticing(t);
    await failed('task-old');
    const first = await started(USUAL);
    await failed('task-a');
    await trail.change('task-old', { pinned: true });
    await first.settled();
    await trail.change('task-a', { pinned: true });
    await first.settled();
    await first.close();
    await trail.change('task-a', { pinned: false });
    await failed('task-b');
    const second = await started(USUAL);
    await second.settled();
    assert.deepEqual(
      there.heard.map(({ body }) => body.text),
      ['task-a', 'task-b'].map((taskId) => `Failed in 2 min 5 s, $1.50: The ${taskId}`),
    );
  });

  test('that a stop interrupted comes after the next start', async (t) => {
    const { there, started, failed } = await noticing(t);
    there.answering = () => {};
    const first = await started(USUAL);
    await failed('task-a');
    await there.asked(1);
    await first.close();
    there.answering = answer(200, '{"ok":true}');
    await started(USUAL);
    assert.equal(there.heard.length, 2);
  });

  test('goes by the incoming webhook without a bot token, or without a channel', async (t) => {
    const { there, started, failed } = await noticing(t);
    const byHook = await started(USUAL, { bot: false });
    await failed('task-a');
    await byHook.settled();
    await byHook.close();
    const noChannel = await started({ ...USUAL, channel: null });
    await failed('task-b');
    await noChannel.settled();
    for (const { path, headers, body } of there.heard) {
      assert.deepEqual([path, headers.authorization, body.channel], ['/services/secret-hook', undefined, undefined]);
    }
    assert.equal(there.heard.length, 2);
  });

  test('that Slack refuses is warned of without a token, and the next one goes out', async (t) => {
    const { there, started, failed, warnings, trail } = await noticing(t);
    there.answering = inTurn(
      answer(200, '{"ok":false,"error":"channel_not_found"}'),
      answer(302, '', { location: '/elsewhere' }),
      answer(200, '<html>'),
    );
    const notices = await started(USUAL);
    for (const taskId of ['task-a', 'task-b', 'task-c']) {
      await failed(taskId);
      await notices.settled();
    }
    assert.deepEqual(warnings, [
      'no message about task-a went to Slack: refused: channel_not_found',
      'no message about task-b went to Slack: HTTP 302: such a redirect is not followed',
    ]);
    const stored = await Promise.all(['task-a', 'task-b', 'task-c'].map((taskId) => trail.logs(taskId)));
    const text = JSON.stringify([warnings, stored, there.heard.map(({ path, body }) => [path, body])]);
    assert.ok(!text.includes(TOKEN) && !text.includes('secret-hook'));
    assert.equal(there.heard.length, 3);
  });
});

describe('a rule', () => {
  test('about lines tells of the one that it found, and then is silent about that task for a while', async (t) => {
    const { there, trail, started, ahead } = await noticing(t);
    const rules = [
      ruleOf({ name: 'oom', channel: 'C0OPS', lines: { levels: ['WARNING', 'ERROR'], search: 'out of memory' } }),
      ruleOf({ name: 'codes', lines: { search: '^E[0-9]+$', regex: true } }),
    ];
    const notices = await started({ ...QUIET, rules });
    for (const taskId of ['task-a', 'task-b']) await trail.create({ taskId, title: taskId });
    const append = async (taskId: string, ...entries: EntryInput[]) => {
      await trail.append(taskId, entries);
      await notices.settled();
    };
    const oom: EntryInput = { message: 'Out of memory!', level: 'WARNING' };
    await append('task-a', { message: 'fine' }, { message: 'out of memory' }, oom, oom);
    await append('task-a', oom);
    await append('task-b', oom);
    await append('task-a', { message: 'E404' });
    ahead(301_000);
    await append('task-a', { message: 'fine' }, oom);
    assert.deepEqual(
      there.heard.map(({ body }) => [body.channel, body.text, parts(body)[2]]),
      [
        ['C0OPS', 'Executing: task-a (rule oom)', 'https://trail.example/t/task-a?seq=3'],
        ['C0OPS', 'Executing: task-b (rule oom)', 'https://trail.example/t/task-b?seq=1'],
        ['C0TRAIL', 'Executing: task-a (rule codes)', 'https://trail.example/t/task-a?seq=6'],
        ['C0OPS', 'Executing: task-a (rule oom)', 'https://trail.example/t/task-a?seq=8'],
      ],
    );
  });

  test('about lines finds them in a task that ends at once, and among many', async (t) => {
    const { there, started, failed } = await noticing(t);
    const notices = await started({ ...QUIET, rules: [ruleOf({ lines: { search: 'needle' } })] });
    const hay = Array.from({ length: 12_000 }, (_, n) => `hay ${n}`);
    await failed('task-a', ...hay, 'a needle', ...hay.slice(0, 2_000));
    await notices.settled();
    assert.deepEqual(
      there.heard.map(({ body }) => parts(body)[2]),
      ['https://trail.example/t/task-a?seq=12001'],
    );
  });

  test('about lines begins with the server', async (t) => {
    const { there, trail, started } = await noticing(t);
    await trail.create({ taskId: 'task-a' });
    await trail.append('task-a', { message: 'old trouble', timestamp: '2020-01-01' });
    const notices = await started({ ...QUIET, rules: [ruleOf({ lines: { search: 'trouble' } })] });
    await trail.append('task-a', { message: 'new trouble', timestamp: Date.now() + 1_000 });
    await notices.settled();
    assert.deepEqual(
      there.heard.map(({ body }) => parts(body)[2]),
      ['https://trail.example/t/task-a?seq=2'],
    );
  });

  test('about cost tells once, when it is reached, of the agent that it names', async (t) => {
    const { there, trail, started } = await noticing(t);
    const rule = ruleOf({ minCostUsd: 2, agent: 'planner', coolDownMs: 0 });
    const notices = await started({ ...QUIET, rules: [rule] });
    for (const assignedAgent of ['planner', 'other']) {
      const taskId = `task-${assignedAgent}`;
      await trail.create({ taskId, assignedAgent });
      for (const costUsd of [1, 2.5, 3]) {
        await trail.change(taskId, { metrics: { costUsd } });
        await notices.settled();
      }
      await trail.complete(taskId);
    }
    await notices.settled();
    assert.deepEqual(
      there.heard.map(({ body }) => body.text),
      ['Executing, $2.50: task-planner (rule r)'],
    );
  });

  test('about silence hears what the watch of an agent says', async (t) => {
    const { there, trail, started } = await noticing(t);
    const notices = await started({ ...QUIET, rules: [ruleOf({ name: 'silent', lines: STALLED })] });
    await trail.create({ taskId: 'task-a' });
    const message = 'No output for 5 minutes';
    await trail.append('task-a', [
      { message, level: 'WARNING', source: 'agent' },
      { message, level: 'INFO', source: 'system' },
      { message, level: 'WARNING', source: 'system' },
    ]);
    await notices.settled();
    assert.deepEqual(
      there.heard.map(({ body }) => parts(body)[2]),
      ['https://trail.example/t/task-a?seq=3'],
    );
  });
});

test('no more than 30 messages go out in a minute, and the next one tells how many did not', async (t) => {
  const { there, started, failed, ahead } = await noticing(t);
  const notices = await started(USUAL);
  for (let n = 0; n < 35; n++) await failed(`task-${n}`);
  await notices.settled();
  assert.equal(there.heard.length, 30);
  ahead(61_000);
  await failed('task-late');
  await notices.settled();
  assert.equal(there.heard.length, 31);
  assert.match(String(parts(there.heard[30]?.body).at(-1)), /\n5 more messages before this one were not sent/);
});
