import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { LINE_BYTES } from '../../src/core/limits.ts';
import { tasktrail } from '../cli/cli.ts';
import { call } from '../support/api.ts';
import { served } from '../support/served.ts';
import { type Server, startServer } from '../support/server.ts';

const MESSAGES: readonly string[] = [
  '',
  'plain',
  'a\nb\r\nc\rd',
  '\n',
  '\r\n\r\n',
  'separator\u2028paragraph\u2029next\u0085line',
  'nul\u0000 and \u0000',
  '\u001b[31mred\u001b[0m \u0007\u0008\u007f\u009b',
  '"quoted" \\ \\n \\u000a {"message":"no line"}\n{"message":"no line either"}',
  'forged\n2026-01-24T10:00:00.000Z ERROR [system] a line that nobody wrote',
  'data: x\nid: 9\nevent: end\n\n',
  'event: end\r\rdata: {}\r\r',
  '\ufeffbom \u202eright to left\u200b',
  '日本語 😀 👩‍💻 e\u0301 𝕏',
  `${'x'.repeat(LINE_BYTES - 5)}\n\u2028.`,
  '\u{10ffff}\ufffe\uffff',
];
/** What no UTF-8 can say, and what becomes of it. */
const LONE: readonly (readonly [string, string])[] = [
  ['lone \\ud800 high', 'lone \ufffd high'],
  ['lone \\udc00 low', 'lone \ufffd low'],
  ['\\udc00\\ud800', '\ufffd\ufffd'],
  ['pair \\ud83d\\ude00', 'pair 😀'],
];

interface Line {
  readonly seq: number;
  readonly message: string;
  readonly metadata: unknown;
}

async function send({ url }: Server, taskId: string, body: string | Uint8Array, type: string): Promise<Response> {
  return fetch(`${url}/api/tasks/${taskId}/logs`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: body as BodyInit,
  });
}

/** The same lines by every way out: a page, NDJSON and JSON downloads, NDJSON and SSE followed to the end, a socket. */
async function read(server: Server, taskId: string): Promise<Readonly<Record<string, readonly Line[]>>> {
  const { url } = server;
  const text = async (path: string, accept = '*/*') =>
    (await fetch(`${url}/api/tasks/${taskId}/logs${path}`, { headers: { accept } })).text();
  const json = (lines: string): Line[] =>
    lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const page = await call<{ logs: readonly Line[]; total: number }>(server, `/api/tasks/${taskId}/logs?limit=10000`);
  assert.equal(page.total, page.logs.length);
  const followed = json(await text('?follow=true', 'application/x-ndjson'));
  // By the rules of Server-Sent Events: CR, LF and CR LF end a line, an empty one ends an event.
  const frames = (await text('?follow=true', 'text/event-stream'))
    .split(/\r\n|\r|\n/)
    .join('\n')
    .split('\n\n');
  const events = frames
    .filter((frame) => /^id: \d+\ndata: [^\n]*$/.test(frame))
    .map((frame) => JSON.parse(frame.slice(frame.indexOf('\ndata: ') + 7)));
  const odd = frames.filter(
    (frame) => frame.trim() !== '' && !/^(?:id: \d+\n|event: \w+\n)?(?:data: [^\n]*|:[^\n]*|retry: \d+)$/.test(frame),
  );
  assert.deepEqual(
    odd.map((frame) => frame.slice(0, 200)),
    [],
  );
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/logs/${taskId}`);
  const framed: Line[] = [];
  await new Promise((resolve) => {
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as { type: string; entries?: readonly Line[] };
      framed.push(...(frame.type === 'entries' ? (frame.entries ?? []) : []));
    });
    socket.addEventListener('close', resolve);
  });
  return {
    page: page.logs,
    jsonl: json(await text('/download?format=jsonl')),
    followed: followed.filter((line) => !('event' in line)),
    events,
    framed,
  };
}

/** What the task's directory holds, when its task has ended and all is written. */
async function written(server: Server, taskId: string): Promise<readonly { seq: number; content: string }[]> {
  const dir = join(server.dataDir, 'tasks', taskId);
  while (!(await readFile(join(dir, '04-final-result.json'), 'utf8').catch(() => ''))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const lines = (await readFile(join(dir, '03-agent-output.jsonl'), 'utf8')).split('\n');
  assert.equal(lines.pop(), '');
  return lines.map((line) => JSON.parse(line));
}

async function everywhere(server: Server, taskId: string, expected: readonly string[]): Promise<void> {
  await fetch(`${server.url}/api/tasks/${taskId}/complete`, { method: 'POST' });
  const ways = await read(server, taskId);
  for (const [way, lines] of Object.entries(ways)) {
    assert.equal(lines.length, expected.length, `${taskId} by ${way}`);
    lines.forEach(({ seq, message }, at) => {
      assert.equal(seq, at + 1, `${taskId} by ${way}`);
      assert.ok(
        message === expected[at],
        `${taskId} by ${way}, line ${at + 1}: ${JSON.stringify(message.slice(0, 100))}`,
      );
    });
  }
  const text = await (await fetch(`${server.url}/api/tasks/${taskId}/logs/download`)).text();
  const begun = text.split(/\r\n|[\n\r\u2028\u2029]/).filter((line) => !line.startsWith('    ') && line !== '');
  assert.equal(begun.length, expected.length, `${taskId} as text: none passes for another`);
  const files = await written(server, taskId);
  assert.deepEqual(
    files.map(({ content }) => content.length),
    expected.map((message) => message.length),
    `${taskId} in its directory`,
  );
  assert.ok(
    files.every(({ content, seq }, at) => content === expected[at] && seq === at + 1),
    `${taskId} in its directory`,
  );
}

test('N entries are N lines in every way in and out, whatever their text', { timeout: 120_000 }, async (t) => {
  const server = await startServer(t);
  const entries = MESSAGES.map((message) => ({ message, type: 'output' }));
  for (const taskId of ['json', 'ndjson', 'lone', 'bytes', 'random'])
    await call(server, '/api/tasks', { task_id: taskId });

  const sent = await send(server, 'json', JSON.stringify(entries), 'application/json');
  assert.equal(((await sent.json()) as { accepted: number }).accepted, MESSAGES.length);
  await everywhere(server, 'json', MESSAGES);

  // Line breaks of all kinds between the entries are one.
  const body = entries
    .map((entry, at) => `${JSON.stringify(entry)}${at % 3 === 0 ? '\r\n' : at % 3 === 1 ? '\n\n' : '\n'}`)
    .join('');
  assert.equal((await send(server, 'ndjson', body, 'application/x-ndjson')).status, 200);
  await everywhere(server, 'ndjson', MESSAGES);

  const lone = LONE.map(
    ([escaped]) => `{"type":"output","message":"${escaped}","metadata":{"${escaped}":["${escaped}"]}}`,
  );
  assert.equal((await send(server, 'lone', lone.join('\n'), 'application/x-ndjson')).status, 200);
  await everywhere(
    server,
    'lone',
    LONE.map(([, becomes]) => becomes),
  );

  // Bytes that are no UTF-8 are refused or replaced, never passed on, and never make another line.
  const broken = Buffer.concat([
    Buffer.from('{"type":"output","message":"a'),
    Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]),
    Buffer.from('b"}\n'),
  ]);
  const answer = await send(server, 'bytes', broken, 'application/x-ndjson');
  assert.ok(answer.status === 200 || answer.status === 400, `${answer.status}`);
  const { logs } = await call<{ logs: readonly Line[] }>(server, '/api/tasks/bytes/logs');
  assert.equal(logs.length, answer.status === 200 ? 1 : 0);
  assert.ok(
    logs.every(({ message }) => /^a\ufffd+b$/.test(message)),
    JSON.stringify(logs),
  );

  // Any text at all, through the same ways.
  const random = fc.sample(fc.string({ unit: 'binary', maxLength: 60 }), { numRuns: 300, seed: 8 });
  const both = JSON.stringify(random.map((message) => ({ message, type: 'output' })));
  assert.equal((await send(server, 'random', both, 'application/json')).status, 200);
  await everywhere(
    server,
    'random',
    random.map((message) => message.toWellFormed()),
  );
});

test('what a command prints under run is as many lines as it printed, in every way out', {
  timeout: 60_000,
}, async (t) => {
  const server = await startServer(t);
  const printed: readonly (readonly [string | Buffer, string])[] = [
    ['separator\u2028paragraph\u2029next\u0085line', 'separator\u2028paragraph\u2029next\u0085line'],
    ['nul\u0000 bell\u0007 \u009b', 'nul\u0000 bell\u0007 \u009b'],
    [Buffer.from([0x61, 0xff, 0xfe, 0x62, 0xed, 0xa0, 0x80]), 'a\ufffd\ufffdb\ufffd\ufffd\ufffd'],
    ['windows\r', 'windows'],
    ['10%\r100%', '100%'],
    ['', ''],
    ['{"message":"no entry","seq":9}', '{"message":"no entry","seq":9}'],
    ['x'.repeat(LINE_BYTES), 'x'.repeat(LINE_BYTES)],
    ['unended', 'unended'],
  ];
  const file = join(server.dataDir, 'printed');
  await writeFile(
    file,
    Buffer.concat(
      printed.flatMap(([bytes], at) => [Buffer.from(bytes), Buffer.from(at < printed.length - 1 ? '\n' : '')]),
    ),
  );
  const at = {
    cwd: server.dataDir,
    dataDir: server.dataDir,
    env: { PATH: String(process.env.PATH), TASKTRAIL_DATA_DIR: server.dataDir },
  };
  const ran = await tasktrail(t, at, 'run', '--task', 'ran', '--', 'cat', file);
  assert.equal(ran.code, 0, ran.stderr);
  await everywhere(
    server,
    'ran',
    printed.map(([, becomes]) => becomes),
  );
});

/** Bodies that are no JSON, or too much of it, each with its name. */
function wrongBodies(): Readonly<Record<string, string | Uint8Array>> {
  return {
    'an open brace': '{',
    'a trailing comma': '{"message":"x",}',
    'single quotes': "{'message':'x'}",
    'a bare word': 'undefined',
    'no number': '{"message":NaN}',
    'UTF-16': Buffer.from('\ufeff{"message":"x"}', 'utf16le'),
    'an open text': '{"message":"x',
    'a control character in a text': '{"message":"a\u0000b"}',
    'a half escape': '{"message":"\\u12"}',
    'two values': '{"message":"x"} {"message":"y"} x',
    'deep lists': '['.repeat(1_000_000),
    'deep and closed lists': `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
    'deep objects': '{"message":'.repeat(200_000),
    'deep metadata': `{"message":"x","metadata":${'{"a":'.repeat(100)}1${'}'.repeat(101)}`,
    'many keys': `{"message":"x","metadata":{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":1`).join(',')}}}`,
    'a long key': `{"message":"x","metadata":{"${'k'.repeat(2_000_000)}":1}}`,
    'a message too long': `{"message":"${'x'.repeat(LINE_BYTES + 1)}"}`,
    'an endless number': `{"message":"x","level":${'9'.repeat(1_000_000)}}`,
    'a message that is an object': '{"message":{"toString":"x","length":1}}',
    'a list of lists': '[[["x"]]]',
    'a length of its own': '{"length":5,"message":["x"]}',
  };
}

test('malformed, deep and huge JSON is refused by name, everywhere, and the server goes on', {
  timeout: 60_000,
}, async (t) => {
  const server = await startServer(t);
  await call(server, '/api/tasks', { task_id: 'a' });
  const places = [
    '/api/tasks/a/logs',
    '/api/tasks',
    '/api/tasks/a/complete',
    '/api/webhooks',
    '/api/alerts',
    '/webhooks/sentry',
  ];
  let slowestMs = 0;
  for (const [name, body] of Object.entries(wrongBodies())) {
    for (const path of places) {
      for (const type of path.endsWith('logs') ? ['application/json', 'application/x-ndjson'] : ['application/json']) {
        const startMs = performance.now();
        const response = await fetch(`${server.url}${path}`, {
          method: 'POST',
          headers: { 'content-type': type },
          body: body as BodyInit,
        });
        const text = await response.text();
        slowestMs = Math.max(slowestMs, performance.now() - startMs);
        // Some are fine elsewhere: a delivery may be any JSON, and a number any level.
        const mayBeFine = path.startsWith('/webhooks/') && response.status < 300;
        assert.ok(
          mayBeFine || (response.status >= 400 && response.status < 500),
          `${name} at ${path} (${type}): ${response.status} ${text.slice(0, 200)}`,
        );
        if (response.status >= 400) assert.match(JSON.parse(text).code, /^[a-z_]+$/, name);
      }
    }
  }
  assert.equal((await call<{ status: string }>(server, '/health')).status, 'healthy');
  assert.equal((await call<{ log: { total: number } }>(server, '/api/tasks/a')).log.total, 0);
  t.diagnostic(`the slowest was refused in ${slowestMs.toFixed(0)} ms`);
});

test('names like __proto__ and constructor are data: they come back as they came and change nothing of ours', async (t) => {
  const { json, call: send, url } = await served(t);
  const evil =
    '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1,"hasOwnProperty":{}}';
  const clean = (): void => {
    assert.equal('polluted' in {}, false);
    assert.deepEqual([Object.keys(Object.prototype), typeof {}.toString], [[], 'function']);
  };
  const made = await json(
    'POST',
    '/api/tasks',
    `{"task_id":"p","metadata":${evil},"params":${evil},"input":{"message":"x","source_metadata":${evil}}}`,
  );
  assert.equal(made.status, 201, JSON.stringify(made.body));
  for (const body of [`{"message":"one","metadata":${evil}}`, `[{"message":"two","metadata":{"in":${evil}}}]`]) {
    assert.equal((await json('POST', '/api/tasks/p/logs', body)).status, 200);
  }
  // Where they are no fields of ours they are refused or kept as metadata, never followed.
  for (const [method, path, body] of [
    ['POST', '/api/tasks', `{"task_id":"q","__proto__":{"title":"x"}}`],
    [
      'POST',
      '/api/tasks/p/logs',
      `{"message":"three","__proto__":{"level":"ERROR"},"constructor":{"prototype":{"polluted":true}}}`,
    ],
    ['POST', '/api/tasks/p/complete', `{"metrics":{"__proto__":{"cost_usd":1}},"result":${evil}}`],
    ['PATCH', '/api/tasks/p', `{"__proto__":{"pinned":true}}`],
    ['POST', '/api/webhooks', `{"__proto__":{"polluted":true},"name":"x","commands":[]}`],
    ['POST', '/api/alerts', `{"constructor":{"prototype":{"polluted":true}},"name":"x"}`],
    ['GET', '/api/tasks?__proto__[polluted]=true&constructor[prototype][polluted]=true', undefined],
    ['GET', '/api/tasks/p/logs?__proto__=x&level=__proto__', undefined],
    ['GET', '/api/tasks/__proto__', undefined],
    ['GET', '/api/tasks/constructor/logs', undefined],
    ['GET', '/api/logs/search?q=meta.__proto__.polluted:true', undefined],
    ['GET', '/api/logs/search?q=meta.constructor.prototype:x', undefined],
    ['GET', '/api/plugins/__proto__', undefined],
    ['POST', '/webhooks/__proto__', '{}'],
  ] as const) {
    const response = await send(method, path, body);
    assert.ok(response.status < 500, `${method} ${path}: ${response.status} ${await response.text()}`);
    clean();
  }
  const task = await (await fetch(`${url}/api/tasks/p`)).text();
  assert.equal(task.split(evil).length - 1 >= 3, true, task);
  const page = await (await fetch(`${url}/api/tasks/p/logs`)).text();
  assert.ok(page.includes(`"metadata":${evil}`) && page.includes(`"metadata":{"in":${evil}}`), page);
  clean();
});
