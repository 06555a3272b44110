import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import type { EntryInput, JsonObject } from '../../../src/core/entry.ts';
import { answer, inTurn } from '../replies/support.ts';
import { alerting, definitionOf } from './support.ts';

/** The lines, and the tasks, that a notice shows. */
const sample = (body: JsonObject | undefined) => (body?.sample ?? []) as readonly JsonObject[];
const tasks = (body: JsonObject | undefined) => (body?.tasks ?? []) as readonly JsonObject[];

const error = (message: string): EntryInput => ({ message, level: 'ERROR' });

describe('a rule about lines', () => {
  test('fires when enough matched within the window, and then waits for its cool-down', async (t) => {
    const { trail, there, hook, started, ahead } = await alerting(t);
    const alerts = await started();
    await alerts.create('many', definitionOf({ threshold: 3, to: [hook] }));
    await trail.create({ taskId: 'task-a', title: 'The task' });
    const append = async (...entries: EntryInput[]): Promise<void> => {
      await trail.append('task-a', entries);
      await alerts.settled();
    };
    await append(error('one'), { message: 'fine' }, error('two'));
    assert.equal((await alerts.find('many')).state.count, 2);
    // What is older than the window and a step of it counts no more.
    ahead(311_000);
    await append(error('three'), error('four'));
    assert.equal(there.heard.length, 0);
    await append(error('five'));
    assert.equal(there.heard.length, 1);
    await append(error('six'), error('seven'), error('eight'));
    assert.equal(there.heard.length, 1, 'the cool-down runs');
    const { state } = await alerts.find('many');
    assert.equal(state.fired, 1);
    assert.equal(state.count, 3);
    assert.ok(state.lastFiredAt && state.coolDownUntil && state.coolDownUntil > state.lastFiredAt);
    ahead(901_000);
    assert.equal((await alerts.find('many')).state.coolDownUntil, null);
    await append(error('a'), error('b'), error('c'));
    assert.deepEqual(
      there.heard.map(({ body }) => [body.count, sample(body).map(({ message }) => message)]),
      [
        [3, ['three', 'four', 'five']],
        [3, ['a', 'b', 'c']],
      ],
    );
  });

  test('counts each of 200 tasks that are made, log a line and end at once', async (t) => {
    const { trail, there, hook, started } = await alerting(t);
    const alerts = await started();
    await alerts.create('all', definitionOf({ threshold: 200, query: 'needle', to: [hook] }));
    await alerts.create('more', definitionOf({ threshold: 201, query: 'needle -hay', to: [hook] }));
    await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        await trail.create({ taskId: `task-${n}` });
        await trail.append(`task-${n}`, [{ message: `Needle ${n}` }, { message: 'other' }]);
        await trail.complete(`task-${n}`);
      }),
    );
    await alerts.settled();
    assert.equal(there.heard.length, 1);
    assert.equal(there.heard[0]?.body.count, 200);
    assert.equal(tasks(there.heard[0]?.body).length, 10);
    assert.equal(sample(there.heard[0]?.body).length, 5);
    assert.equal((await alerts.find('more')).state.count, 200);
  });

  test('may ask for the task as well, and finds a line among thousands', async (t) => {
    const { trail, there, hook, started } = await alerting(t);
    const alerts = await started();
    await alerts.create('one', definitionOf({ query: 'agent:coder /needle [0-9]/', to: [hook] }));
    const hay = Array.from({ length: 6_000 }, (_, n) => ({ message: `hay ${n}` }));
    for (const assignedAgent of ['other', 'coder']) {
      await trail.create({ taskId: `task-${assignedAgent}`, assignedAgent });
      await trail.append(`task-${assignedAgent}`, [...hay, { message: 'a needle 7' }, ...hay]);
      await trail.complete(`task-${assignedAgent}`);
    }
    await alerts.settled();
    assert.deepEqual(
      there.heard.map(({ body }) => sample(body).map(({ id }) => id)),
      [['task-coder:6001']],
    );
  });

  test('looks for patterns at the start of a message, and for words in all of it', async (t) => {
    const { trail, started } = await alerting(t);
    const alerts = await started();
    await alerts.create('pattern', definitionOf({ threshold: 100, query: '/need+le/' }));
    await alerts.create('word', definitionOf({ threshold: 100, query: 'needle' }));
    await trail.create({ taskId: 'task-a' });
    const deep = (chars: number): EntryInput => ({ message: `${'x'.repeat(chars)}needle` });
    await trail.append('task-a', [deep(0), deep(16_384 - 6), deep(16_384 - 5), deep(500_000)]);
    await alerts.settled();
    const counts = (await alerts.all()).map(({ id, state }) => [id, state.count]);
    assert.deepEqual(counts, [
      ['pattern', 2],
      ['word', 4],
    ]);
  });

  test('begins with what comes after it was made', async (t) => {
    const { trail, hook, started } = await alerting(t);
    await trail.create({ taskId: 'task-a' });
    await trail.append('task-a', { ...error('old'), timestamp: '2020-01-01' });
    const alerts = await started();
    await alerts.create('first', definitionOf({ threshold: 100, to: [hook] }));
    await trail.append('task-a', { ...error('new'), timestamp: '2020-01-02' });
    await alerts.settled();
    await alerts.create('second', definitionOf({ threshold: 100, to: [hook] }));
    await trail.append('task-a', error('newest'));
    await alerts.settled();
    const counts = (await alerts.all()).map(({ id, state }) => [id, state.count]);
    assert.deepEqual(counts, [
      ['first', 2],
      ['second', 1],
    ]);
    // Without an enabled rule nothing is followed, and nothing is caught up with.
    for (const { id, definition } of await alerts.all()) await alerts.replace(id, { ...definition, enabled: false });
    await trail.append('task-a', error('unseen'));
    await alerts.replace('first', definitionOf({ threshold: 100, query: 'level:error unseen', to: [hook] }));
    await trail.append('task-a', { ...error('unseen no more'), timestamp: '2020-01-03' });
    await alerts.settled();
    assert.equal((await alerts.find('first')).state.count, 1);
  });
});

test('what is brought from elsewhere counts, whatever times it claims, also after a stop', async (t) => {
  const { trail, started } = await alerting(t);
  const first = await started();
  await first.create('lines', definitionOf({ threshold: 100 }));
  await first.create('tasks', definitionOf({ on: 'task', query: 'status:failed', threshold: 100 }));
  const bring = async (taskId: string): Promise<void> => {
    const [createdAt, completedAt] = ['2020-01-01T00:00:00.000Z', '2020-01-02T00:00:00.000Z'];
    await trail.create({ taskId, createdAt });
    await trail.append(taskId, { ...error('old'), timestamp: createdAt });
    await trail.change(taskId, { status: 'failed', completedAt });
  };
  const counts = async (alerts: typeof first) => (await alerts.all()).map(({ state }) => state.count);
  await bring('task-a');
  await first.settled();
  assert.deepEqual(await counts(first), [1, 1]);
  await first.close();
  await bring('task-b');
  const second = await started();
  await trail.change('task-a', { pinned: true });
  await second.settled();
  assert.deepEqual(await counts(second), [2, 2]);
  // A rule that is made now does not count what had ended, whoever touches it.
  await second.create('zlate', definitionOf({ on: 'task', query: 'status:failed', threshold: 100 }));
  await trail.change('task-b', { pinned: true });
  await second.settled();
  assert.deepEqual(await counts(second), [2, 2, 0]);
});

describe('a rule about tasks', () => {
  test('counts each task once, when it comes to match', async (t) => {
    const { trail, there, hook, started } = await alerting(t);
    await trail.create({ taskId: 'task-old', assignedAgent: 'coder' });
    await trail.fail('task-old', 'before');
    const alerts = await started();
    const on = { on: 'task', coolDownSeconds: 0, to: [hook] } as const;
    await alerts.create('failed', definitionOf({ ...on, query: 'status:failed agent:coder' }));
    await alerts.create('dear', definitionOf({ ...on, query: 'cost>5' }));
    await trail.change('task-old', { pinned: true });
    for (const taskId of ['task-a', 'task-b']) {
      await trail.create({ taskId, assignedAgent: 'coder' });
      await trail.fail(taskId, 'it broke', { metrics: { costUsd: taskId === 'task-b' ? 6 : 1 } });
      await alerts.settled();
      await trail.change(taskId, { pinned: true });
      await alerts.settled();
    }
    await trail.create({ taskId: 'task-c', assignedAgent: 'other' });
    await trail.fail('task-c', 'it broke');
    await alerts.settled();
    const told = there.heard.map(({ body }) => {
      const { id } = body.alert as { id: string };
      return `${id} ${tasks(body)[0]?.task_id}`;
    });
    assert.deepEqual(told.sort(), ['dear task-b', 'failed task-a', 'failed task-b']);
    assert.equal(there.heard[0]?.body.on, 'task');
  });
});

test('a rule that looks for something else counts anew, and what it cools down from stays', async (t) => {
  const { trail, hook, started } = await alerting(t);
  const alerts = await started();
  await alerts.create('a', definitionOf({ on: 'task', query: 'cost>1', to: [hook] }));
  await trail.create({ taskId: 'task-a' });
  await trail.change('task-a', { metrics: { costUsd: 3 } });
  await alerts.settled();
  await alerts.replace('a', definitionOf({ on: 'task', query: 'cost>2', threshold: 9, to: [hook] }));
  assert.equal((await alerts.find('a')).state.count, 0);
  for (const title of ['once', 'twice']) {
    await trail.change('task-a', { title });
    await alerts.settled();
  }
  const { state } = await alerts.find('a');
  assert.deepEqual([state.count, state.fired], [1, 1]);
  assert.ok(state.coolDownUntil);
});

describe('a notice', () => {
  test('to a webhook is signed, says what, where and how often, and is masked', async (t) => {
    const { trail, there, hook, started } = await alerting(t);
    const alerts = await started();
    const secret = 'a secret of the receiver';
    await alerts.create('a', definitionOf({ severity: 'critical', to: [{ ...hook, secret }] }));
    await trail.create({ taskId: 'task-a', title: 'The task' });
    await trail.append('task-a', { ...error(`login with ${secret}`), metadata: { n: 1 } });
    await alerts.settled();
    const [heard] = there.heard;
    assert.equal(heard?.path, '/hook');
    const hmac = createHmac('sha256', secret).update(JSON.stringify(heard?.body)).digest('hex');
    assert.equal(heard?.headers['x-tasktrail-signature'], `sha256=${hmac}`);
    const { id, fired_at, sample: lines, ...rest } = heard?.body ?? {};
    assert.equal(heard?.headers['x-tasktrail-delivery'], id);
    assert.match(String(fired_at), /^\d{4}-.*Z$/);
    assert.deepEqual(rest, {
      ...{ test: false, alert: { id: 'a', name: 'Trouble', severity: 'critical' }, on: 'lines', query: 'level:error' },
      ...{ count: 1, threshold: 1, window_seconds: 300, missed: 0 },
      tasks: [{ task_id: 'task-a', title: 'The task', url: 'https://trail.example/t/task-a' }],
      url: 'https://trail.example/search?q=level%3Aerror',
    });
    assert.equal((lines as readonly JsonObject[]).length, 1);
    const [line] = sample(heard?.body);
    assert.deepEqual([line?.seq, line?.level, line?.task_id, line?.metadata], [1, 'ERROR', 'task-a', { n: 1 }]);
    assert.equal(line?.message, 'login with [redacted:registered]');
  });

  test('to Slack is escaped and leads to the lines', async (t) => {
    const { trail, there, started } = await alerting(t);
    const alerts = await started();
    await alerts.create('a', definitionOf({ name: '<!channel> & `x`', to: [{ slack: '#ops' }] }));
    await trail.create({ taskId: 'task-a', title: '<@U1> title' });
    await trail.append('task-a', error('``` <!here> ````'));
    await alerts.settled();
    const [heard] = there.heard;
    assert.equal(heard?.path, '/api/chat.postMessage');
    assert.equal(heard?.body.channel, '#ops');
    const text = JSON.stringify(heard?.body);
    assert.doesNotMatch(text, /<[!@]/);
    assert.match(text, /https:\/\/trail\.example\/search\?q=level%3Aerror/);
    assert.match(text, /https:\/\/trail\.example\/t\/task-a/);
    const blocks = (heard?.body.blocks ?? []) as readonly { text: { text: string } }[];
    assert.equal(blocks.length, 4);
    assert.ok(blocks.every((block) => block.text.text.length <= 2_900));
  });

  test('is sent again where that may help, and is warned of and counted where it does not', async (t) => {
    const { trail, there, hook, started, warnings } = await alerting(t);
    there.answering = inTurn(answer(503), answer(200), answer(302, '', { location: '/elsewhere' }), answer(404));
    const alerts = await started();
    await alerts.create('a', definitionOf({ coolDownSeconds: 0, to: [{ ...hook, secret: 'secret-enough' }] }));
    await trail.create({ taskId: 'task-a' });
    for (const message of ['one', 'two', 'three']) {
      await trail.append('task-a', error(message));
      await alerts.settled();
    }
    assert.equal(there.heard.length, 4);
    assert.equal(there.heard[0]?.body.id, there.heard[1]?.body.id);
    assert.deepEqual(warnings, [
      `a notice of the alert a went nowhere: ${there.url}: HTTP 302: such a redirect is not followed`,
      `a notice of the alert a went nowhere: ${there.url}: HTTP 404`,
    ]);
    const { state } = await alerts.find('a');
    assert.equal(state.dropped, 2);
    assert.equal(state.lastFault?.reason, `${there.url}: HTTP 404`);
  });

  test('waits for no other target, and one without an account is a fault', async (t) => {
    const { trail, there, hook, started } = await alerting(t);
    there.answering = (response, { path }) => {
      if (path !== '/slow') response.writeHead(200).end();
    };
    const alerts = await started({ accounts: {} });
    const to = [{ webhook: `${there.url}/slow` }, hook, { slack: '#ops' }];
    await alerts.create('a', definitionOf({ coolDownSeconds: 0, to }));
    await trail.create({ taskId: 'task-a' });
    await trail.append('task-a', [error('one'), error('two'), error('three')]);
    await there.asked(4);
    const paths = there.heard.map(({ path }) => path).sort();
    assert.deepEqual(paths, ['/hook', '/hook', '/hook', '/slow']);
    const { state } = await alerts.find('a');
    assert.equal(state.dropped, 3);
    assert.match(String(state.lastFault?.reason), /^Slack #ops: neither SLACK_BOT_TOKEN nor SLACK_WEBHOOK_URL is set$/);
    await alerts.close();
    await alerts.close();
  });

  test('is one of at most 30 in a minute, and the next one tells how many were not sent', async (t) => {
    const { trail, there, hook, started, ahead } = await alerting(t);
    const alerts = await started();
    await alerts.create('a', definitionOf({ coolDownSeconds: 0, to: [hook] }));
    await trail.create({ taskId: 'task-a' });
    await trail.append(
      'task-a',
      Array.from({ length: 35 }, (_, n) => error(`line ${n}`)),
    );
    await alerts.settled();
    assert.equal(there.heard.length, 30);
    ahead(61_000);
    await trail.append('task-a', error('late'));
    await alerts.settled();
    assert.deepEqual([there.heard.length, there.heard[30]?.body.missed], [31, 5]);
    assert.equal((await alerts.find('a')).state.dropped, 5);
  });

  test('is taken by whoever answers 200, whatever is said there; Slack refuses so', async (t) => {
    const { there, hook, started } = await alerting(t);
    there.answering = answer(200, '{"ok":false,"error":"channel_not_found"}');
    const alerts = await started();
    await alerts.create('a', definitionOf({ to: [hook, { slack: '#ops' }] }));
    assert.deepEqual(await alerts.test('a'), [
      { target: there.url, ok: true, reason: null },
      { target: 'Slack #ops', ok: false, reason: 'refused: channel_not_found' },
    ]);
  });

  test('of a test says so, is tried once and counts nothing', async (t) => {
    const { there, hook, started } = await alerting(t);
    there.answering = answer(500);
    const alerts = await started();
    await alerts.create('a', definitionOf({ to: [hook, { slack: '#ops' }] }));
    const delivered = await alerts.test('a');
    assert.deepEqual(delivered, [
      { target: there.url, ok: false, reason: 'HTTP 500' },
      { target: 'Slack #ops', ok: false, reason: 'HTTP 500' },
    ]);
    assert.equal(there.heard.length, 2);
    const posted = there.heard.find(({ path }) => path === '/hook');
    assert.deepEqual([posted?.body.test, posted?.body.count, posted?.body.sample], [true, 0, []]);
    assert.equal((await alerts.find('a')).state.fired, 0);
  });
});

describe('after a stop', () => {
  test('what came meanwhile is counted, what was counted is not counted again', async (t) => {
    const { trail, there, hook, started } = await alerting(t);
    const first = await started();
    await first.create('a', definitionOf({ threshold: 5, coolDownSeconds: 3_600, to: [hook] }));
    await trail.create({ taskId: 'task-a' });
    await trail.append('task-a', [error('1'), error('2')]);
    await first.settled();
    await first.close();
    await trail.append('task-a', error('3'));
    await trail.create({ taskId: 'task-b' });
    await trail.append('task-b', error('4'));
    await trail.complete('task-b');
    const second = await started();
    assert.equal((await second.find('a')).state.count, 4);
    assert.equal(there.heard.length, 0);
    await trail.append('task-a', error('5'));
    await second.settled();
    assert.equal(there.heard.length, 1);
    assert.deepEqual(
      sample(there.heard[0]?.body).map(({ message }) => message),
      ['1', '2', '3', '4', '5'],
    );
    await second.close();
    const third = await started();
    await trail.append(
      'task-a',
      Array.from({ length: 6 }, (_, n) => error(`${n}`)),
    );
    await third.settled();
    assert.equal(there.heard.length, 1, 'the cool-down goes on');
    const { state } = await third.find('a');
    assert.deepEqual([state.fired, state.count], [1, 6]);
  });

  test('a notice that was not yet sent is sent, under the same id', async (t) => {
    const { trail, there, hook, started } = await alerting(t);
    there.answering = () => {};
    const first = await started();
    await first.create('a', definitionOf({ to: [hook] }));
    await trail.create({ taskId: 'task-a' });
    await trail.append('task-a', error('one'));
    await there.asked(1);
    await first.close();
    there.answering = answer(200);
    const second = await started();
    await second.settled();
    assert.equal(there.heard.length, 2);
    assert.equal(there.heard[1]?.body.id, there.heard[0]?.body.id);
    assert.equal(there.heard[1]?.body.count, 1);
  });

  test('a server that does not judge shows what the one that does has kept', async (t) => {
    const { trail, hook, started, made } = await alerting(t);
    const judge = await started();
    await judge.create('a', definitionOf({ threshold: 9, to: [hook] }));
    await trail.create({ taskId: 'task-a' });
    await trail.append('task-a', [error('1'), error('2')]);
    await judge.settled();
    await judge.close();
    const other = made();
    assert.equal((await other.find('a')).state.count, 2);
    await other.create('b', definitionOf({ query: 'x' }));
    assert.deepEqual(
      (await other.all()).map(({ id }) => id),
      ['a', 'b'],
    );
  });
});
