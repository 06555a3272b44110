import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from '../support/scratch.ts';
import { type Server, startServer } from '../support/server.ts';
import { githubPayload, payloads, SECRET, signed } from '../support/webhooks.ts';
import { freshPage, noBrowser } from '../web/support.ts';

const AGENT = fileURLToPath(new URL('../fixtures/programs/fake-agent.js', import.meta.url));
const RECORDING = fileURLToPath(new URL('../fixtures/claude/success.jsonl', import.meta.url));
const FILES = [
  'metadata.json',
  '01-input.json',
  '02-webhook-flow.jsonl',
  '03-agent-output.jsonl',
  '03-user-inputs.jsonl',
  '04-final-result.json',
] as const;

interface Asked {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown>;
}

/** Stands where GitHub answers, and writes down what it is asked. */
async function github(t: TestContext) {
  const asked: Asked[] = [];
  const heard = new EventEmitter();
  const server = createServer(async (request, response) => {
    const body = (await Array.fromAsync(request)).map(String).join('');
    asked.push({ url: request.url ?? '', authorization: request.headers.authorization, body: JSON.parse(body) });
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"id":1}');
    heard.emit('request');
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  /** The comments, once there are so many. */
  async function comments(count: number): Promise<readonly Asked[]> {
    for (;;) {
      const found = asked.filter(({ url }) => url.endsWith('/comments'));
      if (found.length >= count) return found;
      await once(heard, 'request');
    }
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, comments };
}

/** A config file with agents that play a recording. */
async function configured(t: TestContext, config: object): Promise<string> {
  const dataDir = await scratch(t);
  await writeFile(join(dataDir, 'tasktrail.config.json'), JSON.stringify(config));
  return dataDir;
}

const recorded = (type: string) => ({ type, command: [process.execPath, AGENT, RECORDING], parser: 'claude' });

function comment(said: string): object {
  const payload = githubPayload('issue_comment');
  const own = { ...(payload.comment as object), body: said, author_association: 'MEMBER' };
  return { ...payload, comment: own };
}

async function deliver(
  { url }: Server,
  payload: object,
  id: string,
): Promise<{ status: number; body: { task_id: string; status?: string } }> {
  const body = JSON.stringify(payload);
  const response = await fetch(`${url}/webhooks/github`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'issue_comment',
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${signed(SECRET, body)}`,
    },
    body,
  });
  return { status: response.status, body: (await response.json()) as { task_id: string } };
}

async function read({ url }: Server, path: string) {
  const response = await fetch(`${url}${path}`);
  assert.equal(response.status, 200, path);
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into answers of every shape
  return (await response.json()) as any;
}

/** All parts of a task, once its end was told, which is a line of it too: followed again until that line has come. */
async function readMarked(server: Server, id: string) {
  for (;;) {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws/logs/${id}`);
    await Array.fromAsync(messages(socket));
    const full = await read(server, `/api/tasks/${id}/logs/full`);
    if (full.webhook_flow.some(({ about }: { about?: string }) => about === 'end')) return full;
  }
}

/** Wait until a task has one of these statuses, told by the server itself. */
async function reaches({ url }: Server, taskId: string, statuses: readonly string[]): Promise<void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/logs/${taskId}`);
  try {
    for await (const [{ data }] of messages(socket)) {
      const frame = JSON.parse(data) as { type: string; task?: { status: string; error: string | null } };
      if (frame.type !== 'status' || frame.task === undefined) continue;
      if (statuses.includes(frame.task.status)) return;
      assert.ok(!['failed', 'timed_out'].includes(frame.task.status), frame.task.error ?? '');
    }
  } finally {
    socket.close();
  }
  assert.fail(`the socket closed before the task was ${statuses.join(' or ')}`);
}

async function* messages(socket: WebSocket): AsyncGenerator<[{ data: string }]> {
  const waiting: string[] = [];
  let poke = (): void => {};
  let closed = false;
  socket.addEventListener('message', ({ data }) => {
    waiting.push(String(data));
    poke();
  });
  socket.addEventListener('close', () => {
    closed = true;
    poke();
  });
  for (;;) {
    const next = waiting.shift();
    if (next !== undefined) yield [{ data: next }];
    else if (closed) return;
    else
      await new Promise<void>((resolve) => {
        poke = resolve;
      });
  }
}

const jsonl = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('the whole way: a signed delivery, a plan, an approval by comment, an agent, six files, seven parts, and the page', {
  skip: noBrowser,
  timeout: 120_000,
}, async (t) => {
  const api = await github(t);
  const dataDir = await configured(t, {
    agents: { brain: recorded('planning'), hands: recorded('executing') },
    webhooks: {
      github: {
        commands: [
          {
            name: 'review',
            trigger: '/agent',
            prompt: 'In {{repository.full_name}}: {{tasktrail.request}}',
            agent: 'hands',
            planner: 'brain',
            approval: true,
          },
        ],
      },
    },
  });
  const server = await startServer(t, {
    dataDir,
    env: { GITHUB_WEBHOOK_SECRET: SECRET, GITHUB_TOKEN: 'token-of-the-bot', GITHUB_API_URL: api.url },
  });

  const started = await deliver(server, comment('/agent say what the notes are about'), 'first');
  assert.equal(started.status, 202, JSON.stringify(started.body));
  const id = started.body.task_id;
  await reaches(server, id, ['pending_approval']);
  const planned = await read(server, `/api/tasks/${id}`);
  assert.deepEqual([planned.assigned_agent, planned.agent_type], ['brain', 'planning']);
  assert.ok(planned.metadata.plan.length > 0);
  const [proposal] = await api.comments(1);
  assert.match(String(proposal?.body.body), /\/approve/);

  const approved = await deliver(server, comment('/approve'), 'second');
  assert.deepEqual(approved.body, { status: 'approved', task_id: id });
  await reaches(server, id, ['completed']);

  // The task.
  const task = await read(server, `/api/tasks/${id}`);
  assert.deepEqual([task.status, task.source, task.provider], ['completed', 'webhook', 'github']);
  assert.deepEqual([task.assigned_agent, task.agent_type], ['hands', 'executing']);
  assert.ok(task.metrics.cost_usd > planned.metrics.cost_usd, 'both steps cost something');

  // The parts, from the store.
  const [, ending] = await api.comments(2);
  assert.match(String(ending?.body.body), /^Completed in /m);
  const full = await readMarked(server, id);
  assert.deepEqual(
    full.webhook_flow.slice(0, 6).map(({ stage }: { stage: string }) => stage),
    ['received', 'validation', 'command_matching', 'immediate_response', 'task_created', 'queue_push'],
  );
  const parts = {
    metadata: full.metadata,
    input: full.input,
    'webhook-flow': full.webhook_flow,
    'agent-output': full.agent_output,
    'user-inputs': full.user_inputs,
    'final-result': full.final_result,
  };
  for (const [part, value] of Object.entries(parts)) {
    assert.deepEqual(await read(server, `/api/tasks/${id}/logs/${part}`), value, part);
  }

  // The reaction, and nothing that tells our secrets.
  const [reaction] = api.asked;
  assert.match(reaction?.url ?? '', /\/repos\/.+\/issues\/comments\/\d+\/reactions$/);
  assert.deepEqual([reaction?.authorization, reaction?.body.content], ['Bearer token-of-the-bot', 'eyes']);
  assert.deepEqual([full.webhook_flow[3].status, full.webhook_flow[3].what], ['sent', 'reaction']);

  // The page.
  const { page } = await freshPage(t);
  await page.goto(`${server.url}/t/${id}`);
  await page.locator('[data-connection=ended]').waitFor({ timeout: 30_000 });
  await page.getByText('[SYSTEM] Task started').first().waitFor();

  // The files, once their writer is done: a stop finishes them.
  await server.stop();
  const dir = join(dataDir, 'tasks', id);
  const texts = await Promise.all(FILES.map((name) => readFile(join(dir, name), 'utf8')));
  const [metadata, input, flow, output, userInputs, result] = texts;
  const { status, source, provider, assigned_agent, agent_type, model, task_id } = JSON.parse(metadata ?? '');
  assert.deepEqual(
    [task_id, status, source, provider, assigned_agent, agent_type, typeof model],
    [id, 'completed', 'webhook', 'github', 'hands', 'executing', 'string'],
  );
  const { message, source_metadata: place } = JSON.parse(input ?? '');
  assert.equal(message, '/agent say what the notes are about');
  for (const key of ['provider', 'event_type', 'webhook_id', 'repo', 'issue_number']) assert.ok(place[key], key);
  const stages = jsonl(flow ?? '');
  assert.deepEqual([stages[0].stage, stages[0].event_type], ['received', 'issue_comment.created']);
  assert.deepEqual([stages[1].stage, stages[1].status], ['validation', 'passed']);
  assert.deepEqual([stages[2].stage, stages[2].command, stages[2].matched], ['command_matching', 'review', true]);
  assert.deepEqual([stages[4].stage, stages[4].task_id], ['task_created', id]);
  const lines = jsonl(output ?? '');
  assert.deepEqual([lines[0].type, lines[0].content], ['output', '[SYSTEM] Task started']);
  assert.match(lines[1].content, /^Claude Code CLI process started, PID: \d+$/);
  assert.ok(lines.every(({ timestamp, seq, content }) => timestamp && seq && typeof content === 'string'));
  const [answer] = jsonl(userInputs ?? '');
  assert.deepEqual([answer.type, answer.question_type], ['user_response', 'approval']);
  const final = JSON.parse(result ?? '');
  assert.deepEqual([final.success, final.status, final.error], [true, 'completed', null]);
  for (const key of ['cost_usd', 'input_tokens', 'output_tokens', 'duration_seconds']) {
    assert.ok(final.metrics[key] > 0, key);
  }
  assert.ok(final.completed_at);
  for (const text of [...texts, server.output()]) {
    assert.ok(!text.includes('token-of-the-bot') && !text.includes(SECRET));
  }
});

test('the example of a planning flow runs: an alert of Sentry, a plan, an approval, the execution', {
  timeout: 60_000,
}, async (t) => {
  const example = JSON.parse(
    await readFile(new URL('../../examples/planning-flow.config.json', import.meta.url), 'utf8'),
  );
  // Its agents are played; all else is as it stands there.
  for (const agent of Object.values(example.agents) as Record<string, unknown>[]) {
    Object.assign(agent, { command: [process.execPath, AGENT, RECORDING], parser: 'claude' });
  }
  const server = await startServer(t, { dataDir: await configured(t, example) });
  const response = await fetch(`${server.url}/webhooks/sentry`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(payloads('sentry')('mission')),
  });
  assert.equal(response.status, 202);
  const { task_id: id } = (await response.json()) as { task_id: string };
  await reaches(server, id, ['pending_approval']);
  const planned = await read(server, `/api/tasks/${id}/status`);
  assert.ok(planned.metadata.plan);
  await fetch(`${server.url}/api/tasks/${id}/approve`, { method: 'POST' });
  await reaches(server, id, ['completed']);
  const task = await read(server, `/api/tasks/${id}`);
  assert.deepEqual([task.agent_type, task.priority], ['executing', 10]);
  assert.match(server.output(), /taken unsigned/);
});
